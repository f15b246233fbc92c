#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"
#include "lib/wire/json_text.h"

/* A member's name. Names of the objects that are open now form a stack: an object's own are the topmost when
 * it ends. */
struct name {
	size_t at;	/* of its opening quote in the text */
	size_t decoded; /* where its unescaped bytes begin in the scanner's decoded */
	size_t len;
};

struct scanner {
	const char *text;
	const char *p;
	const char *end;
	const struct jail_json_limits *limits;
	size_t depth;
	size_t values;
	struct name *names;
	size_t n_names;
	struct jail_buffer decoded;
	struct jail_error *err;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct scanner *s, const char *at,
						      const char *format, ...)
{
	char what[JAIL_ERROR_MESSAGE_MAX / 2];
	size_t line, column;
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	jail_json_place(s->text, at, &line, &column);
	return jail_error_set(s->err, EBADMSG, "%zu:%zu: %s", line, column, what);
}

/* Says what stands at p, for a sentence that begins with what should. */
static int unexpected(const struct scanner *s, const char *expected)
{
	if (s->p >= s->end)
		return fail(s, s->p, "expected %s, found the end of the text", expected);
	if ((unsigned char)*s->p < 0x20 || (unsigned char)*s->p >= 0x7f)
		return fail(s, s->p, "expected %s, found byte 0x%02x", expected, (unsigned char)*s->p);
	return fail(s, s->p, "expected %s, found '%c'", expected, *s->p);
}

static void skip_space(struct scanner *s)
{
	s->p = jail_json_skip_space(s->p, s->end);
}

static int scan_unicode_escape(struct scanner *s)
{
	const char *at = s->p; /* the backslash */
	int low, c = jail_json_hex4(s->p + 2, s->end);

	if (c < 0)
		return fail(s, at, "\\u must be followed by four hexadecimal digits");
	if (c == 0)
		return fail(s, at, "\\u0000 is not allowed: it would cut the string short");
	if (c >= 0xdc00 && c <= 0xdfff)
		return fail(s, at, "\\u%04x is the second half of a surrogate pair without the first", c);
	s->p += 6;
	if (c < 0xd800 || c > 0xdbff)
		return 0;
	low = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' ? jail_json_hex4(s->p + 2, s->end) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, at, "\\u%04x is the first half of a surrogate pair without the second", c);
	s->p += 6;
	return 0;
}

/* What may follow a backslash, \u apart. */
static bool escape(char c)
{
	return c && strchr("\"\\/bfnrt", c);
}

static int scan_string(struct scanner *s)
{
	const char *start = s->p++;

	while (s->p < s->end && *s->p != '"') {
		size_t n;

		if (*s->p == '\\') {
			if (s->end - s->p >= 2 && s->p[1] == 'u') {
				int r = scan_unicode_escape(s);
				if (r < 0)
					return r;
				continue;
			}
			if (s->end - s->p < 2 || !escape(s->p[1]))
				return fail(s, s->p,
					    "unknown escape: JSON has \\\" \\\\ \\/ \\b \\f \\n \\r "
					    "\\t and \\uXXXX only");
			s->p += 2;
			continue;
		}
		if ((unsigned char)*s->p < 0x20)
			return fail(s, s->p, "control character 0x%02x in a string: write it as \\u%04x",
				    (unsigned char)*s->p, (unsigned char)*s->p);
		n = jail_json_utf8_length(s->p, s->end);
		if (n == 0)
			return fail(s, s->p, "byte 0x%02x is not UTF-8 here", (unsigned char)*s->p);
		s->p += n;
	}
	if (s->p >= s->end)
		return fail(s, start, "this string does not end");
	s->p++;
	return 0;
}

static bool digit(const struct scanner *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static int scan_number(struct scanner *s)
{
	static const uint64_t largest = (UINT64_C(1) << 53) - 1; /* RFC 8259, section 6: interoperable */
	const char *start = s->p;
	uint64_t value = 0;
	const char *digits;

	if (*s->p == '-')
		s->p++;
	if (!digit(s))
		return unexpected(s, "a digit after '-'");
	for (digits = s->p; digit(s); s->p++)
		if (value <= largest)
			value = value * 10 + (uint64_t)(*s->p - '0');
	if (*digits == '0' && s->p - digits > 1)
		return fail(s, start, "a number must not begin with 0");
	if (s->p < s->end && (*s->p == '.' || *s->p == 'e' || *s->p == 'E'))
		return fail(s, start,
			    "this number has a fraction or an exponent: only whole numbers are used");
	if (value > largest)
		return fail(s, start, "this number is outside +-9007199254740991 (2^53-1)");
	return 0;
}

static int scan_word(struct scanner *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(s->end - s->p) >= n && memcmp(s->p, words[i], n) == 0) {
			s->p += n;
			return 0;
		}
	}
	return unexpected(s, "a value");
}

