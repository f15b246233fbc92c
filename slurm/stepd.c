#include "slurm/stepd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/view/mount.h"
#include "lib/view/mountinfo.h"
#include "slurm/task.h"

static void forget(struct step *step)
{
	jail_cleanup_close(&step->host.ns);
	jail_cleanup_close(&step->host.root);
	jail_cleanup_close(&step->host.cwd);
	step->host.ns = step->host.root = step->host.cwd = -1;
	step->host.left = false;
}

/* PAM may have put this thread into a chroot, from inside of which nothing can be made a slave: joining the
 * namespace that it is in leads to that one's root. */
static int go_to_top(void)
{
	jail_autoclose int own = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(own, CLONE_NEWNS) < 0)
		return -errno;
	return mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ? -errno : 0;
}

static int keep_way_back(struct step *step)
{
	step->host.ns = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	step->host.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	step->host.cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (step->host.ns < 0 || step->host.root < 0)
		return -errno;
	/* Pinned mount namespaces are not copied into a new one: container_g_join of a fork fails there. */
	if (unshare(CLONE_NEWNS) < 0)
		return -errno;
	step->host.left = true;
	return go_to_top();
}

/* The host as it is, but for running anything of it: what SLURM needs to tell srun that the tasks failed is
 * where it was. Private: nothing that is mounted from now on comes. */
static int forbid_programs(void)
{
	jail_automounttable struct jail_mount_table table = {0};
	struct jail_error why;

	if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -errno;
	int r = jail_mount_table_read(&table, &why);
	for (size_t i = 0; i < table.n_lines && r == 0; i++) {
		const struct jail_mount_line *line = &table.lines[i];
		if (!line->visible || strcmp(line->fstype, "autofs") == 0)
			continue;
		jail_autoclose int fd = open(line->mount_point, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : jail_mount_set_options(fd, line->options | JAIL_OPT_NOEXEC);
	}
	return r;
}

int stepd_enter(struct step *step, struct jail_error *err)
{
	char said[JAIL_ERROR_MESSAGE_MAX];
	struct jail_error why = {0};

	if (step->host.left || (step->err.code == 0 && !step_is_confined(step)))
		return 0;
	int r = keep_way_back(step);
	if (!step->host.left)
		forget(step);
	if (r == 0 && task_enter(step, said, sizeof said, &why) < 0)
		r = forbid_programs();
	step->entered = false; /* that was stepd, not a task */
	return r < 0 ? jail_error_sys(err, -r, "cannot keep slurmstepd's scripts of the user from the host")
		     : 0;
}

int stepd_leave(struct step *step, struct jail_error *err)
{
	if (!step->host.left)
		return 0;
	int r = 0;
	if (setns(step->host.ns, CLONE_NEWNS) < 0 || fchdir(step->host.root) < 0 || chroot(".") < 0)
		r = jail_error_sys(err, errno, "cannot take slurmstepd back to the host");
	else if (step->host.cwd >= 0)
		(void)!fchdir(step->host.cwd);
	forget(step);
	return r;
}
