#include "agent/sandbox_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/ask.h"
#include "lib/base/cleanup.h"

enum { OUT = 3, NOBODY = 65534 };

struct jail_sandbox_user jail_sandbox_find_user(void)
{
	struct jail_sandbox_user user = {NOBODY, NOBODY};
	jail_autofclose FILE *file = fopen("/etc/passwd", "re");

	if (!file)
		return user;
	for (const struct passwd *entry; (entry = fgetpwent(file));) {
		if (entry->pw_uid == 0)
			continue;
		if (strcmp(entry->pw_name, "clusterjail") == 0)
			return (struct jail_sandbox_user){entry->pw_uid, entry->pw_gid};
		if (strcmp(entry->pw_name, "nobody") == 0)
			user = (struct jail_sandbox_user){entry->pw_uid, entry->pw_gid};
	}
	return user;
}

/* Standard input, output and error lead to /dev/null, out becomes descriptor 3, the rest is closed. */
static int keep_only(int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = 0; fd < OUT; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	if (out != OUT && dup2(out, OUT) < 0)
		return -errno;
	jail_fds_close_from(OUT + 1);
	return 0;
}

static int limit(int resource, rlim_t value)
{
	const struct rlimit both = {value, value};

	return setrlimit((__rlimit_resource_t)resource, &both) < 0 ? -errno : 0;
}

static int set_limits(const struct jail_sandbox *sandbox)
{
	int r = limit(RLIMIT_NOFILE, 64);

	if (r == 0)
		r = limit(RLIMIT_FSIZE, 0);
	if (r == 0)
		r = limit(RLIMIT_CORE, 0);
	if (r == 0)
		r = limit(RLIMIT_CPU, sandbox->seconds + 1);
	/* getaddrinfo(3) of libcurl runs in a thread, and what counts is all processes of that user. */
	if (r == 0 && !sandbox->network)
		r = limit(RLIMIT_NPROC, 0);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow memory is a reservation of terabytes */
	if (r == 0)
		r = limit(RLIMIT_AS, sandbox->memory);
#endif
	return r;
}

static int drop_privileges(const struct jail_sandbox_user *user)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	/* A container's root may have inheritable ones, which a change of user leaves (capabilities(7)). */
	if (syscall(SYS_capset, &header, none) < 0)
		return -errno;
	if (setuid(0) == 0 || getuid() != user->uid || geteuid() != user->uid)
		return -EPERM;
	return 0;
}

int jail_sandbox_enter(const struct jail_sandbox *sandbox, const struct jail_sandbox_user *user, int parent,
		       int out, struct jail_error *err)
{
	int r = keep_only(out);

	if (r < 0)
		return jail_error_sys(err, -r, "cannot close descriptors");
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	clearenv();
	if (chdir("/") < 0)
		return jail_error_sys(err, errno, "cannot change to /");
	r = set_limits(sandbox);
	if (r == 0)
		r = drop_privileges(user);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot give up privileges");
	/* After the change of user, which resets the death signal. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return jail_error_sys(err, errno, "cannot give up privileges");
	if (getppid() != parent)
		return jail_error_set(err, ECHILD, "the parent is gone");
	return OUT;
}
