/* The steps of jail_members_resolve; private to lib/policy. */
#pragma once

#include "lib/policy/match.h"
#include "lib/policy/members.h"
#include "lib/policy/nss.h"

struct match_rule {
	size_t rule;
	bool lists; /* whom it matches is listed: a namespace jail can do without, names tell */
	struct jail_match match;
};

struct resolver {
	const struct jail_policy *policy;
	const char *node;
	const struct jail_cache *previous;
	struct jail_moment moment;

	struct match_rule *matches; /* of this node, by rule */
	size_t n_matches;
	size_t n_listing; /* of these, that list */

	struct jail_cache_group *groups;
	size_t n_groups;
	bool *confirmed; /* one each of groups: NSS gave it now */
	size_t n_confirmed;

	const char **wanted; /* sorted, unique, not owned: whose accounts are asked for; in the end everybody
			      * whom a rule could hold */
	size_t n_wanted;

	struct nss_user *users; /* sorted by name: the accounts that were found */
	size_t n_users;

	bool *gone; /* one each of wanted, in the end: has no account, and the home that they had is not there
		     */

	struct jail_members out;
};

/* A sentence for status. 0 or -ENOMEM. */
int resolver_warn(struct resolver *resolver, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills groups and confirmed: by exact name, by globs, and by what was known. */
int resolver_find_groups(struct resolver *resolver);

/* The words of errno, as strerror_r(3) gives them. */
const char *resolver_words(int code, char words[static 128]);

/* Fills wanted and users, and completes groups by primary membership and by whom NSS cannot confirm. */
int resolver_find_users(struct resolver *resolver);

/* Gives group back those of known, which is what the last sync knew of it, whom NSS does not list in it any
 * more and who are not let go yet. group is confirmed and sorted. */
int resolver_keep_missed(struct resolver *resolver, struct jail_cache_group *group,
			 const struct jail_cache_known *known);

/* Fills gone. */
int resolver_find_homes(struct resolver *resolver);

/* The member as the last sync knew them; strings are the previous cache's. */
bool resolver_previous_member(const struct resolver *resolver, const char *user,
			      struct jail_cache_member *ret);

/* Fills out.members. */
int resolver_find_members(struct resolver *resolver);

/* Index of name in resolver->wanted, or -1. */
ssize_t resolver_wanted(const struct resolver *resolver, const char *name);
const struct nss_user *resolver_user(const struct resolver *resolver, const char *name);
/* Whether some expression of this node that lists matches: 1, 0 or -ENOMEM. */
int resolver_matches(const struct resolver *resolver, const char *name);
