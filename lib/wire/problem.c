#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/wire/json.h"
#include "lib/wire/problem.h"

/* Nobody reads more, and each one costs a walk through the text: a document that is wrong in a million places
 * must not take hours. Errors count on in n_errors. */
enum { WARNINGS_MAX = 100, ERRORS_MAX = 200 };

static void problem_release(struct jail_problem *problem)
{
	free(problem->pointer);
	free(problem->rule);
	free(problem->message);
}

/* What a document holds goes to terminals and logs: a problem stays one line, without control characters
 * (those of ISO 6429 in UTF-8, C2 80 to C2 9F, among them). */
static void make_printable(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
		else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
}

static int message_make(char **ret, const char *format, va_list args)
{
	return vasprintf(ret, format, args) < 0 ? -ENOMEM : 0;
}

int jail_problems_add(struct jail_problems *problems, bool warning, const char *rule, const char *pointer,
		      const char *format, ...)
{
	struct jail_problem made = {.warning = warning}, *room;
	size_t kept_errors = 0;
	va_list args;
	int r;

	for (size_t i = 0; i < problems->n; i++)
		kept_errors += !problems->list[i].warning;
	if (warning ? problems->n - kept_errors >= WARNINGS_MAX : kept_errors >= ERRORS_MAX) {
		problems->n_errors += !warning;
		return 0;
	}
	va_start(args, format);
	r = message_make(&made.message, format, args);
	va_end(args);
	if (r < 0)
		return r;
	make_printable(made.message);
	made.pointer = strdup(pointer);
	made.rule = strdup(rule);
	room = made.pointer && made.rule ? JAIL_ARRAY_PUSH(problems->list, problems->n) : NULL;
	if (!room) {
		problem_release(&made);
		return -ENOMEM;
	}
	*room = made;
	problems->n++;
	problems->n_errors += !warning;
	return 0;
}

static bool comes_after(const struct jail_problem *a, const struct jail_problem *b)
{
	return a->line != b->line ? a->line > b->line : a->column > b->column;
}

void jail_problems_locate(struct jail_problems *problems, const char *text, size_t len)
{
	for (size_t i = 0; i < problems->n; i++) {
		struct jail_problem problem = problems->list[i];
		size_t at = i;

		if (problem.line == 0)
			jail_json_locate(text, len, problem.pointer, &problem.line, &problem.column);
		make_printable(problem.pointer); /* from here on it is for people */
		/* In the order of the text; of one place, in the order they were found. */
		for (; at > 0 && comes_after(&problems->list[at - 1], &problem); at--)
			problems->list[at] = problems->list[at - 1];
		problems->list[at] = problem;
	}
}

void jail_problems_release(struct jail_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		problem_release(&problems->list[i]);
	free(problems->list);
	*problems = (struct jail_problems){0};
}
