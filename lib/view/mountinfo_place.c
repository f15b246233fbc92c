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

/* FUSE among them: most of it is GlusterFS, CephFS and sshfs. */
bool jail_mount_is_shared_fs(const struct jail_mount_line *line)
{
	static const char *const types[] = {"nfs",	"nfs4", "lustre",    "gpfs", "beegfs", "ceph",
					    "cifs",	"smb3", "glusterfs", "9p",   "afs",    "orangefs",
					    "virtiofs", "gfs2", "ocfs2",     "fuse", "panfs",  "wekafs"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(line->fstype, types[i]) == 0)
			return true;
	return strncmp(line->fstype, "fuse.", 5) == 0;
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
