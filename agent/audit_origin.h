/* Through which door a process came in, told from its control group (cgroups(7)). */
#pragma once

#include "agent/audit_tree.h"

/* cgroup: what /proc/PID/cgroup says. "sshd (session 3)", "SLURM (job 42, step 0)", "their systemd manager",
 * "cron.service", ... *ret is allocated. tree: where logind keeps who opened a session. 0 or -ENOMEM. */
int jail_audit_origin(const struct jail_tree *tree, const char *cgroup, char **ret);
