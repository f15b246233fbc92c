#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "lib/base/cleanup.h"
#include "lib/wire/lint.h"

void jail_lint_note(struct jail_lint *lint, bool warning, const char *rule, const char *pointer,
		    const char *format, ...)
{
	jail_autofree char *message = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&message, format, args);
	va_end(args);
	if (r < 0)
		message = NULL;
	if (!message || jail_problems_add(lint->problems, warning, rule, pointer, "%s", message) < 0)
		lint->exhausted = true;
}

const char *jail_lint_jail_pointer(char pointer[static JAIL_POINTER_MAX], const struct jail_jail *jail,
				   const char *field)
{
	snprintf(pointer, JAIL_POINTER_MAX, "/jails/%.32s%s%s", jail->name, *field ? "/" : "", field);
	return pointer;
}

const char *jail_lint_mount_pointer(char pointer[static JAIL_POINTER_MAX], const struct jail_jail *jail,
				    size_t mount, const char *field)
{
	snprintf(pointer, JAIL_POINTER_MAX, "/jails/%.32s/mounts/%zu/%s", jail->name, mount, field);
	return pointer;
}

static void lint_times(struct jail_lint *lint)
{
	if (lint->policy->expires <= lint->policy->issued)
		JAIL_LINT_ERROR(lint, "expires", "/expires",
				"the policy expires before it is issued: write a time after \"issued\"");
}

int jail_lint(const struct jail_policy *policy, struct jail_problems *problems)
{
	struct jail_lint lint = {.policy = policy, .problems = problems};
	bool whole = problems->n_errors == 0;

	if (whole)
		lint_times(&lint);
	jail_lint_roots(&lint);
	for (size_t i = 0; i < policy->n_jails; i++)
		jail_lint_mounts(&lint, &policy->jails[i]);
	jail_lint_rules(&lint);
	if (whole) {
		jail_lint_hiding(&lint);
		jail_lint_unused(&lint);
	}
	return lint.exhausted ? -ENOMEM : 0;
}
