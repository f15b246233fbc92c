/* Expansion of %u (user), %g (primary group's name), %h (home) and %% in targets, sources and roots. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "lib/base/error.h"

struct jail_member {
	const char *user;
	const char *group; /* name of the primary group */
	const char *home;
	uid_t uid;
};

enum jail_template_use { JAIL_TEMPLATE_U = 1, JAIL_TEMPLATE_G = 2, JAIL_TEMPLATE_H = 4 };

/* Checks a template: only %u %g %h %%; %h at its start only; the rest in normal form.
 * Returns a mask of enum jail_template_use, or -EINVAL. */
int jail_template_check(const char *text, struct jail_error *err);

/* Expands into a new string (caller frees). %u and %g must give exactly one path component: not empty, no
 * '/', not "." or "..", no control character. %h must be normal and not "/". member may be NULL when nothing
 * is to expand. Errors: -EINVAL, -ENOMEM. Who owns %h is checked where it is opened. */
int jail_template_expand(const char *text, const struct jail_member *member, char **ret,
			 struct jail_error *err);
