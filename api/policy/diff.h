/* The three parts of jail-policy diff. Each prints what differs, in words, to stdout. Returns how many
 * differences it printed, or -ENOMEM. */
#pragma once

#include <sys/types.h>
#include "lib/policy/model.h"

ssize_t jail_diff_jails(const struct jail_policy *before, const struct jail_policy *after);
ssize_t jail_diff_rules(const struct jail_policy *before, const struct jail_policy *after);
/* Who becomes confined, who no longer is, who moves: users named exactly, then groups and expressions. */
ssize_t jail_diff_people(const struct jail_policy *before, const struct jail_policy *after);
