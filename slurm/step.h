/* What one slurmstepd knows about its step. Found out before PAM and before the tasks fork: stepd is on the
 * host then, and a fork of a process with threads is no place to ask the name service. */
#pragma once

#include <stdbool.h>
#include "lib/base/error.h"
#include "lib/policy/account.h"
#include "lib/view/subject.h"
#include "slurm/options.h"

struct step {
	struct jail_account account; /* user is NULL: nobody whom the policy concerns */
	struct jail_subject subject;
	struct jail_error warning; /* code is not 0: for the log */
	struct jail_error err;	   /* code is not 0: why no task may run */
	char *cwd;		   /* where stepd wants the tasks to begin */
	struct {		   /* the way back of slurmstepd itself */
		bool left;
		int ns, root, cwd;
	} host;
	int n_running; /* tasks that were forked and have not ended */
	bool known;    /* the above is filled */
	bool refused;  /* this task must not run */
	bool entered;  /* this task's process was put into its view */
};

/* gids: the job's groups. What fails is kept in step->err. */
void step_know(struct step *step, const struct options *options, uid_t uid, const gid_t *gids, size_t n_gids);
/* Whether it is known, and somebody whom the policy confines. */
bool step_is_confined(const struct step *step);
void step_forget(struct step *step);
