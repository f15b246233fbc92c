/* Opening what lies in a view; private to lib/view/enter*.c. */
#pragma once

/* Opens path (relative, normal form) below dirfd with O_PATH | O_NOFOLLOW | O_CLOEXEC and flags, through no
 * symlink: a user may own a directory on the way. A symlink at the end is opened as itself. Nothing is asked
 * of an automount daemon unless flags have O_DIRECTORY. openat2 (Linux 5.6) or, without it, one openat a
 * component. Returns the descriptor or negative errno. */
int jail_plain_open(int dirfd, const char *path, int flags);
