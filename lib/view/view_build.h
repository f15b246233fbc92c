/* Private to lib/view/view*.c. */
#pragma once

#include "lib/view/view.h"

/* Appends the entries of one member (NULL: those that need none). On failure the view is as it was. */
int jail_view_add_member(const struct jail_cache *cache, const struct jail_cache_jail *jail,
			 const struct jail_member *member, struct jail_view *view, struct jail_error *err);
int jail_view_add_marker(struct jail_view *view, const char *target, const char *source,
			 struct jail_error *err);
/* Sorts, joins equal entries, leaves out what an enclosing bind brings. */
int jail_view_finish(struct jail_view *view, struct jail_error *err);
/* The same, after it appended the marker of a root. */
int jail_view_finish_chroot(struct jail_view *view, const char *marker_dir, struct jail_error *err);
/* Sorts entries, joins those that are the same mount, and refuses (-EEXIST) a target that occurs twice with
 * different meanings. */
int jail_view_sort(struct jail_view *view, struct jail_error *err);
/* By target; of those with one target the jail's own come first, then those that carry a member's name, last
 * their homes: an account that calls its home what another one is called is the one that yields. */
int jail_view_compare(const struct jail_entry *a, const struct jail_entry *b);
/* Whether two entries with one target can be one mount. */
bool jail_view_same_mount(const struct jail_entry *a, const struct jail_entry *b);
/* Finds the members who can't have what the policy gives them, since the jail or another member has something
 * else at that target. first[i]: index of the first entry of member i of n, first[n]: their end. ret[i]:
 * index of the entry that clashes, SIZE_MAX: none. A clash of the policy with itself is left for
 * jail_view_sort to refuse. 0 or -ENOMEM. */
int jail_view_find_clashes(const struct jail_view *view, const size_t *first, size_t n, size_t *ret);
