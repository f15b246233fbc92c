#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/policy/describe.h"
#include "api/policy/diff.h"
#include "lib/base/cleanup.h"

enum { NAMES_SHOWN = 5 };

/* A policy's rules as texts, in their order and sorted. */
struct texts {
	const struct jail_policy *policy;
	size_t n;
	struct text {
		char *text;
		size_t rule;
	} * sorted;
	char **ordered; /* the same strings */
};

static void release_texts(struct texts *texts)
{
	for (size_t i = 0; texts->sorted && i < texts->n; i++)
		free(texts->sorted[i].text);
	free(texts->sorted);
	free((void *)texts->ordered);
}

static int text_compare(const void *a, const void *b)
{
	const struct text *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static int make_texts(const struct jail_policy *policy, struct texts *ret)
{
	ret->policy = policy;
	ret->sorted = calloc(policy->n_rules + 1, sizeof *ret->sorted);
	ret->ordered = calloc(policy->n_rules + 1, sizeof *ret->ordered);
	if (!ret->sorted || !ret->ordered)
		return -ENOMEM;
	for (; ret->n < policy->n_rules; ret->n++) {
		struct jail_buffer text = JAIL_BUFFER_INIT;

		if (jail_describe_rule(policy, &policy->rules[ret->n], SIZE_MAX, &text) < 0) {
			jail_buffer_release(&text);
			return -ENOMEM;
		}
		ret->sorted[ret->n] = (struct text){text.data, ret->n};
		ret->ordered[ret->n] = text.data;
	}
	qsort(ret->sorted, ret->n, sizeof *ret->sorted, text_compare);
	return 0;
}

static int print_rules(const struct texts *texts, const bool *only, const char *what)
{
	for (size_t i = 0; i < texts->n; i++) {
		jail_autobuffer struct jail_buffer line = JAIL_BUFFER_INIT;

		if (!only[i])
			continue;
		if (jail_describe_rule(texts->policy, &texts->policy->rules[i], NAMES_SHOWN, &line) < 0)
			return -ENOMEM;
		printf("rule %zu %s: %s\n", i, what, line.data);
	}
	return 0;
}

/* Marks the rules that only one of them has. Returns how many. */
static ssize_t mark_rules(const struct texts *was, const struct texts *is, bool *only_was, bool *only_is)
{
	size_t i = 0, j = 0;
	ssize_t n = 0;

	while (i < was->n || j < is->n) {
		int order = i == was->n	 ? 1
			    : j == is->n ? -1
					 : strcmp(was->sorted[i].text, is->sorted[j].text);

		if (order < 0)
			only_was[was->sorted[i].rule] = true;
		if (order > 0)
			only_is[is->sorted[j].rule] = true;
		n += order != 0;
		i += order <= 0;
		j += order >= 0;
	}
	return n;
}

ssize_t jail_diff_rules(const struct jail_policy *before, const struct jail_policy *after)
{
	__attribute__((cleanup(release_texts))) struct texts was = {0}, is = {0};
	jail_autofree bool *only_was = calloc(before->n_rules + 1, sizeof *only_was);
	jail_autofree bool *only_is = calloc(after->n_rules + 1, sizeof *only_is);
	ssize_t n;

	if (!only_was || !only_is || make_texts(before, &was) < 0 || make_texts(after, &is) < 0)
		return -ENOMEM;
	n = mark_rules(&was, &is, only_was, only_is);
	if (print_rules(&was, only_was, "gone") < 0 || print_rules(&is, only_is, "new") < 0)
		return -ENOMEM;
	for (size_t i = 0; n == 0 && i < is.n; i++) {
		if (strcmp(was.ordered[i], is.ordered[i]) == 0)
			continue;
		printf("rules: the same, in another order from rule %zu on\n", i);
		n = 1;
	}
	return n;
}
