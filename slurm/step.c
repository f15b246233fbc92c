#include "slurm/step.h"

#include <stdlib.h>
#include <string.h>
#include "lib/policy/who.h"

static int know(struct step *step, const struct options *options, uid_t uid, const gid_t *gids, size_t n_gids)
{
	struct jail_error *err = &step->err;

	int r = jail_who_has(uid, options->breakglass, &step->account, &step->warning, err);
	if (r < 0 || r == JAIL_WHO_FREE)
		return r < 0 ? r : 0;
	if (options->unknown)
		return jail_error_set(err, EINVAL,
				      "%s is not an argument of spank_jail (spank_jail(8) has them)",
				      options->unknown);
	step->subject = (struct jail_subject){
		.account = &step->account, .run = options->run, .breakglass = options->breakglass};
	r = jail_subject_open(&step->subject, options->cache, err);
	if (r == 0)
		r = jail_subject_look_up(&step->subject, false, gids, n_gids, err);
	return r;
}

void step_know(struct step *step, const struct options *options, uid_t uid, const gid_t *gids, size_t n_gids)
{
	*step = (struct step){.known = true, .host = {.ns = -1, .root = -1, .cwd = -1}};
	if (know(step, options, uid, gids, n_gids) == 0)
		step->err.code = 0;
}

bool step_is_confined(const struct step *step)
{
	return step->known && step->account.user && jail_subject_is_confined(&step->subject);
}

void step_forget(struct step *step)
{
	jail_subject_release(&step->subject);
	jail_account_release(&step->account);
	free(step->cwd);
	*step = (struct step){0};
}
