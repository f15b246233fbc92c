/* Roots that lie outside the directory of all roots: nothing but their own parents keeps others away. */
#pragma once

#include "agent/config.h"
#include "agent/report.h"

/* Warns of every root that users can reach by its path on the host. Directories that are not there yet say
 * nothing: the agent makes them 0700. */
void jail_outside_warn(const struct jail_config *config, const struct jail_views *views,
		       struct jail_report *report);
