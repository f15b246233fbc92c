/* Whom a change is for. A user named exactly is followed through all rules by users and by match; a group or
 * an expression through the rules that name it, since who is meant is known on the nodes only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/policy/describe.h"
#include "api/policy/diff.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/policy/match.h"

enum { PEOPLE_SHOWN = 20 };

struct naming {
	enum jail_rule_kind kind;
	const char *name;
	size_t rule;
};

/* One policy, made ready for being asked about one name after another. */
struct side {
	const struct jail_policy *policy;
	struct naming *namings; /* sorted by kind, name, rule */
	size_t n_namings;
	struct jail_match *matches; /* one a rule */
};

struct change {
	enum jail_rule_kind kind;
	const char *name;
	const char *title;
	char *words; /* what becomes of them, and what it was */
};

struct changes {
	struct change *list;
	size_t n;
};

static void release_side(struct side *side)
{
	for (size_t i = 0; side->matches && i < side->policy->n_rules; i++)
		jail_match_release(&side->matches[i]);
	free(side->matches);
	free(side->namings);
}

static void release_changes(struct changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		free(changes->list[i].words);
	free(changes->list);
}

static int name_compare(const struct naming *x, const struct naming *y)
{
	int order = (x->kind > y->kind) - (x->kind < y->kind);

	return order ? order : strcmp(x->name, y->name);
}

static int naming_compare(const void *a, const void *b)
{
	const struct naming *x = a, *y = b;
	int order = name_compare(x, y);

	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static int make_side(const struct jail_policy *policy, struct side *side)
{
	size_t n = 0;

	side->policy = policy;
	for (size_t i = 0; i < policy->n_rules; i++)
		n += policy->rules[i].n_names;
	side->namings = calloc(n + 1, sizeof *side->namings);
	side->matches = calloc(policy->n_rules + 1, sizeof *side->matches);
	if (!side->namings || !side->matches)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct jail_rule *rule = &policy->rules[i];

		for (size_t j = 0; j < rule->n_names; j++)
			side->namings[side->n_namings++] = (struct naming){rule->kind, rule->names[j], i};
		if (rule->kind == JAIL_RULE_MATCH &&
		    jail_match_compile(rule->names[0], &side->matches[i], NULL) < 0)
			return -ENOMEM;
	}
	qsort(side->namings, n, sizeof *side->namings, naming_compare);
	return 0;
}

