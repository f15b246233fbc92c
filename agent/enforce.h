/* Making the node as the policy says, in the order that never opens a door: what is missing is mounted, then
 * the cache is replaced, then chroot.conf, and only then what is no longer wanted goes. */
#pragma once

#include "agent/config.h"
#include "agent/report.h"
#include "agent/state.h"
#include "lib/view/sync.h"

/* What went wrong is in report; everything else is done all the same. */
void jail_enforce(const struct jail_config *config, const struct jail_known *policy,
		  struct jail_report *report);

/* The directories and the manifest, as lib/view/sync.h wants them. */
struct jail_node jail_node_of(const struct jail_config *config);

/* The digest of what is observed, into report. */
void jail_report_observed(struct jail_report *report, const struct jail_views *views,
			  const struct jail_observation *observation);
