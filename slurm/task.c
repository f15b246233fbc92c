#include "slurm/task.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/view/enter.h"
#include "lib/view/own.h"

static int check_inside(const struct step *step, struct jail_error *err)
{
	const struct jail_subject *subject = &step->subject;
	jail_autoclose int host = -1;

	int r = jail_enter_host_root(subject->run, &host, err);
	if (r == 0)
		r = jail_subject_is_at_home(subject, host, err);
	if (r < 0)
		return r;
	if (r == 0)
		return jail_error_set(err, EXDEV, "%s belongs into jail %s, and this task is in another view",
				      step->account.user, subject->jail.name);
	return 0;
}

/* The other tasks of the job share its mount namespace, and the roots in it. */
static int leave_shared_namespace(struct jail_error *err)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return jail_error_sys(err, errno, "cannot make a mount namespace for the task");
	return 0;
}

static int carry_own(const struct step *step, const struct jail_own *own, int root, struct jail_error *err)
{
	jail_autoview struct jail_view view = {0};
	int r = jail_subject_view(&step->subject, &view, err);
	return r < 0 ? r : jail_own_carry(own, &view, root, err);
}

static int enter(struct step *step, char *ret_said, size_t size, struct jail_error *err)
{
	jail_autoview struct jail_view view = {0};
	jail_autoown struct jail_own own = {0};
	struct jail_entered entered = JAIL_ENTERED_INIT;
	struct jail_door door = {.root = -1};
	bool chroots = step->subject.jail.confine == JAIL_CONFINE_CHROOT;

	int r = jail_own_find(&own, err);
	if (r == 0 && chroots && own.n_paths > 0)
		r = leave_shared_namespace(err);
	if (r == 0)
		r = jail_subject_door(&step->subject, &view, &door, err);
	jail_autoclose int root = door.root;
	if (r == 0 && chroots && own.n_paths > 0)
		r = carry_own(step, &own, root, err);
	if (r < 0)
		return r;
	jail_own_keep(&own, &view);
	jail_subject_describe(&step->subject, &door, ret_said, size);
	r = jail_enter(&door, &entered, err);
	/* There is no way back: the process ends as the user's. */
	jail_enter_forget(&entered);
	return r < 0 ? jail_error_prefix(err, "jail %s can't be entered", step->subject.jail.name) : 0;
}

int task_enter(struct step *step, char *ret_said, size_t size, struct jail_error *err)
{
	ret_said[0] = '\0';
	if (step->err.code != 0) {
		*err = step->err;
		return jail_error_negative(-err->code);
	}
	if (!step_is_confined(step))
		return 0;
	int inside = jail_enter_inside_any(step->subject.run);
	if (inside < 0)
		return jail_error_sys(err, -inside, "cannot tell whether this task is in a view");
	if (inside)
		return check_inside(step, err);
	int r = enter(step, ret_said, size, err);
	step->entered = r == 0;
	return r;
}

int task_begin(const struct step *step, struct jail_error *err)
{
	if (!step->entered || !step->cwd || chdir(step->cwd) == 0)
		return 0;
	int code = errno;
	return chdir("/tmp") == 0
		       ? jail_error_sys(err, code, "cannot change to %s, going to /tmp instead", step->cwd)
		       : jail_error_sys(err, code, "cannot change to %s, nor to /tmp", step->cwd);
}
