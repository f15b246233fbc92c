/* chroot.conf as files: read with care, replaced whole, by descriptor. */
#pragma once

#include "agent/chrootconf.h"
#include "agent/config.h"
#include "agent/report.h"

/* Who stands in chroot.conf: every chroot user of this node but the break-glass members, who are never
 * confined; sorted. Pointers are the views'. *ret is the caller's to free. */
int jail_chroot_users(const struct jail_config *config, const struct jail_views *views,
		      struct jail_report *report, struct jail_chroot_user **ret, size_t *ret_n);

/* Brings every file of the configuration up to date, keeping mode and group; a missing one is made 0644, but
 * not without users. Notes go to report as warnings, a file that can't be kept as a failure. */
void jail_chroot_files_update(const struct jail_config *config, const struct jail_chroot_user *users,
			      size_t n_users, struct jail_report *report);

/* Only looks. Each difference is a line of *differences; notes and failures go to report. */
void jail_chroot_files_check(const struct jail_config *config, const struct jail_chroot_user *users,
			     size_t n_users, struct jail_buffer *differences, struct jail_report *report);

/* Takes the blocks out; a file that holds nothing else goes too. */
void jail_chroot_files_remove(const struct jail_config *config, struct jail_report *report);
