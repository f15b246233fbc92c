/* Who is confined, asked of the name service once for each uid. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "agent/audit.h"
#include "agent/audit_view.h"
#include "lib/policy/cache.h"

struct jail_person {
	uid_t uid;
	bool confined; /* by a rule, and not in the break-glass group; then the rest is there */
	char *user;
	const char *jail; /* its name, in the cache */
	struct jail_audit_view view;
};

struct jail_people {
	const struct jail_cache *cache;
	const char *breakglass;
	struct jail_audit *audit;   /* gets warnings */
	struct jail_person **table; /* by uid; a power of two of slots */
	size_t n, n_slots;
};

/* *ret stays valid until people are released. Errors: -ENOMEM, -EBADMSG damaged cache. */
int jail_people_find(struct jail_people *people, uid_t uid, const struct jail_person **ret,
		     struct jail_error *err);
/* Whether a rule confines the user, break-glass left aside. 1, 0 or negative errno. */
int jail_people_is_named(const struct jail_cache *cache, const char *user, struct jail_error *err);
void jail_people_release(struct jail_people *people);
#define jail_autopeople __attribute__((cleanup(jail_people_release)))
