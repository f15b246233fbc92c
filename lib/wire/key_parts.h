/* What lib/wire/key.c and key_private.c share. Only what OpenSSL 1.1.1 has, and nothing that 3.x deprecates.
 */
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include "lib/wire/key.h"

static inline void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static inline void free_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static inline void free_pkey_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

static inline void free_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

#define auto_bio      __attribute__((cleanup(free_bio)))
#define auto_pkey     __attribute__((cleanup(free_pkey)))
#define auto_pkey_ctx __attribute__((cleanup(free_pkey_ctx)))
#define auto_md_ctx   __attribute__((cleanup(free_md_ctx)))

/* Fills err with what and libcrypto's own reason, and empties its queue. */
int jail_crypto_error(struct jail_error *err, int code, const char *what);

/* Whether text stands at least that many times in pem. */
bool jail_pem_has(const char *pem, size_t len, const char *text, int times);
/* Refuses (-EBADMSG) more than one key. pem has to outlive *ret. */
int jail_pem_open(const char *pem, size_t len, BIO **ret, struct jail_error *err);
int jail_pem_take(BIO *bio, struct jail_buffer *ret, struct jail_error *err);

/* -EBADMSG when it is no Ed25519 key. */
int jail_key_check(const EVP_PKEY *pkey, struct jail_error *err);
int jail_key_public_of(const EVP_PKEY *pkey, struct jail_public_key *ret, struct jail_error *err);
