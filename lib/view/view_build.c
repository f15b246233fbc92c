/* From a jail's mounts and its members to a list of entries. */
#include "lib/view/view_build.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/order.h"

/* What a verb always has, said or not. */
static unsigned standing_options(enum jail_entry_kind kind)
{
	switch (kind) {
	case JAIL_ENTRY_HIDE:
	case JAIL_ENTRY_MARKER:
		return JAIL_OPT_RO | JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC;
	case JAIL_ENTRY_TMPFS:
	case JAIL_ENTRY_PRIVATE:
		return JAIL_OPT_NOSUID | JAIL_OPT_NODEV;
	case JAIL_ENTRY_PROC:
		return JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC;
	case JAIL_ENTRY_BIND:
		break;
	}
	return 0;
}

static enum jail_entry_kind kind_of(enum jail_verb verb)
{
	switch (verb) {
	case JAIL_VERB_HIDE:
		return JAIL_ENTRY_HIDE;
	case JAIL_VERB_TMPFS:
		return JAIL_ENTRY_TMPFS;
	case JAIL_VERB_PROC:
		return JAIL_ENTRY_PROC;
	case JAIL_VERB_PRIVATE:
		return JAIL_ENTRY_PRIVATE;
	case JAIL_VERB_BIND:
		break;
	}
	return JAIL_ENTRY_BIND;
}

static int expand(const char *text, const struct jail_member *member, char **ret, struct jail_error *err)
{
	char *path = NULL;
	int r = jail_template_expand(text, member, &path, err);
	if (r < 0)
		return member ? jail_error_prefix(err, "user %s", member->user) : r;
	if (!jail_path_is_normal(path) || strcmp(path, "/") == 0) {
		r = jail_error_set(err, EINVAL, "\"%s\" gives \"%s\", which is no path below /%s%s", text,
				   path, member ? " for user " : "", member ? member->user : "");
		free(path);
		return r;
	}
	*ret = path;
	return 0;
}

/* Expands one mount into *entry. Returns 1, or 0 for one that needs a member when there is none. */
static int make_entry(const struct jail_mount *mount, const struct jail_member *member,
		      struct jail_entry *entry, struct jail_error *err)
{
	jail_autofree char *target = NULL;
	jail_autofree char *source = NULL;
	const char *from = mount->from ? mount->from : mount->target;
	enum jail_entry_kind kind = kind_of(mount->verb);

	int target_uses = jail_template_check(mount->target, err);
	if (target_uses < 0)
		return target_uses;
	int source_uses = kind == JAIL_ENTRY_BIND ? jail_template_check(from, err) : 0;
	if (source_uses < 0)
		return source_uses;
	if (!member && (target_uses | source_uses))
		return 0;
	int r = expand(mount->target, member, &target, err);
	if (r == 0 && kind == JAIL_ENTRY_BIND)
		r = expand(from, member, &source, err);
	if (r < 0)
		return r;
	if (jail_order_rest(target, JAIL_MARKER_TARGET))
		return jail_error_set(err, EINVAL, "%s is the marker's place", target);
	*entry = (struct jail_entry){
		.kind = kind,
		.target = JAIL_STEAL_PTR(target),
		.source = JAIL_STEAL_PTR(source),
		.options = mount->options | standing_options(kind),
		.optional = mount->optional,
		.personal = target_uses != 0,
		.owned = member && (source_uses & JAIL_TEMPLATE_H),
		.owner = member && (source_uses & JAIL_TEMPLATE_H) ? member->uid : 0,
		.size = mount->size,
		.mode = mount->mode,
		.in_memory = mount->in_memory,
		.hidepid = mount->hidepid,
	};
	return 1;
}

static void drop_entries(struct jail_view *view, size_t count)
{
	while (view->n_entries > count) {
		struct jail_entry *entry = &view->entries[--view->n_entries];
		free(entry->target);
		free(entry->source);
	}
}

int jail_view_add_member(const struct jail_cache *cache, const struct jail_cache_jail *jail,
			 const struct jail_member *member, struct jail_view *view, struct jail_error *err)
{
	size_t before = view->n_entries;
	for (size_t i = 0; i < jail->n_mounts; i++) {
		struct jail_mount mount = {0};
		struct jail_entry entry = {0};
		int r = jail_cache_mount(cache, jail, i, &mount, err);
		if (r == 0) {
			r = make_entry(&mount, member, &entry, err);
			if (r < 0)
				(void)jail_error_prefix(err, "jail %s, %s", jail->name, mount.target);
		}
		struct jail_entry *slot = r > 0 ? JAIL_ARRAY_PUSH(view->entries, view->n_entries) : NULL;
		if (slot) {
			*slot = entry;
			view->n_entries++;
		} else if (r != 0) {
			free(entry.target);
			free(entry.source);
			drop_entries(view, before);
			return r < 0 ? r : jail_error_sys(err, ENOMEM, "cannot build jail %s", jail->name);
		}
	}
	return 0;
}

