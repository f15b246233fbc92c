#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"
#include "lib/wire/trust.h"

enum { TRUST_FORMAT = 1, CLUSTER_MAX = 63 };

static void delete_json(cJSON **json)
{
	cJSON_Delete(*json);
}

/* A trust file being read: its text, so that an error can name the place. */
struct reader {
	const char *text;
	size_t len;
	struct jail_error *err;
};

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot hold a trust file");
}

__attribute__((format(printf, 3, 4))) static int fail(const struct reader *reader, const char *pointer,
						      const char *format, ...)
{
	char what[JAIL_ERROR_MESSAGE_MAX / 2];
	size_t line, column;
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	jail_json_locate(reader->text, reader->len, pointer, &line, &column);
	return jail_error_set(reader->err, EBADMSG, "%zu:%zu: %s%s%s", line, column, pointer,
			      *pointer ? ": " : "", what);
}

void jail_trust_release(struct jail_trust *trust)
{
	free(trust->cluster);
	free(trust->keys);
	*trust = (struct jail_trust){0};
}

static int check_fields(const struct reader *reader, const cJSON *object, const char *parent,
			const char *const *known)
{
	for (const cJSON *item = object->child; item; item = item->next) {
		char pointer[128];
		size_t i = 0;

		while (known[i] && strcmp(known[i], item->string) != 0)
			i++;
		if (known[i])
			continue;
		snprintf(pointer, sizeof pointer, "%s/%s", parent, item->string);
		return fail(reader, pointer, "a trust file has no such field");
	}
	return 0;
}

bool jail_trust_cluster_ok(const char *name)
{
	static const char ends[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(name);

	return len >= 1 && len <= CLUSTER_MAX && strchr(ends, name[0]) && strchr(ends, name[len - 1]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static int read_cluster(const struct reader *reader, const cJSON *json, struct jail_trust *trust)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "cluster");

	if (!cJSON_IsString(item))
		return fail(reader, "/cluster", "expected the cluster's name, a string");
	if (!jail_trust_cluster_ok(item->valuestring))
		return fail(
			reader, "/cluster",
			"a cluster's name has 1 to %d lower-case letters, digits, '.', '_' or '-' and begins "
			"and ends with a letter or digit",
			CLUSTER_MAX);
	trust->cluster = strdup(item->valuestring);
	return trust->cluster ? 0 : no_memory(reader->err);
}

static int read_threshold(const struct reader *reader, const cJSON *json, struct jail_trust *trust)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "threshold");

	if (!cJSON_IsNumber(item) || item->valuedouble < 1)
		return fail(reader, "/threshold", "expected how many keys must sign, a number from 1");
	if (item->valuedouble > (double)trust->n_keys)
		return fail(reader, "/threshold",
			    "%.0f keys must sign but only %zu are listed: no policy could ever be accepted",
			    item->valuedouble, trust->n_keys);
	trust->threshold = (unsigned)item->valuedouble;
	return 0;
}

static int read_pem(const struct reader *reader, const cJSON *item, const char *parent,
		    struct jail_public_key *ret)
{
	static const char start[] = "-----BEGIN PUBLIC KEY-----\n";
	const cJSON *pem = cJSON_GetObjectItemCaseSensitive(item, "pem");
	struct jail_error why;
	char pointer[64];

	snprintf(pointer, sizeof pointer, "%s/pem", parent);
	if (!cJSON_IsString(pem) || strncmp(pem->valuestring, start, strlen(start)) != 0)
		return fail(reader, pointer, "expected a public key that begins with \"%.26s\"", start);
	if (jail_public_key_from_pem(pem->valuestring, strlen(pem->valuestring), ret, &why) < 0)
		return fail(reader, pointer, "%s", why.message);
	return 0;
}

static int read_keyid(const struct reader *reader, const cJSON *item, const char *parent,
		      const char *expected)
{
	const cJSON *keyid = cJSON_GetObjectItemCaseSensitive(item, "keyid");
	char pointer[64];

	snprintf(pointer, sizeof pointer, "%s/keyid", parent);
	if (cJSON_IsString(keyid) && strcmp(keyid->valuestring, expected) == 0)
		return 0;
	return fail(reader, pointer, "expected \"%s\", the SHA-256 of this key", expected);
}

