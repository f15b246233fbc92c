#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/wire/json.h"

static const struct jail_json_limits limits = {1 << 20, 16, 20000};

struct scan_case {
	const char *text;
	size_t len;
	const char *message; /* NULL: accepted */
};

#define GOOD(literal)                                                                                        \
	{                                                                                                    \
		literal, sizeof(literal) - 1, NULL                                                           \
	}
#define BAD(literal, message)                                                                                \
	{                                                                                                    \
		literal, sizeof(literal) - 1, message                                                        \
	}

static const struct scan_case cases[] = {
	GOOD("null"),
	GOOD(" \t\r\n[ ] "),
	GOOD("{}"),
	GOOD("\"\""),
	GOOD("[true, false, null, 0, -0, -1, 9007199254740991, -9007199254740991]"),
	GOOD("\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041 \\uD83D\\uDE00\""),
	GOOD("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf \xed\x9f\xbf \xee\x80\x80 \x7f\""),
	GOOD("{\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": 2}], \"\": 0, \"A\": 1}"),
	GOOD("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
	BAD("", "1:1: expected a value, found the end of the text"),
	BAD("  \n ", "2:2: expected a value, found the end of the text"),
	BAD("\xef\xbb\xbf{}", "1:1: the text begins with a byte order mark: save it as plain UTF-8"),
	BAD("[1,\n  2,\n  x]", "3:3: expected a value, found 'x'"),
	BAD("[1,]", "1:4: expected a value, found ']'"),
	BAD("[1 2]", "1:4: expected ',' or ']', found '2'"),
	BAD("[1", "1:3: expected ',' or ']', found the end of the text"),
	BAD("{\"a\" 1}", "1:6: expected ':' after a name, found '1'"),
	BAD("{\"a\": 1,}", "1:9: expected a name in double quotes, found '}'"),
	BAD("{a: 1}", "1:2: expected a name in double quotes, found 'a'"),
	BAD("{\"a\": 1]", "1:8: expected ',' or '}', found ']'"),
	BAD("// no\n{}", "1:1: expected a value, found '/'"),
	BAD("nul", "1:1: expected a value, found 'n'"),
	BAD("True", "1:1: expected a value, found 'T'"),
	BAD("NaN", "1:1: expected a value, found 'N'"),
	BAD("{} {}", "1:4: expected the end of the text, found '{'"),
	BAD("{}\0", "1:3: expected the end of the text, found byte 0x00"),
	BAD("nullx", "1:5: expected the end of the text, found 'x'"),
	BAD("'a'", "1:1: expected a value, found '''"),
	/* Numbers */
	BAD("01", "1:1: a number must not begin with 0"),
	BAD("-01", "1:1: a number must not begin with 0"),
	BAD("+1", "1:1: expected a value, found '+'"),
	BAD("-", "1:2: expected a digit after '-', found the end of the text"),
	BAD("-a", "1:2: expected a digit after '-', found 'a'"),
	BAD("0x1", "1:2: expected the end of the text, found 'x'"),
	BAD("1.0", "1:1: this number has a fraction or an exponent: only whole numbers are used"),
	BAD("1e400", "1:1: this number has a fraction or an exponent: only whole numbers are used"),
	BAD("1E0", "1:1: this number has a fraction or an exponent: only whole numbers are used"),
	BAD("[9007199254740992]", "1:2: this number is outside +-9007199254740991 (2^53-1)"),
	BAD("-9007199254740992", "1:1: this number is outside +-9007199254740991 (2^53-1)"),
	BAD("18446744073709551617", "1:1: this number is outside +-9007199254740991 (2^53-1)"),
	BAD("99999999999999999999999999999999999999",
	    "1:1: this number is outside +-9007199254740991 (2^53-1)"),
	/* Strings */
	BAD("\"abc", "1:1: this string does not end"),
	BAD("\"abc\\\"", "1:1: this string does not end"),
	BAD("\"a\nb\"", "1:3: control character 0x0a in a string: write it as \\u000a"),
	BAD("\"a\0b\"", "1:3: control character 0x00 in a string: write it as \\u0000"),
	BAD("\"\\x41\"", "1:2: unknown escape: JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX only"),
	BAD("\"\\", "1:2: unknown escape: JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX only"),
	BAD("\"\\\0\"", "1:2: unknown escape: JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX only"),
	BAD("\"\\u12g4\"", "1:2: \\u must be followed by four hexadecimal digits"),
	BAD("\"\\u12", "1:2: \\u must be followed by four hexadecimal digits"),
	BAD("\"\\u0000\"", "1:2: \\u0000 is not allowed: it would cut the string short"),
	BAD("\"\\uD800\"", "1:2: \\ud800 is the first half of a surrogate pair without the second"),
	BAD("\"\\uD800\\n\"", "1:2: \\ud800 is the first half of a surrogate pair without the second"),
	BAD("\"\\uD800\\u0041\"", "1:2: \\ud800 is the first half of a surrogate pair without the second"),
	BAD("\"\\uDC00\"", "1:2: \\udc00 is the second half of a surrogate pair without the first"),
	/* UTF-8: Unicode, table 3-7 */
	BAD("\"\x80\"", "1:2: byte 0x80 is not UTF-8 here"),
	BAD("\"\xc0\xaf\"", "1:2: byte 0xc0 is not UTF-8 here"),
	BAD("\"\xc3\"", "1:2: byte 0xc3 is not UTF-8 here"),
	BAD("\"\xe0\x80\xaf\"", "1:2: byte 0xe0 is not UTF-8 here"),
	BAD("\"\xed\xa0\x80\"", "1:2: byte 0xed is not UTF-8 here"),
	BAD("\"\xf0\x80\x80\x80\"", "1:2: byte 0xf0 is not UTF-8 here"),
	BAD("\"\xf4\x90\x80\x80\"", "1:2: byte 0xf4 is not UTF-8 here"),
	BAD("\"\xf5\x80\x80\x80\"", "1:2: byte 0xf5 is not UTF-8 here"),
	BAD("\"\xf0\x9f\x98", "1:2: byte 0xf0 is not UTF-8 here"),
	BAD("[\xff]", "1:2: expected a value, found byte 0xff"),
	/* Names */
	BAD("{\"a\": 1, \"a\": 1}", "1:10: this name occurs twice in the same object"),
	BAD("{\"a\": 1,\n \"\\u0061\": 2}", "2:2: this name occurs twice in the same object"),
	BAD("{\"/\": 1, \"\\/\": 2}", "1:10: this name occurs twice in the same object"),
	BAD("{\"\xf0\x9f\x98\x80\": 1, \"\\ud83d\\ude00\": 2}",
	    "1:13: this name occurs twice in the same object"),
	BAD("{\"b\": 1, \"a\": 2, \"b\": 3, \"a\": 4}", "1:18: this name occurs twice in the same object"),
	BAD("{\"x\": {\"y\": 1}, \"y\": {\"z\": 1, \"z\": 1}}",
	    "1:31: this name occurs twice in the same object"),
	BAD("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "1:17: nested deeper than the limit of 16"),
};

static void test_scan(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct jail_error err = {0};
		/* A copy of exactly its size, so that the sanitizer sees any look past the end. */
		char *text = malloc(cases[i].len ? cases[i].len : 1);
		int r;

		assert_non_null(text);
		memcpy(text, cases[i].text, cases[i].len);
		r = jail_json_scan(text, cases[i].len, &limits, &err);
		free(text);
		if (cases[i].message) {
			if (r != -EBADMSG || strcmp(err.message, cases[i].message) != 0)
				fail_msg("case %zu %s: %d \"%s\", expected \"%s\"", i, cases[i].text, r,
					 err.message, cases[i].message);
		} else if (r != 0) {
			fail_msg("case %zu %s: %d \"%s\"", i, cases[i].text, r, err.message);
		}
		/* A text is never better for being cut short: no prefix of an object or array passes. */
		for (size_t cut = 0; r == 0 && strchr("[{\"", cases[i].text[0]) && cut < cases[i].len; cut++)
			assert_int_equal(jail_json_scan(cases[i].text, cut, &limits, NULL), -EBADMSG);
	}
}

