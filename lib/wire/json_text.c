#include <errno.h>
#include <string.h>
#include "lib/wire/json_text.h"

const char *jail_json_skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

void jail_json_place(const char *text, const char *at, size_t *ret_line, size_t *ret_column)
{
	const char *line = text;
	size_t n = 1;

	for (;;) {
		const char *newline = memchr(line, '\n', (size_t)(at - line));

		if (!newline)
			break;
		line = newline + 1;
		n++;
	}
	*ret_line = n;
	*ret_column = (size_t)(at - line) + 1;
}

static bool continues(const char *p, const char *end, unsigned char low, unsigned char high)
{
	return p < end && (unsigned char)*p >= low && (unsigned char)*p <= high;
}

size_t jail_json_utf8_length(const char *p, const char *end)
{
	/* The second byte's range tells overlong forms, surrogates and the upper end apart. */
	static const struct {
		unsigned char first, last, low, high;
		size_t length;
	} table[] = {
		{0x00, 0x7f, 0, 0, 1},	     {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	unsigned char c;

	if (p >= end)
		return 0;
	c = (unsigned char)*p;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (c < table[i].first || c > table[i].last)
			continue;
		if (table[i].length > 1 && !continues(p + 1, end, table[i].low, table[i].high))
			return 0;
		for (size_t j = 2; j < table[i].length; j++)
			if (!continues(p + j, end, 0x80, 0xbf))
				return 0;
		return table[i].length;
	}
	return 0;
}

int jail_json_hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		value *= 16;
		if (c >= '0' && c <= '9')
			value += c - '0';
		else if (c >= 'a' && c <= 'f')
			value += c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			value += c - 'A' + 10;
		else
			return -1;
	}
	return value;
}

static int append_code_point(struct jail_buffer *ret, unsigned c)
{
	char utf8[4];
	size_t n = 0;

	if (c < 0x80) {
		utf8[n++] = (char)c;
	} else if (c < 0x800) {
		utf8[n++] = (char)(0xc0 | c >> 6);
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		utf8[n++] = (char)(0xe0 | c >> 12);
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		utf8[n++] = (char)(0xf0 | c >> 18);
		utf8[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	}
	return jail_buffer_append(ret, utf8, n);
}

/* p is behind the backslash; returns the place behind the escape. */
static const char *decode_escape(const char *p, unsigned *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned c;

	if (*p != 'u') {
		const char *at = strchr(from, *p);

		*ret = at ? (unsigned char)to[at - from] : (unsigned char)*p;
		return p + 1;
	}
	c = (unsigned)jail_json_hex4(p + 1, p + 5);
	p += 5;
	if (c >= 0xd800 && c <= 0xdbff) {
		/* The scan has seen the low half: \uXXXX. */
		c = 0x10000 + ((c - 0xd800) << 10) + ((unsigned)jail_json_hex4(p + 2, p + 6) - 0xdc00);
		p += 6;
	}
	*ret = c;
	return p;
}

int jail_json_string_decode(const char *p, struct jail_buffer *ret, const char **ret_next)
{
	for (p++; *p != '"';) {
		const char *run = p;
		unsigned c;
		int r;

		while (*p != '"' && *p != '\\')
			p++;
		r = jail_buffer_append(ret, run, (size_t)(p - run));
		if (r < 0)
			return r;
		if (*p == '"')
			break;
		p = decode_escape(p + 1, &c);
		r = append_code_point(ret, c);
		if (r < 0)
			return r;
	}
	*ret_next = p + 1;
	return 0;
}
