#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/key.h"

/* Only what OpenSSL 1.1.1 has, and nothing that 3.x deprecates. */
struct jail_private_key {
	EVP_PKEY *pkey;
};

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static void free_pkey_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

static void free_md_ctx(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

#define auto_bio      __attribute__((cleanup(free_bio)))
#define auto_pkey     __attribute__((cleanup(free_pkey)))
#define auto_pkey_ctx __attribute__((cleanup(free_pkey_ctx)))
#define auto_md_ctx   __attribute__((cleanup(free_md_ctx)))

/* Fills err with what and libcrypto's own reason, and empties its queue. */
static int crypto_error(struct jail_error *err, int code, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return jail_error_set(err, code, "%s: %s", what, reason ? reason : "libcrypto gives no reason");
}

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
		return crypto_error(err, EIO, "cannot make an Ed25519 key");
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

/* A second key in the file would be ignored by libcrypto, and the person who put it there would not know. */
static bool has_text(const char *pem, size_t len, const char *text, int times)
{
	for (const char *p = pem; times > 0; times--) {
		p = memmem(p, len - (size_t)(p - pem), text, strlen(text));
		if (!p)
			return false;
		p += strlen(text);
	}
	return true;
}

static int open_pem(const char *pem, size_t len, BIO **ret, struct jail_error *err)
{
	if (len > INT_MAX)
		return jail_error_set(err, EFBIG, "a key in PEM is small, and this has %zu bytes", len);
	if (has_text(pem, len, "-----BEGIN ", 2))
		return jail_error_set(err, EBADMSG,
				      "expected one key in PEM, found more: keep one in a file");
	*ret = BIO_new_mem_buf(pem, (int)len);
	if (!*ret)
		return crypto_error(err, ENOMEM, "cannot read a key");
	return 0;
}

static int check_ed25519(const EVP_PKEY *pkey, struct jail_error *err)
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

int jail_private_key_from_pem(const char *pem, size_t len, struct jail_private_key **ret,
			      struct jail_error *err)
{
	auto_bio BIO *bio = NULL;
	auto_pkey EVP_PKEY *pkey = NULL;
	bool asked = false;
	int r = open_pem(pem, len, &bio, err);

	if (r < 0)
		return r;
	if (has_text(pem, len, "-----BEGIN PUBLIC KEY-----", 1))
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
		return crypto_error(err, EBADMSG, "expected a private key in PEM (PKCS#8)");
	r = check_ed25519(pkey, err);
	return r < 0 ? r : new_private_key(&pkey, ret, err);
}

static int take_pem(BIO *bio, struct jail_buffer *ret, struct jail_error *err)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	if (len <= 0 || jail_buffer_append(ret, data, (size_t)len) < 0)
		return jail_error_sys(err, ENOMEM, "cannot write a key as PEM");
	return 0;
}

int jail_private_key_to_pem(const struct jail_private_key *key, struct jail_buffer *ret,
			    struct jail_error *err)
{
	auto_bio BIO *bio = BIO_new(BIO_s_secmem()); /* cleared when freed */

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return crypto_error(err, EIO, "cannot write a private key as PEM");
	return take_pem(bio, ret, err);
}

static int public_of(const EVP_PKEY *pkey, struct jail_public_key *ret, struct jail_error *err)
{
	struct jail_public_key key;
	size_t len = sizeof key.raw;
	uint8_t digest[32];

	if (EVP_PKEY_get_raw_public_key(pkey, key.raw, &len) != 1 || len != sizeof key.raw)
		return crypto_error(err, EIO, "cannot take the public half of a key");
	jail_sha256(key.raw, sizeof key.raw, digest);
	jail_hex(digest, sizeof digest, key.keyid);
	*ret = key;
	return 0;
}

int jail_private_key_public(const struct jail_private_key *key, struct jail_public_key *ret,
			    struct jail_error *err)
{
	return public_of(key->pkey, ret, err);
}

int jail_public_key_from_pem(const char *pem, size_t len, struct jail_public_key *ret, struct jail_error *err)
{
	auto_bio BIO *bio = NULL;
	auto_pkey EVP_PKEY *pkey = NULL;
	int r = open_pem(pem, len, &bio, err);

	if (r < 0)
		return r;
	if (has_text(pem, len, "PRIVATE KEY-----", 1))
		return jail_error_set(
			err, EBADMSG,
			"this is a private key, which must not leave the signer's machine: give "
			"the public one (NAME.pub)");
	pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	if (!pkey)
		return crypto_error(err, EBADMSG, "expected a public key in PEM (SubjectPublicKeyInfo)");
	r = check_ed25519(pkey, err);
	return r < 0 ? r : public_of(pkey, ret, err);
}

int jail_public_key_to_pem(const struct jail_public_key *key, struct jail_buffer *ret, struct jail_error *err)
{
	auto_pkey EVP_PKEY *pkey =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->raw, sizeof key->raw);
	auto_bio BIO *bio = BIO_new(BIO_s_mem());

	if (!pkey || !bio || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		return crypto_error(err, EIO, "cannot write a public key as PEM");
	return take_pem(bio, ret, err);
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
		return crypto_error(err, EIO, "cannot sign");
	memcpy(ret, signature, sizeof signature);
	return 0;
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