static void test_limits(void **state)
{
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_json_scan("[1,2]", 5, &(struct jail_json_limits){5, 1, 3}, &err), 0);
	assert_int_equal(jail_json_scan("[1,2]", 5, &(struct jail_json_limits){4, 1, 3}, &err), -EBADMSG);
	assert_string_equal(err.message, "1:1: the text has 5 bytes, more than the limit of 4");
	assert_int_equal(jail_json_scan("[1,2]", 5, &(struct jail_json_limits){5, 1, 2}, &err), -EBADMSG);
	assert_string_equal(err.message, "1:4: more than the limit of 2 values");
	assert_int_equal(jail_json_scan("[1,2]", 5, &(struct jail_json_limits){5, 0, 3}, &err), -EBADMSG);
	assert_string_equal(err.message, "1:1: nested deeper than the limit of 0");
}

/* 200,000 names in one object: quadratic work would be noticed. */
static void test_many_names(void **state)
{
	struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_buffer_puts(&text, "{"), 0);
	for (int i = 0; i < 200000; i++)
		assert_int_equal(jail_buffer_printf(&text, "\"name%d\": 1,\n", i), 0);
	assert_int_equal(jail_buffer_puts(&text, "\"last\": 1}"), 0);
	assert_int_equal(jail_json_scan(text.data, text.len, &JAIL_JSON_LIMITS_POLICY, &err), 0);
	text.len -= strlen("\"last\": 1}");
	assert_int_equal(jail_buffer_puts(&text, "\"name77\": 1}"), 0);
	assert_int_equal(jail_json_scan(text.data, text.len, &JAIL_JSON_LIMITS_POLICY, &err), -EBADMSG);
	assert_string_equal(err.message, "200001:1: this name occurs twice in the same object");
	jail_buffer_release(&text);
}

