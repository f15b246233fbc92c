#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "lib/base/cleanup.h"
#include "lib/wire/trust.h"
#include "tests/unit/wire_keys.h"

/* 2026-11-23T10:00:00Z and a second before 2027-02-23T00:00:00Z. */
enum { ISSUED = 1795428000, LAST_SECOND = 1803340799 };

#define POLICY(cluster, version, rest)                                                                       \
	"{\"format\": 1, \"cluster\": \"" cluster "\", \"version\": " version ","                            \
	" \"issued\": \"2026-11-23T10:00:00Z\", \"expires\": \"2027-02-23T00:00:00Z\","                      \
	" \"jails\": {}, \"rules\": []" rest "}"

static const char policy_42[] = POLICY("alpha", "42", "");

static struct jail_envelope new_envelope(const char *type, const char *payload)
{
	struct jail_envelope envelope = {.type = strdup(type), .payload = JAIL_BUFFER_INIT};

	assert_int_equal(jail_buffer_puts(&envelope.payload, payload), 0);
	return envelope;
}

static void sign(struct jail_envelope *envelope, const char *seed)
{
	jail_autokey struct jail_private_key *key = key_of_seed(seed);

	assert_int_equal(jail_envelope_sign(envelope, key, NULL), 0);
}

/* Two of three keys must sign, for cluster alpha. */
static struct jail_public_key keys[3];
static const struct jail_trust trust = {
	.cluster = (char *)"alpha", .threshold = 2, .keys = keys, .n_keys = 3};

static int make_keys(void **state)
{
	(void)state;
	keys[0] = public_of_seed(SEED_1);
	keys[1] = public_of_seed(SEED_2);
	keys[2] = public_of_seed(SEED_3);
	return 0;
}

static struct jail_floor floor_of(uint64_t version, const char *payload)
{
	struct jail_floor floor = {.version = version};

	jail_sha256(payload, strlen(payload), floor.sha256);
	return floor;
}

/* Accepts what type, payload and seeds make; the message has to contain text (NULL: accepted). */
static void check(const char *type, const char *payload, const char *const seeds[],
		  const struct jail_floor *floor, time_t now, unsigned flags, int expected, const char *text)
{
	jail_autoenvelope struct jail_envelope envelope = new_envelope(type, payload);
	jail_autopolicy struct jail_policy policy = {0};
	uint8_t sha256[32] = {0}, digest[32];
	struct jail_error err = {0};
	int r;

	for (size_t i = 0; seeds[i]; i++)
		sign(&envelope, seeds[i]);
	r = jail_envelope_accept(&envelope, &trust, floor, now, flags, &policy, sha256, &err);
	if (r != expected || (text && !strstr(err.message, text)))
		fail_msg("%s: %d \"%s\", expected %d \"%s\"", payload, r, err.message, expected,
			 text ? text : "");
	if (r < 0) {
		assert_null(policy.cluster);
		assert_int_equal(err.code, -expected);
		return;
	}
	jail_sha256(payload, strlen(payload), digest);
	assert_memory_equal(sha256, digest, 32);
	assert_string_equal(policy.cluster, "alpha");
}

static const char *const both[] = {SEED_1, SEED_3, NULL};
static const char *const one[] = {SEED_2, NULL};
static const char *const nobody[] = {NULL};
static const char *const stranger[] = {SEED_1, "an entirely unknown key's seed!!", NULL};

static void test_signatures(void **state)
{
	(void)state;
	check(JAIL_PAYLOAD_TYPE, policy_42, both, NULL, ISSUED, 0, 0, NULL);
	check(JAIL_PAYLOAD_TYPE, policy_42, one, NULL, ISSUED, 0, -EBADMSG, "1 of the 3 trusted keys");
	check(JAIL_PAYLOAD_TYPE, policy_42, nobody, NULL, ISSUED, 0, -EBADMSG, "0 of the 3 trusted keys");
	check(JAIL_PAYLOAD_TYPE, policy_42, stranger, NULL, ISSUED, 0, -EBADMSG, "1 of the 3 trusted keys");
	/* Properly signed, but as something else. */
	check("application/json", policy_42, both, NULL, ISSUED, 0, -EBADMSG, "\"application/json\"");
}

/* Any one bit of the payload, and nothing is accepted. */
static void test_changed_payload(void **state)
{
	jail_autoenvelope struct jail_envelope envelope = new_envelope(JAIL_PAYLOAD_TYPE, policy_42);
	struct jail_policy policy;
	struct jail_error err;
	uint8_t sha256[32];

	(void)state;
	sign(&envelope, SEED_1);
	sign(&envelope, SEED_2);
	for (size_t i = 0; i < envelope.payload.len; i++) {
		envelope.payload.data[i] ^= 1;
		assert_int_equal(
			jail_envelope_accept(&envelope, &trust, NULL, ISSUED, 0, &policy, sha256, &err),
			-EBADMSG);
		envelope.payload.data[i] ^= 1;
	}
}

