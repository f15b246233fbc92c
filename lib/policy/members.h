/* Who is in which jail, asked of NSS once per sync by the agent (never by the PAM module).
 *
 * Fail closed: whom NSS cannot confirm stays as last known, and is reported. In particular
 * - a group that NSS gives an error for, or that was known and is not found now, keeps all its members;
 * - a group that is found and does not list somebody any more keeps them: for as long as their account is not
 *   found; then for JAIL_MISSED_FEW; for JAIL_MISSED_MANY while they are all that were in it, or several and
 *   half of them, since a name service that is away looks just so (with "merge" in nsswitch.conf(5) the local
 *   part of the group is still found);
 * - an account that is not found now (a name service that is away says the same as for one that was deleted)
 *   is kept as long as its home is there. */
#pragma once

#include <time.h>
#include "lib/policy/cache.h"

enum { JAIL_MISSED_FEW = 60 * 60, JAIL_MISSED_MANY = 7 * 24 * 60 * 60 }; /* seconds */

/* When members are resolved. */
struct jail_moment {
	time_t now;	 /* seconds since the epoch */
	uint64_t uptime; /* seconds since the node booted: nobody was missed before */
};
struct jail_moment jail_moment_now(void);

struct jail_members {
	struct jail_cache_member *members; /* sorted by user, one entry each; never uid 0 */
	size_t n_members;
	struct jail_cache_group *groups; /* sorted by name, one entry each */
	size_t n_groups;
	char **warnings; /* sentences for status: groups not confirmed, users without an account, ... */
	size_t n_warnings;
};

/* node: as in struct jail_cache_facts. previous: the last cache, or NULL; damaged, it counts as NULL, with a
 * warning. Rules that are not for this node are not resolved. Users of "match" are those accounts that NSS
 * lists (getpwent(3)), for chroot jails only: others are known by their name when they come. Users named
 * exactly whom NSS does not know, and never knew, are left out with a warning (they cannot log in either).
 * Errors: -ENOMEM, and -EINVAL for an expression that lint refuses; a failing NSS keeps what was known.
 *
 * Not thread-safe: getpwent and getgrent are the process's. */
int jail_members_resolve(const struct jail_policy *policy, const char *node,
			 const struct jail_cache *previous, const struct jail_moment *moment,
			 struct jail_members *ret, struct jail_error *err);
void jail_members_release(struct jail_members *members);
#define jail_automembers __attribute__((cleanup(jail_members_release)))

/* The facts that jail_cache_compile takes; they point into members. */
struct jail_cache_facts jail_members_facts(const struct jail_members *members, const char *node,
					   const uint8_t *policy_sha256);