static void test_locate(void **state)
{
	static const char text[] = "\n{\"a\": [1, {\"b/c\": \"x]\\\"}\"},\n 22],\n"
				   " \"t~\": {\"\\u00e9\": true, \"e\": []},\n \"\": null}\n";
	static const struct {
		const char *pointer;
		size_t line, column;
	} places[] = {
		{"", 2, 1},	      {"/a", 2, 7},   {"/a/0", 2, 8},	     {"/a/1", 2, 11},
		{"/a/1/b~1c", 2, 19}, {"/a/2", 3, 2}, {"/t~0", 4, 8},	     {"/t~0/\xc3\xa9", 4, 19},
		{"/t~0/e", 4, 30},    {"/", 5, 6},    {"/missing", 2, 1},    {"/a/3", 2, 7},
		{"/a/-", 2, 7},	      {"/a/x", 2, 7}, {"/a/0/deeper", 2, 8}, {"/t~0/e/0", 4, 30},
		{"/missing/x", 2, 1},
	};

	(void)state;
	assert_int_equal(jail_json_scan(text, sizeof text - 1, &limits, NULL), 0);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		size_t line = 0, column = 0;

		jail_json_locate(text, sizeof text - 1, places[i].pointer, &line, &column);
		if (line != places[i].line || column != places[i].column)
			fail_msg("%s is at %zu:%zu, expected %zu:%zu", places[i].pointer, line, column,
				 places[i].line, places[i].column);
	}
}

static void test_put_string(void **state)
{
	struct jail_buffer buffer = JAIL_BUFFER_INIT;

	(void)state;
	assert_int_equal(jail_json_put_string(&buffer, "a\"b\\c\n\x01\xc3\xa9", 9), 0);
	assert_string_equal(buffer.data, "\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\"");
	assert_int_equal(jail_json_scan(buffer.data, buffer.len, &limits, NULL), 0);
	jail_buffer_release(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan),	   cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_names), cmocka_unit_test(test_locate),
		cmocka_unit_test(test_put_string),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
