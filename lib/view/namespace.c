/* Mounting a view in the mount namespace that the calling thread is in. */
#include "lib/view/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/view/fact.h"
#include "lib/view/mount.h"
#include "lib/view/namespace_parts.h"
#include "lib/view/order.h"
#include "lib/view/scene.h"

/* One entry on its way. */
struct site {
	int source;  /* O_PATH: what is bound; -1: nothing */
	int own;     /* O_PATH: root of a hide or tmpfs that stands, where mount points may be made; -1 */
	bool absent; /* optional, and this node does not have it */
	bool is_dir;
};

struct builder {
	const struct jail_view *view;
	const struct jail_places_of_node *places;
	uid_t owner;
	struct site *sites; /* [entry] */
};

static void release(struct builder *builder)
{
	for (size_t i = 0; builder->sites && i < builder->view->n_entries; i++) {
		jail_cleanup_close(&builder->sites[i].source);
		jail_cleanup_close(&builder->sites[i].own);
	}
	free(builder->sites);
}
#define autobuilder __attribute__((cleanup(release)))

static int open_bind(const struct jail_entry *entry, struct site *site, struct jail_error *err)
{
	jail_autosource struct jail_source source = {.fd = -1};
	int r = jail_path_open_source(entry->source, true, &source, err);
	if (r < 0)
		return r;
	if (entry->owned && source.st.st_uid != entry->owner)
		return jail_error_set(err, EPERM,
				      "%s belongs to uid %u, not to uid %u, whose home it should be",
				      entry->source, (unsigned)source.st.st_uid, (unsigned)entry->owner);
	const struct jail_fact fact = {.trusted = !source.user_owned, .path = source.path};
	if (!jail_entry_may_stand(entry, &fact))
		return jail_error_set(err, EPERM,
				      "%s may not stand at %s: somebody other than root can change it",
				      entry->source, entry->target);
	site->is_dir = S_ISDIR(source.st.st_mode);
	site->source = JAIL_STEAL_FD(source.fd);
	return 0;
}

/* The member's own: root's alone, so that no user can reach it to make another bind of it. */
static int open_marker(const struct jail_entry *entry, struct site *site, struct jail_error *err)
{
	struct stat st;
	int r = jail_dir_make(entry->source, 0700, &site->source, err);
	if (r == 0 && fstat(site->source, &st) < 0)
		r = jail_error_sys(err, errno, "cannot stat %s", entry->source);
	if (r == 0 && (st.st_mode & 077))
		r = jail_error_set(err, EPERM, "%s must be root's alone (mode 0700, it is %04o)",
				   entry->source, (unsigned)(st.st_mode & 07777));
	return r;
}

static int open_private(const struct builder *builder, const struct jail_entry *entry, struct site *site,
			struct jail_error *err)
{
	const char *base = entry->in_memory ? builder->places->private_memory : builder->places->private_disk;
	if (!*base)
		return jail_error_set(err, EINVAL,
				      "the cache does not say where this node keeps private directories");
	return jail_private_open(base, builder->owner, entry->target, entry->mode, &site->source, err);
}

static int check_proc(const struct builder *builder, size_t i, struct jail_error *err)
{
	struct jail_source_cache none = JAIL_SOURCE_CACHE_INIT;
	struct jail_fact fact = {0};
	int r = jail_fact_probe(&none, builder->view, i, &fact, err);
	if (r == 0 && fact.code != 0)
		r = jail_error_set(err, fact.code, "%s", fact.message);
	jail_fact_release(&fact);
	return r;
}

static int open_source(struct builder *builder, size_t i, struct jail_error *err)
{
	const struct jail_entry *entry = &builder->view->entries[i];
	struct site *site = &builder->sites[i];
	int r = 0;

	site->is_dir = true;
	switch (entry->kind) {
	case JAIL_ENTRY_BIND:
		r = open_bind(entry, site, err);
		break;
	case JAIL_ENTRY_MARKER:
		r = open_marker(entry, site, err);
		break;
	case JAIL_ENTRY_PRIVATE:
		r = open_private(builder, entry, site, err);
		break;
	case JAIL_ENTRY_PROC:
		r = check_proc(builder, i, err);
		break;
	case JAIL_ENTRY_HIDE:
	case JAIL_ENTRY_TMPFS:
		break;
	}
	if (r == -ENOENT && entry->optional) {
		site->absent = true;
		return 0;
	}
	return r;
}

/* The hide or tmpfs of the view's own that target lies in, or -1: in something of the host's. *ret_rest: what
 * is left of target below it. */
static int find_own(const struct builder *builder, size_t i, const char **ret_rest)
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
static int open_target(const struct builder *builder, size_t i, int *ret_parent, int *ret_target,
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
static struct jail_entry as_mounted(const struct builder *builder, size_t i)
{
	struct jail_entry entry = builder->view->entries[i];
	if (entry.kind == JAIL_ENTRY_HIDE && holds_others(builder->view, i))
		entry.options &= ~(unsigned)JAIL_OPT_RO;
	return entry;
}

static int attach(struct builder *builder, size_t i, int parent, int target, struct jail_error *err)
{
	const struct jail_entry entry = as_mounted(builder, i);
	const char *name = strrchr(entry.target, '/') + 1;
	struct site *site = &builder->sites[i];
	jail_autopending struct jail_pending pending = JAIL_PENDING_INIT;
	int r;

	if (site->source >= 0) {
		r = jail_mount_prepare_bind(&entry, site->source, &pending, err);
		if (r == 0)
			(void)JAIL_STEAL_FD(site->source);
	} else {
		r = jail_mount_prepare_fs(&entry, &pending, err);
	}
	if (r == 0)
		r = jail_mount_attach(&pending, parent, name, target, entry.target, err);
	if (r < 0 || (entry.kind != JAIL_ENTRY_HIDE && entry.kind != JAIL_ENTRY_TMPFS) ||
	    !holds_others(builder->view, i))
		return r;
	site->own = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return site->own < 0 ? jail_error_sys(err, errno, "cannot open %s", entry.target) : 0;
}

static int mount_entry(struct builder *builder, size_t i, struct jail_error *err)
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

static int mount_pass(struct builder *builder, bool late, struct jail_error *err)
{
	const struct jail_view *view = builder->view;
	int r = 0;
	for (size_t i = 0; i < view->n_entries && r == 0; i++) {
		if (is_late(&view->entries[i]) == late)
			r = mount_entry(builder, i, err);
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
	autobuilder struct builder builder = {.view = view, .places = places, .owner = owner};
	int r = 0;

	builder.sites = calloc(view->n_entries + 1, sizeof *builder.sites);
	if (!builder.sites)
		return jail_error_sys(err, ENOMEM, "cannot make the view");
	for (size_t i = 0; i < view->n_entries; i++)
		builder.sites[i] = (struct site){.source = -1, .own = -1};
	for (size_t i = 0; i < view->n_entries && r == 0; i++)
		r = open_source(&builder, i, err);
	if (r == 0)
		r = mount_pass(&builder, false, err);
	if (r == 0)
		r = mount_pass(&builder, true, err);
	return r;
}
