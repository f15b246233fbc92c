#include "lib/view/fact.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/order.h"

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot look at the sources of the views");
}

static int unusable(struct jail_fact *fact, int code, const char *message, struct jail_error *err)
{
	fact->code = code;
	fact->message = strdup(message);
	return fact->message ? 0 : no_memory(err);
}

/* Whether the view shows the host path where the host has it, so that a link to it leads somewhere. */
static bool view_has(const struct jail_view *view, size_t but, const char *path)
{
	for (size_t e = 0; e < view->n_entries; e++) {
		const struct jail_entry *entry = &view->entries[e];
		if (e != but && entry->kind == JAIL_ENTRY_BIND && strcmp(entry->source, entry->target) == 0 &&
		    jail_order_rest(path, entry->source))
			return true;
	}
	return false;
}

/* A symlink of root's is reproduced where it leads to something in the view (/bin on a merged /usr), or to
 * nothing at all; else what it leads to is bound. */
static int open_source(struct jail_source_cache *cache, const struct jail_view *view, size_t e,
		       struct jail_source *ret, struct jail_error *why)
{
	const struct jail_entry *entry = &view->entries[e];
	bool same = strcmp(entry->source, entry->target) == 0;
	if (jail_source_open_quick(cache, entry->source, ret))
		return 0;
	int r = jail_path_open_source(entry->source, !same, ret, why);
	if (r < 0 || !ret->link)
		return r;
	struct jail_source followed = {.fd = -1};
	r = jail_path_open_source(entry->source, true, &followed, why);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		jail_source_release(ret);
		return r;
	}
	if (view_has(view, e, followed.path)) {
		jail_source_release(&followed);
		return 0;
	}
	jail_source_release(ret);
	*ret = followed;
	return 0;
}

static int probe_bind(struct jail_source_cache *cache, const struct jail_view *view, size_t e,
		      struct jail_fact *fact, struct jail_error *err)
{
	const struct jail_entry *entry = &view->entries[e];
	jail_autosource struct jail_source source = {.fd = -1};
	struct jail_error why;

	int r = open_source(cache, view, e, &source, &why);
	if (r < 0)
		return r == -ENOMEM ? no_memory(err) : unusable(fact, why.code, why.message, err);
	if (!source.link && entry->owned && source.st.st_uid != entry->owner) {
		(void)jail_error_set(&why, EPERM,
				     "%s belongs to uid %u, not to uid %u, whose home it should be",
				     entry->source, (unsigned)source.st.st_uid, (unsigned)entry->owner);
		return unusable(fact, EPERM, why.message, err);
	}
	r = jail_fd_mount_id(source.fd, &fact->mount_id);
	if (r < 0) {
		(void)jail_error_sys(&why, -r, "cannot tell which mount %s is in", entry->source);
		return unusable(fact, -r, why.message, err);
	}
	fact->is_dir = S_ISDIR(source.st.st_mode);
	fact->trusted = !source.user_owned;
	fact->inode = source.st.st_ino;
	fact->path = JAIL_STEAL_PTR(source.path);
	fact->link = JAIL_STEAL_PTR(source.link);
	if (!fact->link)
		return 0;
	char text[PATH_MAX];
	jail_autofree char *target = jail_order_join(view->root, entry->target);
	if (!target)
		return no_memory(err);
	ssize_t n = readlink(target, text, sizeof text - 1);
	if (n < 0)
		return 0;
	text[n] = '\0';
	fact->target_link = strdup(text);
	return fact->target_link ? 0 : no_memory(err);
}

/* The marker's source is the agent's own, and made when it is mounted. */
static int probe_marker(const struct jail_entry *entry, struct jail_fact *fact, struct jail_error *err)
{
	jail_autoclose int fd = -1;
	struct jail_error why;
	int r = jail_path_open_trusted(-1, entry->source, &fd, &why);
	if (r == 0)
		r = jail_fd_mount_id(fd, &fact->mount_id);
	if (r < 0)
		return unusable(fact, -r, why.message, err);
	fact->is_dir = fact->trusted = true;
	fact->path = strdup(entry->source);
	return fact->path ? 0 : no_memory(err);
}

/* Before Linux 5.8 hidepid= is the PID namespace's: mounting it in a view would change the host's /proc. */
static int probe_proc(const struct jail_entry *entry, struct jail_fact *fact, struct jail_error *err)
{
	struct utsname name;
	int major = 0;
	int minor = 0;
	if (entry->hidepid == JAIL_HIDEPID_OFF)
		return 0;
	if (uname(&name) < 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return unusable(fact, ENOTSUP, "cannot tell which kernel this is", err);
	if (major > 5 || (major == 5 && minor >= 8))
		return 0;
	struct jail_error why;
	(void)jail_error_set(&why, ENOTSUP,
			     "proc at %s: hidepid would change the host's /proc too on this kernel (%s); "
			     "it is a mount's own from Linux 5.8 on",
			     entry->target, name.release);
	return unusable(fact, ENOTSUP, why.message, err);
}

int jail_fact_probe(struct jail_source_cache *cache, const struct jail_view *view, size_t e,
		    struct jail_fact *ret, struct jail_error *err)
{
	const struct jail_entry *entry = &view->entries[e];
	struct jail_fact fact = {.mount_id = -1};
	int r = 0;

	switch (entry->kind) {
	case JAIL_ENTRY_BIND:
		r = probe_bind(cache, view, e, &fact, err);
		break;
	case JAIL_ENTRY_MARKER:
		r = probe_marker(entry, &fact, err);
		break;
	case JAIL_ENTRY_PROC:
		r = probe_proc(entry, &fact, err);
		break;
	case JAIL_ENTRY_HIDE:
	case JAIL_ENTRY_TMPFS:
	case JAIL_ENTRY_PRIVATE:
		break;
	}
	if (r < 0) {
		jail_fact_release(&fact);
		return r;
	}
	*ret = fact;
	return 0;
}

void jail_fact_probe_target(const struct jail_view *view, size_t e, struct jail_fact *fact)
{
	struct statx sx;
	jail_autofree char *target = jail_order_join(view->root, view->entries[e].target);
	if (target && statx(AT_FDCWD, target, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
			    STATX_INO, &sx) == 0)
		fact->target_inode = sx.stx_ino;
}

void jail_fact_release(struct jail_fact *fact)
{
	free(fact->link);
	free(fact->target_link);
	free(fact->path);
	free(fact->message);
	*fact = (struct jail_fact){0};
}
