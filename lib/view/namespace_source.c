/* What a namespace view is made of, opened before the first mount. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/view/fact.h"
#include "lib/view/namespace.h"
#include "lib/view/namespace_parts.h"
#include "lib/view/scene.h"

int jail_builder_init(struct jail_builder *builder, const struct jail_view *view,
		      const struct jail_places_of_node *places, uid_t owner, struct jail_error *err)
{
	*builder = (struct jail_builder){.view = view, .places = places, .owner = owner};
	builder->sites = calloc(view->n_entries + 1, sizeof *builder->sites);
	if (!builder->sites)
		return jail_error_sys(err, ENOMEM, "cannot make the view");
	for (size_t i = 0; i < view->n_entries; i++)
		builder->sites[i] = (struct jail_site){.source = -1, .own = -1, .pending = JAIL_PENDING_INIT};
	return 0;
}

void jail_builder_release(struct jail_builder *builder)
{
	for (size_t i = 0; builder->sites && i < builder->view->n_entries; i++) {
		jail_cleanup_close(&builder->sites[i].source);
		jail_cleanup_close(&builder->sites[i].own);
		jail_pending_release(&builder->sites[i].pending);
	}
	free(builder->sites);
	builder->sites = NULL;
}

static int open_bind(const struct jail_entry *entry, struct jail_site *site, struct jail_error *err)
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
static int open_marker(const struct jail_entry *entry, struct jail_site *site, struct jail_error *err)
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

static int open_private(const struct jail_builder *builder, const struct jail_entry *entry,
			struct jail_site *site, struct jail_error *err)
{
	const char *base = entry->in_memory ? builder->places->private_memory : builder->places->private_disk;
	if (!*base)
		return jail_error_set(err, EINVAL,
				      "the cache does not say where this node keeps private directories");
	return jail_private_open(base, builder->owner, entry->target, entry->mode, &site->source, err);
}

static int check_proc(const struct jail_builder *builder, size_t i, struct jail_error *err)
{
	struct jail_source_cache none = JAIL_SOURCE_CACHE_INIT;
	struct jail_fact fact = {0};
	int r = jail_fact_probe(&none, builder->view, i, &fact, err);
	if (r == 0 && fact.code != 0)
		r = jail_error_set(err, fact.code, "%s", fact.message);
	jail_fact_release(&fact);
	return r;
}

int jail_builder_open_source(struct jail_builder *builder, size_t i, struct jail_error *err)
{
	const struct jail_entry *entry = &builder->view->entries[i];
	struct jail_site *site = &builder->sites[i];
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

int jail_builder_prepare(struct jail_builder *builder, size_t i, const struct jail_entry *entry,
			 struct jail_error *err)
{
	struct jail_site *site = &builder->sites[i];
	int r;

	if (site->source >= 0) {
		r = jail_mount_prepare_bind(entry, site->source, &site->pending, err);
		if (r == 0)
			(void)JAIL_STEAL_FD(site->source);
	} else {
		r = jail_mount_prepare_fs(entry, &site->pending, err);
	}
	site->ready = r == 0;
	return r;
}
