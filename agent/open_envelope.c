#include "agent/open_envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/frames.h"
#include "agent/sandbox.h"
#include "lib/base/array.h"
#include "lib/wire/json.h"

/* cJSON takes a multiple of the text: an envelope of 24 MiB parses in less than 200 MiB. */
enum {
	MEMORY = 512 << 20,
	SECONDS = 30,
	TAG_TYPE = 'T',
	TAG_PAYLOAD = 'P',
	TAG_KEYID = 'K',
	TAG_SIGNATURE = 'S'
};

static int parse(const void *argument, int out, struct jail_error *err)
{
	const struct jail_buffer *bytes = argument;
	jail_autoenvelope struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	int r = jail_envelope_parse(bytes->data, bytes->len, &envelope, err);

	if (r < 0)
		return r;
	r = jail_frame_put(out, TAG_TYPE, envelope.type, strlen(envelope.type));
	if (r == 0)
		r = jail_frame_put(out, TAG_PAYLOAD, envelope.payload.data, envelope.payload.len);
	for (size_t i = 0; r == 0 && i < envelope.n_signatures; i++) {
		const struct jail_signature *signature = &envelope.signatures[i];

		r = jail_frame_put(out, TAG_KEYID, signature->keyid, strlen(signature->keyid));
		if (r == 0)
			r = jail_frame_put(out, TAG_SIGNATURE, signature->bytes, signature->len);
	}
	return r < 0 ? jail_error_sys(err, -r, "cannot hand the envelope back") : 0;
}

/* A signature begins with its keyid. */
static int add_keyid(const struct jail_frame *frame, struct jail_envelope *envelope)
{
	struct jail_signature *signature;
	char *keyid = NULL;
	int r;

	if (envelope->n_signatures >= JAIL_ENVELOPE_SIGNATURES_MAX)
		return -EBADMSG;
	r = jail_frame_text(frame, &keyid);
	if (r < 0)
		return r;
	signature = JAIL_ARRAY_PUSH(envelope->signatures, envelope->n_signatures);
	if (!signature) {
		free(keyid);
		return -ENOMEM;
	}
	envelope->n_signatures++;
	signature->keyid = keyid;
	return 0;
}

static int add_signature(const struct jail_frame *frame, struct jail_envelope *envelope)
{
	struct jail_signature *signature;

	if (envelope->n_signatures == 0)
		return -EBADMSG;
	signature = &envelope->signatures[envelope->n_signatures - 1];
	if (signature->bytes)
		return -EBADMSG;
	signature->bytes = malloc(frame->len + 1);
	if (!signature->bytes)
		return -ENOMEM;
	memcpy(signature->bytes, frame->data, frame->len);
	signature->len = frame->len;
	return 0;
}

static int unpack(const struct jail_buffer *frames, struct jail_envelope *ret)
{
	struct jail_frame frame;
	size_t offset = 0;
	int r;

	while ((r = jail_frame_next(frames, &offset, &frame)) > 0) {
		if (frame.tag == TAG_TYPE && !ret->type)
			r = jail_frame_text(&frame, &ret->type);
		else if (frame.tag == TAG_PAYLOAD && ret->payload.len == 0)
			r = jail_buffer_append(&ret->payload, frame.data, frame.len);
		else if (frame.tag == TAG_KEYID)
			r = add_keyid(&frame, ret);
		else if (frame.tag == TAG_SIGNATURE)
			r = add_signature(&frame, ret);
		else
			r = -EBADMSG;
		if (r < 0)
			return r;
	}
	for (size_t i = 0; r == 0 && i < ret->n_signatures; i++)
		if (!ret->signatures[i].bytes)
			r = -EBADMSG;
	return r < 0 || ret->type ? r : -EBADMSG;
}

int jail_open_envelope(const struct jail_buffer *bytes, struct jail_envelope *ret, struct jail_error *err)
{
	const struct jail_sandbox sandbox = {
		.what = "reading the envelope",
		.output = JAIL_JSON_LIMITS_ENVELOPE.bytes,
		.seconds = SECONDS,
		.memory = MEMORY,
	};
	jail_autobuffer struct jail_buffer frames = JAIL_BUFFER_INIT;
	jail_autoenvelope struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	int r = jail_sandbox_run(&sandbox, parse, bytes, &frames, err);

	if (r < 0)
		return r;
	r = unpack(&frames, &envelope);
	if (r < 0)
		return jail_error_sys(err, r == -ENOMEM ? ENOMEM : EPROTO, "reading the envelope");
	*ret = envelope;
	envelope = (struct jail_envelope){.payload = JAIL_BUFFER_INIT};
	return 0;
}
