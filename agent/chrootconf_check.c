#include "agent/chrootconf_check.h"

#include <errno.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

enum { PIECE = 1023 };

int jail_chroot_note(struct jail_chroot_conf *conf, const char *format, ...)
{
	char **slot = JAIL_ARRAY_PUSH(conf->notes, conf->n_notes);
	va_list args;
	int r;

	if (!slot)
		return -ENOMEM;
	va_start(args, format);
	r = vasprintf(slot, format, args);
	va_end(args);
	if (r < 0) {
		*slot = NULL;
		return -ENOMEM;
	}
	conf->n_notes++;
	return 0;
}

static int compare(const void *key, const void *element)
{
	return strcmp(key, ((const struct jail_chroot_user *)element)->user);
}

const struct jail_chroot_user *jail_chroot_find(const struct jail_chroot_user *users, size_t n_users,
						const char *name)
{
	return n_users ? bsearch(name, users, n_users, sizeof *users, compare) : NULL;
}

/* With use_regex the name would be an expression, with use_ext_regex an extended one: whom else it would
 * catch is said once, with the first of them. */
static int check_expression(const char *path, size_t number, const char *name,
			    const struct jail_chroot_user *users, size_t n_users, size_t *budget,
			    struct jail_chroot_conf *conf)
{
	const struct jail_chroot_user *first = NULL;
	size_t n = 0;
	regex_t basic, extended;
	bool have_basic = regcomp(&basic, name, REG_ICASE | REG_NOSUB) == 0;
	bool have_extended = regcomp(&extended, name, REG_ICASE | REG_NOSUB | REG_EXTENDED) == 0;

	for (size_t i = 0; i<n_users && * budget> 0; i++, (*budget)--) {
		const char *user = users[i].user;

		if (strcmp(user, name) == 0)
			continue;
		if ((have_basic && regexec(&basic, user, 0, NULL, 0) == 0) ||
		    (have_extended && regexec(&extended, user, 0, NULL, 0) == 0)) {
			first = first ? first : &users[i];
			n++;
		}
	}
	if (have_basic)
		regfree(&basic);
	if (have_extended)
		regfree(&extended);
	if (!first)
		return 0;
	if (n == 1)
		return jail_chroot_note(conf, "%s:%zu: \"%s\" would match %s with use_regex", path, number,
					name, first->user);
	return jail_chroot_note(conf, "%s:%zu: \"%s\" would match %s and %zu more with use_regex", path,
				number, name, first->user, n - 1);
}

int jail_chroot_check_line(const char *path, const char *line, size_t len, size_t number,
			   const struct jail_chroot_user *users, size_t n_users, size_t *budget,
			   struct jail_chroot_conf *conf)
{
	jail_autofree char *copy = strndup(line, len);
	const struct jail_chroot_user *user;
	char *rest = copy, *name, *root;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (len >= PIECE)
		r = jail_chroot_note(conf,
				     "%s:%zu: longer than %d bytes: pam_chroot reads it as several lines",
				     path, number, PIECE - 1);
	copy[strcspn(copy, "#")] = '\0';
	name = strtok_r(rest, " \t\r", &rest);
	root = name ? strtok_r(rest, " \t\r", &rest) : NULL;
	if (r < 0 || !root)
		return r;
	if (*name == '@')
		return jail_chroot_note(
			conf,
			"%s:%zu: \"%s\" fails the login of everybody who has no line above it, unless "
			"pam_chroot has use_groups",
			path, number, name);
	user = jail_chroot_find(users, n_users, name);
	if (user)
		r = jail_chroot_note(
			conf,
			"%s:%zu: \"%s %s\" is for a user of the policy, whose root is %s: the managed line "
			"above it counts; remove this one",
			path, number, name, root, user->root);
	return r < 0 ? r : check_expression(path, number, name, users, n_users, budget, conf);
}
