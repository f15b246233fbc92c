#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/policy/cache_write.h"
#include "lib/policy/hostlist.h"
#include "lib/policy/match.h"

/* A name, and a rule that it leads to. */
struct entry {
	const char *name;
	uint32_t rule;
};

struct entries {
	struct entry *list;
	size_t n;
};

struct gid_entry {
	gid_t gid;
	uint32_t rule;
};

static void release_entries(struct entries *entries)
{
	free(entries->list);
}
#define autoentries __attribute__((cleanup(release_entries)))

static int push(struct entries *entries, const char *name, uint32_t rule)
{
	struct entry *slot = JAIL_ARRAY_PUSH(entries->list, entries->n);
	if (!slot)
		return -ENOMEM;
	*slot = (struct entry){name, rule};
	entries->n++;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static int compare_gids(const void *a, const void *b)
{
	const struct gid_entry *x = a;
	const struct gid_entry *y = b;
	if (x->gid != y->gid)
		return x->gid > y->gid ? 1 : -1;
	return (x->rule > y->rule) - (x->rule < y->rule);
}

static int write_name(struct cache_writer *writer, enum cache_section section, const char *name,
		      uint32_t rule)
{
	struct cache_name record = {.rule = rule};
	int r = cache_add_string(writer, name, &record.name);
	return r < 0 ? r : cache_add(writer, section, &record, sizeof record);
}

/* Sorts them by name and keeps of each name only the first rule. */
static void keep_first(struct entries *entries)
{
	size_t n = 0;
	if (entries->n > 0)
		qsort(entries->list, entries->n, sizeof *entries->list, compare_entries);
	for (size_t i = 0; i < entries->n; i++) {
		if (n == 0 || strcmp(entries->list[n - 1].name, entries->list[i].name) != 0)
			entries->list[n++] = entries->list[i];
	}
	entries->n = n;
}

/* Writes a table that is at most half full. */
static int write_table(struct cache_writer *writer, enum cache_section section, struct entries *entries)
{
	size_t count = 2;
	if (entries->n == 0)
		return 0;
	keep_first(entries);
	while (count < entries->n * 2)
		count *= 2;
	jail_autofree struct cache_name *table = calloc(count, sizeof *table);
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		table[i].rule = CACHE_NO_RULE;
	for (size_t i = 0; i < entries->n; i++) {
		size_t slot = cache_hash(entries->list[i].name) % count;
		while (table[slot].name)
			slot = slot + 1 < count ? slot + 1 : 0;
		table[slot].rule = entries->list[i].rule;
		int r = cache_add_string(writer, entries->list[i].name, &table[slot].name);
		if (r < 0)
			return r;
	}
	int r = jail_buffer_append(&writer->sections[section], table, count * sizeof *table);
	if (r == 0)
		writer->counts[section] = count;
	return r;
}

static int check_rule(const struct jail_rule *rule, size_t number, struct jail_error *err)
{
	int r = 0;
	for (size_t i = 0; i < rule->n_nodes && r == 0; i++) {
		r = jail_hostlist_check(rule->nodes[i], err);
		if (r < 0)
			return jail_error_prefix(err, "/rules/%zu/nodes/%zu", number, i);
	}
	for (size_t i = 0; rule->kind == JAIL_RULE_MATCH && i < rule->n_names; i++) {
		jail_automatch struct jail_match match = {0};
		r = jail_match_compile(rule->names[i], &match, err);
		if (r < 0)
			return jail_error_prefix(err, "/rules/%zu/match", number);
	}
	return r;
}

/* Files the names of one rule of this node under users, groups, globs or expressions. */
static int sort_rule(struct cache_writer *writer, const struct jail_rule *rule, uint32_t number,
		     struct entries *users, struct entries *groups)
{
	int r = 0;
	for (size_t i = 0; i < rule->n_names && r == 0; i++) {
		const char *name = rule->names[i];
		if (rule->kind == JAIL_RULE_USERS)
			r = push(users, name, number);
		else if (rule->kind == JAIL_RULE_MATCH)
			r = write_name(writer, CACHE_MATCHES, name, number);
		else if (jail_glob_is_pattern(name))
			r = write_name(writer, CACHE_GLOBS, name, number);
		else
			r = push(groups, name, number);
	}
	return r;
}

/* The first rule of this node that confines the group. Exempting rules do not count here: they hold by what
 * NSS says when the session opens, and by nothing else. */
static uint32_t confining_rule(const struct cache_writer *writer, const char *group)
{
	for (size_t i = 0; i < writer->policy->n_rules; i++) {
		const struct jail_rule *rule = &writer->policy->rules[i];
		if (rule->jail != JAIL_EXEMPT && jail_rule_is_for(rule, writer->facts->node) &&
		    jail_rule_names_group(rule, group))
			return (uint32_t)i;
	}
	return CACHE_NO_RULE;
}

static int write_gids(struct cache_writer *writer, struct gid_entry *gids, size_t n)
{
	int r = 0;
	if (n > 0)
		qsort(gids, n, sizeof *gids, compare_gids);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct cache_gid record = {gids[i].gid, gids[i].rule};
		if (i == 0 || gids[i - 1].gid != gids[i].gid)
			r = cache_add(writer, CACHE_GIDS, &record, sizeof record);
	}
	return r;
}

/* What holds by the last resolved membership: users and group numbers. */
static int write_last_known(struct cache_writer *writer)
{
	const struct jail_cache_facts *facts = writer->facts;
	autoentries struct entries held = {0};
	jail_autofree struct gid_entry *gids = NULL;
	size_t n_gids = 0;
	int r = 0;

	for (size_t i = 0; i < facts->n_groups; i++) {
		const struct jail_cache_group *group = &facts->groups[i];
		uint32_t rule = confining_rule(writer, group->name);
		if (rule == CACHE_NO_RULE)
			continue;
		struct gid_entry *slot = JAIL_ARRAY_PUSH(gids, n_gids);
		if (!slot)
			return -ENOMEM;
		*slot = (struct gid_entry){group->gid, rule};
		n_gids++;
		for (size_t j = 0; j < group->n_users && r == 0; j++)
			r = push(&held, group->users[j], rule);
		if (r < 0)
			return r;
	}
	r = write_table(writer, CACHE_HELD, &held);
	return r < 0 ? r : write_gids(writer, gids, n_gids);
}

int cache_write_rules(struct cache_writer *writer, struct jail_error *err)
{
	autoentries struct entries users = {0};
	autoentries struct entries groups = {0};
	int r = 0;

	for (size_t i = 0; i < writer->policy->n_rules && r == 0; i++) {
		const struct jail_rule *rule = &writer->policy->rules[i];
		r = check_rule(rule, i, err);
		if (r < 0)
			return r;
		bool here = jail_rule_is_for(rule, writer->facts->node);
		struct cache_rule record = {.here = here, .jail = (int32_t)rule->jail};
		r = cache_add(writer, CACHE_RULES, &record, sizeof record);
		if (r == 0 && here)
			r = sort_rule(writer, rule, (uint32_t)i, &users, &groups);
	}
	if (r == 0)
		r = write_table(writer, CACHE_USERS, &users);
	if (r == 0)
		r = write_table(writer, CACHE_GROUPS, &groups);
	if (r == 0)
		r = write_last_known(writer);
	return r < 0 ? jail_error_sys(err, -r, "cannot compile the rules") : 0;
}
