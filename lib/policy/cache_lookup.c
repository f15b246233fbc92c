#include <errno.h>
#include "lib/policy/cache_open.h"
#include "lib/policy/match.h"

/* The best rule found so far: the lower, the earlier in the policy. */
struct best {
	uint32_t now;  /* by what NSS says now */
	uint32_t last; /* by the last resolved membership */
};

static uint32_t lowest(const struct best *best)
{
	return best->now <= best->last ? best->now : best->last;
}

static void improve(uint32_t *rule, uint32_t found)
{
	if (found < *rule)
		*rule = found;
}

/* Improves *rule by what a table has for name. False: the file is damaged. */
static bool search_name(const struct jail_cache *cache, enum cache_section section, const char *name,
			uint32_t *rule)
{
	size_t count = cache_count(cache, section);
	size_t slot = count ? cache_hash(name) % count : 0;

	for (size_t i = 0; i < count; i++, slot = slot + 1 < count ? slot + 1 : 0) {
		struct cache_name record;
		if (!cache_copy(cache, section, slot, sizeof record, &record))
			return false;
		if (record.name == 0)
			return record.rule == CACHE_NO_RULE;
		int is = cache_string_is(cache, record.name, name);
		if (is < 0)
			return false;
		if (is) {
			improve(rule, record.rule);
			return true;
		}
	}
	return count == 0; /* a whole table has empty slots */
}

static bool search_gid(const struct jail_cache *cache, gid_t gid, uint32_t *rule)
{
	size_t low = 0;
	size_t high = cache_count(cache, CACHE_GIDS);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct cache_gid record;
		if (!cache_copy(cache, CACHE_GIDS, middle, sizeof record, &record))
			return false;
		if (record.gid == gid) {
			improve(rule, record.rule);
			return true;
		}
		if (gid < record.gid)
			high = middle;
		else
			low = middle + 1;
	}
	return true;
}

/* The rule that group number i of the identity leads to. False: the file is damaged. */
static bool take_group_rule(const struct jail_cache *cache, const struct jail_identity *identity, size_t i,
			    uint32_t found, struct best *best)
{
	struct cache_rule rule;
	if (found == CACHE_NO_RULE)
		return true;
	if (i < identity->n_groups - identity->n_foreign) {
		improve(&best->now, found);
		return true;
	}
	if (!cache_copy(cache, CACHE_RULES, found, sizeof rule, &rule))
		return false;
	if (rule.jail != JAIL_EXEMPT)
		improve(&best->last, found);
	return true;
}

static bool try_globs(const struct jail_cache *cache, const struct jail_identity *identity, struct best *best)
{
	for (size_t i = 0; i < cache_count(cache, CACHE_GLOBS); i++) {
		const struct cache_name *record = CACHE_RECORD(cache, CACHE_GLOBS, i, struct cache_name);
		const char *glob = record ? cache_string(cache, record->name) : NULL;
		if (!glob || !*glob)
			return false;
		if (record->rule >= best->now)
			break;
		for (size_t j = 0; j < identity->n_groups; j++) {
			if (jail_glob_matches(glob, identity->groups[j]) &&
			    !take_group_rule(cache, identity, j, record->rule, best))
				return false;
		}
	}
	return true;
}

/* Only the expressions that could still decide: each costs a regcomp(3). 0, -EBADMSG or -ENOMEM. */
static int try_matches(const struct jail_cache *cache, const char *user, struct best *best)
{
	for (size_t i = 0; i < cache_count(cache, CACHE_MATCHES); i++) {
		const struct cache_name *record = CACHE_RECORD(cache, CACHE_MATCHES, i, struct cache_name);
		const char *expression = record ? cache_string(cache, record->name) : NULL;
		jail_automatch struct jail_match match = {0};
		if (record && record->rule >= lowest(best))
			break;
		int r = expression && *expression ? jail_match_compile(expression, &match, NULL) : -EBADMSG;
		if (r == 0)
			r = jail_match_whole(&match, user);
		if (r < 0)
			return r == -ENOMEM ? r : -EBADMSG;
		if (r > 0)
			improve(&best->now, record->rule);
	}
	return 0;
}

/* By users and groups. False: the file is damaged. */
static bool try_names(const struct jail_cache *cache, const struct jail_identity *identity, struct best *best)
{
	if (!search_name(cache, CACHE_USERS, identity->user, &best->now) ||
	    !search_name(cache, CACHE_HELD, identity->user, &best->last))
		return false;
	for (size_t i = 0; i < identity->n_groups; i++) {
		uint32_t found = CACHE_NO_RULE;
		if (!search_name(cache, CACHE_GROUPS, identity->groups[i], &found) ||
		    !take_group_rule(cache, identity, i, found, best))
			return false;
	}
	for (size_t i = 0; i < identity->n_gids; i++) {
		if (!search_gid(cache, identity->gids[i], &best->last))
			return false;
	}
	return try_globs(cache, identity, best);
}

int jail_cache_lookup(const struct jail_cache *cache, const struct jail_identity *identity,
		      struct jail_verdict *ret, struct jail_error *err)
{
	struct best best = {CACHE_NO_RULE, CACHE_NO_RULE};
	int r = try_names(cache, identity, &best) ? try_matches(cache, identity->user, &best) : -EBADMSG;
	if (r == -ENOMEM)
		return jail_error_sys(err, ENOMEM, "cannot look %.100s up in the compiled policy",
				      identity->user);
	if (r < 0)
		return cache_damaged(err);
	uint32_t number = lowest(&best);
	if (number == CACHE_NO_RULE) {
		*ret = (struct jail_verdict){.jail = JAIL_EXEMPT};
		return 0;
	}
	struct cache_rule rule;
	if (!cache_copy(cache, CACHE_RULES, number, sizeof rule, &rule) || !rule.here ||
	    rule.jail < JAIL_EXEMPT || rule.jail >= (ssize_t)cache_count(cache, CACHE_JAILS))
		return cache_damaged(err);
	*ret = (struct jail_verdict){
		.matched = true,
		.rule = number,
		.jail = rule.jail,
		.last_known = best.last < best.now,
	};
	return 0;
}
