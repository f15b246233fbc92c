/* Reading and replacing small files safely. */
#pragma once

#include <stddef.h>
#include <stdbool.h>
#include <sys/types.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* Reads the whole regular file path, relative to dirfd (AT_FDCWD allowed), into *ret.
 * The last component is not followed when it is a symlink; FIFOs and devices are refused without
 * blocking (CVE-2024-22365 is a FIFO that blocked logins). max: size limit in bytes.
 * *ret is an initialised buffer, whose contents are replaced.
 * Errors: errno of open and read; -EFBIG over max; -EINVAL not a regular file. */
int jail_file_read(int dirfd, const char *path, size_t max, struct jail_buffer *ret, struct jail_error *err);

/* The same, and refuses (-EPERM) a file that is not owned by uid 0 or that group or others may write. */
int jail_file_read_trusted(int dirfd, const char *path, size_t max, struct jail_buffer *ret,
			   struct jail_error *err);

/* Replaces path atomically: a new file beside it with the given mode, written, fsynced, renamed over
 * it, directory fsynced. A symlink at path is replaced, not followed. On failure path is as it was and
 * no temporary file is left; only where the error is the directory's fsync the new file stands, and the
 * message says so. dirfd: as above; path may have directories in it, the last of which is no symlink. */
int jail_file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		      struct jail_error *err);

/* As jail_file_replace; the new file is of that group before anybody sees it. gid -1: the caller's own. */
int jail_file_replace_group(int dirfd, const char *path, const void *data, size_t len, mode_t mode, gid_t gid,
			    struct jail_error *err);

/* As jail_file_replace, but does nothing when the file already has exactly these bytes and this mode,
 * and is the caller's (effective uid).
 * *ret_changed (may be NULL) says whether it was written. */
int jail_file_update(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
		     bool *ret_changed, struct jail_error *err);

/* Removes what a killed jail_file_replace of path (absolute) left beside it. Nobody may be replacing it at
 * the same time: call it under the lock that writers hold. A missing directory has nothing to remove. */
int jail_file_tidy(const char *path, struct jail_error *err);

/* mkdir -p for root's own directories: missing components are made with mode, owner 0:0; existing ones
 * must be directories owned by uid 0 and not writable by group or others (sticky does not help), no symlinks.
 * Returns an O_PATH|O_DIRECTORY descriptor of the last one in *ret_fd. path is absolute. */
int jail_dir_make(const char *path, mode_t mode, int *ret_fd, struct jail_error *err);

/* write(2) until all is written. */
int jail_write_all(int fd, const void *data, size_t len);
