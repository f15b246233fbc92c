/* Putting the calling thread into a view, and back. Runs inside sshd, su, cron, slurmstepd: no allocation
 * that is kept, no change to other threads, every descriptor close-on-exec. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "lib/base/error.h"
#include "lib/policy/cache.h"
#include "lib/view/view.h"

/* Opens the root of the member's view (jail_path_open_trusted: every component root's). host: the directory
 * that root paths begin at, -1 for the process's own root. A session that is already inside a view gives the
 * host's (jail_enter_host_root). Errors: errno of the walk, -EINVAL expansion. */
int jail_enter_open_root(int host, const struct jail_cache_jail *jail, const struct jail_member *member,
			 int *ret_root, struct jail_error *err);

/* Opens the member's root in chroot jail number jail and checks that it may be entered: the walk above, the
 * marker mounted, and each entry of this member that is not optional mounted (STATX_ATTR_MOUNT_ROOT, nothing
 * asked of a server, no automount) or the symlink of root's that stands for it. Errors: errno of the walk;
 * -ENOTCONN "not mounted" naming the target; -EPERM a marker that is not root's. */
int jail_enter_open(const struct jail_cache *cache, size_t jail, const struct jail_member *member,
		    int *ret_root, struct jail_error *err);

/* Which object a descriptor was, so that it is not taken for another after its number was reused. */
struct jail_place {
	int fd; /* O_PATH | O_CLOEXEC, -1: none */
	dev_t device;
	ino_t inode;
};

struct jail_entered {
	struct jail_place root; /* the root before */
	struct jail_place cwd;	/* the working directory before */
	struct jail_place ns;	/* the mount namespace before; inode 0: it is still that one */
	struct jail_place view; /* the root, or the namespace, that was entered; fd is -1: only who it is */
};
#define JAIL_ENTERED_INIT ((struct jail_entered){.root.fd = -1, .cwd.fd = -1, .ns.fd = -1, .view.fd = -1})

/* Where to, as it was found to be in order. */
struct jail_door {
	int root;		      /* chroot: the root (jail_enter_open) */
	const struct jail_view *view; /* namespace: what to mount (jail_namespace_view_build); NULL: chroot */
	struct jail_places_of_node places; /* namespace: of the cache */
	uid_t owner;
	const char *home;
};

/* chroot: unshare(CLONE_FS), so that only this thread moves (FACTS.md, "Chroot inside slurmstepd"), then
 * fchdir, chroot("."). namespace: unshare(CLONE_NEWNS), everything a slave of the host's, then the view's
 * mounts; nothing of the user's runs before it is whole. Then the working directory: home, reached without a
 * symlink, or "/" where there is none. On failure the thread is where it was, or the message says that it
 * is not. Needs CAP_SYS_CHROOT and CAP_SYS_ADMIN. */
int jail_enter(const struct jail_door *door, struct jail_entered *ret, struct jail_error *err);

/* Back: setns(2) for a namespace; fchdir(root), chroot("."), fchdir(cwd), or "/" where the old working
 * directory is gone. Only where the thread still is in the view that was entered, else nothing moves. Errors:
 * -EBADF the saved descriptors were closed or are others now; errno of chroot. */
int jail_enter_leave(const struct jail_entered *entered, struct jail_error *err);

/* Closes what entered keeps open; a number that has become another file is left alone. */
void jail_enter_forget(struct jail_entered *entered);

/* Whether the calling thread's root already is the directory root (same device and inode). 1, 0, negative
 * errno. */
int jail_enter_is_inside(int root);

/* Whether the calling thread is in some view: its root has the marker, or the node's run directory is one,
 * mounted and root's alone. 1, 0 or negative errno. */
int jail_enter_inside_any(const char *run);

/* Whether the calling thread is in a namespace view of that jail, whoever's: its marker is one of those below
 * the host's marker directory. host: as below. 1, 0 or negative errno. */
int jail_enter_is_namespace_of(int host, const struct jail_places_of_node *places, const char *jail);

/* From inside a view: the host's root, that is PID 1's, through a procfs. Errors: -ENOENT no /proc in this
 * view; -EACCES it may not be looked at; -ELOOP PID 1's root is a view too (a PID namespace inside one). */
int jail_enter_host_root(const char *run, int *ret_host, struct jail_error *err);
