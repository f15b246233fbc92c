/* Members whose names or homes make an entry that somebody else's entry stands in the way of. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/view_build.h"

struct claim {
	const struct jail_entry *entry;
	size_t member;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;
	int r = jail_view_compare(x->entry, y->entry);
	if (r == 0)
		r = (x->member > y->member) - (x->member < y->member);
	return r != 0 ? r : (x->entry > y->entry) - (x->entry < y->entry);
}

int jail_view_find_clashes(const struct jail_view *view, const size_t *first, size_t n, size_t *ret)
{
	jail_autofree struct claim *claims = calloc(view->n_entries + 1, sizeof *claims);
	if (!claims)
		return -ENOMEM;
	for (size_t m = 0; m < n; m++) {
		ret[m] = SIZE_MAX;
		for (size_t e = first[m]; e < first[m + 1]; e++)
			claims[e] = (struct claim){&view->entries[e], m};
	}
	if (view->n_entries > 0)
		qsort(claims, view->n_entries, sizeof *claims, compare_claims);
	const struct claim *holder = claims;
	for (size_t i = 1; i < view->n_entries; i++) {
		const struct claim *claim = &claims[i];
		if (strcmp(claim->entry->target, holder->entry->target) != 0)
			holder = claim;
		else if (!jail_view_same_mount(holder->entry, claim->entry) &&
			 (claim->member != holder->member || claim->entry->personal))
			ret[claim->member] = (size_t)(claim->entry - view->entries);
	}
	return 0;
}
