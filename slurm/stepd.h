/* slurmstepd itself, while its tasks run: it forks the user's --task-epilog, which no hook of SPANK's sees.
 */
#pragma once

#include "lib/base/error.h"
#include "slurm/step.h"

/* Moves the calling thread, stepd's own, into the view of a confined user, in a mount namespace from which
 * the job's can't be joined (PAM may have put it into the view before); where the view can't be had, or no
 * task may run, into one in which no program can be run. Errors: neither could be done. */
int stepd_enter(struct step *step, struct jail_error *err);

/* Back to the host, if it is not there. */
int stepd_leave(struct step *step, struct jail_error *err);
