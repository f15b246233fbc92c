#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "tests/unit/wire_keys.h"

#define RFC8032_PUBLIC                                                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                                                       \
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"                                     \
	"-----END PUBLIC KEY-----\n"
#define X25519_PUBLIC                                                                                        \
	"-----BEGIN PUBLIC KEY-----\n"                                                                       \
	"MCowBQYDK2VuAyEArzCAPAXTBUEtxxaw+f2R20qnD+SzrHz4oppIT1rfoTk=\n"                                     \
	"-----END PUBLIC KEY-----\n"
#define P256_PUBLIC                                                                                          \
	"-----BEGIN PUBLIC KEY-----\n"                                                                       \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkoFqHrGvzfEtprZHIDsv6l6QFKVO\n"                                 \
	"DripoCoB1l3DJ60rQvJiqC/xvZVH9wDUtP+AyMHpdS9DLdBKu9Jm1wnG+A==\n"                                     \
	"-----END PUBLIC KEY-----\n"

static void assert_hex(const uint8_t *data, size_t len, const char *expected)
{
	char hex[2 * 64 + 1];

	jail_hex(data, len, hex);
	assert_string_equal(hex, expected);
}

static void test_rfc8032(void **state)
{
	jail_autokey struct jail_private_key *key = key_of_seed(RFC8032_SEED);
	struct jail_public_key public;
	uint8_t signature[JAIL_SIGNATURE_SIZE];

	(void)state;
	assert_int_equal(jail_private_key_public(key, &public, NULL), 0);
	assert_hex(public.raw, 32, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
	assert_string_equal(public.keyid, "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9");
	assert_int_equal(jail_sign(key, "", 0, signature, NULL), 0);
	assert_hex(
		signature, 64,
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
		"b46bd25bf5f0595bbe24655141438e7a100b");
	assert_int_equal(jail_verify(&public, "", 0, signature, 64), 1);
	assert_int_equal(jail_verify(&public, "x", 1, signature, 64), 0);
	assert_int_equal(jail_verify(&public, "", 0, signature, 63), 0);
	for (int i = 0; i < 64; i++) {
		signature[i] ^= 1;
		assert_int_equal(jail_verify(&public, "", 0, signature, 64), 0);
		signature[i] ^= 1;
	}
}

static void test_pem_round_trip(void **state)
{
	jail_autokey struct jail_private_key *key = NULL, *again = NULL;
	jail_autobuffer struct jail_buffer secret = JAIL_BUFFER_INIT, public = JAIL_BUFFER_INIT;
	struct jail_public_key a, b, c;

	(void)state;
	assert_int_equal(jail_key_generate(&key, NULL), 0);
	assert_int_equal(jail_private_key_to_pem(key, &secret, NULL), 0);
	assert_memory_equal(secret.data, "-----BEGIN PRIVATE KEY-----\n", 28);
	assert_int_equal(jail_private_key_from_pem(secret.data, secret.len, &again, NULL), 0);
	assert_int_equal(jail_private_key_public(key, &a, NULL), 0);
	assert_int_equal(jail_private_key_public(again, &b, NULL), 0);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(jail_public_key_to_pem(&a, &public, NULL), 0);
	assert_int_equal(jail_public_key_from_pem(public.data, public.len, &c, NULL), 0);
	assert_memory_equal(&a, &c, sizeof a);
}

static void test_public_pem(void **state)
{
	static const struct {
		const char *pem, *message;
	} bad[] = {
		{"", "expected a public key in PEM (SubjectPublicKeyInfo): "},
		{"ssh-ed25519 AAAA", "expected a public key in PEM (SubjectPublicKeyInfo): "},
		{X25519_PUBLIC, "expected an Ed25519 key, found one of kind X25519: "},
		{P256_PUBLIC, "expected an Ed25519 key, found one of kind id-ecPublicKey: "},
		{RFC8032_PUBLIC RFC8032_PUBLIC, "expected one key in PEM, found more: "},
		{"-----BEGIN PRIVATE KEY-----\n", "this is a private key, "},
		{"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
		 "expected a public key in PEM"},
	};
	struct jail_public_key key;
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_public_key_from_pem(RFC8032_PUBLIC, strlen(RFC8032_PUBLIC), &key, &err), 0);
	assert_hex(key.raw, 32, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int r = jail_public_key_from_pem(bad[i].pem, strlen(bad[i].pem), &key, &err);

		assert_int_equal(r, -EBADMSG);
		if (strncmp(err.message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("case %zu: \"%s\" does not begin with \"%s\"", i, err.message,
				 bad[i].message);
	}
}

/* A private key of the given kind as PEM, encrypted when there is a passphrase. */
static char *other_private_key(int kind, const char *passphrase)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(kind, NULL);
	EVP_PKEY *pkey = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *copy;
	long len;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &pkey), 1);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, passphrase ? EVP_aes_256_cbc() : NULL, NULL,
						       0, NULL, (void *)passphrase),
			 1);
	len = BIO_get_mem_data(bio, &data);
	copy = strndup(data, (size_t)len);
	assert_non_null(copy);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	return copy;
}

static void assert_private_refused(const char *pem, const char *message)
{
	struct jail_private_key *key = NULL;
	struct jail_error err;

	assert_int_equal(jail_private_key_from_pem(pem, strlen(pem), &key, &err), -EBADMSG);
	assert_null(key);
	if (!strstr(err.message, message))
		fail_msg("\"%s\" does not say \"%s\"", err.message, message);
}

static void test_private_pem(void **state)
{
	char *x25519 = other_private_key(EVP_PKEY_X25519, NULL);
	char *encrypted = other_private_key(EVP_PKEY_ED25519, "secret");

	(void)state;
	assert_private_refused(x25519, "expected an Ed25519 key, found one of kind X25519");
	assert_private_refused(encrypted, "encrypted with a passphrase");
	assert_private_refused(RFC8032_PUBLIC, "this is a public key");
	assert_private_refused("", "expected a private key in PEM (PKCS#8)");
	assert_private_refused("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
			       "expected a private key in PEM (PKCS#8)");
	free(x25519);
	free(encrypted);
}

static void test_sha256(void **state)
{
	uint8_t digest[32];

	(void)state;
	jail_sha256("abc", 3, digest); /* FIPS 180-2, appendix B.1 */
	assert_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8032),	   cmocka_unit_test(test_pem_round_trip),
		cmocka_unit_test(test_public_pem), cmocka_unit_test(test_private_pem),
		cmocka_unit_test(test_sha256),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
