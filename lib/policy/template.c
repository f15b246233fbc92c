#include "lib/policy/template.h"

#include <errno.h>
#include <string.h>
#include "lib/base/buffer.h"
#include "lib/base/path.h"

static int bad_template(const char *text, const char *why, struct jail_error *err)
{
	return jail_error_set(err, EINVAL, "\"%.400s\": %s", text, why);
}

static int no_memory(const char *text, struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot expand \"%.400s\"", text);
}

/* What a placeholder stands for. NULL: nothing has this letter. */
static const char *value_of(char letter, const struct jail_member *member)
{
	switch (letter) {
	case 'u':
		return member->user;
	case 'g':
		return member->group;
	case 'h':
		return member->home;
	default:
		return NULL;
	}
}

/* Replaces the placeholders of text. Returns the mask of those used. */
static int substitute(const char *text, const struct jail_member *member, struct jail_buffer *ret,
		      struct jail_error *err)
{
	int used = 0;

	for (const char *p = text; *p; p++) {
		int r;
		if (*p != '%' || *++p == '%') {
			r = jail_buffer_append(ret, p, 1);
		} else {
			if (*p == '\0' || !strchr("ugh", *p))
				return bad_template(text, "after % only u, g, h and % are known", err);
			if (*p == 'h' && (p != text + 1 || (p[1] != '\0' && p[1] != '/')))
				return bad_template(text, "%h stands at the beginning, by itself or before /",
						    err);
			used |= *p == 'u' ? JAIL_TEMPLATE_U : *p == 'g' ? JAIL_TEMPLATE_G : JAIL_TEMPLATE_H;
			const char *value = value_of(*p, member);
			if (!value)
				return jail_error_set(err, EINVAL, "\"%.400s\": there is no value for %%%c",
						      text, *p);
			r = jail_buffer_puts(ret, value);
		}
		if (r < 0)
			return no_memory(text, err);
	}
	return used;
}

int jail_template_check(const char *text, struct jail_error *err)
{
	/* Values as harmless as any that expansion lets through. */
	static const struct jail_member sample = {.user = "u", .group = "g", .home = "/h"};
	jail_autobuffer struct jail_buffer path = JAIL_BUFFER_INIT;

	int used = substitute(text, &sample, &path, err);
	if (used < 0)
		return used;
	if (!jail_path_is_normal(path.data))
		return bad_template(text,
				    "not an absolute path in normal form (no empty, \".\" or \"..\" "
				    "component, no slash at the end, no control character)",
				    err);
	return used;
}

static bool is_component(const char *text)
{
	if (!text || *text == '\0' || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (const char *p = text; *p; p++) {
		if (*p == '/' || (unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

static int check_values(const char *text, int used, const struct jail_member *member, struct jail_error *err)
{
	const char *user = member->user ? member->user : "(none)";
	if ((used & JAIL_TEMPLATE_U) && !is_component(member->user))
		return jail_error_set(
			err, EINVAL, "\"%.200s\": the user name \"%.200s\" is no path component", text, user);
	if ((used & JAIL_TEMPLATE_G) && !is_component(member->group))
		return jail_error_set(
			err, EINVAL,
			"\"%.200s\": the primary group \"%.200s\" of %.200s is no path component", text,
			member->group ? member->group : "(none)", user);
	if ((used & JAIL_TEMPLATE_H) &&
	    (!member->home || !jail_path_is_normal(member->home) || strcmp(member->home, "/") == 0))
		return jail_error_set(
			err, EINVAL,
			"\"%.200s\": the home \"%.200s\" of %.200s is no path that may stand here", text,
			member->home ? member->home : "(none)", user);
	return 0;
}

int jail_template_expand(const char *text, const struct jail_member *member, char **ret,
			 struct jail_error *err)
{
	jail_autobuffer struct jail_buffer path = JAIL_BUFFER_INIT;

	int used = jail_template_check(text, err);
	if (used < 0)
		return used;
	static const struct jail_member nobody;
	if (!member)
		member = &nobody;
	int r = check_values(text, used, member, err);
	if (r < 0)
		return r;
	r = substitute(text, member, &path, err);
	if (r < 0)
		return r;
	if (!jail_path_is_normal(path.data))
		return bad_template(text, "expands to something that is no path in normal form", err);
	char *copy = strdup(path.data);
	if (!copy)
		return no_memory(text, err);
	*ret = copy;
	return 0;
}
