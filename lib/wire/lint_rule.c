/* Rules that lead to a jail: whether its members can be listed, and whether the rule is ever reached. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/policy/match.h"
#include "lib/wire/lint.h"

static void rule_pointer(char pointer[static JAIL_POINTER_MAX], size_t rule, const char *field)
{
	snprintf(pointer, JAIL_POINTER_MAX, "/rules/%zu%s%s", rule, *field ? "/" : "", field);
}

static const char *kind_name(const struct jail_rule *rule)
{
	return rule->kind == JAIL_RULE_USERS ? "users" : rule->kind == JAIL_RULE_GROUPS ? "groups" : "match";
}

static bool is_templated(const struct jail_jail *jail)
{
	if (jail_path_uses(jail->root))
		return true;
	for (size_t i = 0; i < jail->n_mounts; i++)
		if (jail_path_uses(jail->mounts[i].target) || jail_path_uses(jail->mounts[i].from))
			return true;
	return false;
}

static bool brackets_closed(const char *glob)
{
	while ((glob = strchr(glob, '['))) {
		glob++;
		if (*glob == '!' || *glob == '^')
			glob++;
		/* A ] that comes first is one of the characters. */
		glob = *glob ? strchr(glob + 1, ']') : NULL;
		if (!glob)
			return false;
	}
	return true;
}

/* fnmatch(3) takes an open [ for itself: the rule would silently name nobody. */
static void lint_globs(struct jail_lint *lint, size_t index)
{
	const struct jail_rule *rule = &lint->policy->rules[index];
	char pointer[JAIL_POINTER_MAX];

	for (size_t i = 0; rule->kind == JAIL_RULE_GROUPS && i < rule->n_names; i++) {
		if (brackets_closed(rule->names[i]))
			continue;
		snprintf(pointer, sizeof pointer, "/rules/%zu/groups/%zu", index, i);
		JAIL_LINT_ERROR(lint, "glob", pointer, "in the glob \"%s\" a [ has no ] that closes it",
				rule->names[i]);
	}
}

/* A root or an entry for each member must be made before the member comes: each must be known. */
static void lint_members(struct jail_lint *lint, size_t index)
{
	const struct jail_rule *rule = &lint->policy->rules[index];
	const struct jail_jail *jail = &lint->policy->jails[rule->jail];
	char pointer[JAIL_POINTER_MAX];
	const char *pattern = NULL;

	if (jail->confine == JAIL_CONFINE_NAMESPACE)
		return; /* each session makes its own */
	for (size_t i = 0; rule->kind != JAIL_RULE_USERS && i < rule->n_names && !pattern; i++)
		if (rule->kind == JAIL_RULE_MATCH || jail_glob_is_pattern(rule->names[i]))
			pattern = rule->names[i];
	if (!pattern)
		return;
	rule_pointer(pointer, index, kind_name(rule));
	if (is_templated(jail))
		JAIL_LINT_ERROR(
			lint, "members-unknown", pointer,
			"jail \"%s\" is made for each member, and nobody can list whom \"%s\" means: name "
			"users or whole groups, or take %%u, %%g and %%h out of the jail",
			jail->name, pattern);
	else
		JAIL_LINT_WARNING(
			lint, "members-unlisted", pointer,
			"whom \"%s\" means is known when they log in: pam_jail confines them, but the "
			"lines for stock pam_chroot.so in chroot.conf name only those that can be "
			"listed now",
			pattern);
}

static void lint_uid_0(struct jail_lint *lint, size_t index)
{
	const struct jail_rule *rule = &lint->policy->rules[index];
	char pointer[JAIL_POINTER_MAX];

	for (size_t i = 0; rule->kind == JAIL_RULE_USERS && i < rule->n_names; i++) {
		if (strcmp(rule->names[i], "root") != 0)
			continue;
		snprintf(pointer, sizeof pointer, "/rules/%zu/users/%zu", index, i);
		JAIL_LINT_WARNING(
			lint, "root-user", pointer,
			"uid 0 is never confined: leave out \"root\", or name an account that is not "
			"an administrator's");
	}
}