/* One key that signed twice, under two ids, is one key. */
static void test_one_key_twice(void **state)
{
	jail_autoenvelope struct jail_envelope envelope = new_envelope(JAIL_PAYLOAD_TYPE, policy_42);
	struct jail_signature *copy;
	struct jail_policy policy;
	struct jail_error err;
	uint8_t sha256[32];

	(void)state;
	sign(&envelope, SEED_1);
	envelope.signatures = realloc(envelope.signatures, 2 * sizeof *envelope.signatures);
	assert_non_null(envelope.signatures);
	copy = &envelope.signatures[envelope.n_signatures++];
	*copy = (struct jail_signature){strdup(keys[1].keyid), malloc(64), 64};
	assert_non_null(copy->bytes);
	memcpy(copy->bytes, envelope.signatures[0].bytes, 64);
	assert_int_equal(jail_envelope_accept(&envelope, &trust, NULL, ISSUED, 0, &policy, sha256, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.message, "1 of the 3 trusted keys"));
}

static void test_cluster_and_version(void **state)
{
	const struct jail_floor same = floor_of(42, policy_42), other = floor_of(42, "other"),
				older = floor_of(41, "older"), newer = floor_of(43, "newer");

	(void)state;
	check(JAIL_PAYLOAD_TYPE, POLICY("beta", "42", ""), both, NULL, ISSUED, 0, -EXDEV, "cluster \"beta\"");
	check(JAIL_PAYLOAD_TYPE, policy_42, both, &same, ISSUED, 0, 0, NULL);
	check(JAIL_PAYLOAD_TYPE, policy_42, both, &older, ISSUED, 0, 0, NULL);
	check(JAIL_PAYLOAD_TYPE, policy_42, both, &newer, ISSUED, 0, -ESTALE, "42 is older than 43");
	check(JAIL_PAYLOAD_TYPE, policy_42, both, &other, ISSUED, 0, -EEXIST,
	      "version 42 was accepted before");
}

static void test_expiry(void **state)
{
	(void)state;
	check(JAIL_PAYLOAD_TYPE, policy_42, both, NULL, LAST_SECOND, 0, 0, NULL);
	check(JAIL_PAYLOAD_TYPE, policy_42, both, NULL, LAST_SECOND + 1, 0, -ETIME,
	      "expired at 2027-02-23T00:00:00Z");
	check(JAIL_PAYLOAD_TYPE, policy_42, both, NULL, LAST_SECOND + 1, JAIL_ACCEPT_EXPIRED, 0, NULL);
}

/* What is wrong in two ways is told the first of them. */
static void test_order(void **state)
{
	static const char bad_lint[] = POLICY("alpha", "42", ", \"x\": 1");
	const struct jail_floor newer = floor_of(43, "newer");

	(void)state;
	check("application/json", POLICY("beta", "42", ""), one, NULL, ISSUED, 0, -EBADMSG, "trusted keys");
	check("application/json", POLICY("beta", "42", ""), both, NULL, ISSUED, 0, -EBADMSG,
	      "expected \"app");
	check(JAIL_PAYLOAD_TYPE, POLICY("beta", "1", ""), both, &newer, LAST_SECOND + 1, 0, -EXDEV, "beta");
	check(JAIL_PAYLOAD_TYPE, policy_42, both, &newer, LAST_SECOND + 1, 0, -ESTALE, "older");
	check(JAIL_PAYLOAD_TYPE, POLICY("beta", "42", ", \"x\": 1"), both, NULL, ISSUED, 0, -EXDEV, "beta");
	check(JAIL_PAYLOAD_TYPE, bad_lint, both, &newer, ISSUED, 0, -ESTALE, "older");
	check(JAIL_PAYLOAD_TYPE, bad_lint, both, NULL, LAST_SECOND + 1, 0, -EINVAL, "/x");
	check(JAIL_PAYLOAD_TYPE, "no JSON", both, NULL, ISSUED, 0, -EINVAL, "1:1: ");
	check(JAIL_PAYLOAD_TYPE, "[]", both, NULL, ISSUED, 0, -EINVAL, "1:1: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),    cmocka_unit_test(test_changed_payload),
		cmocka_unit_test(test_one_key_twice), cmocka_unit_test(test_cluster_and_version),
		cmocka_unit_test(test_expiry),	      cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
