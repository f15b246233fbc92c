/* Which part of a file system a mount shows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/mountinfo.h"
#include "lib/view/order.h"

bool jail_mount_hides_root(const struct jail_mount_line *line)
{
	return strcmp(line->fstype, "nfs") == 0 || strcmp(line->fstype, "nfs4") == 0;
}

bool jail_mount_shows(const struct jail_mount_line *line, const struct jail_mount_line *home,
		      const char *path)
{
	if (home->major != line->major || home->minor != line->minor)
		return false;
	if (jail_mount_hides_root(home))
		return true;
	const char *rest = jail_order_rest(path, home->mount_point);
	jail_autofree char *root = rest ? jail_order_join(home->root, rest) : NULL;
	return root && strcmp(root, line->root) == 0;
}

const struct jail_mount_line *jail_mount_table_self_bind(const struct jail_mount_table *table,
							 const char *path)
{
	const struct jail_mount_line *line = jail_mount_table_on(table, path);
	const struct jail_mount_line *parent = line ? jail_mount_table_by_id(table, line->parent) : NULL;
	return parent && jail_mount_shows(line, parent, path) ? line : NULL;
}
