/* Opens a PAM session as sshd or su would, runs a command in it, closes it, and says what it saw.
 *
 *   pamrun [-s SERVICE] [-g EGID] [-2] [-t] [-e] [-k] USER [COMMAND...]
 *     -2  open and close twice
 *     -t  have a second thread and say whether its root moved
 *     -e  end the handle without closing, then run the command: it must still be inside (as pkexec does)
 *     -i  with the standard streams closed, and say whether a directory has taken their place
 *     -k  close in a forked child instead, and say where that child is (as systemd does)
 *     -g  effective group before the session (slurmstepd has the job's)
 *
 * Lines on stdout: "open: SUCCESS", whatever the command prints, "close: SUCCESS", "back: yes" (root,
 * working directory and mount namespace as before), "leaked: none" (descriptors), "user: TEXT" for what PAM
 * tells the user. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	struct stat root, cwd, namespace;
	int fds;
};

static const char *service = "jailtest";
static bool twice, threads, end_early, close_in_child, no_streams;

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)data;
	*responses = calloc((size_t)n, sizeof **responses);
	for (int i = 0; i < n; i++)
		printf("user: %s\n", messages[i]->msg);
	return *responses ? PAM_SUCCESS : PAM_CONV_ERR;
}

static int count_fds(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static struct place here(void)
{
	struct place place = {.fds = count_fds()};
	if (stat("/", &place.root) < 0 || stat(".", &place.cwd) < 0 ||
	    stat("/proc/thread-self/ns/mnt", &place.namespace) < 0)
		err(1, "stat");
	return place;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void result(pam_handle_t *pamh, const char *what, int code)
{
	printf("%s: %s%s%s\n", what, code == PAM_SUCCESS ? "SUCCESS" : "refused (",
	       code == PAM_SUCCESS ? "" : pam_strerror(pamh, code), code == PAM_SUCCESS ? "" : ")");
	(void)fflush(stdout);
}

/* By posix_spawn, which runs no fork handlers: what is left open is what lacks close-on-exec. */
static void run(char **command)
{
	pid_t pid = -1;
	int status = 0;
	if (!command[0])
		return;
	errno = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
	if (errno != 0)
		err(127, "%s", command[0]);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		printf("command: status %d\n", status);
}

/* A fork without exec, as sshd's: can it name the host? */
static void look_through_descriptors(const struct place *before)
{
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		bool found = false;
		for (int fd = 3; fd < 256; fd++) {
			struct stat st;
			found = found || (fstat(fd, &st) == 0 && same(&st, &before->root));
		}
		printf("host root in a fork: %s\n", found ? "open" : "closed");
		(void)fflush(stdout);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
}

static void close_session(pam_handle_t *pamh)
{
	if (!close_in_child) {
		result(pamh, "close", pam_close_session(pamh, 0));
		return;
	}
	struct stat before;
	struct stat after;
	(void)stat("/", &before);
	pid_t pid = fork();
	if (pid == 0) {
		result(pamh, "close in child", pam_close_session(pamh, 0));
		(void)stat("/", &after);
		printf("child: %s\n", same(&before, &after) ? "stayed" : "moved");
		(void)fflush(stdout);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
}

static pthread_barrier_t opened, looked;

static void *bystander(void *data)
{
	const struct place *before = data;
	struct stat root;
	(void)pthread_barrier_wait(&opened);
	if (stat("/", &root) == 0)
		printf("other thread: %s\n", same(&root, &before->root) ? "stayed" : "moved");
	(void)fflush(stdout);
	(void)pthread_barrier_wait(&looked);
	return NULL;
}

/* As some daemons do; what this program prints goes out through another number. */
static void close_streams(void)
{
	stdout = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 20), "w");
	for (int fd = 0; fd < 3; fd++)
		(void)close(fd);
}

static bool has_directory_below(int end)
{
	struct stat st;
	for (int fd = 0; fd < end; fd++) {
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			return true;
	}
	return false;
}

static int session(const char *user, char **command)
{
	const struct pam_conv conv = {.conv = converse};
	pam_handle_t *pamh = NULL;
	pthread_t thread;

	int r = pam_start(service, user, &conv, &pamh);
	if (r != PAM_SUCCESS)
		errx(1, "pam_start: %d", r);
	if (no_streams)
		close_streams();
	struct place before = here();
	if (threads) {
		(void)pthread_barrier_init(&opened, NULL, 2);
		(void)pthread_barrier_init(&looked, NULL, 2);
		(void)pthread_create(&thread, NULL, bystander, &before);
	}
	int opened_code = pam_open_session(pamh, 0);
	result(pamh, "open", opened_code);
	if (threads) {
		(void)pthread_barrier_wait(&opened);
		(void)pthread_barrier_wait(&looked);
		(void)pthread_join(thread, NULL);
	}
	if (no_streams)
		printf("standard streams: %s\n", has_directory_below(3) ? "taken" : "left alone");
	if (end_early)
		(void)pam_end(pamh, opened_code);
	if (opened_code == PAM_SUCCESS) {
		look_through_descriptors(&before);
		run(command);
	}
	if (end_early)
		return 0;
	if (opened_code == PAM_SUCCESS)
		close_session(pamh);
	struct place after = here();
	printf("back: %s\n", same(&before.root, &after.root) && same(&before.cwd, &after.cwd) &&
					     same(&before.namespace, &after.namespace)
				     ? "yes"
				     : "no");
	(void)pam_end(pamh, opened_code);
	/* The log's socket stays open, as it does in every program that logs. */
	printf("leaked: %s\n", count_fds() <= before.fds + 1 ? "none" : "descriptors");
	(void)fflush(stdout);
	return opened_code == PAM_SUCCESS ? 0 : 10;
}

int main(int argc, char **argv)
{
	gid_t gid = 0;
	for (int c; (c = getopt(argc, argv, "+s:2tekig:")) != -1;) {
		switch (c) {
		case 's':
			service = optarg;
			break;
		case '2':
			twice = true;
			break;
		case 't':
			threads = true;
			break;
		case 'e':
			end_early = true;
			break;
		case 'i':
			no_streams = true;
			break;
		case 'k':
			close_in_child = true;
			break;
		case 'g':
			gid = (gid_t)strtoul(optarg, NULL, 10);
			break;
		default:
			return 64;
		}
	}
	if (optind >= argc)
		errx(64, "usage: pamrun [OPTION...] USER [COMMAND...]");
	if (gid && setresgid((gid_t)-1, gid, (gid_t)-1) < 0)
		err(1, "setresgid");
	int r = session(argv[optind], argv + optind + 1);
	if (r == 0 && twice)
		r = session(argv[optind], argv + optind + 1);
	return r;
}
