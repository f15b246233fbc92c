/* Whether users keep something in their private directories. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/sync.h"

/* BASE/UID/target: two levels that are root's, then the users'. What is not a directory above counts too. */
enum { LEVELS = 2 };

static bool holds(int dir, unsigned levels)
{
	int readable = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	jail_autoclosedir DIR *stream = readable < 0 ? NULL : fdopendir(readable);
	for (const struct dirent *entry; stream && (entry = readdir(stream)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (levels == 0)
			return true;
		jail_autoclose int below =
			openat(dir, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0 || holds(below, levels - 1))
			return true;
	}
	return false;
}

bool jail_private_holds(const char *base)
{
	jail_autoclose int dir = -1;
	return jail_path_open_trusted(-1, base, &dir, NULL) == 0 && holds(dir, LEVELS);
}
