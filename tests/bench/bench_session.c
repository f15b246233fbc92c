/* What it costs to open a session in a chroot jail: pam_jail.so against the stock pam_chroot.so, in one
 * process, under the real libpam, turn by turn.
 *
 *   bench_session PAM_JAIL.SO PAM_CHROOT.SO
 *
 * Needs root. Everything happens in a mount namespace of its own: users, PAM services, chroot.conf, log.
 *
 * Twice: each module alone, where nothing hides the difference. And each as the last of the session modules
 * that sshd runs on Debian, which is the figure: what pam_open_session(3) takes there, and from pam_start to
 * pam_end, which is what somebody who logs in waits for (pam_systemd left out: it takes milliseconds). It
 * prints and fails only where something could not be measured, never because of a time. Alone, pam_chroot
 * makes six system calls: it reads its file and changes the root. It looks no user up, checks nothing and
 * logs nothing. pam_jail asks NSS twice, reads /etc/group, checks the path, the marker and each of the
 * recipe's mounts, keeps the way back, and logs a line. */
#include <err.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tests/bench/session_machine.h"

enum { ROUNDS = 1000, WARM_UP = 100 };

static const double GOAL_STOCK = 1.2, GOAL_FLAT = 1.2;

static const struct contender contenders[] = {
	{.name = "pam_chroot, 1 line", .lines = 1},
	{.name = "pam_chroot, 1,000 lines", .lines = 1000},
	{.name = "pam_jail, 1 user", .users = 1},
	{.name = "pam_jail, 1,000 users", .users = 1000},
	{.name = "pam_jail, 100,000 users", .users = 100000},
};
enum { STOCK = 0, ONE = 2, MANY = 4, N = sizeof contenders / sizeof contenders[0] };

struct times {
	double open_us[ROUNDS], whole_us[ROUNDS];
	double open_median, whole_median;
};

static int host_root = -1;

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)n;
	(void)data;
	(void)responses;
	warnx("%s", messages[0]->msg);
	return PAM_CONV_ERR;
}

static double now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void one_session(size_t i, bool stacked, double *open_us, double *whole_us)
{
	const struct pam_conv conv = {.conv = converse};
	const struct contender *who = &contenders[i];
	pam_handle_t *pamh = NULL;
	struct stat view;
	struct stat root;
	char service[32];

	machine_service(i, stacked, service);
	if (who->lines)
		machine_choose(who->lines);
	double begin = now_us();
	if (pam_start(service, "foo", &conv, &pamh) != PAM_SUCCESS)
		errx(2, "%s: pam_start failed", who->name);
	double opening = now_us();
	int r = pam_open_session(pamh, PAM_SILENT);
	double opened = now_us();
	if (r != PAM_SUCCESS)
		errx(2, "%s: no session: %s", who->name, pam_strerror(pamh, r));
	if (fstatat(host_root, ROOT + 1, &view, 0) < 0 || stat("/", &root) < 0 || view.st_ino != root.st_ino)
		errx(2, "%s: a session that is not in the view", who->name);
	double closing = now_us();
	(void)pam_close_session(pamh, PAM_SILENT);
	(void)pam_end(pamh, PAM_SUCCESS);
	double end = now_us();
	*open_us = opened - opening;
	*whole_us = end - begin - (closing - opened);

	/* pam_chroot does not come back by itself. */
	must(fchdir(host_root), "/");
	must(chroot("."), "/");
	size_t lines = machine_log_lines();
	if (!stacked && lines != (who->users ? 1 : 0))
		errx(2, "%s: %zu lines in the log", who->name, lines);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, compare);
	return values[n / 2];
}

static void measure(bool stacked, struct times times[static N])
{
	for (int round = -WARM_UP; round < ROUNDS; round++) {
		for (size_t i = 0; i < N; i++) {
			double open_us;
			double whole_us;
			one_session(i, stacked, &open_us, &whole_us);
			if (round >= 0) {
				times[i].open_us[round] = open_us;
				times[i].whole_us[round] = whole_us;
			}
		}
	}
	for (size_t i = 0; i < N; i++) {
		times[i].open_median = median(times[i].open_us, ROUNDS);
		times[i].whole_median = median(times[i].whole_us, ROUNDS);
	}
}

static void print(const char *title, const struct times times[static N])
{
	printf("\n%-28s %14s %8s %16s %8s\n", title, "open_session", "ratio", "start to end", "ratio");
	for (size_t i = 0; i < N; i++)
		printf("%-28s %11.1f us %8.2f %13.1f us %8.2f\n", contenders[i].name, times[i].open_median,
		       times[i].open_median / times[STOCK].open_median, times[i].whole_median,
		       times[i].whole_median / times[STOCK].whole_median);
}

int main(int argc, char **argv)
{
	static struct times alone[N], stacked[N];

	if (argc != 3)
		errx(64, "usage: bench_session PAM_JAIL.SO PAM_CHROOT.SO");
	machine_make(contenders, N, argv[1], argv[2]);
	host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(host_root, "/");
	measure(true, stacked);
	measure(false, alone);
	print("the module alone", alone);
	print("in sshd's session stack", stacked);
	printf("\npam_open_session(3) of sshd's stack, pam_jail with 1 user: %.2f times pam_chroot with 1 "
	       "rule "
	       "(to stay within %.1f); the module alone: %.2f\n"
	       "100,000 users: %.2f times 1 user, alone %.2f (to stay within %.1f)\n",
	       stacked[ONE].open_median / stacked[STOCK].open_median, GOAL_STOCK,
	       alone[ONE].open_median / alone[STOCK].open_median,
	       stacked[MANY].open_median / stacked[ONE].open_median,
	       alone[MANY].open_median / alone[ONE].open_median, GOAL_FLAT);
	return 0;
}
