#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "lib/wire/dsse.h"
#include "tests/unit/wire_keys.h"

static const char hello_type[] = "http://example.com/HelloWorld";

static struct jail_envelope new_envelope(const char *type, const char *payload)
{
	struct jail_envelope envelope = {.type = strdup(type), .payload = JAIL_BUFFER_INIT};

	assert_int_equal(jail_buffer_puts(&envelope.payload, payload), 0);
	return envelope;
}

static void test_base64(void **state)
{
	static const struct {
		const char *plain, *text;
	} pairs[] = {
		/* RFC 4648, section 10 */
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff\xfe", "+//+"},
	};
	static const char *const bad[] = {"Zg",	  "Zg=",  "Z===",  "====", "Zg==Zg==", "Zm9v=", "Zm9\n",
					  "Zh==", "Zm9=", "Zm 9v", "+__+", "Zm9v====", "=m9v",	"Zg=v"};
	struct jail_buffer out = JAIL_BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		out.len = 0;
		assert_int_equal(jail_base64_encode(pairs[i].plain, strlen(pairs[i].plain), &out), 0);
		assert_string_equal(out.data, pairs[i].text);
		out.len = 0;
		assert_int_equal(jail_base64_decode(pairs[i].text, strlen(pairs[i].text), &out), 0);
		assert_string_equal(out.data, pairs[i].plain);
	}
	out.len = 0;
	assert_int_equal(jail_base64_decode("-__-", 4, &out), 0);
	assert_string_equal(out.data, "\xfb\xff\xfe");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		out.len = 0;
		assert_int_equal(jail_buffer_puts(&out, "kept"), 0);
		if (jail_base64_decode(bad[i], strlen(bad[i]), &out) != -EBADMSG)
			fail_msg("base64 \"%s\" was taken", bad[i]);
		assert_string_equal(out.data, "kept");
	}
	jail_buffer_release(&out);
}

