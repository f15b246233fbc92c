#include "agent/audit_view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/view/enter.h"

/* Its marker is the member's own directory, of which only root can make a bind. */
static void find_namespace(const struct jail_cache *cache, const struct jail_cache_jail *record,
			   const struct jail_member *member, struct jail_audit_view *ret)
{
	struct jail_places_of_node places;
	char path[PATH_MAX];
	struct stat st;

	jail_cache_places(cache, &places);
	if (snprintf(path, sizeof path, "%s/%s/%u", places.marker, record->name, (unsigned)member->uid) >=
		    (int)sizeof path ||
	    lstat(path, &st) < 0)
		return;
	ret->place = places.run;
	ret->is_there = true;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
}

int jail_audit_view_find(const struct jail_cache *cache, size_t jail, const struct jail_member *member,
			 struct jail_audit_view *ret, struct jail_error *err)
{
	struct jail_cache_jail record;
	jail_autoclose int root = -1;
	struct stat st;
	int r = jail_cache_jail(cache, jail, &record, err);

	if (r < 0)
		return r;
	*ret = (struct jail_audit_view){0};
	if (record.confine == JAIL_CONFINE_NAMESPACE) {
		find_namespace(cache, &record, member, ret);
		return 0;
	}
	if (jail_enter_open_root(-1, &record, member, &root, err) < 0)
		return 0;
	if (fstat(root, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat the root of jail %s", record.name);
	*ret = (struct jail_audit_view){.is_there = true, .device = st.st_dev, .inode = st.st_ino};
	return 0;
}

int jail_audit_view_holds(const struct jail_audit_view *view, int proc, const char *root)
{
	struct statx sx;
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s%s", root, view->place ? view->place : "") >= (int)sizeof path)
		return -ENAMETOOLONG;
	/* No server is asked: one that is dead must not stop the audit. */
	if (statx(proc, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &sx) < 0) {
		int code = errno;
		/* A root without the marker's place is outside of the view; without a root it is no process.
		 */
		if (!view->place || code != ENOENT || faccessat(proc, root, F_OK, 0) < 0)
			return -code;
		return 0;
	}
	return view->is_there && makedev(sx.stx_dev_major, sx.stx_dev_minor) == view->device &&
	       sx.stx_ino == view->inode;
}
