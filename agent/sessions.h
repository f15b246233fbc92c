/* Open sessions in namespace views: a changed policy reaches them. */
#pragma once

#include "agent/config.h"
#include "agent/report.h"
#include "lib/policy/cache.h"

/* Brings every open view of a namespace jail to what the cache says for its user: newly shown directories
 * appear, newly hidden ones go from path lookups. A session whose user the policy sends elsewhere keeps its
 * view, which is warned of. Sources that do not answer cost seconds, in a child. */
void jail_sessions_follow(const struct jail_cache *cache, struct jail_report *report);
