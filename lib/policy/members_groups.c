#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/policy/members_parts.h"

/* Takes the group over. */
static int add_group(struct resolver *resolver, struct jail_cache_group *group, bool confirmed)
{
	bool *flag = JAIL_ARRAY_PUSH(resolver->confirmed, resolver->n_confirmed);
	struct jail_cache_group *slot = flag ? JAIL_ARRAY_PUSH(resolver->groups, resolver->n_groups) : NULL;
	if (!slot)
		return -ENOMEM;
	*flag = confirmed;
	resolver->n_confirmed++;
	*slot = *group;
	resolver->n_groups++;
	*group = (struct jail_cache_group){0};
	return 0;
}

static bool has_group(const struct resolver *resolver, const char *name)
{
	for (size_t i = 0; i < resolver->n_groups; i++) {
		if (strcmp(resolver->groups[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The group as the last sync knew it. 1, 0 when it did not, or negative errno. */
static int previous_group(const struct resolver *resolver, const char *name, struct jail_cache_known *ret)
{
	size_t n = resolver->previous ? jail_cache_n_known(resolver->previous) : 0;
	for (size_t i = 0; i < n; i++) {
		struct jail_cache_known known;
		int r = jail_cache_known(resolver->previous, i, &known, NULL);
		if (r < 0)
			return r;
		if (strcmp(known.name, name) == 0) {
			*ret = known;
			return 1;
		}
	}
	return 0;
}

/* Keeps a group that NSS does not confirm, with everybody who was in it. code: errno, or 0 not found. */
static int keep_group(struct resolver *resolver, const struct jail_cache_known *known, int code)
{
	autonssgroup struct jail_cache_group group = {0};
	char words[128];
	int r = nss_group_copy(known->name, known->gid, NULL, &group);
	for (size_t i = 0; i < known->n_users && r == 0; i++) {
		const char *user = NULL;
		uint32_t since = 0; /* begins anew when the group is back */
		r = jail_cache_known_user(resolver->previous, known, i, &user, &since, NULL);
		if (r == 0)
			r = nss_group_add_user(&group, user);
	}
	if (r == 0)
		r = resolver_warn(resolver,
				  "group %s: NSS %s%s; its %zu members of the last sync stay confined until "
				  "NSS finds it or the policy no longer names it",
				  known->name, code ? "gives an error for it: " : "does not find it any more",
				  code ? resolver_words(code, words) : "", known->n_users);
	return r < 0 ? r : add_group(resolver, &group, false);
}

/* Looks one group up, or falls back on what was known of it. */
static int find_group(struct resolver *resolver, const char *name)
{
	autonssgroup struct jail_cache_group group = {0};
	struct jail_cache_known known;
	char words[128];

	if (has_group(resolver, name))
		return 0;
	int found = nss_group_by_name(name, &group);
	if (found > 0 && strcmp(group.name, name) == 0)
		return add_group(resolver, &group, true);
	if (found == -ENOMEM)
		return found;
	int r = previous_group(resolver, name, &known);
	if (r > 0)
		return keep_group(resolver, &known, found < 0 ? -found : 0);
	if (r < 0)
		return r;
	if (found < 0)
		return resolver_warn(resolver, "group %s: NSS gives an error for it: %s", name,
				     resolver_words(-found, words));
	return resolver_warn(resolver, "group %s: there is no such group", name);
}

/* Whether a rule of this node names the group. */
static bool named_here(const struct resolver *resolver, const char *group)
{
	for (size_t i = 0; i < resolver->policy->n_rules; i++) {
		const struct jail_rule *rule = &resolver->policy->rules[i];
		if (jail_rule_is_for(rule, resolver->node) && jail_rule_names_group(rule, group))
			return true;
	}
	return false;
}

static int find_listed_groups(struct resolver *resolver)
{
	char words[128];
	int r = 0;
	setgrent();
	while (r == 0) {
		errno = 0;
		const struct group *gr = getgrent(); /* NOLINT(concurrency-mt-unsafe) */
		if (!gr) {
			if (errno != 0 && errno != ENOENT && errno != ESRCH)
				r = resolver_warn(resolver, "NSS could not list all groups: %s",
						  resolver_words(errno, words));
			break;
		}
		if (has_group(resolver, gr->gr_name) || !named_here(resolver, gr->gr_name))
			continue;
		autonssgroup struct jail_cache_group group = {0};
		r = nss_group_copy(gr->gr_name, gr->gr_gid, gr->gr_mem, &group);
		if (r == 0)
			r = add_group(resolver, &group, true);
	}
	endgrent();
	return r;
}

/* Groups that a rule names now and that the last sync knew, but which were not listed. */
static int find_known_groups(struct resolver *resolver)
{
	int r = 0;
	size_t n = resolver->previous ? jail_cache_n_known(resolver->previous) : 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct jail_cache_known known;
		r = jail_cache_known(resolver->previous, i, &known, NULL);
		if (r == 0 && named_here(resolver, known.name))
			r = find_group(resolver, known.name);
	}
	return r;
}

int resolver_find_groups(struct resolver *resolver)
{
	bool globs = false;
	int r = 0;

	for (size_t i = 0; i < resolver->policy->n_rules; i++) {
		const struct jail_rule *rule = &resolver->policy->rules[i];
		if (rule->kind != JAIL_RULE_GROUPS || !jail_rule_is_for(rule, resolver->node))
			continue;
		for (size_t j = 0; j < rule->n_names && r == 0; j++) {
			if (jail_glob_is_pattern(rule->names[j]))
				globs = true;
			else
				r = find_group(resolver, rule->names[j]);
		}
	}
	if (r == 0 && globs)
		r = find_listed_groups(resolver);
	return r < 0 ? r : find_known_groups(resolver);
}
