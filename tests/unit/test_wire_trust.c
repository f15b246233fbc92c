#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "lib/wire/trust.h"
#include "tests/unit/wire_keys.h"

#define KEYID "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"
#define PEM                                                                                                  \
	"-----BEGIN PUBLIC KEY-----\\n"                                                                      \
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\\n"                                    \
	"-----END PUBLIC KEY-----\\n"
#define KEY "{\"keyid\": \"" KEYID "\", \"pem\": \"" PEM "\"}"
#define FILE_OF(cluster, threshold, keys)                                                                    \
	"{\"format\": 1,\n\"cluster\": " cluster ",\n\"threshold\": " threshold ",\n\"keys\": [" keys "]}"

static void test_round_trip(void **state)
{
	struct jail_public_key keys[] = {public_of_seed(SEED_1), public_of_seed(SEED_2),
					 public_of_seed(SEED_3)};
	const struct jail_trust trust = {
		.cluster = (char *)"alpha", .threshold = 2, .keys = keys, .n_keys = 3};
	jail_autotrust struct jail_trust again = {0};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT, second = JAIL_BUFFER_INIT;

	(void)state;
	assert_int_equal(jail_trust_write(&trust, &text, NULL), 0);
	assert_int_equal(jail_trust_parse(text.data, text.len, &again, NULL), 0);
	assert_string_equal(again.cluster, "alpha");
	assert_int_equal(again.threshold, 2);
	assert_int_equal(again.n_keys, 3);
	assert_memory_equal(again.keys, keys, sizeof keys);
	assert_int_equal(jail_trust_write(&again, &second, NULL), 0);
	assert_string_equal(second.data, text.data);
}

static void test_parse(void **state)
{
	static const char good[] = FILE_OF("\"alpha\"", "1", KEY);
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"{", "1:2: expected a name in double quotes, found the end of the text"},
		{"[]", "1:1: expected a trust file: "},
		{"{}", "1:1: /format: expected format 1"},
		{"{\"format\": \"1\"}", "1:12: /format: expected format 1"},
		{"{\"format\": 2}", "1:12: /format: expected format 1"},
		{"{\"format\": 1, \"x\": 2}", "1:20: /x: a trust file has no such field"},
		{FILE_OF("1", "1", KEY), "2:12: /cluster: expected the cluster's name, a string"},
		{FILE_OF("\"\"", "1", KEY), "2:12: /cluster: a cluster's name has 1 to 63 "},
		{FILE_OF("\"Alpha\"", "1", KEY), "2:12: /cluster: a cluster's name has"},
		{FILE_OF("\"-a\"", "1", KEY), "2:12: /cluster: a cluster's name has"},
		{FILE_OF("\"a.\"", "1", KEY), "2:12: /cluster: a cluster's name has"},
		{FILE_OF("\"a b\"", "1", KEY), "2:12: /cluster: a cluster's name has"},
		{FILE_OF("\"a\"", "0", KEY),
		 "3:14: /threshold: expected how many keys must sign, a number from 1"},
		{FILE_OF("\"a\"", "-1", KEY), "3:14: /threshold: expected how many"},
		{FILE_OF("\"a\"", "\"1\"", KEY), "3:14: /threshold: expected how many"},
		{FILE_OF("\"a\"", "2", KEY), "3:14: /threshold: 2 keys must sign but only 1 are listed: "},
		{FILE_OF("\"a\"", "1", ""), "4:9: /keys: expected a list of 1 to 64 public keys"},
		{FILE_OF("\"a\"", "1", "1"), "4:10: /keys/0: expected an object with keyid and pem"},
		{FILE_OF("\"a\"", "1", "{\"keyid\": \"" KEYID "\"}"),
		 "4:10: /keys/0/pem: expected a public key"},
		{FILE_OF("\"a\"", "1", "{\"pem\": \"" PEM "\"}"),
		 "4:10: /keys/0/keyid: expected \"" KEYID "\""},
		{FILE_OF("\"a\"", "1", "{\"pem\": \"" PEM "\", \"keyid\": \"\"}"),
		 "4:147: /keys/0/keyid: expected \"" KEYID "\""},
		{FILE_OF("\"a\"", "1", "{\"pem\": \"-----BEGIN PUBLIC KEY-----\\n-\"}"),
		 "4:18: /keys/0/pem: "},
		{FILE_OF("\"a\"", "1", "{\"pem\": \"" PEM PEM "\"}"),
		 "4:18: /keys/0/pem: expected one key in PEM, found more"},
		{FILE_OF("\"a\"", "1", "{\"kid\": 1}"), "4:18: /keys/0/kid: a trust file has no such field"},
		/* One key twice would let one signer reach a threshold of two. */
		{FILE_OF("\"a\"", "2", KEY ", " KEY), "4:216: /keys/1: the same key as /keys/0: "},
	};
	jail_autotrust struct jail_trust trust = {0};
	struct jail_error err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(jail_trust_parse(bad[i].text, strlen(bad[i].text), &trust, &err), -EBADMSG);
		if (strncmp(err.message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("case %zu: \"%s\" does not begin with \"%s\"", i, err.message,
				 bad[i].message);
		assert_null(trust.cluster);
	}
	assert_int_equal(jail_trust_parse(good, strlen(good), &trust, &err), 0);
	assert_string_equal(trust.cluster, "alpha");
	assert_string_equal(trust.keys[0].keyid, KEYID);
}

