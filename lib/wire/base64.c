#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/wire/base64.h"

enum { STANDARD = 1, URL_SAFE = 2 };

/* Value of a digit, or -1; notes in *seen the alphabet that only one of the two could have. */
static int digit(char c, unsigned *seen)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	*seen |= c == '+' || c == '/' ? STANDARD : URL_SAFE;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

int jail_base64_decode(const char *text, size_t len, struct jail_buffer *ret)
{
	size_t padding = 0, start = ret->len;
	unsigned seen = 0;
	uint8_t *out;

	if (len % 4 != 0)
		return -EBADMSG;
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	if (jail_buffer_reserve(ret, len / 4 * 3 + 1) < 0)
		return -ENOMEM;
	out = (uint8_t *)ret->data + start;
	for (size_t i = 0; i < len; i += 4) {
		size_t n = i + 4 == len ? 4 - padding : 4;
		uint32_t group = 0;

		for (size_t j = 0; j < 4; j++) {
			int value = j < n ? digit(text[i + j], &seen) : 0;

			if (value < 0)
				goto malformed;
			group = group << 6 | (uint32_t)value;
		}
		if ((n == 2 && group & 0xffff) || (n == 3 && group & 0xff))
			goto malformed;
		for (size_t j = 0; j + 1 < n; j++)
			*out++ = (uint8_t)(group >> (16 - 8 * j));
	}
	if (seen == (STANDARD | URL_SAFE))
		goto malformed;
	*out = 0;
	ret->len = (size_t)((char *)out - ret->data);
	return 0;
malformed:
	ret->data[start] = '\0';
	return -EBADMSG;
}

int jail_base64_encode(const void *data, size_t len, struct jail_buffer *ret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = data;
	char *out;

	if (jail_buffer_reserve(ret, (len + 2) / 3 * 4 + 1) < 0)
		return -ENOMEM;
	out = ret->data + ret->len;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)in[i] << 16;

		if (n > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (n > 2)
			group |= in[i + 2];
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = (char)(n > 1 ? digits[group >> 6 & 63] : '=');
		*out++ = (char)(n > 2 ? digits[group & 63] : '=');
	}
	*out = '\0';
	ret->len = (size_t)(out - ret->data);
	return 0;
}
