/* Which policy holds: what the endpoint has if it is acceptable, else what was accepted last. */
#pragma once

#include "agent/config.h"
#include "agent/report.h"
#include "agent/state.h"

/* Loads last-known-good, and unless offline asks the endpoint; stores what is accepted. What went wrong is in
 * report: kept when the endpoint's policy is not taken, failed when there is none at all.
 * Returns whether *ret holds a policy. */
bool jail_obtain(const struct jail_config *config, bool offline, struct jail_report *report,
		 struct jail_known *ret);
