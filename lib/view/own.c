#include "lib/view/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/mount.h"
#include "lib/view/order.h"
#include "lib/view/plain_open.h"

void jail_own_release(struct jail_own *own)
{
	for (size_t i = 0; i < own->n_paths; i++)
		free(own->paths[i]);
	free((void *)own->paths);
	*own = (struct jail_own){0};
}

static int add(struct jail_own *own, const char *path)
{
	char **slot = JAIL_ARRAY_PUSH(own->paths, own->n_paths);
	if (!slot)
		return -ENOMEM;
	*slot = strdup(path);
	if (!*slot)
		return -ENOMEM;
	own->n_paths++;
	return 0;
}

int jail_own_compare(const struct jail_mount_table *here, const struct jail_mount_table *host,
		     struct jail_own *ret, struct jail_error *err)
{
	jail_autoown struct jail_own own = {0};

	for (size_t i = 0; i < here->n_lines; i++) {
		const struct jail_mount_line *line = &here->lines[i];
		const char *path = line->mount_point;
		const struct jail_mount_line *there = jail_mount_table_at(host, path);
		/* An automount point on which the host has something by now is nobody's own. */
		if (!line->visible || line->unbindable || strcmp(line->fstype, "autofs") == 0)
			continue;
		if (!jail_path_is_normal(path) || !path[1] || !there || jail_mount_shows(line, there, path))
			continue;
		if (add(&own, path) < 0)
			return jail_error_sys(err, ENOMEM, "cannot tell what the job has of its own");
	}
	*ret = own;
	own = (struct jail_own){0};
	return 0;
}

int jail_own_find(struct jail_own *ret, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table here = {0};
	jail_automounttable struct jail_mount_table host = {0};

	int r = jail_mount_table_read(&here, err);
	if (r == 0)
		r = jail_mount_table_read_of(1, &host, err);
	return r < 0 ? r : jail_own_compare(&here, &host, ret, err);
}

static bool has(const struct jail_own *own, const char *path)
{
	for (size_t i = 0; i < own->n_paths; i++) {
		if (strcmp(own->paths[i], path) == 0)
			return true;
	}
	return false;
}

void jail_own_keep(const struct jail_own *own, struct jail_view *view)
{
	size_t kept = 0;
	for (size_t i = 0; i < view->n_entries; i++) {
		struct jail_entry *entry = &view->entries[i];
		bool replaced = entry->kind == JAIL_ENTRY_PRIVATE || entry->kind == JAIL_ENTRY_TMPFS;
		if (!replaced || !has(own, entry->target)) {
			view->entries[kept++] = *entry;
			continue;
		}
		free(entry->target);
		free(entry->source);
	}
	view->n_entries = kept;
}

/* Entries are sorted, so the last one at or above a place is what is seen there. */
static bool is_seen(const struct jail_view *view, size_t entry, const char *target)
{
	size_t seen = view->n_entries;
	for (size_t i = 0; i < view->n_entries; i++) {
		if (jail_order_rest(target, view->entries[i].target))
			seen = i;
	}
	return seen == entry;
}

char *jail_own_place(const struct jail_view *view, size_t i, const char *path)
{
	const struct jail_entry *entry = &view->entries[i];
	const char *rest = NULL;

	if (entry->kind == JAIL_ENTRY_BIND)
		rest = jail_order_rest(path, entry->source);
	else if (entry->kind == JAIL_ENTRY_TMPFS && strcmp(path, entry->target) == 0)
		rest = "";
	jail_autofree char *target = rest ? jail_order_join(entry->target, rest) : NULL;
	return target && is_seen(view, i, target) ? JAIL_STEAL_PTR(target) : NULL;
}

static int open_point(int root, const char *target, int *ret_parent, int *ret_target)
{
	char dir[PATH_MAX];
	const char *name = strrchr(target, '/') + 1;
	size_t len = (size_t)(name - target);

	if (len >= sizeof dir)
		return -ENAMETOOLONG;
	memcpy(dir, target, len);
	dir[len > 1 ? len - 1 : 1] = '\0';
	jail_autoclose int parent = len > 1 ? jail_plain_open(root, dir + 1, O_DIRECTORY)
					    : fcntl(root, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (parent < 0)
		return len > 1 ? parent : -errno;
	*ret_target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_target < 0)
		return -errno;
	*ret_parent = JAIL_STEAL_FD(parent);
	return 0;
}

static int carry(const char *path, const struct jail_entry *entry, const char *target, int root,
		 struct jail_error *err)
{
	struct jail_entry bind = *entry;
	jail_autopending struct jail_pending pending = JAIL_PENDING_INIT;
	jail_autoclose int parent = -1;
	jail_autoclose int point = -1;
	int r = open_point(root, target, &parent, &point);
	if (r == -ENOENT)
		return 0; /* nothing of the host's is seen there either */
	if (r < 0)
		return jail_error_sys(err, -r, "cannot open %s of the view", target);
	/* A mount point can be moved away meanwhile: what is bound has to be the root of a mount still. */
	jail_autoclose int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int source = jail_plain_open(top, path + 1, 0);
	r = source < 0 ? source : jail_fd_is_mount_root(source);
	if (r != 1) {
		if (source >= 0)
			(void)close(source);
		return jail_error_sys(err, r < 0 ? -r : ESTALE, "cannot open %s, which is the job's own",
				      path);
	}
	bind.kind = JAIL_ENTRY_BIND;
	r = jail_mount_prepare_bind(&bind, source, &pending, err);
	return r < 0 ? r : jail_mount_attach(&pending, parent, strrchr(target, '/') + 1, point, target, err);
}

int jail_own_carry(const struct jail_own *own, const struct jail_view *view, int root, struct jail_error *err)
{
	for (size_t i = 0; i < own->n_paths; i++) {
		for (size_t e = 0; e < view->n_entries; e++) {
			jail_autofree char *target = jail_own_place(view, e, own->paths[i]);
			int r = target ? carry(own->paths[i], &view->entries[e], target, root, err) : 0;
			if (r < 0)
				return r;
		}
	}
	return 0;
}
