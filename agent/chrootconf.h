/* chroot.conf of libpam-chroot, as text: a managed block with one literal "user root" line a user, and
 * everything else as the administrator wrote it.
 *
 * What pam_chroot.so 0.9 does with the file (its pam_chroot.c, _pam_get_chrootdir): the first line that
 * matches wins, so the block stands first; '#' begins a comment anywhere; fields end at white space; a line
 * without a second field is skipped; names are literal, or with use_regex unanchored case-insensitive
 * expressions; a line that begins with '@' fails every login that comes to it, unless use_groups is set;
 * lines are read in pieces of 1,023 bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

#define JAIL_CHROOT_BEGIN "# BEGIN clusterjail"
#define JAIL_CHROOT_END	  "# END clusterjail"

struct jail_chroot_user {
	const char *user;
	const char *root;
};

struct jail_chroot_conf {
	struct jail_buffer text; /* what the file should hold */
	bool block;		 /* whether there is a block in it */
	char **notes; /* "FILE:LINE: what", of the file as it should be: conflicts, lines that bite */
	size_t n_notes;
	char **differences; /* "FILE: line ... is missing": how the present text differs; empty: it does not
			     */
	size_t n_differences;
};
#define JAIL_CHROOT_CONF_INIT ((struct jail_chroot_conf){.text = JAIL_BUFFER_INIT})

/* path: for messages. text: the present content, "" for no file. users: sorted by user, one entry each. A
 * text that has no block gets none without users; one that has keeps it. Errors: -EBADMSG "FILE:LINE: what"
 * for a block whose begin or end is missing, or a NUL byte; -ENOMEM. */
int jail_chroot_conf_make(const char *path, const char *text, size_t len,
			  const struct jail_chroot_user *users, size_t n_users, struct jail_chroot_conf *ret,
			  struct jail_error *err);

/* Appends text without any block to *ret. Errors: as above. */
int jail_chroot_conf_strip(const char *path, const char *text, size_t len, struct jail_buffer *ret,
			   struct jail_error *err);

void jail_chroot_conf_release(struct jail_chroot_conf *conf);
#define jail_autochrootconf __attribute__((cleanup(jail_chroot_conf_release)))
