/* Paths become descriptors here, once, with every component checked.
 *
 * Two kinds of trust (DESIGN.md, "Nothing the user controls is followed"):
 * - root's places (targets, roots, state): every component a directory owned by uid 0, not writable by
 *   group or others, and no symlink anywhere: jail_path_open_trusted.
 * - sources of binds: jail_path_open_source. Symlinks that root made in root-only directories are resolved
 * component by component; directories may belong to anybody; a symlink that a user could have made is
 * refused.
 *
 * On kernels with openat2 (5.6) RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS guards each step besides;
 * on older ones the walk with openat(O_PATH | O_NOFOLLOW) does the same by itself. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include "lib/base/error.h"

/* True for an absolute path in normal form: starts with '/', no empty, "." or ".." component, no trailing
 * slash (but "/" itself), shorter than PATH_MAX, no control characters. */
bool jail_path_is_normal(const char *path);

/* True if path is dir or lies below it. Both in normal form. */
bool jail_path_is_below(const char *path, const char *dir);

/* Opens path (normal form; or relative to dirfd when dirfd >= 0, then without the leading '/'; "" or "/" is
 * dirfd itself) with O_PATH | O_CLOEXEC | O_NOFOLLOW after checking every component, the last included: a
 * directory owned by uid 0 and not writable by group or others. Errors: -ENOENT, -ELOOP a symlink, -ENOTDIR,
 * -EPERM owner or mode, each with the component named in err. */
int jail_path_open_trusted(int dirfd, const char *path, int *ret_fd, struct jail_error *err);

struct jail_source {
	int fd;		 /* O_PATH of what the path leads to */
	char *path;	 /* where it really is: the path with every symlink resolved, normal form */
	struct stat st;	 /* of fd */
	bool user_owned; /* some component after the last root-only directory belongs to or is writable by
			    others */
	char *link; /* without follow_last: the text of the link when the path itself is a symlink that root
		     * made in a root-only directory (/bin -> usr/bin), else NULL */
};

/* Opens a bind's source (absolute, normal form). follow_last: resolve a symlink at the last component as
 * well; without it a trusted symlink there is reported in link and fd is the symlink itself. Errors: -ENOENT
 * missing, -ELOOP a symlink that a user could have made, any symlink of procfs, or more than 40 links, others
 * errno. */
int jail_path_open_source(const char *path, bool follow_last, struct jail_source *ret,
			  struct jail_error *err);
void jail_source_release(struct jail_source *source);
#define jail_autosource __attribute__((cleanup(jail_source_release)))

/* Whether fd (O_PATH allowed) is the root of a mount. statx's STATX_ATTR_MOUNT_ROOT, Linux 5.8; before that
 * the mount identifiers that name_to_handle_at gives for the object and its parent (Linux 2.6.39). Returns 1,
 * 0 or negative errno. */
int jail_fd_is_mount_root(int fd);

/* The mount identifier (first field of mountinfo) of fd: statx STATX_MNT_ID (5.8), else /proc/self/fdinfo. */
int jail_fd_mount_id(int fd, int *ret_id);
