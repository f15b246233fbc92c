/* Looking at the source of one entry. Private to lib/view. */
#pragma once

#include "lib/view/source.h"

/* Fills in *ret for entry number entry of view; what can't be used is a fact with a code, not a failure.
 * 0 or -ENOMEM. */
int jail_fact_probe(struct jail_source_cache *cache, const struct jail_view *view, size_t entry,
		    struct jail_fact *ret, struct jail_error *err);
/* What is at the entry's target now, where mountinfo does not say it: for file systems that hide their roots.
 */
void jail_fact_probe_target(const struct jail_view *view, size_t entry, struct jail_fact *fact);
void jail_fact_release(struct jail_fact *fact);
