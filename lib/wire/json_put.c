#include "lib/wire/json.h"

int jail_json_put_string(struct jail_buffer *buffer, const char *text, size_t len)
{
	const char *run = text, *end = text + len;
	int r = jail_buffer_append(buffer, "\"", 1);

	for (const char *p = text; r == 0 && p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		r = jail_buffer_append(buffer, run, (size_t)(p - run));
		run = p + 1;
		if (r < 0)
			break;
		if (c == '\n')
			r = jail_buffer_puts(buffer, "\\n");
		else if (c == '"' || c == '\\')
			r = jail_buffer_printf(buffer, "\\%c", c);
		else
			r = jail_buffer_printf(buffer, "\\u%04x", c);
	}
	if (r == 0)
		r = jail_buffer_append(buffer, run, (size_t)(end - run));
	return r < 0 ? r : jail_buffer_append(buffer, "\"", 1);
}
