/* What is wrong with a document, as a list: a person wants all of it at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct jail_problem {
	char *pointer; /* RFC 6901, "" is the whole document */
	size_t line, column;
	char *rule;    /* short stable name of the rule: "unknown-field", "dangerous-target", ... */
	char *message; /* a sentence: what is wrong and what to write instead */
	bool warning;  /* true: worth knowing, accepted all the same */
};

struct jail_problems {
	struct jail_problem *list;
	size_t n;
	size_t n_errors;
};

/* Adds one; line and column are filled in later by jail_problems_locate. Control characters in the message
 * become '?'. After 200 errors (100 warnings) more are counted, not kept. -ENOMEM. */
int jail_problems_add(struct jail_problems *problems, bool warning, const char *rule, const char *pointer,
		      const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Finds the places of those that have none, and sorts all by place; control characters in pointers become '?'
 * then. */
void jail_problems_locate(struct jail_problems *problems, const char *text, size_t len);
void jail_problems_release(struct jail_problems *problems);
#define jail_autoproblems __attribute__((cleanup(jail_problems_release)))
