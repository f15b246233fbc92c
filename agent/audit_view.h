/* Whether a process is in the view that it should be in: the only place that knows what kinds of jails do. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "lib/policy/cache.h"

struct jail_audit_view {
	bool is_there;
	const char *place; /* below a process's root: NULL, the root itself (chroot), else where the marker of
			    * a namespace view stands; points into the cache */
	dev_t device;	   /* of what is there */
	ino_t inode;
};

/* The view of member in jail number jail, as it is now. A view that can't be opened holds no process. Errors:
 * -EBADMSG damaged cache; ret->is_there is false, and err says why, where the root can't be opened. */
int jail_audit_view_find(const struct jail_cache *cache, size_t jail, const struct jail_member *member,
			 struct jail_audit_view *ret, struct jail_error *err);

/* root: PID/root or PID/task/TID/root, below proc. 1 it is in the view, 0 it is not; -ENOENT, -ESRCH there is
 * no such process any more, or it is a zombie or a kernel thread; other negative errno. */
int jail_audit_view_holds(const struct jail_audit_view *view, int proc, const char *root);
