#include "agent/state.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "agent/hex.h"
#include "agent/open_envelope.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/wire/json.h"

enum { ACCEPTED_MAX = 1 << 16 };

static void delete_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static int take_sum(const cJSON *json, const char *name, uint8_t ret[static 32])
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

	return text && jail_hex_parse(text, ret, 32) ? 0 : -EBADMSG;
}

static int take_text(const cJSON *json, const char *name, char **ret)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int take_fields(const cJSON *json, struct jail_accepted *accepted)
{
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "version");
	int r;

	if (!cJSON_IsNumber(version) || version->valuedouble < 1)
		return -EBADMSG;
	accepted->version = (uint64_t)version->valuedouble;
	if ((r = take_sum(json, "sha256", accepted->sha256)) < 0 ||
	    (r = take_sum(json, "envelope_sha256", accepted->envelope_sha256)) < 0 ||
	    (r = take_text(json, "cluster", &accepted->cluster)) < 0 ||
	    (r = take_text(json, "url", &accepted->url)) < 0 ||
	    (r = take_text(json, "etag", &accepted->etag)) < 0 ||
	    (r = take_text(json, "last_modified", &accepted->last_modified)) < 0)
		return r;
	return accepted->cluster ? 0 : -EBADMSG;
}

int jail_accepted_read(const char *path, struct jail_accepted *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoaccepted struct jail_accepted accepted = {0};
	__attribute__((cleanup(delete_json))) cJSON *json = NULL;
	int r = jail_file_read_trusted(AT_FDCWD, path, ACCEPTED_MAX, &text, err);

	if (r == 0)
		r = jail_json_scan(text.data, text.len, &JAIL_JSON_LIMITS_SMALL, err);
	if (r < 0)
		return r;
	json = cJSON_ParseWithLength(text.data, text.len);
	r = take_fields(json, &accepted);
	if (r < 0)
		return jail_error_set(err, -r, "%s is damaged", path);
	*ret = accepted;
	accepted = (struct jail_accepted){0};
	return 0;
}

static int put_member(struct jail_buffer *text, const char *name, const char *value)
{
	int r = value ? jail_buffer_printf(text, ",\n  \"%s\": ", name) : 0;

	return r < 0 || !value ? r : jail_json_put_string(text, value, strlen(value));
}

int jail_accepted_write(const char *path, const struct jail_accepted *accepted, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	char payload[65], envelope[65];

	jail_hex(accepted->sha256, 32, payload);
	jail_hex(accepted->envelope_sha256, 32, envelope);
	if (jail_buffer_printf(&text,
			       "{\n  \"version\": %" PRIu64
			       ",\n  \"sha256\": \"%s\",\n  \"envelope_sha256\": \"%s\"",
			       accepted->version, payload, envelope) < 0 ||
	    put_member(&text, "cluster", accepted->cluster) < 0 ||
	    put_member(&text, "url", accepted->url) < 0 || put_member(&text, "etag", accepted->etag) < 0 ||
	    put_member(&text, "last_modified", accepted->last_modified) < 0 ||
	    jail_buffer_puts(&text, "\n}\n") < 0)
		return jail_error_sys(err, ENOMEM, "cannot write %s", path);
	return jail_file_update(AT_FDCWD, path, text.data, text.len, 0644, NULL, err);
}

void jail_accepted_release(struct jail_accepted *accepted)
{
	free(accepted->cluster);
	free(accepted->url);
	free(accepted->etag);
	free(accepted->last_modified);
	*accepted = (struct jail_accepted){0};
}

int jail_known_load(const struct jail_config *config, const struct jail_trust *trust,
		    const struct jail_floor *floor, struct jail_known *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	jail_autoenvelope struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	struct jail_known known = {.present = true};
	int r = jail_file_read_trusted(AT_FDCWD, config->envelope, JAIL_JSON_LIMITS_ENVELOPE.bytes, &bytes,
				       err);

	if (r < 0)
		return r;
	r = jail_open_envelope(&bytes, &envelope, err);
	if (r == 0)
		r = jail_envelope_accept(&envelope, trust, floor, time(NULL), JAIL_ACCEPT_EXPIRED,
					 &known.policy, known.sha256, err);
	if (r < 0)
		return jail_error_prefix(err, "%s", config->envelope);
	jail_sha256(bytes.data, bytes.len, known.envelope_sha256);
	*ret = known;
	return 0;
}

void jail_known_release(struct jail_known *known)
{
	jail_policy_release(&known->policy);
	*known = (struct jail_known){0};
}

int jail_trust_load(const struct jail_config *config, struct jail_trust *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_file_read_trusted(AT_FDCWD, config->trust, JAIL_JSON_LIMITS_SMALL.bytes, &text, err);

	if (r == 0)
		r = jail_trust_parse(text.data, text.len, ret, err);
	return r < 0 ? jail_error_prefix(err, "the trust file %s", config->trust) : 0;
}
