#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "lib/wire/json.h"
#include "lib/wire/json_text.h"

/* All of this walks text that passed the scan: quotes and brackets are balanced, and no place is past the
 * end.
 */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p + 1;
}

static const char *skip_value(const char *p, const char *end)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	} while (p < end && (depth > 0 || !strchr(",]} \t\r\n", *p)));
	return p;
}

/* One step of a pointer, unescaped (RFC 6901, section 4); *pointer moves to the next. -ENOMEM. */
static int take_step(const char **pointer, struct jail_buffer *ret)
{
	const char *p = *pointer + 1;

	for (; *p && *p != '/'; p++) {
		char c = *p;
		int r;

		if (c == '~' && (p[1] == '0' || p[1] == '1'))
			c = *++p == '0' ? '~' : '/';
		r = jail_buffer_append(ret, &c, 1);
		if (r < 0)
			return r;
	}
	*pointer = p;
	return 0;
}

static const char *find_member(const char *p, const char *end, const struct jail_buffer *step)
{
	p = jail_json_skip_space(p + 1, end);
	while (*p != '}') {
		jail_autobuffer struct jail_buffer name = JAIL_BUFFER_INIT;

		if (jail_json_string_decode(p, &name, &p) < 0)
			return NULL;
		p = jail_json_skip_space(p, end);
		p = jail_json_skip_space(p + 1, end);
		if (name.len == step->len && memcmp(name.data, step->data, name.len) == 0)
			return p;
		p = jail_json_skip_space(skip_value(p, end), end);
		if (*p == ',')
			p = jail_json_skip_space(p + 1, end);
	}
	return NULL;
}

static const char *find_element(const char *p, const char *end, const struct jail_buffer *step)
{
	size_t index = 0;

	if (step->len == 0 || step->len > 9 || strspn(step->data, "0123456789") != step->len)
		return NULL;
	for (size_t i = 0; i < step->len; i++)
		index = index * 10 + (size_t)(step->data[i] - '0');
	p = jail_json_skip_space(p + 1, end);
	while (*p != ']') {
		if (index-- == 0)
			return p;
		p = jail_json_skip_space(skip_value(p, end), end);
		if (*p == ',')
			p = jail_json_skip_space(p + 1, end);
	}
	return NULL;
}

void jail_json_locate(const char *text, size_t len, const char *pointer, size_t *ret_line, size_t *ret_column)
{
	const char *end = text + len, *at = jail_json_skip_space(text, end);

	while (*pointer == '/') {
		jail_autobuffer struct jail_buffer step = JAIL_BUFFER_INIT;
		const char *next = NULL;

		if (take_step(&pointer, &step) < 0)
			break;
		if (*at == '{')
			next = find_member(at, end, &step);
		else if (*at == '[')
			next = find_element(at, end, &step);
		if (!next)
			break;
		at = next;
	}
	jail_json_place(text, at, ret_line, ret_column);
}
