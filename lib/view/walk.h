/* Opening places below roots, where directories may be a user's. Private to lib/view. */
#pragma once

#include "lib/base/error.h"
#include "lib/view/mountinfo.h"

/* Opens rest ("" or "/x/y") below dirfd without following any symlink, and checks that what it comes to is
 * the mount id: whoever moves directories about meanwhile makes it fail, not go elsewhere. dirfd -1: "/".
 * O_PATH. Errors: -EAGAIN another mount, errno of the walk. */
int jail_walk_mount(int dirfd, const char *rest, int id, int *ret_fd, struct jail_error *err);

/* Detaches one mount, the topmost one on its mount point; as below. */
int jail_detach_one(const struct jail_mount_table *table, const struct jail_mount_line *line,
		    size_t *ret_count, struct jail_error *err);
/* Detaches everything that is stacked on path, topmost first, with all that is mounted below it, and closes
 * what leads back to the host first: nothing is unmounted anywhere else. Nothing is waited for
 * (MNT_DETACH): what is in use stays with who uses it. *ret_count is increased by the mounts detached.
 * Refuses (-EPERM) a mount whose parent has a peer or follower, unless it is a self-bind, since that
 * would be unmounted elsewhere too. */
int jail_detach(const struct jail_mount_table *table, const char *path, size_t *ret_count,
		struct jail_error *err);
