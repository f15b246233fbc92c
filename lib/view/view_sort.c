/* The order of a view's entries, and what happens when two have one target. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/view/order.h"
#include "lib/view/view_build.h"

int jail_view_compare(const struct jail_entry *a, const struct jail_entry *b)
{
	int r = jail_order_compare(a->target, b->target);
	if (r == 0)
		r = a->personal - b->personal;
	if (r == 0)
		r = a->owned - b->owned;
	return r != 0 ? r : (a->owner > b->owner) - (a->owner < b->owner);
}

static int compare_entries(const void *a, const void *b)
{
	return jail_view_compare(a, b);
}

/* Equal, or of the same place and one of them stricter: then the stricter one holds (adopt). A member's own
 * home that is somebody else's entry as well is not: it must be theirs, and that must not be asked of what
 * all members have. */
bool jail_view_same_mount(const struct jail_entry *a, const struct jail_entry *b)
{
	return a->kind == b->kind && a->options == b->options && a->size == b->size && a->mode == b->mode &&
	       a->hidepid == b->hidepid && (a->owned == b->owned || (a->personal && b->personal)) &&
	       (a->source == b->source || (a->source && b->source && strcmp(a->source, b->source) == 0));
}

/* Required is stricter than optional, and a home must be its owner's; two members with one home share one
 * mount, which is that of the lower uid. What only a member's own entry requires is missed by that member
 * alone: no account's name makes a mount necessary for everybody. */
static void adopt(struct jail_entry *entry, const struct jail_entry *other)
{
	if (entry->optional == other->optional)
		entry->personal = entry->personal && other->personal;
	else if (entry->optional)
		entry->personal = other->personal;
	entry->optional = entry->optional && other->optional;
	if (other->owned && (!entry->owned || other->owner < entry->owner))
		entry->owner = other->owner;
	entry->owned = entry->owned || other->owned;
}

static int clash(struct jail_view *view, size_t kept, size_t i, struct jail_error *err)
{
	const struct jail_entry *last = &view->entries[kept - 1];
	const struct jail_entry *entry = &view->entries[i];
	(void)jail_error_set(err, EEXIST, "jail %s: two mounts at %s that differ (from %s and from %s)",
			     view->jail, entry->target, last->source ? last->source : "memory",
			     entry->source ? entry->source : "memory");
	/* Close the gap, so that releasing the view frees each entry once. */
	memmove(&view->entries[kept], entry, (view->n_entries - i) * sizeof *entry);
	view->n_entries -= i - kept;
	return -EEXIST;
}

int jail_view_sort(struct jail_view *view, struct jail_error *err)
{
	struct jail_entry first = {0}; /* of those at one target, as it was before the others were joined */
	size_t kept = 0;
	if (view->n_entries > 0)
		qsort(view->entries, view->n_entries, sizeof *view->entries, compare_entries);
	for (size_t i = 0; i < view->n_entries; i++) {
		struct jail_entry *entry = &view->entries[i];
		if (kept == 0 || strcmp(view->entries[kept - 1].target, entry->target) != 0) {
			first = view->entries[kept++] = *entry;
			continue;
		}
		if (!jail_view_same_mount(&first, entry))
			return clash(view, kept, i, err);
		adopt(&view->entries[kept - 1], entry);
		free(entry->target);
		free(entry->source);
	}
	view->n_entries = kept;
	return 0;
}
