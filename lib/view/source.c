#include "lib/view/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"

void jail_source_forget(struct jail_source_cache *cache)
{
	jail_cleanup_close(&cache->fd);
	free(cache->dir);
	*cache = JAIL_SOURCE_CACHE_INIT;
}

static int changed(const struct jail_entry *entry, struct jail_error *err)
{
	return jail_error_set(err, EAGAIN, "%s changed while the plan was carried out", entry->source);
}

static int open_whole(const struct jail_entry *entry, const struct jail_fact *fact, int *ret_fd,
		      struct jail_error *err)
{
	jail_autosource struct jail_source source = {.fd = -1};
	int r = jail_path_open_source(fact->path, true, &source, err);
	if (r < 0)
		return r;
	if (strcmp(source.path, fact->path) != 0 || S_ISDIR(source.st.st_mode) != fact->is_dir ||
	    (fact->trusted && source.user_owned) || (entry->owned && source.st.st_uid != entry->owner))
		return changed(entry, err);
	*ret_fd = JAIL_STEAL_FD(source.fd);
	return 0;
}

/* Makes dir the cache's. False where it is no directory that only root can change: then there is no shortcut.
 */
static bool enter(struct jail_source_cache *cache, const char *dir, size_t len)
{
	if (cache->dir && strlen(cache->dir) == len && memcmp(cache->dir, dir, len) == 0)
		return cache->fd >= 0;
	jail_source_forget(cache);
	cache->dir = strndup(dir, len);
	if (!cache->dir || len == 0)
		return false;
	jail_autosource struct jail_source source = {.fd = -1};
	struct jail_error why;
	if (jail_path_open_source(cache->dir, true, &source, &why) == 0 && !source.user_owned &&
	    strcmp(source.path, cache->dir) == 0)
		cache->fd = JAIL_STEAL_FD(source.fd);
	return cache->fd >= 0;
}

bool jail_source_open_quick(struct jail_source_cache *cache, const char *path, struct jail_source *ret)
{
	struct stat st;
	const char *slash = strrchr(path, '/');
	if (!enter(cache, path, (size_t)(slash - path)))
		return false;
	/* O_DIRECTORY makes an automount happen, as the long way does. */
	jail_autoclose int fd = openat(cache->fd, slash + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char *copy = fd >= 0 && fstat(fd, &st) == 0 ? strdup(path) : NULL;
	if (!copy)
		return false;
	*ret = (struct jail_source){
		.fd = JAIL_STEAL_FD(fd),
		.path = copy,
		.st = st,
		.user_owned = st.st_uid != 0 || (st.st_mode & 022),
	};
	return true;
}

int jail_source_dir(struct jail_source_cache *cache, const struct jail_fact *fact, const char **ret_name)
{
	const char *slash = strrchr(fact->path, '/');
	/* What may stand at a system directory, and what is no directory, is looked at in full. */
	if (fact->trusted || !fact->is_dir || !enter(cache, fact->path, (size_t)(slash - fact->path)))
		return -1;
	*ret_name = slash + 1;
	return cache->fd;
}

int jail_source_reopen(struct jail_source_cache *cache, const struct jail_entry *entry,
		       const struct jail_fact *fact, int *ret_fd, struct jail_error *err)
{
	const char *name = NULL;
	struct stat st;
	int dir = jail_source_dir(cache, fact, &name);
	if (dir < 0)
		return open_whole(entry, fact, ret_fd, err);
	jail_autoclose int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP
			       ? changed(entry, err)
			       : jail_error_sys(err, errno, "cannot open %s", entry->source);
	if (entry->owned && (fstat(fd, &st) < 0 || st.st_uid != entry->owner))
		return changed(entry, err);
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}
