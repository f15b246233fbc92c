/* Lines of the administrator's that bite; private to agent/chrootconf*.c. */
#pragma once

#include "agent/chrootconf.h"

/* "FILE:LINE: what" into conf->notes. */
int jail_chroot_note(struct jail_chroot_conf *conf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Looks at one line (len bytes, no newline) of the administrator's, number in the file as it should be.
 * *budget counts comparisons down; at 0 expressions are no longer tried. */
int jail_chroot_check_line(const char *path, const char *line, size_t len, size_t number,
			   const struct jail_chroot_user *users, size_t n_users, size_t *budget,
			   struct jail_chroot_conf *conf);

/* The user called name, or NULL. */
const struct jail_chroot_user *jail_chroot_find(const struct jail_chroot_user *users, size_t n_users,
						const char *name);
