/* Names against the globs of "groups" and the expressions of "match". Both are taken byte by byte, as in the
 * C locale, whatever locale the caller has (uselocale(3) is a thread's own). */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include "lib/base/error.h"

/* Whether a group's name in a rule is a fnmatch(3) glob: it has one of * ? [ in it. */
bool jail_glob_is_pattern(const char *name);
/* fnmatch(3) with FNM_NOESCAPE: a backslash is an ordinary character. */
bool jail_glob_matches(const char *glob, const char *name);

struct jail_match {
	regex_t regex;
	bool compiled;
};

/* Compiles a POSIX ERE (regex(7)). Errors: -EINVAL longer than 256 bytes, a back-reference (GNU's regcomp
 * takes \1 in an ERE, and matching it is exponential), or what regcomp(3) says. */
int jail_match_compile(const char *expression, struct jail_match *ret, struct jail_error *err);
/* Whether the expression matches name from its first byte to its last: 1, 0, or -ENOMEM when that cannot be
 * told. */
int jail_match_whole(const struct jail_match *match, const char *name);
void jail_match_release(struct jail_match *match);
#define jail_automatch __attribute__((cleanup(jail_match_release)))
