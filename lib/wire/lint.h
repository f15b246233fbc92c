/* The rules of a policy that its schema cannot say. Internal to lib/wire; each rule's name is in the text
 * that notes it, and an example that breaks it in schema/examples/invalid. */
#pragma once

#include "lib/policy/model.h"
#include "lib/wire/problem.h"

struct jail_lint {
	const struct jail_policy *policy;
	struct jail_problems *problems;
	bool exhausted; /* memory ran out: nothing can be said */
};

/* Every rule over a policy as it was read, with gaps where something could not be read. Warnings about what
 * is never used only when there are no errors so far. Returns 0 or -ENOMEM. */
int jail_lint(const struct jail_policy *policy, struct jail_problems *problems);

/* Notes a problem at the pointer that format and what follows it make. */
#define JAIL_LINT_ERROR(lint, rule, pointer, ...)   jail_lint_note(lint, false, rule, pointer, __VA_ARGS__)
#define JAIL_LINT_WARNING(lint, rule, pointer, ...) jail_lint_note(lint, true, rule, pointer, __VA_ARGS__)
void jail_lint_note(struct jail_lint *lint, bool warning, const char *rule, const char *pointer,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

enum { JAIL_POINTER_MAX = 128 };
/* "/jails/NAME/mounts/3/bind" and the like. NAME is as the schema has it, or shortened. */
const char *jail_lint_jail_pointer(char pointer[static JAIL_POINTER_MAX], const struct jail_jail *jail,
				   const char *field);
const char *jail_lint_mount_pointer(char pointer[static JAIL_POINTER_MAX], const struct jail_jail *jail,
				    size_t mount, const char *field);

void jail_lint_roots(struct jail_lint *lint);
/* Whether root is, holds or lies in a directory of the system's. */
bool jail_lint_root_in_system(const char *root);
void jail_lint_mounts(struct jail_lint *lint, const struct jail_jail *jail);
/* Namespace jails that take nothing of the host away. */
void jail_lint_hiding(struct jail_lint *lint);
void jail_lint_rules(struct jail_lint *lint);
void jail_lint_unused(struct jail_lint *lint);

/* How two paths lie to each other when %u and %g in either may become any name, and so a * at the end of a
 * component of other. May-be counts: a rule that
 * forbids a place forbids what could become it. Of a home (%h) nothing is known: 0. */
enum { JAIL_PATH_AT = 1, JAIL_PATH_BELOW = 2, JAIL_PATH_ABOVE = 4 };
unsigned jail_path_relation(const char *path, const char *other);

/* The first entry of the list (ends with NULL) to which path has one of the relations, or NULL. */
const char *jail_path_find(const char *path, const char *const *list, unsigned relations);

/* "is", "lies in" or "holds", for a sentence "PATH ... OTHER"; "could be" and so on when path has a %u. */
const char *jail_path_words(const char *path, const char *other);

/* Bits of enum jail_template_use that path uses; 0 for NULL. */
int jail_path_uses(const char *path);

/* Directories that the system lives in, where a mount's target or a root must not meddle. */
extern const char *const jail_system_directories[]; /* programs, libraries, configuration */
extern const char *const jail_kernel_directories[]; /* /run /proc /sys /dev */
