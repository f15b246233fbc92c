/* Ed25519 keys (RFC 8032): PKCS#8 PEM private, SPKI PEM public. OpenSSL 1.1.1 to 3.5, EVP only. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

enum { JAIL_KEY_SIZE = 32, JAIL_SIGNATURE_SIZE = 64, JAIL_KEYID_SIZE = 65 };

struct jail_public_key {
	uint8_t raw[JAIL_KEY_SIZE];
	char keyid[JAIL_KEYID_SIZE]; /* hex SHA-256 of the raw key; a hint, nothing is decided by it */
};

struct jail_private_key; /* opaque; cleared when freed */

int jail_key_generate(struct jail_private_key **ret, struct jail_error *err);
void jail_private_key_free(struct jail_private_key **key);
#define jail_autokey __attribute__((cleanup(jail_private_key_free)))

int jail_private_key_from_pem(const char *pem, size_t len, struct jail_private_key **ret,
			      struct jail_error *err);
int jail_private_key_to_pem(const struct jail_private_key *key, struct jail_buffer *ret,
			    struct jail_error *err);
int jail_private_key_public(const struct jail_private_key *key, struct jail_public_key *ret,
			    struct jail_error *err);
int jail_public_key_from_pem(const char *pem, size_t len, struct jail_public_key *ret,
			     struct jail_error *err);
int jail_public_key_to_pem(const struct jail_public_key *key, struct jail_buffer *ret,
			   struct jail_error *err);

int jail_sign(const struct jail_private_key *key, const void *data, size_t len,
	      uint8_t ret[JAIL_SIGNATURE_SIZE], struct jail_error *err);
/* 1 good, 0 not, negative errno when it could not be told. */
int jail_verify(const struct jail_public_key *key, const void *data, size_t len, const uint8_t *signature,
		size_t signature_len);

/* SHA-256 of data. */
void jail_sha256(const void *data, size_t len, uint8_t ret[32]);
void jail_hex(const uint8_t *data, size_t len, char *ret); /* 2 * len + 1 bytes */
