#include "lib/wire/key.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include "lib/wire/key_parts.h"

int jail_crypto_error(struct jail_error *err, int code, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return jail_error_set(err, code, "%s: %s", what, reason ? reason : "libcrypto gives no reason");
}

/* A second key in the file would be ignored by libcrypto, and the person who put it there would not know. */
bool jail_pem_has(const char *pem, size_t len, const char *text, int times)
{
	for (const char *p = pem; times > 0; times--) {
		p = memmem(p, len - (size_t)(p - pem), text, strlen(text));
		if (!p)
			return false;
		p += strlen(text);
	}
	return true;
}

int jail_pem_open(const char *pem, size_t len, BIO **ret, struct jail_error *err)
{
	if (len > INT_MAX)
		return jail_error_set(err, EFBIG, "a key in PEM is small, and this has %zu bytes", len);
	if (jail_pem_has(pem, len, "-----BEGIN ", 2))
		return jail_error_set(err, EBADMSG,
				      "expected one key in PEM, found more: keep one in a file");
	*ret = BIO_new_mem_buf(pem, (int)len);
	if (!*ret)
		return jail_crypto_error(err, ENOMEM, "cannot read a key");
	return 0;
}

int jail_key_check(const EVP_PKEY *pkey, struct jail_error *err)
{
	int id = EVP_PKEY_id(pkey);
	const char *name;

	if (id == EVP_PKEY_ED25519)
		return 0;
	name = OBJ_nid2ln(id);
	return jail_error_set(err, EBADMSG,
			      "expected an Ed25519 key, found one of kind %s: make one with "
			      "\"jail-policy keygen\"",
			      name ? name : "unknown");
}

int jail_pem_take(BIO *bio, struct jail_buffer *ret, struct jail_error *err)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	if (len <= 0 || jail_buffer_append(ret, data, (size_t)len) < 0)
		return jail_error_sys(err, ENOMEM, "cannot write a key as PEM");
	return 0;
}

int jail_key_public_of(const EVP_PKEY *pkey, struct jail_public_key *ret, struct jail_error *err)
{
	struct jail_public_key key;
	size_t len = sizeof key.raw;
	uint8_t digest[32];

	if (EVP_PKEY_get_raw_public_key(pkey, key.raw, &len) != 1 || len != sizeof key.raw)
		return jail_crypto_error(err, EIO, "cannot take the public half of a key");
	jail_sha256(key.raw, sizeof key.raw, digest);
	jail_hex(digest, sizeof digest, key.keyid);
	*ret = key;
	return 0;
}

int jail_public_key_from_pem(const char *pem, size_t len, struct jail_public_key *ret, struct jail_error *err)
{
	auto_bio BIO *bio = NULL;
	auto_pkey EVP_PKEY *pkey = NULL;
	int r = jail_pem_open(pem, len, &bio, err);

	if (r < 0)
		return r;
	if (jail_pem_has(pem, len, "PRIVATE KEY-----", 1))
		return jail_error_set(
			err, EBADMSG,
			"this is a private key, which must not leave the signer's machine: give "
			"the public one (NAME.pub)");
	pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	if (!pkey)
		return jail_crypto_error(err, EBADMSG, "expected a public key in PEM (SubjectPublicKeyInfo)");
	r = jail_key_check(pkey, err);
	return r < 0 ? r : jail_key_public_of(pkey, ret, err);
}

int jail_public_key_to_pem(const struct jail_public_key *key, struct jail_buffer *ret, struct jail_error *err)
{
	auto_pkey EVP_PKEY *pkey =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->raw, sizeof key->raw);
	auto_bio BIO *bio = BIO_new(BIO_s_mem());

	if (!pkey || !bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return jail_crypto_error(err, EIO, "cannot write a public key as PEM");
	return jail_pem_take(bio, ret, err);
}

int jail_verify(const struct jail_public_key *key, const void *data, size_t len, const uint8_t *signature,
		size_t signature_len)
{
	auto_pkey EVP_PKEY *pkey = NULL;
	auto_md_ctx EVP_MD_CTX *ctx = NULL;
	int r;

	if (signature_len != JAIL_SIGNATURE_SIZE)
		return 0;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->raw, sizeof key->raw);
	ctx = EVP_MD_CTX_new();
	if (!pkey || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	r = EVP_DigestVerify(ctx, signature, signature_len, data, len);
	ERR_clear_error();
	return r == 1 ? 1 : r == 0 ? 0 : -EIO;
}

void jail_sha256(const void *data, size_t len, uint8_t ret[32])
{
	/* It can fail only without memory for its context; a wrong digest would be worse than no program. */
	if (EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void jail_hex(const uint8_t *data, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*ret++ = digits[data[i] >> 4];
		*ret++ = digits[data[i] & 15];
	}
	*ret = '\0';
}
