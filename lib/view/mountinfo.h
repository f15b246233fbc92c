/* /proc/PID/mountinfo (proc_pid_mountinfo(5)) as a table. Parsing and looking up are pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/base/error.h"

struct jail_mount_line {
	int id;
	int parent;
	unsigned major, minor;
	char *root;	   /* path within the file system, unescaped */
	char *mount_point; /* unescaped */
	unsigned options;  /* JAIL_OPT_* of the mount (not of the superblock) */
	unsigned shared;   /* peer group, 0: none */
	unsigned master;   /* 0: none */
	bool unbindable;
	bool visible; /* it is what a path walk to its mount point finds: nothing is stacked on it or above */
	char *fstype;
	char *source;
	char *super_options;
};

struct jail_mount_table {
	struct jail_mount_line *lines; /* sorted by mount point (lib/view/order.h), those stacked on one
					  point in the kernel's order */
	size_t n_lines;
	/* internal: the file's text, which the strings point into; lookups by id and by (parent, mount point)
	 */
	char *text;
	size_t *by_id;
	size_t *by_parent;
	size_t top; /* index of the mount that "/" is */
};

/* text need not be NUL-terminated. -EBADMSG with the line's number for a line that is no mountinfo line. */
int jail_mount_table_parse(const char *text, size_t len, struct jail_mount_table *ret,
			   struct jail_error *err);
/* Reads /proc/thread-self/mountinfo (Linux 3.17; a thread may be in a namespace of its own). The kernel gives
 * it in pieces of a page and mounts come and go in between: poll(2) tells (POLLPRI, since Linux 2.6.15), and
 * it is read again. Errors: -EAGAIN it never held still. */
int jail_mount_table_read(struct jail_mount_table *ret, struct jail_error *err);
/* The same of another process, as seen from its root. Errors: -ENOENT, -ESRCH it ended. */
int jail_mount_table_read_of(pid_t pid, struct jail_mount_table *ret, struct jail_error *err);

/* NULL when there is none. Logarithmic. */
const struct jail_mount_line *jail_mount_table_by_id(const struct jail_mount_table *table, int id);
/* The mount that a walk to path (normal form) ends in: its mount point is at or above path. NULL only for
 * a table without "/". */
const struct jail_mount_line *jail_mount_table_at(const struct jail_mount_table *table, const char *path);
/* The mount on path itself, the topmost one; NULL when nothing is mounted exactly there, or when something
 * above hides it. */
const struct jail_mount_line *jail_mount_table_on(const struct jail_mount_table *table, const char *path);
/* All lines at or below path, visible or not: lines[return value] to lines[*ret_end - 1]. */
size_t jail_mount_table_range(const struct jail_mount_table *table, const char *path, size_t *ret_end);

/* Whether the file system's own code prints "/" for every root (nfs_show_path() of the kernel). */
bool jail_mount_hides_root(const struct jail_mount_line *line);
/* Whether it is of a type that other machines usually mount too. */
bool jail_mount_is_shared_fs(const struct jail_mount_line *line);
/* Whether line shows the place that path is in the mount home: the same device, the same directory of it (as
 * far as can be told, for those that hide it). */
bool jail_mount_shows(const struct jail_mount_line *line, const struct jail_mount_line *home,
		      const char *path);
/* The mount on path, if it is a bind of path on itself; else NULL. */
const struct jail_mount_line *jail_mount_table_self_bind(const struct jail_mount_table *table,
							 const char *path);

void jail_mount_table_release(struct jail_mount_table *table);
#define jail_automounttable __attribute__((cleanup(jail_mount_table_release)))
