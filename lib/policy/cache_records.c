#include <errno.h>
#include <string.h>
#include "lib/policy/cache_open.h"

size_t jail_cache_n_jails(const struct jail_cache *cache)
{
	return cache_count(cache, CACHE_JAILS);
}

int jail_cache_jail(const struct jail_cache *cache, size_t jail, struct jail_cache_jail *ret,
		    struct jail_error *err)
{
	const struct cache_jail *record = CACHE_RECORD(cache, CACHE_JAILS, jail, struct cache_jail);
	if (!record)
		return cache_damaged(err);
	const char *name = cache_string(cache, record->name);
	const char *root = cache_string(cache, record->root);
	size_t n_mounts = cache_count(cache, CACHE_MOUNTS);
	if (!name || !root || record->first_mount > n_mounts ||
	    record->n_mounts > n_mounts - record->first_mount)
		return cache_damaged(err);
	*ret = (struct jail_cache_jail){
		.name = name,
		.confine = (enum jail_confine)record->confine,
		.root = root,
		.shared = record->shared != 0,
		.used = record->used != 0,
		.uses = (int)record->uses,
		.n_mounts = record->n_mounts,
		.first_mount = record->first_mount,
	};
	return 0;
}

static bool is_known_mount(const struct cache_mount *record)
{
	static const unsigned options = JAIL_OPT_RO | JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC;
	return record->verb >= JAIL_VERB_BIND && record->verb <= JAIL_VERB_PRIVATE &&
	       (record->options & ~options) == 0 && record->hidepid <= JAIL_HIDEPID_PTRACEABLE &&
	       record->mode <= 07777;
}

int jail_cache_mount(const struct jail_cache *cache, const struct jail_cache_jail *jail, size_t i,
		     struct jail_mount *ret, struct jail_error *err)
{
	const struct cache_mount *record =
		i < jail->n_mounts
			? CACHE_RECORD(cache, CACHE_MOUNTS, jail->first_mount + i, struct cache_mount)
			: NULL;
	if (!record)
		return cache_damaged(err);
	const char *target = cache_string(cache, record->target);
	const char *from = cache_string(cache, record->from);
	if (!target || *target == '\0' || !from || !is_known_mount(record))
		return cache_damaged(err);
	/* The structure is the one that owns its strings elsewhere; here nobody may write or free them. */
	*ret = (struct jail_mount){
		.verb = (enum jail_verb)record->verb,
		.target = (char *)target,
		.from = *from ? (char *)from : NULL,
		.options = record->options,
		.optional = record->optional != 0,
		.in_memory = record->in_memory != 0,
		.size = record->size_low | (uint64_t)record->size_high << 32,
		.mode = record->mode,
		.hidepid = (enum jail_hidepid)record->hidepid,
	};
	return 0;
}

size_t jail_cache_n_members(const struct jail_cache *cache)
{
	return cache_count(cache, CACHE_MEMBERS);
}

int jail_cache_member(const struct jail_cache *cache, size_t i, struct jail_cache_member *ret,
		      ssize_t *ret_jail, struct jail_error *err)
{
	const struct cache_member *record = CACHE_RECORD(cache, CACHE_MEMBERS, i, struct cache_member);
	if (!record)
		return cache_damaged(err);
	const char *user = cache_string(cache, record->user);
	const char *group = cache_string(cache, record->group);
	const char *home = cache_string(cache, record->home);
	const struct cache_rule *rule = CACHE_RECORD(cache, CACHE_RULES, record->rule, struct cache_rule);
	if (!user || !group || !home || !rule)
		return cache_damaged(err);
	ssize_t jail = rule->jail;
	if (jail < JAIL_EXEMPT || jail >= (ssize_t)cache_count(cache, CACHE_JAILS))
		return cache_damaged(err);
	*ret = (struct jail_cache_member){
		.user = (char *)user,
		.group = *group ? (char *)group : NULL,
		.home = (char *)home,
		.uid = record->uid,
		.rule = record->rule,
	};
	*ret_jail = jail;
	return 0;
}

int jail_cache_member_find(const struct jail_cache *cache, const char *user, size_t *ret_i,
			   struct jail_error *err)
{
	size_t low = 0;
	size_t high = cache_count(cache, CACHE_MEMBERS);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct cache_member *record =
			CACHE_RECORD(cache, CACHE_MEMBERS, middle, struct cache_member);
		const char *name = record ? cache_string(cache, record->user) : NULL;
		if (!name)
			return cache_damaged(err);
		int order = strcmp(user, name);
		if (order == 0) {
			*ret_i = middle;
			return 0;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return jail_error_set(err, ENOENT, "%.100s is no member that the last sync knew", user);
}

size_t jail_cache_n_known(const struct jail_cache *cache)
{
	return cache_count(cache, CACHE_KNOWN);
}

int jail_cache_known(const struct jail_cache *cache, size_t i, struct jail_cache_known *ret,
		     struct jail_error *err)
{
	const struct cache_known *record = CACHE_RECORD(cache, CACHE_KNOWN, i, struct cache_known);
	if (!record)
		return cache_damaged(err);
	const char *name = cache_string(cache, record->name);
	size_t n_users = cache_count(cache, CACHE_KNOWN_USERS);
	if (!name || record->first_user > n_users || record->n_users > n_users - record->first_user)
		return cache_damaged(err);
	*ret = (struct jail_cache_known){
		.name = name,
		.gid = record->gid,
		.n_users = record->n_users,
		.first_user = record->first_user,
	};
	return 0;
}

int jail_cache_known_user(const struct jail_cache *cache, const struct jail_cache_known *known, size_t i,
			  const char **ret_user, uint32_t *ret_since, struct jail_error *err)
{
	const struct cache_known_user *record =
		i < known->n_users ? CACHE_RECORD(cache, CACHE_KNOWN_USERS, known->first_user + i,
						  struct cache_known_user)
				   : NULL;
	const char *user = record ? cache_string(cache, record->user) : NULL;
	if (!user)
		return cache_damaged(err);
	*ret_user = user;
	*ret_since = record->since;
	return 0;
}
