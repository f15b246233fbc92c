/* One task: a child of slurmstepd, root, in the namespaces that SLURM gave it, before any of the user's code.
 */
#pragma once

#include <stddef.h>
#include "lib/base/error.h"
#include "slurm/step.h"

/* Puts the calling process into the view of the step's user, or finds that it is in it (pam_jail put stepd
 * there, and no namespace of SLURM's undid it). ret_said: a line for the log, "" when nothing was done.
 * The process that this fails in must not go on. */
int task_enter(struct step *step, char *ret_said, size_t size, struct jail_error *err);

/* As the user, inside: what stepd opened for the task on the host (sbatch --input) must not show what the
 * view does not. Errors: -EACCES it does; errno. */
int task_check_streams(const struct step *step, struct jail_error *err);

/* As the user, inside: back to the directory that the task is to begin in. Errors: errno of chdir. */
int task_begin(const struct step *step, struct jail_error *err);
