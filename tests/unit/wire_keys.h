/* Keys that are the same in every run, made from their seeds (RFC 8410, section 7), for tests of signatures.
 */
#pragma once

#include <stdlib.h>
#include <string.h>
#include "lib/wire/base64.h"
#include "lib/wire/key.h"

/* RFC 8032, section 7.1, test 1. */
#define RFC8032_SEED                                                                                         \
	"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19"   \
	"\x70\x3b\xac\x03\x1c\xae\x7f\x60"
/* 32 times one digit. */
#define SEED_1 "11111111111111111111111111111111"
#define SEED_2 "22222222222222222222222222222222"
#define SEED_3 "33333333333333333333333333333333"

static inline struct jail_private_key *key_of_seed(const char *seed)
{
	char der[48] = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
	struct jail_buffer pem = JAIL_BUFFER_INIT;
	struct jail_private_key *key = NULL;

	memcpy(der + 16, seed, 32);
	if (jail_buffer_printf(&pem, "-----BEGIN %s KEY-----\n", "PRIVATE") < 0 ||
	    jail_base64_encode(der, sizeof der, &pem) < 0 ||
	    jail_buffer_printf(&pem, "\n-----END %s KEY-----\n", "PRIVATE") < 0 ||
	    jail_private_key_from_pem(pem.data, pem.len, &key, NULL) < 0)
		abort();
	jail_buffer_release(&pem);
	return key;
}

static inline struct jail_public_key public_of_seed(const char *seed)
{
	jail_autokey struct jail_private_key *key = key_of_seed(seed);
	struct jail_public_key public;

	if (jail_private_key_public(key, &public, NULL) < 0)
		abort();
	return public;
}
