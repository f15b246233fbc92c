/* Detached mounts: open_tree, mount_setattr, move_mount, fsopen (Linux 5.2 to 5.12). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "lib/base/cleanup.h"
#include "lib/view/mount.h"
#include "lib/view/syscalls.h"

/* ENOSYS: an older kernel, or a filter that stands for one. */
static bool is_missing(int error)
{
	return error == ENOSYS;
}

static unsigned attributes(unsigned options)
{
	unsigned attr = 0;
	if (options & JAIL_OPT_RO)
		attr |= JAIL_MOUNT_ATTR_RDONLY;
	if (options & JAIL_OPT_NOSUID)
		attr |= JAIL_MOUNT_ATTR_NOSUID;
	if (options & JAIL_OPT_NODEV)
		attr |= JAIL_MOUNT_ATTR_NODEV;
	if (options & JAIL_OPT_NOEXEC)
		attr |= JAIL_MOUNT_ATTR_NOEXEC;
	return attr;
}

/* MOVE_MOUNT came with open_tree in 5.2, mount_setattr in 5.12: without the last one all is done in place,
 * since flags of a detached mount can't be changed with mount(2). */
int jail_mount_prepare_bind(const struct jail_entry *entry, int source, struct jail_pending *ret,
			    struct jail_error *err)
{
	bool recursive = entry->kind != JAIL_ENTRY_MARKER;
	unsigned recurse = recursive ? JAIL_AT_RECURSIVE : 0;
	struct jail_pending pending = {.tree = -1, .source = source, .entry = entry, .recursive = recursive};
	struct jail_mount_attr attr = {
		.set = attributes(entry->options),
		.propagation = entry->options ? MS_PRIVATE : MS_SLAVE,
	};

	jail_autoclose int tree = jail_open_tree(source, JAIL_OPEN_TREE_CLONE | recurse);
	if (tree < 0 && !is_missing(errno))
		return jail_error_sys(err, errno, "cannot clone %s%s", entry->source,
				      errno == EINVAL ? " (it lies in an unbindable mount)" : "");
	if (tree >= 0 && jail_mount_setattr(tree, recurse, &attr) < 0) {
		if (!is_missing(errno))
			return jail_error_sys(err, errno, "cannot set options on the clone of %s",
					      entry->source);
		(void)close(tree);
		tree = -1;
	}
	pending.tree = JAIL_STEAL_FD(tree);
	*ret = pending;
	return 0;
}

bool jail_mount_quick(const struct jail_entry *entry, int source_dir, const char *source_name, int target_dir,
		      const char *target_name)
{
	struct stat st;
	struct jail_mount_attr attr = {.propagation = MS_SLAVE};
	jail_autoclose int tree =
		jail_open_tree_at(source_dir, source_name, JAIL_OPEN_TREE_CLONE | JAIL_AT_RECURSIVE);
	return tree >= 0 && fstat(tree, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (!entry->owned || st.st_uid == entry->owner) &&
	       jail_mount_setattr(tree, JAIL_AT_RECURSIVE, &attr) == 0 &&
	       jail_move_mount_at(tree, target_dir, target_name) == 0;
}

void jail_mount_data(const struct jail_entry *entry, char data[static 64])
{
	/* Only root writes into a hide, whose root is 0555: mount points below it are all it ever holds,
	 * and directories take no pages. */
	if (entry->kind == JAIL_ENTRY_HIDE)
		(void)snprintf(data, 64, "size=4k,mode=0555");
	else if (entry->kind == JAIL_ENTRY_TMPFS && entry->size)
		(void)snprintf(data, 64, "size=%llu,mode=%04o", (unsigned long long)entry->size,
			       (unsigned)entry->mode);
	else if (entry->kind == JAIL_ENTRY_TMPFS)
		(void)snprintf(data, 64, "mode=%04o", (unsigned)entry->mode);
	else if (entry->hidepid != JAIL_HIDEPID_OFF)
		(void)snprintf(data, 64, "hidepid=%d", (int)entry->hidepid);
	else
		data[0] = '\0';
}

static int configure(int context, const struct jail_entry *entry)
{
	char data[64];
	jail_mount_data(entry, data);
	for (char *p = data, *option; (option = strsep(&p, ",")) != NULL;) {
		char *value = strchr(option, '=');
		if (!value)
			continue;
		*value = '\0';
		if (jail_fsconfig(context, JAIL_FSCONFIG_SET_STRING, option, value + 1) < 0)
			return -errno;
	}
	return jail_fsconfig(context, JAIL_FSCONFIG_CMD_CREATE, NULL, NULL) < 0 ? -errno : 0;
}

int jail_mount_prepare_fs(const struct jail_entry *entry, struct jail_pending *ret, struct jail_error *err)
{
	const char *fstype = entry->kind == JAIL_ENTRY_PROC ? "proc" : "tmpfs";
	struct jail_pending pending = {.tree = -1, .source = -1, .entry = entry};

	jail_autoclose int context = jail_fsopen(fstype);
	if (context < 0 && !is_missing(errno))
		return jail_error_sys(err, errno, "cannot make a %s for %s", fstype, entry->target);
	if (context >= 0) {
		int r = configure(context, entry);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot make a %s for %s", fstype, entry->target);
		pending.tree = jail_fsmount(context, attributes(entry->options));
		if (pending.tree < 0)
			return jail_error_sys(err, errno, "cannot make a %s for %s", fstype, entry->target);
	}
	*ret = pending;
	return 0;
}

int jail_mount_attach(const struct jail_pending *pending, int parent, const char *name, int target,
		      const char *path, struct jail_error *err)
{
	if (pending->tree >= 0) {
		if (jail_move_mount(pending->tree, target) == 0)
			return 0;
		if (!is_missing(errno))
			return jail_error_sys(err, errno, "cannot mount on %s", path);
	}
	if (pending->staged)
		return jail_mount_old_move(pending->tree, target, path, err);
	if (pending->source >= 0)
		return jail_mount_old_bind(pending->entry, pending->source, pending->recursive, parent, name,
					   target, path, err);
	return jail_mount_old_fs(pending->entry, parent, name, target, path, err);
}

int jail_mount_seal(int fd, unsigned options)
{
	struct jail_mount_attr attr = {.set = attributes(options)};
	if (jail_mount_setattr(fd, 0, &attr) == 0)
		return 0;
	return is_missing(errno) ? jail_mount_set_options(fd, options) : -errno;
}

void jail_pending_release(struct jail_pending *pending)
{
	jail_cleanup_close(&pending->tree);
	jail_cleanup_close(&pending->source);
	*pending = JAIL_PENDING_INIT;
}
