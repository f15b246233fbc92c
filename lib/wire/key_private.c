#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/key.h"
#include "lib/wire/key_parts.h"

struct jail_private_key {
	EVP_PKEY *pkey;
};

static int new_private_key(EVP_PKEY **pkey, struct jail_private_key **ret, struct jail_error *err)
{
	struct jail_private_key *key = calloc(1, sizeof *key);

	if (!key)
		return jail_error_sys(err, ENOMEM, "cannot keep a private key");
	key->pkey = JAIL_STEAL_PTR(*pkey);
	*ret = key;
	return 0;
}

void jail_private_key_free(struct jail_private_key **key)
{
	if (!*key)
		return;
	EVP_PKEY_free((*key)->pkey); /* clears the secret */
	free(*key);
	*key = NULL;
}

int jail_key_generate(struct jail_private_key **ret, struct jail_error *err)
{
	auto_pkey_ctx EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
	auto_pkey EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &pkey) != 1)
		return jail_crypto_error(err, EIO, "cannot make an Ed25519 key");
	return new_private_key(&pkey, ret, err);
}

static int refuse_passphrase(char *buffer, int size, int writing, void *asked)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

int jail_private_key_from_pem(const char *pem, size_t len, struct jail_private_key **ret,
			      struct jail_error *err)
{
	auto_bio BIO *bio = NULL;
	auto_pkey EVP_PKEY *pkey = NULL;
	bool asked = false;
	int r = jail_pem_open(pem, len, &bio, err);

	if (r < 0)
		return r;
	if (jail_pem_has(pem, len, "-----BEGIN PUBLIC KEY-----", 1))
		return jail_error_set(err, EBADMSG,
				      "this is a public key: signing needs the private one (NAME.key)");
	pkey = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &asked);
	if (asked) {
		ERR_clear_error();
		return jail_error_set(
			err, EBADMSG,
			"the key is encrypted with a passphrase, which is not read here: decrypt "
			"it into memory with \"openssl pkey -in KEY\" and give that");
	}
	if (!pkey)
		return jail_crypto_error(err, EBADMSG, "expected a private key in PEM (PKCS#8)");
	r = jail_key_check(pkey, err);
	return r < 0 ? r : new_private_key(&pkey, ret, err);
}

int jail_private_key_to_pem(const struct jail_private_key *key, struct jail_buffer *ret,
			    struct jail_error *err)
{
	auto_bio BIO *bio = BIO_new(BIO_s_secmem()); /* cleared when freed */

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return jail_crypto_error(err, EIO, "cannot write a private key as PEM");
	return jail_pem_take(bio, ret, err);
}

int jail_private_key_public(const struct jail_private_key *key, struct jail_public_key *ret,
			    struct jail_error *err)
{
	return jail_key_public_of(key->pkey, ret, err);
}

int jail_sign(const struct jail_private_key *key, const void *data, size_t len,
	      uint8_t ret[JAIL_SIGNATURE_SIZE], struct jail_error *err)
{
	auto_md_ctx EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[JAIL_SIGNATURE_SIZE];
	size_t signature_len = sizeof signature;

	/* Ed25519 is one-shot and has no digest of the caller's choice (EVP_SIGNATURE-ED25519(7)). */
	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) != 1 ||
	    EVP_DigestSign(ctx, signature, &signature_len, data, len) != 1 ||
	    signature_len != sizeof signature)
		return jail_crypto_error(err, EIO, "cannot sign");
	memcpy(ret, signature, sizeof signature);
	return 0;
}
