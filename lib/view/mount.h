/* One mount, made detached where the kernel can, then attached in one step. Private to lib/view. */
#pragma once

#include "lib/view/plan.h"

/* What is ready to be attached. */
struct jail_pending {
	int tree;   /* a detached mount (Linux 5.2), -1: this kernel mounts in place, with mount(2) */
	int source; /* bind in place: the source */
	const struct jail_entry *entry;
	bool recursive;
	bool staged; /* tree is not detached, but attached elsewhere: it is moved */
};
#define JAIL_PENDING_INIT ((struct jail_pending){.tree = -1, .source = -1})

/* Clones source (O_PATH) with all that is mounted below it: following the host (slave) without options,
 * private and with entry's options on every mount with them. The marker is cloned alone. source is
 * pending's afterwards. */
int jail_mount_prepare_bind(const struct jail_entry *entry, int source, struct jail_pending *ret,
			    struct jail_error *err);
/* The same, and attached at once, for the commonest case: a plain bind of a directory, by name in two
 * directories that only root can change, onto a mount point that exists. Half of the system calls. owner:
 * checked on the clone itself. False: nothing was done, the long way finds out why. */
bool jail_mount_quick(const struct jail_entry *entry, int source_dir, const char *source_name, int target_dir,
		      const char *target_name);
/* hide, tmpfs, proc. */
int jail_mount_prepare_fs(const struct jail_entry *entry, struct jail_pending *ret, struct jail_error *err);
/* Attaches it to name in the directory parent, on top of what is there. target: O_PATH of name. path: for
 * messages. On failure nothing is attached. */
int jail_mount_attach(const struct jail_pending *pending, int parent, const char *name, int target,
		      const char *path, struct jail_error *err);
void jail_pending_release(struct jail_pending *pending);
#define jail_autopending __attribute__((cleanup(jail_pending_release)))

/* Sets options besides those that the mount whose root fd is has; it alone. 0 or negative errno. */
int jail_mount_seal(int fd, unsigned options);

/* tmpfs: brings the size of the mount whose root fd is to what entry says; its options may differ
 * afterwards. Errors: -EINVAL more is in use. */
int jail_mount_resize(const struct jail_entry *entry, int fd, const char *path, struct jail_error *err);

/* mount(2) on descriptors, for kernels without the calls of syscalls.h; lib/view/mount_old.c. */
int jail_mount_old_bind(const struct jail_entry *entry, int source, bool recursive, int parent,
			const char *name, int target, const char *path, struct jail_error *err);
int jail_mount_old_fs(const struct jail_entry *entry, int parent, const char *name, int target,
		      const char *path, struct jail_error *err);
/* Moves the mount whose root tree is. */
int jail_mount_old_move(int tree, int target, const char *path, struct jail_error *err);
/* Changes the propagation of the mount whose root fd is: flags of mount(2). 0 or negative errno. */
int jail_mount_propagation(int fd, unsigned long flags);
/* Sets exactly these options on that mount alone, keeping its atime flags (Linux 3.17). */
int jail_mount_set_options(int fd, unsigned options);
/* Size and mode as data for mount(2): "size=4096k,mode=0555". */
void jail_mount_data(const struct jail_entry *entry, char data[static 64]);
