#include "agent/audit_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "agent/audit_origin.h"
#include "agent/proc_read.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

/* A process of root's program that acts for a user, with the time that says whether it still is the same. */
struct doubt {
	char pid[16];
	uint64_t start;
};

struct scan {
	int proc;
	struct jail_people *people;
	struct jail_audited *node;
	struct stat root; /* of the host */
	time_t boot;
	long ticks; /* a second */
	struct doubt *doubts;
	size_t n_doubts;
	bool sure; /* the second look at a doubt */
	struct jail_error *err;
};

static bool is_gone(int r)
{
	return r == -ENOENT || r == -ESRCH;
}

static int out_of_memory(const struct scan *scan)
{
	return jail_error_sys(scan->err, ENOMEM, "cannot go through processes");
}

/* Only where it pays: a task directory has two links and one for each thread. */
static size_t count_threads(const struct scan *scan, const char *pid)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/task", pid);
	return fstatat(scan->proc, path, &st, 0) < 0 || st.st_nlink < 2 ? 0 : (size_t)st.st_nlink - 2;
}

/* How many threads are outside, of those that are still there when they are looked at. */
static int threads_outside(const struct scan *scan, const char *pid, const struct jail_audit_view *view,
			   size_t *ret)
{
	jail_autoclosedir DIR *dir = NULL;
	char path[64];
	int fd;

	*ret = 0;
	(void)snprintf(path, sizeof path, "%s/task", pid);
	fd = openat(scan->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !(dir = fdopendir(fd))) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		char root[300];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(root, sizeof root, "%s/root", entry->d_name);
		*ret += jail_audit_view_holds(view, dirfd(dir), root) == 0;
	}
	return 0;
}

static char *command_of(const struct scan *scan, const char *pid)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;

	if (jail_proc_read(scan->proc, pid, "comm", &text) < 0 || text.len == 0)
		return strdup("?");
	return strndup(text.data, strcspn(text.data, "\n"));
}

static int report(const struct scan *scan, const char *pid, uint64_t start, const struct jail_person *person,
		  size_t threads)
{
	jail_autobuffer struct jail_buffer cgroup = JAIL_BUFFER_INIT;
	struct jail_stray stray = {
		.pid = (pid_t)strtol(pid, NULL, 10),
		.uid = person->uid,
		.since = scan->boot + (time_t)(start / (uint64_t)scan->ticks),
		.threads = threads,
		.command = command_of(scan, pid),
		.user = strdup(person->user),
		.jail = strdup(person->jail),
	};

	(void)jail_proc_read(scan->proc, pid, "cgroup", &cgroup);
	if (jail_audit_origin(&scan->node->tree, cgroup.data, &stray.door) < 0)
		stray.door = NULL;
	return jail_audit_stray(scan->people->audit, &stray) < 0 ? out_of_memory(scan) : 0;
}

/* sshd and slurmstepd take on a user's uid for a moment before the session opens, to read their files:
 * whatever runs for root is looked at twice. */
static int doubt_it(struct scan *scan, const char *pid, uint64_t start)
{
	struct doubt *slot = JAIL_ARRAY_PUSH(scan->doubts, scan->n_doubts);

	if (!slot)
		return out_of_memory(scan);
	slot->start = start;
	(void)snprintf(slot->pid, sizeof slot->pid, "%s", pid);
	scan->n_doubts++;
	return 0;
}

static int examine(struct scan *scan, const char *pid, const struct jail_person *person)
{
	size_t n_threads = count_threads(scan, pid), outside = 0;
	uint64_t start;
	uid_t real;
	char root[64];
	int r;

	(void)snprintf(root, sizeof root, "%s/root", pid);
	r = jail_audit_view_holds(&person->view, scan->proc, root);
	if (n_threads > 1 && (r > 0 || is_gone(r))) {
		/* The first thread may have ended before the others. */
		if (threads_outside(scan, pid, &person->view, &outside) < 0 || outside == 0)
			return 0;
	} else if (r > 0 || is_gone(r)) {
		return 0;
	} else if (r < 0) {
		r = jail_audit_warn(scan->people->audit,
				    "cannot tell the root of process %s of %s: %s; look at it yourself", pid,
				    person->user, strerror(-r));
		return r < 0 ? out_of_memory(scan) : 0;
	}
	if (jail_proc_start(scan->proc, pid, &start) < 0 || jail_proc_real_uid(scan->proc, pid, &real) < 0)
		return 0;
	return real == 0 && !scan->sure ? doubt_it(scan, pid, start)
					: report(scan, pid, start, person, outside);
}