/* Adds key's signature as it is, under any key id. */
static void add(struct jail_envelope *envelope, const char *seed, const char *keyid)
{
	jail_autokey struct jail_private_key *key = key_of_seed(seed);
	struct jail_signature *signature;

	assert_int_equal(jail_envelope_sign(envelope, key, NULL), 0);
	signature = &envelope->signatures[envelope->n_signatures - 1];
	free(signature->keyid);
	signature->keyid = strdup(keyid);
}

static void test_signers(void **state)
{
	struct jail_public_key keys[] = {public_of_seed(SEED_1), public_of_seed(SEED_2)};
	const struct jail_trust trust = {
		.cluster = (char *)"alpha", .threshold = 2, .keys = keys, .n_keys = 2};
	jail_autoenvelope struct jail_envelope envelope = {.type = strdup("t"), .payload = JAIL_BUFFER_INIT};
	struct jail_signature *copy;
	bool good[2] = {true, true};

	(void)state;
	assert_int_equal(jail_envelope_signers(&envelope, &trust, good, NULL), 0);
	assert_false(good[0] || good[1]);
	/* A stranger's signature under a trusted key's id is nobody's. */
	add(&envelope, SEED_3, keys[0].keyid);
	assert_int_equal(jail_envelope_signers(&envelope, &trust, good, NULL), 0);
	/* A trusted key's under a wrong id counts: the id is a hint. */
	add(&envelope, SEED_2, "nonsense");
	assert_int_equal(jail_envelope_signers(&envelope, &trust, good, NULL), 1);
	assert_true(!good[0] && good[1]);
	/* The same signature again, under the other key's id, is still one key's. */
	envelope.signatures = realloc(envelope.signatures, 3 * sizeof *envelope.signatures);
	assert_non_null(envelope.signatures);
	copy = &envelope.signatures[envelope.n_signatures++];
	*copy = (struct jail_signature){strdup(keys[0].keyid), malloc(64), 64};
	memcpy(copy->bytes, envelope.signatures[1].bytes, 64);
	assert_int_equal(jail_envelope_signers(&envelope, &trust, good, NULL), 1);
	add(&envelope, SEED_1, "");
	assert_int_equal(jail_envelope_signers(&envelope, &trust, good, NULL), 2);
	assert_true(good[0] && good[1]);
	/* What was signed includes the type. */
	envelope.type[0] = 'u';
	assert_int_equal(jail_envelope_signers(&envelope, &trust, good, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_signers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
