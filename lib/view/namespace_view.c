/* The view of a namespace jail's member, as a list of mounts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/namespace.h"
#include "lib/view/order.h"
#include "lib/view/view_build.h"

/* Whether some other entry stands at a directory above entry's target. */
static bool is_covered(const struct jail_view *view, const struct jail_entry *entry)
{
	for (size_t i = 0; i < view->n_entries; i++) {
		const struct jail_entry *other = &view->entries[i];
		if (other != entry && jail_order_rest(entry->target, other->target))
			return true;
	}
	return false;
}

/* Binds of a place on itself that are there without being mounted. One that needs its owner looked at stays.
 */
static void drop_present(struct jail_view *view)
{
	size_t kept = 0;
	jail_autofree bool *drop = calloc(view->n_entries + 1, sizeof *drop);
	if (!drop)
		return; /* they are mounted, then */
	for (size_t i = 0; i < view->n_entries; i++) {
		const struct jail_entry *entry = &view->entries[i];
		drop[i] = entry->kind == JAIL_ENTRY_BIND && !entry->options && !entry->owned &&
			  strcmp(entry->source, entry->target) == 0 && !is_covered(view, entry);
	}
	for (size_t i = 0; i < view->n_entries; i++) {
		if (!drop[i]) {
			view->entries[kept++] = view->entries[i];
			continue;
		}
		free(view->entries[i].target);
		free(view->entries[i].source);
	}
	view->n_entries = kept;
}

int jail_namespace_view_build(const struct jail_cache *cache, size_t jail, const struct jail_member *member,
			      struct jail_view *ret, struct jail_error *err)
{
	jail_autoview struct jail_view view = {0};
	jail_autofree char *marker = NULL;
	struct jail_cache_jail record = {0};
	struct jail_places_of_node places;

	int r = jail_cache_jail(cache, jail, &record, err);
	if (r < 0)
		return r;
	jail_cache_places(cache, &places);
	if (!*places.run || !*places.marker)
		return jail_error_set(err, EINVAL,
				      "the cache does not say where this node keeps its views: jail-agent "
				      "--sync of the same version writes it");
	view.jail = strdup(record.name);
	view.root = strdup("/");
	if (!view.jail || !view.root ||
	    asprintf(&marker, "%s/%s/%u", places.marker, record.name, (unsigned)member->uid) < 0) {
		marker = NULL;
		return jail_error_sys(err, ENOMEM, "cannot build jail %s", record.name);
	}
	r = jail_view_add_member(cache, &record, member, &view, err);
	if (r == 0)
		r = jail_view_add_marker(&view, places.run, marker, err);
	if (r == 0)
		r = jail_view_finish(&view, err);
	if (r < 0)
		return r;
	drop_present(&view);
	*ret = view;
	view = (struct jail_view){0};
	return 0;
}
