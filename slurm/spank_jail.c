/* spank_jail.so: puts each task of a step into its user's view after SLURM's own namespaces
 * (job_container/tmpfs joins the job's after PAM, and leaves whatever view PAM had entered). */
#pragma GCC visibility push(default)
#include <slurm/slurm.h>
#include <slurm/spank.h>

SPANK_PLUGIN(spank_jail, 1)
#pragma GCC visibility pop

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "slurm/options.h"
#include "slurm/step.h"
#include "slurm/stepd.h"
#include "slurm/task.h"

#define EXPORT __attribute__((visibility("default")))

static struct step step;

/* A log line is one line, whatever stands in a path. */
static const char *clean(char *text)
{
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return text;
}

static int get_step(spank_t spank, int ac, char *argv[])
{
	struct options options;
	gid_t *gids = NULL;
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	int n_gids = 0;

	if (spank_get_item(spank, S_JOB_UID, &uid) != ESPANK_SUCCESS)
		return -1;
	/* As slurmctld or slurmd resolved them. */
	if (spank_get_item(spank, S_JOB_SUPPLEMENTARY_GIDS, &gids, &n_gids) != ESPANK_SUCCESS || !gids)
		n_gids = 0;
	jail_autofree gid_t *groups = calloc((size_t)n_gids + 1, sizeof *groups);
	if (!groups)
		return -1;
	size_t n = 0;
	if (spank_get_item(spank, S_JOB_GID, &gid) == ESPANK_SUCCESS)
		groups[n++] = gid;
	for (int i = 0; i < n_gids; i++)
		groups[n++] = gids[i];
	options_parse(ac, argv, &options);
	step_know(&step, &options, uid, groups, n);
	if (step.warning.code != 0)
		slurm_error("spank_jail: nobody is let in as a member of %s: %s", options.breakglass,
			    clean(step.warning.message));
	return 0;
}

/* Fails never: a step that ends here would drain the node, for one user's broken view. */
EXPORT int slurm_spank_init_post_opt(spank_t spank, int ac, char *argv[])
{
	if (spank_context() == S_CTX_REMOTE)
		(void)get_step(spank, ac, argv);
	return 0;
}

/* In stepd, as the user, in the directory that the tasks are to begin in. */
EXPORT int slurm_spank_user_init(spank_t spank, int ac, char *argv[])
{
	(void)spank;
	(void)ac;
	(void)argv;
	if (spank_context() == S_CTX_REMOTE && step.known && !step.cwd)
		step.cwd = getcwd(NULL, 0);
	return 0;
}

/* A task must not run. Negative: what SLURM's own codes say, which are positive, it logs and goes on. */
static int refuse(char *why)
{
	step.refused = true;
	slurm_error("spank_jail: task of %s refused: %s",
		    step.account.user ? step.account.user : "an unknown user", clean(why));
	return -1;
}

EXPORT int slurm_spank_task_init_privileged(spank_t spank, int ac, char *argv[])
{
	char said[JAIL_ERROR_MESSAGE_MAX] = "";
	struct jail_error err = {0};

	if (!step.known && get_step(spank, ac, argv) < 0)
		(void)jail_error_set(&err, EINVAL, "SLURM does not say whose it is");
	else
		(void)task_enter(&step, said, sizeof said, &err);
	if (err.code != 0)
		return refuse(err.message);
	if (said[0])
		slurm_info("spank_jail: %s", clean(said));
	return 0;
}

/* As the user, the streams in place, just before the user's code. */
EXPORT int slurm_spank_task_init(spank_t spank, int ac, char *argv[])
{
	struct jail_error err = {0};

	(void)spank;
	(void)ac;
	(void)argv;
	if (!step.refused && task_check_streams(&step, &err) < 0)
		(void)refuse(err.message);
	/* An `optional` line in plugstack.conf makes SLURM go on all the same. */
	if (step.refused)
		_exit(1);
	if (task_begin(&step, &err) < 0)
		slurm_error("spank_jail: %s", clean(err.message));
	return 0;
}

/* In stepd, when it has forked a task; with the last one it has nothing more to do for them. */
EXPORT int slurm_spank_task_post_fork(spank_t spank, int ac, char *argv[])
{
	struct jail_error err = {0};
	uint32_t n_tasks = 0;
	uint32_t number = 0;

	(void)ac;
	(void)argv;
	/* The job's own, which runs nothing of the user's and lasts as long as the job. */
	if (spank_get_item(spank, S_JOB_STEPID, &number) == ESPANK_SUCCESS && number == SLURM_EXTERN_CONT)
		return 0;
	step.n_running++;
	if (!step.known || (spank_get_item(spank, S_JOB_LOCAL_TASK_COUNT, &n_tasks) == ESPANK_SUCCESS &&
			    step.n_running < (int)n_tasks))
		return 0;
	if (stepd_enter(&step, &err) == 0)
		return 0;
	slurm_error("spank_jail: %s", clean(err.message));
	return -1;
}

static void leave(void)
{
	struct jail_error err = {0};
	if (step.known && stepd_leave(&step, &err) < 0)
		slurm_error("spank_jail: %s", clean(err.message));
}

/* In stepd, when a task and the scripts after it have ended. */
EXPORT int slurm_spank_task_exit(spank_t spank, int ac, char *argv[])
{
	(void)spank;
	(void)ac;
	(void)argv;
	if (--step.n_running <= 0)
		leave();
	return 0;
}

EXPORT int slurm_spank_exit(spank_t spank, int ac, char *argv[])
{
	(void)spank;
	(void)ac;
	(void)argv;
	leave();
	step_forget(&step);
	return 0;
}
