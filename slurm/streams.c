/* The task's standard streams. stepd opens files for them (sbatch --input, srun --output=%t) as the user, but
 * before the task is in its view. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "slurm/task.h"

/* Whether the view has the same file at that path. */
static bool is_shown(const char *path, const struct stat *st)
{
	struct stat here;
	return lstat(path, &here) == 0 && here.st_dev == st->st_dev && here.st_ino == st->st_ino;
}

static int check(int fd, uid_t uid, struct jail_error *err)
{
	char link[64];
	char path[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno == EBADF ? 0 : jail_error_sys(err, errno, "cannot stat descriptor %d", fd);
	if (S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode))
		return 0;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof path - 1);
	if (len < 0)
		return jail_error_sys(err, errno, "cannot tell what descriptor %d is", fd);
	path[len] = '\0';
	if (path[0] != '/')
		return 0; /* a pipe */
	/* From a directory of the host's, ".." leads on. */
	if (S_ISDIR(st.st_mode))
		return jail_error_set(err, EACCES, "%s, a directory, is one of the task's standard streams",
				      path);
	/* What is the user's own shows them nothing new: output in the host's /tmp, where the job has its
	 * own.
	 */
	if (st.st_uid == uid || is_shown(path, &st))
		return 0;
	return jail_error_set(
		err, EACCES, "%s is one of the task's standard streams, and the view does not show it", path);
}

int task_check_streams(const struct step *step, struct jail_error *err)
{
	int r = 0;
	if (!step->entered)
		return 0;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && r == 0; fd++)
		r = check(fd, step->account.uid, err);
	return r;
}
