#include <stddef.h>
#include <string.h>
#include "lib/policy/template.h"
#include "lib/wire/lint.h"

const char *const jail_system_directories[] = {"/etc", "/usr", "/bin", "/sbin", "/lib*", NULL};
const char *const jail_kernel_directories[] = {"/run", "/proc", "/sys", "/dev", NULL};

static size_t component_length(const char *text)
{
	return strcspn(text, "/");
}

static bool is_any(const char *text, size_t len)
{
	return len >= 2 && text[0] == '%' && text[1] != '%';
}

static bool is_rest(const char *text, size_t len)
{
	return len == 1 && *text == '*';
}

/* Compares up to the first %u or %g of either: what comes behind it could be anything. A file whose name ends
 * in * is no trouble: it is taken for more than itself. */
static bool component_may_match(const char *a, size_t a_len, const char *b, size_t b_len)
{
	while (a_len && b_len && !is_any(a, a_len) && !is_any(b, b_len) && !is_rest(b, b_len)) {
		size_t step = *a == '%' ? 2 : 1; /* %% is one character */

		if (*a != *b)
			return false;
		a += step;
		a_len -= step;
		b += step;
		b_len -= step;
	}
	return (!a_len && !b_len) || (a_len && is_any(a, a_len)) || (b_len && is_any(b, b_len)) ||
	       is_rest(b, b_len);
}

unsigned jail_path_relation(const char *path, const char *other)
{
	if (path[0] != '/' || other[0] != '/')
		return 0;
	for (;;) {
		size_t path_len, other_len;

		/* Both stand at a slash or at their end; "/" alone has no component. */
		path += *path == '/';
		other += *other == '/';
		if (!*path || !*other)
			break;
		path_len = component_length(path);
		other_len = component_length(other);
		if (!component_may_match(path, path_len, other, other_len))
			return 0;
		path += path_len;
		other += other_len;
	}
	if (!*path && !*other)
		return JAIL_PATH_AT;
	return *path ? JAIL_PATH_BELOW : JAIL_PATH_ABOVE;
}

const char *jail_path_find(const char *path, const char *const *list, unsigned relations)
{
	for (; *list; list++)
		if (jail_path_relation(path, *list) & relations)
			return *list;
	return NULL;
}

const char *jail_path_words(const char *path, const char *other)
{
	bool sure = jail_path_uses(path) == 0;

	switch (jail_path_relation(path, other)) {
	case JAIL_PATH_AT:
		return sure ? "is" : "could be";
	case JAIL_PATH_BELOW:
		return sure ? "lies in" : "could lie in";
	default:
		return sure ? "holds" : "could hold";
	}
}

int jail_path_uses(const char *path)
{
	int uses = path ? jail_template_check(path, NULL) : 0;

	return uses < 0 ? 0 : uses;
}
