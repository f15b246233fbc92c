#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"

enum { NOISE = 8 };

/* ".NAME.01234567", as jail_file_replace names what it writes first. */
static bool is_temporary(const char *entry, const char *name)
{
	char prefix[NAME_MAX + 1];
	size_t n = (size_t)snprintf(prefix, sizeof prefix, ".%.200s.", name);

	return strncmp(entry, prefix, n) == 0 && strspn(entry + n, "0123456789abcdef") == NOISE &&
	       entry[n + NOISE] == '\0';
}

int jail_file_tidy(const char *path, struct jail_error *err)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];

	if (!slash || (size_t)snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path),
				       path) >= sizeof dir)
		return jail_error_set(err, EINVAL, "\"%s\" is no absolute path", path);
	jail_autoclosedir DIR *stream = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !(stream = fdopendir(fd)))
		(void)close(fd);
	if (!stream)
		return errno == ENOENT ? 0 : jail_error_sys(err, errno, "cannot look into %s", dir);
	for (const struct dirent *entry; (entry = readdir(stream));) {
		struct stat st;
		if (!is_temporary(entry->d_name, slash + 1) ||
		    fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || st.st_uid != geteuid())
			continue;
		if (unlinkat(dirfd(stream), entry->d_name, 0) < 0 && errno != ENOENT)
			return jail_error_sys(err, errno, "cannot remove %s/%s", dir, entry->d_name);
	}
	return 0;
}
