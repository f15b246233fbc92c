/* One step of a walk; private to lib/base. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/* Opens the single component name below dirfd with O_PATH | O_CLOEXEC | O_NOFOLLOW: a symlink is opened as
 * itself. O_DIRECTORY is tried first, since it makes an automount happen. Returns the descriptor or negative
 * errno. */
int jail_path_step(int dirfd, const char *name);

/* A directory that only root can change: owned by uid 0, not writable by group or others. */
bool jail_path_is_root_only(const struct stat *st);
