/* policy.json to struct jail_policy, and the rules that make it acceptable. */
#pragma once

#include "lib/base/error.h"
#include "lib/policy/model.h"
#include "lib/wire/problem.h"

/* Scan, cJSON, every rule of schema/policy.schema.json, every rule of lint (lib/wire/lint.c: dangerous
 * targets, references, templates, expressions, hostlists, roots). 0 when it was read, even with errors in
 * *problems (then *ret is empty: all zero); negative errno only for -ENOMEM and the like. A text that is not
 * strict JSON is one problem with rule "json". */
int jail_policy_parse(const char *text, size_t len, struct jail_policy *ret, struct jail_problems *problems,
		      struct jail_error *err);

/* As above for callers that want one sentence: -EINVAL with the first error "LINE:COLUMN: POINTER: message
 * (rule)". */
int jail_policy_parse_strict(const char *text, size_t len, struct jail_policy *ret, struct jail_error *err);
