#include "agent/audit_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

#ifndef SYS_openat2
#define SYS_openat2 437 /* not in Debian 11's C library; the same number on every architecture */
#endif

static int open_path(const struct jail_tree *tree, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 100;

	/* EAGAIN: something was renamed or mounted somewhere while ".." was followed. */
	do
		fd = (int)syscall(SYS_openat2, tree->fd, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN && --tries > 0);
	/* EPERM: containers of old forbid what they do not know. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
		while (*path == '/')
			path++;
		fd = openat(tree->fd, *path ? path : ".", flags | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

static int read_all(int fd, const char *path, struct jail_buffer *buffer, struct jail_error *err)
{
	for (;;) {
		ssize_t n;

		if (jail_buffer_reserve(buffer, 4096) < 0)
			return jail_error_sys(err, ENOMEM, "cannot read %s", path);
		n = read(fd, buffer->data + buffer->len, buffer->capacity - buffer->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return jail_error_sys(err, errno, "cannot read %s", path);
		if (n == 0)
			return 0;
		buffer->len += (size_t)n;
		buffer->data[buffer->len] = '\0';
		if (buffer->len > JAIL_TREE_FILE_MAX)
			return jail_error_set(err, EFBIG, "%s is larger than %d bytes", path,
					      JAIL_TREE_FILE_MAX);
	}
}

int jail_tree_read(const struct jail_tree *tree, const char *path, struct jail_buffer *ret,
		   struct jail_error *err)
{
	jail_autoclose int fd = open_path(tree, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	jail_autobuffer struct jail_buffer buffer = JAIL_BUFFER_INIT;
	struct stat st;
	int r;

	if (fd < 0)
		return jail_error_sys(err, -fd, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return jail_error_set(err, EINVAL, "%s is not a regular file", path);
	r = read_all(fd, path, &buffer, err);
	if (r < 0)
		return r;
	jail_buffer_release(ret);
	*ret = buffer;
	buffer = JAIL_BUFFER_INIT;
	return 0;
}

int jail_tree_list(const struct jail_tree *tree, const char *path, struct jail_names *ret,
		   struct jail_error *err)
{
	int fd = open_path(tree, path, O_RDONLY | O_DIRECTORY);
	jail_autoclosedir DIR *dir = NULL;
	int r = 0;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || !(dir = fdopendir(fd))) {
		r = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return jail_error_sys(err, -r, "cannot list %s", path);
	}
	errno = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = jail_names_add(ret, entry->d_name);
	if (r == 0)
		r = -errno;
	if (r < 0)
		return jail_error_sys(err, -r, "cannot list %s", path);
	jail_names_sort(ret);
	return 0;
}

int jail_tree_glob(const struct jail_tree *tree, const char *pattern, struct jail_names *ret,
		   struct jail_error *err)
{
	jail_autonames struct jail_names names = {0};
	jail_autofree char *directory = strdup(pattern);
	char *slash = directory ? strrchr(directory, '/') : NULL;
	int r = directory ? 0 : -ENOMEM;

	if (r == 0 && (!slash || !strpbrk(slash, "*?[")))
		r = jail_names_add(ret, pattern);
	else if (r == 0) {
		*slash = '\0';
		r = jail_tree_list(tree, slash == directory ? "/" : directory, &names, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		jail_autofree char *path = NULL;

		if (names.names[i][0] == '.' || fnmatch(slash + 1, names.names[i], 0) != 0)
			continue;
		if (asprintf(&path, "%s/%s", directory, names.names[i]) < 0)
			path = NULL;
		r = path ? jail_names_add(ret, path) : -ENOMEM;
	}
	return r < 0 ? jail_error_sys(err, -r, "cannot list %s", pattern) : 0;
}

int jail_tree_stat(const struct jail_tree *tree, const char *path, struct stat *ret)
{
	jail_autoclose int fd = open_path(tree, path, O_PATH);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st;
	return 0;
}

int jail_names_add(struct jail_names *names, const char *name)
{
	char **slot = JAIL_ARRAY_PUSH(names->names, names->n);

	if (!slot || !(*slot = strdup(name)))
		return -ENOMEM;
	names->n++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void jail_names_sort(struct jail_names *names)
{
	size_t n = 0;

	if (names->n > 0)
		qsort(names->names, names->n, sizeof *names->names, compare);
	for (size_t i = 0; i < names->n; i++) {
		if (n > 0 && strcmp(names->names[n - 1], names->names[i]) == 0)
			free(names->names[i]);
		else
			names->names[n++] = names->names[i];
	}
	names->n = n;
}

int jail_names_has(const struct jail_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return 1;
	return 0;
}

void jail_names_release(struct jail_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct jail_names){0};
}