static int compare_bytes(const struct scanner *s, const struct name *a, const struct name *b)
{
	int r = memcmp(s->decoded.data + a->decoded, s->decoded.data + b->decoded,
		       a->len < b->len ? a->len : b->len);

	return r ? r : (a->len > b->len) - (a->len < b->len);
}

static int compare_names(const void *one, const void *other, void *scanner)
{
	const struct name *a = one, *b = other;
	int r = compare_bytes(scanner, a, b);

	return r ? r : (a->at > b->at) - (a->at < b->at);
}

/* The object whose names start at first has ended: refuses the earliest repetition, and forgets the names. */
static int check_names(struct scanner *s, size_t first)
{
	struct name *names = s->names + first;
	size_t n = s->n_names - first, earliest = SIZE_MAX;

	if (n == 0)
		return 0;
	s->decoded.len = names[0].decoded;
	if (n > 1)
		qsort_r(names, n, sizeof *names, compare_names, s);
	for (size_t i = 1; i < n; i++)
		if (compare_bytes(s, &names[i - 1], &names[i]) == 0 && names[i].at < earliest)
			earliest = names[i].at;
	s->n_names = first;
	if (earliest == SIZE_MAX)
		return 0;
	return fail(s, s->text + earliest, "this name occurs twice in the same object");
}

static int push_name(struct scanner *s)
{
	struct name name = {.at = (size_t)(s->p - s->text), .decoded = s->decoded.len};
	const char *quote = s->p, *next;
	struct name *slot;
	int r = scan_string(s);

	if (r < 0)
		return r;
	slot = JAIL_ARRAY_PUSH(s->names, s->n_names);
	if (!slot || jail_json_string_decode(quote, &s->decoded, &next) < 0)
		return jail_error_sys(s->err, ENOMEM, "cannot check a JSON text of %zu bytes",
				      (size_t)(s->end - s->text));
	name.len = s->decoded.len - name.decoded;
	*slot = name;
	s->n_names++;
	return 0;
}

static int scan_value(struct scanner *s);

static int scan_member(struct scanner *s)
{
	int r;

	if (s->p >= s->end || *s->p != '"')
		return unexpected(s, "a name in double quotes");
	r = push_name(s);
	if (r < 0)
		return r;
	skip_space(s);
	if (s->p >= s->end || *s->p != ':')
		return unexpected(s, "':' after a name");
	s->p++;
	return scan_value(s);
}

/* Both kinds: an object's elements are members. */
static int scan_container(struct scanner *s, char close)
{
	const char *expected = close == '}' ? "',' or '}'" : "',' or ']'";
	size_t first = s->n_names;
	int r;

	if (s->depth++ == s->limits->depth)
		return fail(s, s->p, "nested deeper than the limit of %zu", s->limits->depth);
	s->p++;
	skip_space(s);
	if (s->p < s->end && *s->p == close) {
		s->p++;
		s->depth--;
		return 0;
	}
	for (;;) {
		skip_space(s);
		r = close == '}' ? scan_member(s) : scan_value(s);
		if (r < 0)
			return r;
		skip_space(s);
		if (s->p < s->end && *s->p == ',') {
			s->p++;
			continue;
		}
		if (s->p >= s->end || *s->p != close)
			return unexpected(s, expected);
		break;
	}
	s->p++;
	s->depth--;
	return close == '}' ? check_names(s, first) : 0;
}

static int scan_value(struct scanner *s)
{
	skip_space(s);
	if (s->p >= s->end)
		return unexpected(s, "a value");
	if (s->values++ == s->limits->values)
		return fail(s, s->p, "more than the limit of %zu values", s->limits->values);
	switch (*s->p) {
	case '{':
		return scan_container(s, '}');
	case '[':
		return scan_container(s, ']');
	case '"':
		return scan_string(s);
	case '-':
	case '0' ... '9':
		return scan_number(s);
	default:
		return scan_word(s);
	}
}

int jail_json_scan(const char *text, size_t len, const struct jail_json_limits *limits,
		   struct jail_error *err)
{
	struct scanner s = {.text = text,
			    .p = text,
			    .end = text + len,
			    .limits = limits,
			    .decoded = JAIL_BUFFER_INIT,
			    .err = err};
	int r;

	if (len > limits->bytes)
		return fail(&s, text, "the text has %zu bytes, more than the limit of %zu", len,
			    limits->bytes);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return fail(&s, text, "the text begins with a byte order mark: save it as plain UTF-8");
	r = scan_value(&s);
	if (r == 0) {
		skip_space(&s);
		if (s.p < s.end)
			r = unexpected(&s, "the end of the text");
	}
	free(s.names);
	jail_buffer_release(&s.decoded);
	return r;
}
