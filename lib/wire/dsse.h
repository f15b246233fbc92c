/* DSSE envelopes (secure-systems-lab/dsse, protocol.md and envelope.md): the exact bytes that were signed,
 * base64 in one JSON object with payloadType, payload, signatures[{keyid, sig}]. keyid may be absent. Other
 * fields are refused: they would be the only bytes of an envelope that nobody signs or checks. */
#pragma once

#include "lib/base/buffer.h"
#include "lib/wire/key.h"

#define JAIL_PAYLOAD_TYPE "application/vnd.clusterjail.policy+json"
enum { JAIL_ENVELOPE_SIGNATURES_MAX = 64 };

struct jail_signature {
	char *keyid; /* may be "" */
	uint8_t *bytes;
	size_t len;
};

struct jail_envelope {
	char *type;
	struct jail_buffer payload;
	struct jail_signature *signatures;
	size_t n_signatures;
};

/* Parses the envelope's JSON. Verifies nothing: its place is a process without privileges. Base64: standard
 * or URL-safe, as DSSE wants, padded. Errors: -EBADMSG with the reason. */
int jail_envelope_parse(const char *text, size_t len, struct jail_envelope *ret, struct jail_error *err);
/* The type of a new envelope. -ENOMEM. */
int jail_envelope_set_type(struct jail_envelope *envelope, const char *type, struct jail_error *err);
int jail_envelope_write(const struct jail_envelope *envelope, struct jail_buffer *ret,
			struct jail_error *err);
/* DSSEv1 pre-authentication encoding of type and payload. */
int jail_envelope_pae(const char *type, const void *payload, size_t len, struct jail_buffer *ret);
/* Adds key's signature over the PAE; replaces one that the same key made before. */
int jail_envelope_sign(struct jail_envelope *envelope, const struct jail_private_key *key,
		       struct jail_error *err);
void jail_envelope_release(struct jail_envelope *envelope);
#define jail_autoenvelope __attribute__((cleanup(jail_envelope_release)))