/* Whether the plain bind outer brings the plain bind inner, which lies below it. A required entry is not
 * left to an optional one. */
static bool brings(const struct jail_entry *outer, const struct jail_entry *inner)
{
	if (outer->kind != JAIL_ENTRY_BIND || inner->kind != JAIL_ENTRY_BIND || outer->options ||
	    inner->options || (outer->optional && !inner->optional))
		return false;
	const char *target_rest = jail_order_rest(inner->target, outer->target);
	const char *source_rest = jail_order_rest(inner->source, outer->source);
	return target_rest && source_rest && strcmp(target_rest, source_rest) == 0;
}

/* Entries are sorted, so those that enclose the present one are a stack: each keeps its place in
 * entries[0..kept), and outer[] says which encloses it. */
static int drop_brought(struct jail_view *view, struct jail_error *err)
{
	jail_autofree size_t *outer = calloc(view->n_entries + 1, sizeof *outer);
	if (!outer)
		return jail_error_sys(err, ENOMEM, "cannot build jail %s", view->jail);
	size_t kept = 0;
	size_t last = SIZE_MAX; /* the entry kept last, the start of the way outwards */
	for (size_t i = 0; i < view->n_entries; i++) {
		struct jail_entry *entry = &view->entries[i];
		size_t enclosing = last;
		while (enclosing != SIZE_MAX &&
		       !jail_order_rest(entry->target, view->entries[enclosing].target))
			enclosing = outer[enclosing];
		if (enclosing != SIZE_MAX && brings(&view->entries[enclosing], entry)) {
			free(entry->target);
			free(entry->source);
			continue;
		}
		outer[kept] = enclosing;
		last = kept;
		view->entries[kept++] = *entry;
	}
	view->n_entries = kept;
	return 0;
}

int jail_view_add_marker(struct jail_view *view, const char *target, const char *source,
			 struct jail_error *err)
{
	struct jail_entry *marker = JAIL_ARRAY_PUSH(view->entries, view->n_entries);
	if (!marker)
		return jail_error_sys(err, ENOMEM, "cannot build jail %s", view->jail);
	view->n_entries++;
	*marker = (struct jail_entry){
		.kind = JAIL_ENTRY_MARKER,
		.target = strdup(target),
		.source = strdup(source),
		.options = standing_options(JAIL_ENTRY_MARKER),
	};
	if (!marker->target || !marker->source)
		return jail_error_sys(err, ENOMEM, "cannot build jail %s", view->jail);
	return 0;
}

int jail_view_finish(struct jail_view *view, struct jail_error *err)
{
	int r = jail_view_sort(view, err);
	return r < 0 ? r : drop_brought(view, err);
}

int jail_view_finish_chroot(struct jail_view *view, const char *marker_dir, struct jail_error *err)
{
	jail_autofree char *source = NULL;
	if (asprintf(&source, "%s/%s", marker_dir, view->jail) < 0) {
		source = NULL;
		return jail_error_sys(err, ENOMEM, "cannot build jail %s", view->jail);
	}
	int r = jail_view_add_marker(view, JAIL_MARKER_TARGET, source, err);
	return r < 0 ? r : jail_view_finish(view, err);
}

int jail_view_build(const struct jail_cache *cache, size_t jail, const struct jail_member *members,
		    size_t n_members, const char *marker_dir, struct jail_view *ret, struct jail_error *err)
{
	jail_autoview struct jail_view view = {0};
	struct jail_cache_jail record = {0};

	int r = jail_cache_jail(cache, jail, &record, err);
	if (r < 0)
		return r;
	view.jail = strdup(record.name);
	if (!view.jail)
		return jail_error_sys(err, ENOMEM, "cannot build jail %s", record.name);
	r = expand(record.root, n_members ? &members[0] : NULL, &view.root, err);
	if (r < 0)
		return jail_error_prefix(err, "root of jail %s", record.name);
	if (n_members == 0)
		r = jail_view_add_member(cache, &record, NULL, &view, err);
	for (size_t i = 0; i < n_members && r == 0; i++)
		r = jail_view_add_member(cache, &record, &members[i], &view, err);
	if (r == 0)
		r = jail_view_finish_chroot(&view, marker_dir, err);
	if (r < 0)
		return r;
	*ret = view;
	view = (struct jail_view){0};
	return 0;
}