/* The protocol's own example of the encoding, and its signature with the RFC's first key. */
static void test_vectors(void **state)
{
	static const char expected[] =
		"4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB/SPHsl6Jg4boxsMb6KvuYABw==";
	jail_autokey struct jail_private_key *key = key_of_seed(RFC8032_SEED);
	jail_autoenvelope struct jail_envelope envelope = new_envelope(hello_type, "hello world");
	jail_autobuffer struct jail_buffer pae = JAIL_BUFFER_INIT, base64 = JAIL_BUFFER_INIT;

	(void)state;
	assert_int_equal(jail_envelope_pae(hello_type, "hello world", 11, &pae), 0);
	assert_string_equal(pae.data, "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
	assert_int_equal(jail_envelope_sign(&envelope, key, NULL), 0);
	assert_int_equal(envelope.n_signatures, 1);
	assert_string_equal(envelope.signatures[0].keyid,
			    "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9");
	assert_int_equal(
		jail_base64_encode(envelope.signatures[0].bytes, envelope.signatures[0].len, &base64), 0);
	assert_string_equal(base64.data, expected);
	/* Lengths are in bytes, and a payload may hold anything. */
	pae.len = 0;
	assert_int_equal(jail_envelope_pae("\xc3\xa9", "a\0b", 3, &pae), 0);
	assert_int_equal(pae.len, 17);
	assert_memory_equal(pae.data, "DSSEv1 2 \xc3\xa9 3 a\0b", 17);
}

static void test_sign_replaces(void **state)
{
	jail_autokey struct jail_private_key *one = key_of_seed(SEED_1), *two = key_of_seed(SEED_2);
	jail_autoenvelope struct jail_envelope envelope = new_envelope(hello_type, "x");

	(void)state;
	assert_int_equal(jail_envelope_sign(&envelope, one, NULL), 0);
	assert_int_equal(jail_envelope_sign(&envelope, two, NULL), 0);
	assert_int_equal(jail_envelope_sign(&envelope, one, NULL), 0);
	assert_int_equal(envelope.n_signatures, 2);
	/* Whatever key id stands beside it. */
	free(envelope.signatures[0].keyid);
	envelope.signatures[0].keyid = strdup("somebody");
	assert_int_equal(jail_envelope_sign(&envelope, one, NULL), 0);
	assert_int_equal(envelope.n_signatures, 2);
	assert_string_equal(envelope.signatures[0].keyid, public_of_seed(SEED_1).keyid);
}

static void test_round_trip(void **state)
{
	jail_autokey struct jail_private_key *one = key_of_seed(SEED_1), *two = key_of_seed(SEED_2);
	jail_autoenvelope struct jail_envelope envelope = new_envelope("a \"type\"", ""), again = {0};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;

	(void)state;
	for (int i = 0; i < 256; i++)
		assert_int_equal(jail_buffer_append(&envelope.payload, &(char){(char)i}, 1), 0);
	assert_int_equal(jail_envelope_sign(&envelope, one, NULL), 0);
	assert_int_equal(jail_envelope_sign(&envelope, two, NULL), 0);
	assert_int_equal(jail_envelope_write(&envelope, &text, NULL), 0);
	assert_int_equal(jail_envelope_parse(text.data, text.len, &again, NULL), 0);
	assert_string_equal(again.type, envelope.type);
	assert_int_equal(again.payload.len, 256);
	assert_memory_equal(again.payload.data, envelope.payload.data, 256);
	assert_int_equal(again.n_signatures, 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(again.signatures[i].keyid, envelope.signatures[i].keyid);
		assert_int_equal(again.signatures[i].len, 64);
		assert_memory_equal(again.signatures[i].bytes, envelope.signatures[i].bytes, 64);
	}
	/* The same bytes for the same envelope. */
	{
		jail_autobuffer struct jail_buffer second = JAIL_BUFFER_INIT;

		assert_int_equal(jail_envelope_write(&again, &second, NULL), 0);
		assert_string_equal(second.data, text.data);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{"", "1:1: expected a value, found the end of the text"},
		{"[]", "expected a signed envelope: an object with payloadType, payload and signatures"},
		{"{}", "/payloadType: expected a string, found no such field"},
		{"{\"payloadType\":1}", "/payloadType: expected a string, found something else"},
		{"{\"payloadType\":\"t\"}", "/payload: expected a string, found no such field"},
		{"{\"payloadtype\":\"t\"}", "/payloadtype: an envelope has no such field"},
		{"{\"payloadType\":\"t\",\"payload\":\"e\"}",
		 "/payload: this is not padded base64 (RFC 4648)"},
		{"{\"payloadType\":\"t\",\"payload\":\"\"}",
		 "/signatures: expected a list of 1 to 64 signatures"},
		{"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[]}",
		 "/signatures: expected a list of 1 to 64 signatures"},
		{"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[1]}",
		 "/signatures/0: expected an object with keyid and sig"},
		{"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"keyid\":\"k\"}]}",
		 "/signatures/0/sig: expected a string, found no such field"},
		{"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"sig\":\"Zg==\"},{\"sig\":\"\"}]"
		 "}",
		 "/signatures/1/sig: the signature is empty"},
		{"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"sig\":\"Z\"}]}",
		 "/signatures/0/sig: this is not padded base64 (RFC 4648)"},
		{"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"sig\":\"Zg==\",\"cert\":1}]}",
		 "/signatures/0/cert: an envelope has no such field"},
		{"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"sig\":\"Zg==\",\"keyid\":1}]}",
		 "/signatures/0/keyid: expected a string, found something else"},
		{"{\"payload\":\"\",\"payload\":\"\"}", "1:15: this name occurs twice in the same object"},
	};
	static const char minimal[] =
		"{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[{\"sig\":\"Zg==\"}]}";
	jail_autoenvelope struct jail_envelope envelope = {0};
	struct jail_error err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(jail_envelope_parse(bad[i].text, strlen(bad[i].text), &envelope, &err),
				 -EBADMSG);
		assert_string_equal(err.message, bad[i].message);
		assert_null(envelope.type);
	}
	assert_int_equal(jail_envelope_parse(minimal, strlen(minimal), &envelope, &err), 0);
	assert_string_equal(envelope.signatures[0].keyid, "");
	assert_int_equal(envelope.payload.len, 0);
}

static void test_too_many_signatures(void **state)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_envelope envelope = {0};
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_buffer_puts(&text, "{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":["),
			 0);
	for (int i = 0; i <= JAIL_ENVELOPE_SIGNATURES_MAX; i++)
		assert_int_equal(jail_buffer_printf(&text, "%s{\"sig\":\"Zg==\"}", i ? "," : ""), 0);
	assert_int_equal(jail_buffer_puts(&text, "]}"), 0);
	assert_int_equal(jail_envelope_parse(text.data, text.len, &envelope, &err), -EBADMSG);
	assert_string_equal(err.message, "/signatures: expected a list of 1 to 64 signatures");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),	      cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_sign_replaces), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_parse),	      cmocka_unit_test(test_too_many_signatures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