static int read_key(const struct reader *reader, const cJSON *item, struct jail_trust *trust)
{
	static const char *const known[] = {"keyid", "pem", NULL};
	struct jail_public_key *key = &trust->keys[trust->n_keys];
	char pointer[32];
	int r;

	snprintf(pointer, sizeof pointer, "/keys/%zu", trust->n_keys);
	if (!cJSON_IsObject(item))
		return fail(reader, pointer, "expected an object with keyid and pem");
	r = check_fields(reader, item, pointer, known);
	if (r == 0)
		r = read_pem(reader, item, pointer, key);
	if (r == 0)
		r = read_keyid(reader, item, pointer, key->keyid);
	if (r < 0)
		return r;
	for (size_t i = 0; i < trust->n_keys; i++)
		if (memcmp(trust->keys[i].raw, key->raw, sizeof key->raw) == 0)
			return fail(reader, pointer, "the same key as /keys/%zu: one key counts once", i);
	trust->n_keys++;
	return 0;
}

static int read_keys(const struct reader *reader, const cJSON *json, struct jail_trust *trust)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "keys"), *item;
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1;

	if (n < 1 || n > JAIL_TRUST_KEYS_MAX)
		return fail(reader, "/keys", "expected a list of 1 to %d public keys", JAIL_TRUST_KEYS_MAX);
	trust->keys = calloc((size_t)n, sizeof *trust->keys);
	if (!trust->keys)
		return no_memory(reader->err);
	cJSON_ArrayForEach(item, list)
	{
		int r = read_key(reader, item, trust);
		if (r < 0)
			return r;
	}
	return 0;
}

int jail_trust_parse(const char *text, size_t len, struct jail_trust *ret, struct jail_error *err)
{
	static const char *const known[] = {"format", "cluster", "threshold", "keys", NULL};
	struct reader reader = {.text = text, .len = len, .err = err};
	struct jail_trust trust = {0};
	__attribute__((cleanup(delete_json))) cJSON *json = NULL;
	const cJSON *format;
	int r = jail_json_scan(text, len, &JAIL_JSON_LIMITS_SMALL, err);

	if (r < 0)
		return r;
	json = cJSON_ParseWithLength(text, len);
	if (!json)
		return no_memory(err);
	if (!cJSON_IsObject(json))
		return fail(&reader, "",
			    "expected a trust file: an object with format, cluster, threshold and "
			    "keys (write one with \"jail-policy trust init\")");
	format = cJSON_GetObjectItemCaseSensitive(json, "format");
	if (!cJSON_IsNumber(format) || format->valuedouble != TRUST_FORMAT)
		return fail(&reader, "/format", "expected format %d, the only one there is", TRUST_FORMAT);
	r = check_fields(&reader, json, "", known);
	if (r == 0)
		r = read_cluster(&reader, json, &trust);
	if (r == 0)
		r = read_keys(&reader, json, &trust);
	if (r == 0)
		r = read_threshold(&reader, json, &trust);
	if (r < 0) {
		jail_trust_release(&trust);
		return r;
	}
	*ret = trust;
	return 0;
}

static int write_key(const struct jail_public_key *key, bool last, struct jail_buffer *buffer,
		     struct jail_error *err)
{
	jail_autobuffer struct jail_buffer pem = JAIL_BUFFER_INIT;
	int r = jail_public_key_to_pem(key, &pem, err);

	if (r < 0)
		return r;
	if (jail_buffer_printf(buffer, "    {\"keyid\": \"%s\",\n     \"pem\": ", key->keyid) < 0 ||
	    jail_json_put_string(buffer, pem.data, pem.len) < 0 ||
	    jail_buffer_puts(buffer, last ? "}\n" : "},\n") < 0)
		return no_memory(err);
	return 0;
}

int jail_trust_write(const struct jail_trust *trust, struct jail_buffer *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer buffer = JAIL_BUFFER_INIT;

	if (jail_buffer_printf(&buffer, "{\n  \"format\": %d,\n  \"cluster\": ", TRUST_FORMAT) < 0 ||
	    jail_json_put_string(&buffer, trust->cluster, strlen(trust->cluster)) < 0 ||
	    jail_buffer_printf(&buffer, ",\n  \"threshold\": %u,\n  \"keys\": [\n", trust->threshold) < 0)
		return no_memory(err);
	for (size_t i = 0; i < trust->n_keys; i++) {
		int r = write_key(&trust->keys[i], i + 1 == trust->n_keys, &buffer, err);
		if (r < 0)
			return r;
	}
	if (jail_buffer_puts(&buffer, "  ]\n}\n") < 0 || jail_buffer_append(ret, buffer.data, buffer.len) < 0)
		return no_memory(err);
	return 0;
}
