/* Users' service managers (systemd --user) whose chroot has been taken apart. */
#pragma once

#include "agent/report.h"

/* Ends each of them at once. Nothing is left that it could run, systemd's own exit service included, so it
 * would hang for TimeoutStopSec (90 s) when it is next to stop, and a login of that user waits for it. The
 * next login starts a new one, in the view of that session. What could not be ended is warned of in report.
 */
void jail_managers_end_stranded(struct jail_report *report);
