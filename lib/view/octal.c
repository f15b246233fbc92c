#include "lib/view/octal.h"

#include <stdbool.h>

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void jail_octal_unescape(char *text)
{
	char *to = text;
	for (const char *p = text; *p; to++) {
		if (p[0] == '\\' && is_octal(p[1]) && is_octal(p[2]) && is_octal(p[3])) {
			*to = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			p += 4;
		} else
			*to = *p++;
	}
	*to = '\0';
}

int jail_octal_escape(struct jail_buffer *buffer, const char *text)
{
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;
		int r = c <= ' ' || c == '\\' || c == 0x7f ? jail_buffer_printf(buffer, "\\%03o", c)
							   : jail_buffer_append(buffer, p, 1);
		if (r < 0)
			return r;
	}
	return 0;
}
