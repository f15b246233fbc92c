/* The mount calls of Linux 5.2 to 5.12, by number: the C libraries of RHEL 8 and Debian 11 do not have them,
 * and <linux/mount.h> can't be included beside <sys/mount.h> everywhere. Numbers and structures from
 * include/uapi/linux/mount.h; the numbers are the same on every architecture but alpha. */
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	JAIL_SYS_OPEN_TREE = 428,
	JAIL_SYS_MOVE_MOUNT = 429,
	JAIL_SYS_FSOPEN = 430,
	JAIL_SYS_FSCONFIG = 431,
	JAIL_SYS_FSMOUNT = 432,
	JAIL_SYS_MOUNT_SETATTR = 442,
};

enum {
	JAIL_OPEN_TREE_CLONE = 1,
	JAIL_OPEN_TREE_CLOEXEC = O_CLOEXEC,
	JAIL_AT_RECURSIVE = 0x8000,
	JAIL_MOVE_MOUNT_F_EMPTY_PATH = 0x4,
	JAIL_MOVE_MOUNT_T_EMPTY_PATH = 0x40,
	JAIL_MOVE_MOUNT_BENEATH = 0x200, /* Linux 6.5 */
	JAIL_FSOPEN_CLOEXEC = 1,
	JAIL_FSMOUNT_CLOEXEC = 1,
	JAIL_FSCONFIG_SET_STRING = 1,
	JAIL_FSCONFIG_CMD_CREATE = 6,
	JAIL_MOUNT_ATTR_RDONLY = 0x1,
	JAIL_MOUNT_ATTR_NOSUID = 0x2,
	JAIL_MOUNT_ATTR_NODEV = 0x4,
	JAIL_MOUNT_ATTR_NOEXEC = 0x8,
};

struct jail_mount_attr {
	uint64_t set;
	uint64_t clear;
	uint64_t propagation;
	uint64_t userns_fd;
};

static inline int jail_open_tree(int fd, unsigned flags)
{
	return (int)syscall(JAIL_SYS_OPEN_TREE, fd, "", flags | AT_EMPTY_PATH | JAIL_OPEN_TREE_CLOEXEC);
}

/* name in the directory fd, which is not followed when it is a symlink. */
static inline int jail_open_tree_at(int fd, const char *name, unsigned flags)
{
	return (int)syscall(JAIL_SYS_OPEN_TREE, fd, name,
			    flags | AT_SYMLINK_NOFOLLOW | JAIL_OPEN_TREE_CLOEXEC);
}

static inline int jail_move_mount_at(int tree, int fd, const char *name)
{
	return (int)syscall(JAIL_SYS_MOVE_MOUNT, tree, "", fd, name, JAIL_MOVE_MOUNT_F_EMPTY_PATH);
}

static inline int jail_move_mount(int tree, int target)
{
	return (int)syscall(JAIL_SYS_MOVE_MOUNT, tree, "", target, "",
			    JAIL_MOVE_MOUNT_F_EMPTY_PATH | JAIL_MOVE_MOUNT_T_EMPTY_PATH);
}

/* Under the mount whose root target is. */
static inline int jail_move_mount_beneath(int tree, int target)
{
	return (int)syscall(JAIL_SYS_MOVE_MOUNT, tree, "", target, "",
			    JAIL_MOVE_MOUNT_F_EMPTY_PATH | JAIL_MOVE_MOUNT_T_EMPTY_PATH |
				    JAIL_MOVE_MOUNT_BENEATH);
}

static inline int jail_mount_setattr(int fd, unsigned flags, struct jail_mount_attr *attr)
{
	return (int)syscall(JAIL_SYS_MOUNT_SETATTR, fd, "", flags | AT_EMPTY_PATH, attr, sizeof *attr);
}

static inline int jail_fsopen(const char *fstype)
{
	return (int)syscall(JAIL_SYS_FSOPEN, fstype, JAIL_FSOPEN_CLOEXEC);
}

static inline int jail_fsconfig(int fd, unsigned command, const char *key, const char *value)
{
	return (int)syscall(JAIL_SYS_FSCONFIG, fd, command, key, value, 0);
}

static inline int jail_fsmount(int fd, unsigned attributes)
{
	return (int)syscall(JAIL_SYS_FSMOUNT, fd, JAIL_FSMOUNT_CLOEXEC, attributes);
}
