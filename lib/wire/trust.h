/* The trust file (schema/trust.schema.json): which keys a node believes, how many of them, for which cluster.
 */
#pragma once

#include <stdbool.h>
#include <time.h>
#include "lib/wire/dsse.h"
#include "lib/policy/model.h"

/* Whether name is a cluster's as the schemas want it: 1 to 63 of a-z 0-9 . _ -, a letter or digit at both
 * ends. */
bool jail_trust_cluster_ok(const char *name);

struct jail_trust {
	char *cluster;
	unsigned threshold;	      /* 1 <= threshold <= n_keys */
	struct jail_public_key *keys; /* distinct raw keys */
	size_t n_keys;
};

enum { JAIL_TRUST_KEYS_MAX = 64 };

/* Every key distinct by its raw bytes; a keyid must be the key's own: it decides nothing, but a wrong one
 * would mislead whoever reads the file. Errors: -EBADMSG "LINE:COLUMN: POINTER: what", -ENOMEM. */
int jail_trust_parse(const char *text, size_t len, struct jail_trust *ret, struct jail_error *err);
/* Appends the file's text; the same trust gives the same bytes. */
int jail_trust_write(const struct jail_trust *trust, struct jail_buffer *ret, struct jail_error *err);
void jail_trust_release(struct jail_trust *trust);
#define jail_autotrust __attribute__((cleanup(jail_trust_release)))

/* ret_good[i], of trust->n_keys: whether keys[i] has a good signature over the PAE. Every signature is tried
 * with every key, whatever its keyid says. Returns how many are good, or -ENOMEM, -EIO. */
int jail_envelope_signers(const struct jail_envelope *envelope, const struct jail_trust *trust,
			  bool *ret_good, struct jail_error *err);

/* What the node accepted before. version 0: nothing yet. */
struct jail_floor {
	uint64_t version;
	uint8_t sha256[32]; /* of the payload of that version */
};

enum jail_accept_flags {
	JAIL_ACCEPT_EXPIRED =
		1, /* for last-known-good: expiry is reported by the caller, not an error here */
};

/* Counts distinct raw public keys of trust with a good signature over the PAE (never key ids), then checks in
 * this order: threshold, type, cluster, version against floor (same version: same payload bytes), lint
 * (jail_policy_parse_strict), expiry against now. A payload that lint refuses is still first told to be of
 * another cluster or an older version where it can be read that far. floor may be NULL: nothing yet. now:
 * seconds since the epoch; a policy is expired from the second that it names. Errors (err says it for
 * people): -EBADMSG not enough good signatures or not the type, -EXDEV other cluster, -ESTALE older version,
 * -EEXIST same version with other bytes, -EINVAL refused by lint, -ETIME expired. */
int jail_envelope_accept(const struct jail_envelope *envelope, const struct jail_trust *trust,
			 const struct jail_floor *floor, time_t now, unsigned flags,
			 struct jail_policy *ret_policy, uint8_t ret_sha256[32], struct jail_error *err);