/* Index of the first naming that is not before the wanted one. */
static size_t find_naming(const struct side *side, const struct naming *wanted)
{
	size_t low = 0, high = side->n_namings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (naming_compare(&side->namings[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first rule from the given one on that holds for what who names; n_rules: none. */
static size_t next_rule(const struct side *side, const struct naming *who, size_t from)
{
	const struct jail_policy *policy = side->policy;
	size_t at = find_naming(side, &(struct naming){who->kind, who->name, from});
	size_t best = policy->n_rules;

	if (at < side->n_namings && name_compare(&side->namings[at], who) == 0)
		best = side->namings[at].rule;
	if (who->kind == JAIL_RULE_MATCH)
		return best;
	for (size_t i = from; i < best; i++) {
		const struct jail_rule *rule = &policy->rules[i];

		if (who->kind == JAIL_RULE_USERS && rule->kind == JAIL_RULE_MATCH &&
		    jail_match_whole(&side->matches[i], who->name) > 0)
			return i;
		for (size_t j = 0;
		     who->kind == JAIL_RULE_GROUPS && rule->kind == JAIL_RULE_GROUPS && j < rule->n_names;
		     j++)
			if (jail_glob_is_pattern(rule->names[j]) &&
			    jail_glob_matches(rule->names[j], who->name))
				return i;
	}
	return best;
}

/* "jail a on login1, not confined elsewhere". *ret_confined: somewhere. */
static int describe_fate(const struct side *side, const struct naming *who, struct jail_buffer *ret,
			 bool *ret_confined)
{
	const struct jail_policy *policy = side->policy;
	size_t rule = next_rule(side, who, 0);
	bool confined = false, parts = false;
	int r = 0;

	for (; r == 0 && rule < policy->n_rules && policy->rules[rule].n_nodes;
	     rule = next_rule(side, who, rule + 1)) {
		const struct jail_rule *found = &policy->rules[rule];

		confined = confined || found->jail != JAIL_EXEMPT;
		r = jail_describe_place(policy, found->jail, ret);
		for (size_t i = 0; r == 0 && i < found->n_nodes; i++)
			r = jail_buffer_printf(ret, "%s%s", i ? "," : " on ", found->nodes[i]);
		if (r == 0)
			r = jail_buffer_puts(ret, ", ");
		parts = true;
	}
	if (r == 0) {
		ssize_t jail = rule < policy->n_rules ? policy->rules[rule].jail : JAIL_EXEMPT;

		confined = confined || jail != JAIL_EXEMPT;
		r = jail_describe_place(policy, jail, ret);
	}
	if (r == 0 && parts)
		r = jail_buffer_puts(ret, " elsewhere");
	*ret_confined = confined;
	return r;
}

static int compare_fates(const struct side *before, const struct side *after, const struct naming *who,
			 struct changes *changes)
{
	jail_autobuffer struct jail_buffer was = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer is = JAIL_BUFFER_INIT;
	bool was_confined, is_confined;
	struct change *room;
	char *words;

	if (describe_fate(before, who, &was, &was_confined) < 0 ||
	    describe_fate(after, who, &is, &is_confined) < 0)
		return -ENOMEM;
	if (strcmp(was.data, is.data) == 0 || (!was_confined && !is_confined))
		return 0;
	if (asprintf(&words, "%s; before: %s", is.data, was.data) < 0)
		return -ENOMEM;
	room = JAIL_ARRAY_PUSH(changes->list, changes->n);
	if (!room) {
		free(words);
		return -ENOMEM;
	}
	*room = (struct change){who->kind, who->name,
				!was_confined  ? "newly confined"
				: !is_confined ? "no longer confined"
					       : "confined otherwise",
				words};
	changes->n++;
	return 0;
}

/* Everybody whom one of the two names, once each. */
static int collect(const struct side *before, const struct side *after, struct changes *changes)
{
	size_t i = 0, j = 0;

	while (i < before->n_namings || j < after->n_namings) {
		int order = i == before->n_namings  ? 1
			    : j == after->n_namings ? -1
						    : name_compare(&before->namings[i], &after->namings[j]);
		const struct naming *who = order <= 0 ? &before->namings[i] : &after->namings[j];

		if (compare_fates(before, after, who, changes) < 0)
			return -ENOMEM;
		while (i < before->n_namings && name_compare(&before->namings[i], who) == 0)
			i++;
		while (j < after->n_namings && name_compare(&after->namings[j], who) == 0)
			j++;
	}
	return 0;
}

static int change_compare(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int order = (x->kind > y->kind) - (x->kind < y->kind);

	if (!order)
		order = strcmp(x->title, y->title);
	if (!order)
		order = strcmp(x->words, y->words);
	return order ? order : strcmp(x->name, y->name);
}

static const char *kind_words(enum jail_rule_kind kind)
{
	return kind == JAIL_RULE_USERS ? "users" : kind == JAIL_RULE_GROUPS ? "who is in" : "who matches";
}

/* Those with one fate on one line. */
static void print_changes(struct changes *changes)
{
	size_t end;

	if (changes->n)
		qsort(changes->list, changes->n, sizeof *changes->list, change_compare);
	for (size_t i = 0; i < changes->n; i = end) {
		const struct change *first = &changes->list[i];

		printf("%s: %s %s", first->title, kind_words(first->kind), first->name);
		for (end = i + 1; end < changes->n && changes->list[end].kind == first->kind &&
				  strcmp(changes->list[end].words, first->words) == 0;
		     end++)
			if (end < i + PEOPLE_SHOWN)
				printf(", %s", changes->list[end].name);
		if (end > i + PEOPLE_SHOWN)
			printf(" and %zu more", end - i - PEOPLE_SHOWN);
		printf(": %s\n", first->words);
	}
}

/* Who is in a group is known on the nodes only, so a rule by groups that stands first is not looked at. */
static void print_limits(const struct side *before, const struct side *after, const struct changes *changes)
{
	const struct side *const sides[] = {before, after};
	bool users = false;

	for (size_t i = 0; i < changes->n; i++)
		users = users || changes->list[i].kind == JAIL_RULE_USERS;
	for (size_t i = 0; users && i < 2; i++) {
		for (size_t j = 0; j < sides[i]->n_namings; j++) {
			if (sides[i]->namings[j].kind != JAIL_RULE_GROUPS)
				continue;
			printf("note: users are compared without their groups; explain --groups takes them "
			       "in\n");
			return;
		}
	}
}

ssize_t jail_diff_people(const struct jail_policy *before, const struct jail_policy *after)
{
	__attribute__((cleanup(release_side))) struct side was = {.policy = before}, is = {.policy = after};
	__attribute__((cleanup(release_changes))) struct changes changes = {0};

	if (make_side(before, &was) < 0 || make_side(after, &is) < 0 || collect(&was, &is, &changes) < 0)
		return -ENOMEM;
	print_changes(&changes);
	print_limits(&was, &is, &changes);
	return (ssize_t)changes.n;
}
