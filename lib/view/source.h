/* Opening the sources of binds: to look at them, and again just before they are bound. Private to lib/view.
 */
#pragma once

#include "lib/base/path.h"
#include "lib/view/plan.h"

/* The directory that the last source lay in: a thousand homes are in one. */
struct jail_source_cache {
	char *dir;
	int fd; /* O_PATH */
};
#define JAIL_SOURCE_CACHE_INIT ((struct jail_source_cache){.fd = -1})

/* As jail_path_open_source, where the path has no symlink and its directory is one that only root can change.
 * False: the long way must be taken, which also says what is wrong. */
bool jail_source_open_quick(struct jail_source_cache *cache, const char *path, struct jail_source *ret);
/* Opens entry's source and holds it to what fact says was found when the plan was made: the same path without
 * any symlink, the same type, owner and trust. Errors: -EAGAIN something changed; errno of the walk. */
int jail_source_reopen(struct jail_source_cache *cache, const struct jail_entry *entry,
		       const struct jail_fact *fact, int *ret_fd, struct jail_error *err);
/* The directory that entry's source lies in, if it may be opened from there by its name alone: only root can
 * change it, and the source may be anybody's. Else -1. The descriptor stays the cache's. */
int jail_source_dir(struct jail_source_cache *cache, const struct jail_fact *fact, const char **ret_name);
void jail_source_forget(struct jail_source_cache *cache);
