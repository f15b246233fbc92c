/* Mounting a view in the mount namespace that the calling thread is in. */
#include "lib/view/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/mount.h"
#include "lib/view/namespace_parts.h"
#include "lib/view/order.h"

/* The hide or tmpfs of the view's own that target lies in, or -1: in something of the host's. *ret_rest: what
 * is left of target below it. */
static int find_own(const struct jail_builder *builder, size_t i, const char **ret_rest)
{
	const char *target = builder->view->entries[i].target;
	for (size_t e = i; e-- > 0;) {
		const char *rest = jail_order_rest(target, builder->view->entries[e].target);
		if (rest && !builder->sites[e].absent) {
			*ret_rest = rest;
			return builder->sites[e].own;
		}
	}
	return -1;
}

/* Opens the mount point, and the directory that it is in. */
static int open_target(const struct jail_builder *builder, size_t i, int *ret_parent, int *ret_target,
		       struct jail_error *err)
{
	const struct jail_entry *entry = &builder->view->entries[i];
	const char *name = strrchr(entry->target, '/') + 1;
	const char *rest = NULL;
	struct stat st;
	char dir[PATH_MAX];

	int own = find_own(builder, i, &rest);
	if (own >= 0)
		return jail_namespace_make_point(own, rest, builder->sites[i].is_dir, entry->target,
						 ret_parent, ret_target, err);
	size_t len = (size_t)(name - 1 - entry->target);
	memcpy(dir, entry->target, len); /* the whole is shorter than PATH_MAX */
	memcpy(dir + len, len ? "" : "/", len ? 1 : 2);
	jail_autoclose int parent = -1;
	int r = jail_path_open_trusted(-1, dir, &parent, err);
	if (r < 0)
		return r;
	jail_autoclose int target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) < 0)
		return jail_error_sys(err, errno, "cannot open %s, on which something is to be mounted",
				      entry->target);
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode) != builder->sites[i].is_dir)
		return jail_error_set(err, S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR,
				      "%s is a %s, on which a %s can't be mounted", entry->target,
				      S_ISLNK(st.st_mode)   ? "symbolic link"
				      : S_ISDIR(st.st_mode) ? "directory"
							    : "file",
				      builder->sites[i].is_dir ? "directory" : "file");
	*ret_parent = JAIL_STEAL_FD(parent);
	*ret_target = JAIL_STEAL_FD(target);
	return 0;
}

/* Sorted, so what lies below an entry follows it. */
static bool holds_others(const struct jail_view *view, size_t i)
{
	return i + 1 < view->n_entries &&
	       jail_order_rest(view->entries[i + 1].target, view->entries[i].target);
}

/* A hide in which mount points are to be made is sealed when they are. */
struct jail_entry jail_builder_as_mounted(const struct jail_builder *builder, size_t i)
{
	struct jail_entry entry = builder->view->entries[i];
	if (entry.kind == JAIL_ENTRY_HIDE && holds_others(builder->view, i))
		entry.options &= ~(unsigned)JAIL_OPT_RO;
	return entry;
}

static int attach(struct jail_builder *builder, size_t i, int parent, int target, struct jail_error *err)
{
	const struct jail_entry entry = jail_builder_as_mounted(builder, i);
	const char *name = strrchr(entry.target, '/') + 1;
	struct jail_site *site = &builder->sites[i];

	int r = site->ready ? 0 : jail_builder_prepare(builder, i, &entry, err);
	site->pending.entry = &entry;
	if (r == 0)
		r = jail_mount_attach(&site->pending, parent, name, target, entry.target, err);
	jail_pending_release(&site->pending);
	site->ready = false;
	if (r < 0 || (entry.kind != JAIL_ENTRY_HIDE && entry.kind != JAIL_ENTRY_TMPFS) ||
	    !holds_others(builder->view, i))
		return r;
	site->own = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return site->own < 0 ? jail_error_sys(err, errno, "cannot open %s", entry.target) : 0;
}

int jail_builder_mount(struct jail_builder *builder, size_t i, struct jail_error *err)
{
	const struct jail_entry *entry = &builder->view->entries[i];
	jail_autoclose int parent = -1;
	jail_autoclose int target = -1;

	if (builder->sites[i].absent)
		return 0;
	int r = open_target(builder, i, &parent, &target, err);
	if (r == -ENOENT && entry->optional) {
		builder->sites[i].absent = true;
		return 0;
	}
	return r < 0 ? r : attach(builder, i, parent, target, err);
}

/* What changes /proc comes last: kernels without the new calls mount by way of /proc/self/fd. */
static bool is_late(const struct jail_entry *entry)
{
	return jail_order_rest(entry->target, "/proc") != NULL;
}

static int mount_pass(struct jail_builder *builder, bool late, struct jail_error *err)
{
	const struct jail_view *view = builder->view;
	int r = 0;
	for (size_t i = 0; i < view->n_entries && r == 0; i++) {
		if (is_late(&view->entries[i]) == late)
			r = jail_builder_mount(builder, i, err);
	}
	for (size_t i = 0; i < view->n_entries && r == 0; i++) {
		const struct jail_entry *entry = &view->entries[i];
		if (is_late(entry) != late || entry->kind != JAIL_ENTRY_HIDE || builder->sites[i].own < 0)
			continue;
		r = jail_mount_seal(builder->sites[i].own, entry->options);
		if (r < 0)
			r = jail_error_sys(err, -r, "cannot make %s read-only", entry->target);
	}
	return r;
}

int jail_namespace_mount(const struct jail_view *view, const struct jail_places_of_node *places, uid_t owner,
			 struct jail_error *err)
{
	jail_autobuilder struct jail_builder builder = {0};

	int r = jail_builder_init(&builder, view, places, owner, err);
	for (size_t i = 0; i < view->n_entries && r == 0; i++)
		r = jail_builder_open_source(&builder, i, err);
	if (r == 0)
		r = mount_pass(&builder, false, err);
	if (r == 0)
		r = mount_pass(&builder, true, err);
	return r;
}
