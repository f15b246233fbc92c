/* The file system that is audited, as a directory: "/" on a node, a tree of files in a test. */
#pragma once

#include <stddef.h>
#include <sys/stat.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* Files over this many bytes are not read: nothing that is read here comes near. */
enum { JAIL_TREE_FILE_MAX = 4 << 20 };

struct jail_tree {
	int fd; /* O_PATH of its root */
};

/* Paths are absolute. Symlinks are followed as they are by whoever reads the file, but never out of the tree
 * (openat2's RESOLVE_IN_ROOT, Linux 5.6; before that only "/" is a tree whose links are followed well). */

/* Reads the regular file path, and no FIFO or device that somebody put in its place. *ret: an initialised
 * buffer, replaced. Errors: -ENOENT, -EINVAL no regular file, -EFBIG, errno of open and read. */
int jail_tree_read(const struct jail_tree *tree, const char *path, struct jail_buffer *ret,
		   struct jail_error *err);

struct jail_names {
	char **names;
	size_t n;
};

/* Adds the names in directory path, sorted (strcmp). A directory that is not there has none. Errors: errno
 * of open and readdir. */
int jail_tree_list(const struct jail_tree *tree, const char *path, struct jail_names *ret,
		   struct jail_error *err);
/* Adds the paths that pattern matches, sorted. Only its last component may hold wildcards; without one it is
 * added as it is, there or not. Errors: as jail_tree_list. */
int jail_tree_glob(const struct jail_tree *tree, const char *pattern, struct jail_names *ret,
		   struct jail_error *err);
/* stat(2). 0 or negative errno. */
int jail_tree_stat(const struct jail_tree *tree, const char *path, struct stat *ret);

/* Adds a copy of name. 0 or -ENOMEM. */
int jail_names_add(struct jail_names *names, const char *name);
/* Sorts, and keeps one of each. */
void jail_names_sort(struct jail_names *names);
int jail_names_has(const struct jail_names *names, const char *name);
void jail_names_release(struct jail_names *names);
#define jail_autonames __attribute__((cleanup(jail_names_release)))
