#include "agent/managers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/proc_read.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"

static bool is_manager(int proc, const char *pid)
{
	jail_autobuffer struct jail_buffer name = JAIL_BUFFER_INIT;
	struct stat st;

	return fstatat(proc, pid, &st, 0) == 0 && st.st_uid != 0 &&
	       jail_proc_read(proc, pid, "comm", &name) == 0 && strcmp(name.data, "systemd\n") == 0;
}

/* A chroot is in the host's mount namespace: what runs in a container of the user's own is none of ours. */
static bool is_on_host(int proc, const char *pid)
{
	struct stat own, theirs;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/ns/mnt", pid);
	return fstatat(proc, "self/ns/mnt", &own, 0) == 0 && fstatat(proc, path, &theirs, 0) == 0 &&
	       own.st_dev == theirs.st_dev && own.st_ino == theirs.st_ino;
}

static bool has_nothing_to_run(int proc, const char *pid)
{
	struct stat st;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/root/usr/lib", pid);
	return fstatat(proc, path, &st, 0) < 0 && errno == ENOENT;
}

/* systemd(1): SIGRTMIN+24 ends a user's manager at once, also one that already waits for its units. */
static void end(int proc, const char *pid, struct jail_report *report)
{
	uint64_t before, now;

	if (jail_proc_start(proc, pid, &before) < 0 || !is_manager(proc, pid) || !is_on_host(proc, pid) ||
	    !has_nothing_to_run(proc, pid))
		return;
	if (jail_proc_start(proc, pid, &now) < 0 || now != before)
		return;
	if (kill((pid_t)strtol(pid, NULL, 10), SIGRTMIN + 24) == 0)
		jail_log_info("ended service manager %s: the chroot it was in is gone", pid);
	else if (errno != ESRCH)
		jail_report_warn(
			report,
			"cannot end service manager %s, whose chroot is gone: %s; a login of its user may "
			"wait for it",
			pid, strerror(errno));
}

void jail_managers_end_stranded(struct jail_report *report)
{
	jail_autoclosedir DIR *dir = opendir("/proc");

	if (!dir) {
		jail_report_warn(report,
				 "cannot look for service managers in chroots that are gone: /proc: %s",
				 strerror(errno));
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (isdigit((unsigned char)entry->d_name[0]))
			end(dirfd(dir), entry->d_name, report);
}
