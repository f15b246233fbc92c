#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/policy/members_parts.h"

#define NO_RULE UINT32_MAX

static void assign(const struct resolver *resolver, uint32_t *rules, const char *user, size_t rule)
{
	ssize_t i = resolver_wanted(resolver, user);
	if (i >= 0 && rules[i] == NO_RULE)
		rules[i] = (uint32_t)rule;
}

/* An exempting rule holds for those only whom NSS has in the group now; a confining one by what was known as
 * well. */
static void assign_groups(const struct resolver *resolver, uint32_t *rules, size_t number)
{
	const struct jail_rule *rule = &resolver->policy->rules[number];
	for (size_t i = 0; i < resolver->n_groups; i++) {
		const struct jail_cache_group *group = &resolver->groups[i];
		if ((rule->jail == JAIL_EXEMPT && !resolver->confirmed[i]) ||
		    !jail_rule_names_group(rule, group->name))
			continue;
		for (size_t j = 0; j < group->n_users; j++)
			if (rule->jail != JAIL_EXEMPT || !group->since || group->since[j] == 0)
				assign(resolver, rules, group->users[j], number);
	}
}

static int assign_matches(const struct resolver *resolver, uint32_t *rules, size_t number)
{
	for (size_t i = 0; i < resolver->n_matches; i++) {
		if (resolver->matches[i].rule != number)
			continue;
		for (size_t j = 0; j < resolver->n_wanted; j++) {
			if (rules[j] != NO_RULE)
				continue;
			int matches = jail_match_whole(&resolver->matches[i].match, resolver->wanted[j]);
			if (matches < 0)
				return matches;
			if (matches)
				rules[j] = (uint32_t)number;
		}
	}
	return 0;
}

static int assign_all(const struct resolver *resolver, uint32_t *rules)
{
	for (size_t i = 0; i < resolver->n_wanted; i++)
		rules[i] = NO_RULE;
	int r = 0;
	for (size_t i = 0; i < resolver->policy->n_rules && r == 0; i++) {
		const struct jail_rule *rule = &resolver->policy->rules[i];
		if (!jail_rule_is_for(rule, resolver->node))
			continue;
		for (size_t j = 0; rule->kind == JAIL_RULE_USERS && j < rule->n_names; j++)
			assign(resolver, rules, rule->names[j], i);
		if (rule->kind == JAIL_RULE_GROUPS)
			assign_groups(resolver, rules, i);
		if (rule->kind == JAIL_RULE_MATCH)
			r = assign_matches(resolver, rules, i);
	}
	return r;
}

/* Names of primary groups, each asked for once. */
struct group_names {
	struct group_name {
		gid_t gid;
		char *name; /* NULL: NSS does not tell */
	} * list;
	size_t n;
};

static void release_group_names(struct group_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i].name);
	free(names->list);
}

static int group_name(struct group_names *names, gid_t gid, const char **ret)
{
	for (size_t i = 0; i < names->n; i++) {
		if (names->list[i].gid == gid) {
			*ret = names->list[i].name;
			return 0;
		}
	}
	struct group_name *slot = JAIL_ARRAY_PUSH(names->list, names->n);
	if (!slot)
		return -ENOMEM;
	slot->gid = gid;
	if (nss_group_name(gid, &slot->name) == -ENOMEM)
		return -ENOMEM;
	names->n++;
	*ret = slot->name;
	return 0;
}

static int add_member(struct resolver *resolver, const struct jail_cache_member *member)
{
	struct jail_cache_member *slot = JAIL_ARRAY_PUSH(resolver->out.members, resolver->out.n_members);
	if (!slot)
		return -ENOMEM;
	resolver->out.n_members++;
	slot->uid = member->uid;
	slot->rule = member->rule;
	slot->user = strdup(member->user);
	slot->home = strdup(member->home);
	slot->group = member->group ? strdup(member->group) : NULL;
	return slot->user && slot->home && (slot->group || !member->group) ? 0 : -ENOMEM;
}

/* A few names for a sentence. */
struct some {
	struct jail_buffer names;
	size_t n;
};

static int mention(struct some *some, const char *name)
{
	some->n++;
	if (some->n > 10)
		return some->n == 11 ? jail_buffer_puts(&some->names, ", ...") : 0;
	return jail_buffer_printf(&some->names, "%s%s", some->n > 1 ? ", " : "", name);
}

static int warn_some(struct resolver *resolver, const struct some *kept, const struct some *missing)
{
	int r = 0;
	if (kept->n > 0)
		r = resolver_warn(
			resolver,
			"NSS does not find %zu accounts that were members at the last sync; as long as "
			"their homes are there they stay members: %s",
			kept->n, kept->names.data);
	if (r == 0 && missing->n > 0)
		r = resolver_warn(resolver, "the policy names %zu users who have no account on this node: %s",
				  missing->n, missing->names.data);
	return r;
}

/* Number i of wanted, whom a rule confines. */
static int resolve_member(struct resolver *resolver, size_t i, uint32_t rule, struct group_names *names,
			  struct some *kept, struct some *missing)
{
	const char *name = resolver->wanted[i];
	const struct nss_user *user = resolver_user(resolver, name);
	struct jail_cache_member before;
	bool known = resolver_previous_member(resolver, name, &before);

	if (user) {
		const char *group = NULL;
		if (user->uid == 0)
			return 0;
		int r = group_name(names, user->gid, &group);
		if (r < 0)
			return r;
		if (!group && known)
			group = before.group;
		return add_member(resolver, &(struct jail_cache_member){.user = user->name,
									.group = (char *)group,
									.home = user->home,
									.uid = user->uid,
									.rule = rule});
	}
	if (known && !resolver->gone[i]) {
		before.rule = rule;
		int r = mention(kept, name);
		return r < 0 ? r : add_member(resolver, &before);
	}
	return resolver->policy->rules[rule].kind == JAIL_RULE_USERS ? mention(missing, name) : 0;
}

int resolver_find_members(struct resolver *resolver)
{
	__attribute__((cleanup(release_group_names))) struct group_names names = {0};
	struct some kept = {.names = JAIL_BUFFER_INIT};
	struct some missing = {.names = JAIL_BUFFER_INIT};
	jail_autofree uint32_t *rules = calloc(resolver->n_wanted + 1, sizeof *rules);
	int r = rules ? 0 : -ENOMEM;

	if (r == 0)
		r = assign_all(resolver, rules);
	for (size_t i = 0; i < resolver->n_wanted && r == 0; i++) {
		if (rules[i] != NO_RULE && resolver->policy->rules[rules[i]].jail != JAIL_EXEMPT)
			r = resolve_member(resolver, i, rules[i], &names, &kept, &missing);
	}
	if (r == 0)
		r = warn_some(resolver, &kept, &missing);
	jail_buffer_release(&kept.names);
	jail_buffer_release(&missing.names);
	return r;
}
