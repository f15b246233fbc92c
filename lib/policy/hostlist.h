/* SLURM hostlist expressions, matched without expanding them: c[001-128], rack[1-3]n[01-40], login1,
 * c[1,3,5-7]. As in SLURM (src/common/hostlist.c) the digits of a range's low end give the width, and a
 * host matches only with exactly that width (c[001-128] has c007, not c7; c[1-128] has c7, not c007). */
#pragma once

#include <stdbool.h>
#include "lib/base/error.h"

/* 0 or -EINVAL with the place and the rule in err: unbalanced brackets, empty or descending range, more
 * than 9 digits, a character that no host name has, over 1,024 bytes. A comma outside brackets separates
 * expressions. */
int jail_hostlist_check(const char *expression, struct jail_error *err);

/* Whether host is one of expression's (which has passed the check). Linear in the length of both. */
bool jail_hostlist_matches(const char *expression, const char *host);