void jail_lint_rules(struct jail_lint *lint)
{
	const struct jail_policy *policy = lint->policy;

	for (size_t i = 0; i < policy->n_rules; i++) {
		lint_globs(lint, i);
		if (policy->rules[i].jail == JAIL_EXEMPT)
			continue;
		lint_members(lint, i);
		lint_uid_0(lint, i);
	}
}

static void lint_unused_jails(struct jail_lint *lint)
{
	const struct jail_policy *policy = lint->policy;
	jail_autofree bool *used = calloc(policy->n_jails + 1, sizeof *used);
	char pointer[JAIL_POINTER_MAX];

	if (!used) {
		lint->exhausted = true;
		return;
	}
	for (size_t i = 0; i < policy->n_rules; i++)
		if (policy->rules[i].jail != JAIL_EXEMPT)
			used[policy->rules[i].jail] = true;
	for (size_t i = 0; i < policy->n_jails; i++)
		if (!used[i])
			JAIL_LINT_WARNING(
				lint, "unused-jail", jail_lint_jail_pointer(pointer, &policy->jails[i], ""),
				"no rule leads to jail \"%s\": nobody is in it", policy->jails[i].name);
}

struct naming {
	enum jail_rule_kind kind;
	const char *name;
	size_t rule, index;
};

static int naming_compare(const void *a, const void *b)
{
	const struct naming *x = a, *y = b;
	int order = (x->kind > y->kind) - (x->kind < y->kind);

	if (!order)
		order = strcmp(x->name, y->name);
	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static void note_covered(struct jail_lint *lint, const struct naming *late, const struct naming *early,
			 size_t *left)
{
	const struct jail_rule *rule = &lint->policy->rules[late->rule];
	char pointer[JAIL_POINTER_MAX];

	if (--left[late->rule] == 0) {
		rule_pointer(pointer, late->rule, "");
		JAIL_LINT_WARNING(
			lint, "unreachable", pointer,
			"this rule never holds: rules before it name the same %s on every node; the "
			"first that matches counts",
			rule->kind == JAIL_RULE_MATCH ? "expression" : kind_name(rule));
		return;
	}
	snprintf(pointer, sizeof pointer, "/rules/%zu/%s/%zu", late->rule, kind_name(rule), late->index);
	JAIL_LINT_WARNING(lint, "unreachable", pointer,
			  "\"%s\" is named in rule %zu already, on every node; the first that matches counts",
			  late->name, early->rule);
}

/* All names of all rules in one sorted array: a hundred thousand users are no work. */
static size_t collect(const struct jail_policy *policy, struct naming *list, size_t *left)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->n_rules; i++) {
		left[i] = policy->rules[i].n_names;
		for (size_t j = 0; j < policy->rules[i].n_names; j++)
			list[n++] = (struct naming){policy->rules[i].kind, policy->rules[i].names[j], i, j};
	}
	qsort(list, n, sizeof *list, naming_compare);
	return n;
}

static void lint_unreachable(struct jail_lint *lint)
{
	const struct jail_policy *policy = lint->policy;
	jail_autofree size_t *left = calloc(policy->n_rules + 1, sizeof *left);
	jail_autofree struct naming *list = NULL;
	const struct naming *early = NULL;
	size_t n = 0;

	for (size_t i = 0; i < policy->n_rules; i++)
		n += policy->rules[i].n_names;
	list = calloc(n + 1, sizeof *list);
	if (!left || !list) {
		lint->exhausted = true;
		return;
	}
	n = collect(policy, list, left);
	for (size_t i = 0; i < n; i++) {
		if (early && (early->kind != list[i].kind || strcmp(early->name, list[i].name) != 0))
			early = NULL;
		if (early)
			note_covered(lint, &list[i], early, left);
		else if (policy->rules[list[i].rule].n_nodes == 0)
			early = &list[i];
	}
}

void jail_lint_unused(struct jail_lint *lint)
{
	lint_unused_jails(lint);
	lint_unreachable(lint);
}
