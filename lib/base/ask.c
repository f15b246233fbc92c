#include "lib/base/ask.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "lib/base/cleanup.h"

void jail_fds_close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	/* Before Linux 5.9. */
	jail_autoclosedir DIR *dir = opendir("/proc/self/fd");
	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		if (fd >= first && fd != dirfd(dir))
			(void)close(fd);
	}
}

uint64_t jail_ask_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */
	for (const char *p = path; p < slash; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3ULL;
	return hash;
}

static bool is_next(const struct jail_ask *ask)
{
	return !ask->answered && !ask->silent && !ask->later;
}

/* The index of what is asked next, or n at the end. */
static size_t find_next(const struct jail_ask *asks, size_t n)
{
	size_t i = 0;
	while (i < n && !is_next(&asks[i]))
		i++;
	return i;
}

__attribute__((noreturn)) static void child(const struct jail_ask *asks, size_t n,
					    void (*touch)(const char *path), int out)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(out, 0) < 0)
		_exit(1);
	jail_fds_close_from(1);
	for (size_t i = 0; i < n; i++) {
		if (!is_next(&asks[i]))
			continue;
		touch(asks[i].path);
		if (write(0, &i, sizeof i) != sizeof i)
			_exit(1);
	}
	_exit(0);
}

/* Until the child is done, or has been silent for ms. */
static void listen_for(struct jail_ask *asks, size_t n, int in, int ms)
{
	for (;;) {
		size_t done[64]; /* what is written at once is read at once */
		struct pollfd poll_in = {.fd = in, .events = POLLIN};
		int ready = poll(&poll_in, 1, ms);
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t got = ready > 0 ? read(in, done, sizeof done) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		for (size_t i = 0; i < (size_t)got / sizeof *done; i++)
			if (done[i] < n)
				asks[done[i]].answered = true;
	}
}

/* One child's life. */
static int ask_on(struct jail_ask *asks, size_t n, void (*touch)(const char *path), int ms,
		  struct jail_error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return jail_error_sys(err, errno, "cannot make a pipe");
	pid_t pid = fork();
	if (pid == 0)
		child(asks, n, touch, ends[1]);
	int code = errno;
	(void)close(ends[1]);
	if (pid > 0) {
		listen_for(asks, n, ends[0], ms);
		(void)kill(pid, SIGKILL);
		/* Not waited for where it is held in a system call: it is init's when this process ends. */
		(void)waitpid(pid, NULL, find_next(asks, n) < n ? WNOHANG : 0);
	}
	(void)close(ends[0]);
	return pid > 0 ? 0 : jail_error_sys(err, code, "cannot fork");
}

/* Notes that number i is silent, and puts off those that will be so too. */
static void fall_silent(struct jail_ask *asks, size_t n, size_t i)
{
	asks[i].silent = true;
	for (size_t j = 0; j < n; j++)
		asks[j].later |= asks[j].group == asks[i].group;
}

int jail_ask(struct jail_ask *asks, size_t n, void (*touch)(const char *path), struct jail_error *err)
{
	unsigned silent = 0;

	while (silent < JAIL_ASK_SILENT_MAX) {
		size_t next = find_next(asks, n);
		for (size_t i = 0; i < n && next == n; i++)
			asks[i].later = false;
		next = find_next(asks, n);
		if (next == n)
			return 0;
		int r = ask_on(asks, n, touch, silent ? JAIL_ASK_NEXT_MS : JAIL_ASK_FIRST_MS, err);
		if (r < 0)
			return r;
		next = find_next(asks, n);
		if (next == n)
			continue;
		fall_silent(asks, n, next);
		silent++;
	}
	for (size_t i = 0; i < n; i++)
		asks[i].silent = !asks[i].answered;
	return 0;
}
