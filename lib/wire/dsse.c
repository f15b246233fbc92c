#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/base64.h"
#include "lib/wire/dsse.h"
#include "lib/wire/json.h"

static void delete_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot hold an envelope");
}

static void release_signature(struct jail_signature *signature)
{
	free(signature->keyid);
	free(signature->bytes);
}

void jail_envelope_release(struct jail_envelope *envelope)
{
	free(envelope->type);
	jail_buffer_release(&envelope->payload);
	for (size_t i = 0; i < envelope->n_signatures; i++)
		release_signature(&envelope->signatures[i]);
	free(envelope->signatures);
	*envelope = (struct jail_envelope){.payload = JAIL_BUFFER_INIT};
}

int jail_envelope_set_type(struct jail_envelope *envelope, const char *type, struct jail_error *err)
{
	char *copy = strdup(type);

	if (!copy)
		return no_memory(err);
	free(envelope->type);
	envelope->type = copy;
	return 0;
}

/* The member's text, or NULL with err filled: -EBADMSG. */
static const char *get_string(const cJSON *object, const char *name, const char *where,
			      struct jail_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsString(item))
		return item->valuestring;
	jail_error_set(err, EBADMSG, "%s/%s: expected a string, found %s", where, name,
		       item ? "something else" : "no such field");
	return NULL;
}

static int check_fields(const cJSON *object, const char *where, const char *const *known,
			struct jail_error *err)
{
	for (const cJSON *item = object->child; item; item = item->next) {
		size_t i = 0;

		while (known[i] && strcmp(known[i], item->string) != 0)
			i++;
		if (!known[i])
			return jail_error_set(err, EBADMSG, "%s/%.100s: an envelope has no such field", where,
					      item->string);
	}
	return 0;
}

static int decode(const char *base64, const char *where, struct jail_buffer *ret, struct jail_error *err)
{
	int r = jail_base64_decode(base64, strlen(base64), ret);

	if (r == -ENOMEM)
		return no_memory(err);
	if (r < 0)
		return jail_error_set(err, EBADMSG, "%s: this is not padded base64 (RFC 4648)", where);
	return 0;
}

static int read_signature(const cJSON *item, size_t index, struct jail_envelope *envelope,
			  struct jail_error *err)
{
	static const char *const known[] = {"keyid", "sig", NULL};
	struct jail_signature *signature = &envelope->signatures[index];
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	const char *keyid = "", *sig;
	char where[64], sig_where[80];
	int r;

	snprintf(where, sizeof where, "/signatures/%zu", index);
	snprintf(sig_where, sizeof sig_where, "%s/sig", where);
	if (!cJSON_IsObject(item))
		return jail_error_set(err, EBADMSG, "%s: expected an object with keyid and sig", where);
	r = check_fields(item, where, known, err);
	if (r < 0)
		return r;
	if (cJSON_HasObjectItem(item, "keyid"))
		keyid = get_string(item, "keyid", where, err);
	sig = keyid ? get_string(item, "sig", where, err) : NULL;
	if (!sig)
		return -EBADMSG;
	r = decode(sig, sig_where, &bytes, err);
	if (r < 0)
		return r;
	if (bytes.len == 0)
		return jail_error_set(err, EBADMSG, "%s: the signature is empty", sig_where);
	signature->keyid = strdup(keyid);
	if (!signature->keyid)
		return no_memory(err);
	signature->len = bytes.len;
	signature->bytes = (uint8_t *)bytes.data;
	bytes = JAIL_BUFFER_INIT;
	return 0;
}

static int read_signatures(const cJSON *json, struct jail_envelope *envelope, struct jail_error *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "signatures"), *item;
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : -1;
	size_t i = 0;

	if (n < 1 || n > JAIL_ENVELOPE_SIGNATURES_MAX)
		return jail_error_set(err, EBADMSG, "/signatures: expected a list of 1 to %d signatures",
				      JAIL_ENVELOPE_SIGNATURES_MAX);
	envelope->signatures = calloc((size_t)n, sizeof *envelope->signatures);
	if (!envelope->signatures)
		return no_memory(err);
	envelope->n_signatures = (size_t)n;
	cJSON_ArrayForEach(item, list)
	{
		int r = read_signature(item, i++, envelope, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int jail_envelope_parse(const char *text, size_t len, struct jail_envelope *ret, struct jail_error *err)
{
	static const char *const known[] = {"payloadType", "payload", "signatures", NULL};
	jail_autoenvelope struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	__attribute__((cleanup(delete_json))) cJSON *json = NULL;
	const char *type, *payload;
	int r = jail_json_scan(text, len, &JAIL_JSON_LIMITS_ENVELOPE, err);

	if (r < 0)
		return r;
	json = cJSON_ParseWithLength(text, len);
	if (!json)
		return no_memory(err);
	if (!cJSON_IsObject(json))
		return jail_error_set(err, EBADMSG,
				      "expected a signed envelope: an object with payloadType, "
				      "payload and signatures");
	r = check_fields(json, "", known, err);
	if (r < 0)
		return r;
	type = get_string(json, "payloadType", "", err);
	payload = type ? get_string(json, "payload", "", err) : NULL;
	if (!payload)
		return -EBADMSG;
	r = decode(payload, "/payload", &envelope.payload, err);
	if (r < 0)
		return r;
	r = read_signatures(json, &envelope, err);
	if (r < 0)
		return r;
	r = jail_envelope_set_type(&envelope, type, err);
	if (r < 0)
		return r;
	*ret = envelope;
	envelope = (struct jail_envelope){.payload = JAIL_BUFFER_INIT};
	return 0;
}

static int write_signature(const struct jail_signature *signature, bool last, struct jail_buffer *buffer)
{
	int r = jail_buffer_puts(buffer, "    {\"keyid\": ");

	if (r == 0)
		r = jail_json_put_string(buffer, signature->keyid, strlen(signature->keyid));
	if (r == 0)
		r = jail_buffer_puts(buffer, ", \"sig\": \"");
	if (r == 0)
		r = jail_base64_encode(signature->bytes, signature->len, buffer);
	return r < 0 ? r : jail_buffer_puts(buffer, last ? "\"}\n" : "\"},\n");
}

int jail_envelope_write(const struct jail_envelope *envelope, struct jail_buffer *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer buffer = JAIL_BUFFER_INIT;
	int r = jail_buffer_puts(&buffer, "{\n  \"payloadType\": ");

	if (r == 0)
		r = jail_json_put_string(&buffer, envelope->type, strlen(envelope->type));
	if (r == 0)
		r = jail_buffer_puts(&buffer, ",\n  \"payload\": \"");
	if (r == 0)
		r = jail_base64_encode(envelope->payload.data, envelope->payload.len, &buffer);
	if (r == 0)
		r = jail_buffer_puts(&buffer, "\",\n  \"signatures\": [\n");
	for (size_t i = 0; r == 0 && i < envelope->n_signatures; i++)
		r = write_signature(&envelope->signatures[i], i + 1 == envelope->n_signatures, &buffer);
	if (r == 0)
		r = jail_buffer_puts(&buffer, "  ]\n}\n");
	if (r == 0)
		r = jail_buffer_append(ret, buffer.data, buffer.len);
	return r < 0 ? no_memory(err) : 0;
}

int jail_envelope_pae(const char *type, const void *payload, size_t len, struct jail_buffer *ret)
{
	int r = jail_buffer_printf(ret, "DSSEv1 %zu %s %zu ", strlen(type), type, len);

	return r < 0 ? r : jail_buffer_append(ret, payload, len);
}