static int keep_daemon(struct scan *scan, const char *pid, const char *name)
{
	struct jail_daemon *daemon;
	char path[64];
	struct stat st;

	/* What runs in a container is a door to the container. */
	(void)snprintf(path, sizeof path, "%s/root", pid);
	if (fstatat(scan->proc, path, &st, 0) < 0 || st.st_dev != scan->root.st_dev ||
	    st.st_ino != scan->root.st_ino)
		return 0;
	daemon = JAIL_ARRAY_PUSH(scan->node->daemons, scan->node->n_daemons);
	if (!daemon)
		return out_of_memory(scan);
	daemon->pid = (pid_t)strtol(pid, NULL, 10);
	daemon->name = strdup(name);
	scan->node->n_daemons++;
	return daemon->name && jail_proc_arguments(scan->proc, pid, &daemon->argv) != -ENOMEM
		       ? 0
		       : out_of_memory(scan);
}

/* The owner of /proc/PID is the effective uid, whether the process is dumpable or not (Linux 4.11). The real
 * one differs in programs that are setuid, which belong to root or to a system account. */
static int look(struct scan *scan, const char *pid)
{
	enum { SYSTEM_UIDS = 1000 };
	const struct jail_person *person;
	char name[256];
	struct stat st;
	uid_t real;
	int r;

	if (fstatat(scan->proc, pid, &st, 0) < 0)
		return 0;
	if (st.st_uid == 0) {
		/* Kernel threads have no program. */
		if (jail_proc_program(scan->proc, pid, name) < 0)
			return 0;
		r = scan->sure || !jail_audit_is_daemon(name) ? 0 : keep_daemon(scan, pid, name);
		if (r < 0)
			return r;
	}
	r = jail_people_find(scan->people, st.st_uid, &person, scan->err);
	if (r == 0 && !person->confined && st.st_uid < SYSTEM_UIDS &&
	    jail_proc_real_uid(scan->proc, pid, &real) == 0 && real != st.st_uid)
		r = jail_people_find(scan->people, real, &person, scan->err);
	return r == 0 && person->confined ? examine(scan, pid, person) : r;
}

static int look_again(struct scan *scan)
{
	const struct timespec pause = {.tv_nsec = 250000000};
	int r = 0;

	if (scan->n_doubts == 0)
		return 0;
	scan->sure = true;
	(void)nanosleep(&pause, NULL);
	for (size_t i = 0; r == 0 && i < scan->n_doubts; i++) {
		uint64_t start;

		if (jail_proc_start(scan->proc, scan->doubts[i].pid, &start) == 0 &&
		    start == scan->doubts[i].start)
			r = look(scan, scan->doubts[i].pid);
	}
	return r;
}

static int walk(struct scan *scan)
{
	int fd = openat(scan->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	jail_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return jail_error_sys(scan->err, -r, "cannot list /proc");
	}
	errno = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir)); errno = 0)
		if (isdigit((unsigned char)entry->d_name[0]))
			r = look(scan, entry->d_name);
	if (r == 0 && errno != 0)
		r = jail_error_sys(scan->err, errno, "cannot list /proc");
	return r < 0 ? r : look_again(scan);
}

int jail_audit_processes(int proc, struct jail_people *people, struct jail_audited *node,
			 struct jail_error *err)
{
	struct scan scan = {
		.proc = proc,
		.people = people,
		.node = node,
		.boot = jail_proc_boot(proc),
		.ticks = sysconf(_SC_CLK_TCK),
		.err = err,
	};
	int r;

	if (stat("/", &scan.root) < 0)
		return jail_error_sys(err, errno, "cannot stat /");
	r = walk(&scan);
	free(scan.doubts);
	return r;
}

void jail_daemons_release(struct jail_audited *node)
{
	for (size_t i = 0; i < node->n_daemons; i++) {
		free(node->daemons[i].name);
		jail_names_release(&node->daemons[i].argv);
	}
	free(node->daemons);
	node->daemons = NULL;
	node->n_daemons = 0;
}
