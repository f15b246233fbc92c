/* What a node keeps in its state directory, besides the cache: the last envelope that it accepted, byte for
 * byte, and accepted.json beside it.
 *
 * accepted.json holds the version floor, and the validators of the server's answer with the sum of the
 * envelope that they belong to. It is written after the envelope: killed in between, the floor is that of the
 * envelope, and validators of other bytes are not used. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "agent/config.h"
#include "lib/wire/trust.h"

struct jail_accepted {
	uint64_t version;	     /* 0: nothing was accepted yet */
	uint8_t sha256[32];	     /* of the payload */
	uint8_t envelope_sha256[32]; /* of the file that the validators belong to */
	char *cluster;
	char *url, *etag, *last_modified; /* NULL: none */
};

/* Errors: -ENOENT none; -EBADMSG damaged; errno of reading. */
int jail_accepted_read(const char *path, struct jail_accepted *ret, struct jail_error *err);
/* Does nothing when the file already says so. */
int jail_accepted_write(const char *path, const struct jail_accepted *accepted, struct jail_error *err);
void jail_accepted_release(struct jail_accepted *accepted);
#define jail_autoaccepted __attribute__((cleanup(jail_accepted_release)))

/* Last-known-good, verified. */
struct jail_known {
	bool present;
	struct jail_policy policy;
	uint8_t sha256[32];	     /* of the payload */
	uint8_t envelope_sha256[32]; /* of the file */
};

/* Reads state/policy.envelope, opens it without privileges, and verifies it against trust and floor as if it
 * had just come, but for its expiry. Errors: -ENOENT none; those of jail_open_envelope and
 * jail_envelope_accept. */
int jail_known_load(const struct jail_config *config, const struct jail_trust *trust,
		    const struct jail_floor *floor, struct jail_known *ret, struct jail_error *err);
void jail_known_release(struct jail_known *known);
#define jail_autoknown __attribute__((cleanup(jail_known_release)))

/* Reads the trust file, which must be root's. */
int jail_trust_load(const struct jail_config *config, struct jail_trust *ret, struct jail_error *err);
