/* What it costs to open a session in a namespace jail that hides /home and keeps three directories of it:
 * pam_jail.so against the bare system calls that make the same view, and against the stock pam_namespace.so
 * with one polydir, turn by turn in one process; and what a node's own mounts add.
 *
 *   bench_namespace PAM_JAIL.SO
 *
 * Needs root. Everything happens in a mount namespace of its own. It prints, and fails only where something
 * could not be measured. The bare calls look nobody up, check nothing, and log nothing; pam_namespace runs a
 * shell script (namespace.init) for each session unless its line says noinit. The way back to the host is not
 * in the times. */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "lib/view/enter.h"
#include "lib/view/namespace.h"
#include "lib/view/syscalls.h"
#include "tests/bench/session_machine.h"

enum { ROUNDS = 400, WARM_UP = 40, KEPT = 3, HOST_MOUNTS = 1000 };

static const double GOAL_BARE = 1.3, GOAL_STOCK = 0.35;

static const char *const kept[KEPT] = {"foo", "bar", "spack"};

enum who { BARE_VIEW, VIEW, JAIL, STOCK_SCRIPT, STOCK, BARE_NAMESPACE, N };
static const char *const names[N] = {
	"bare system calls, the same view",
	"jail_enter: of pam_jail, the view alone",
	"pam_jail, namespace, three kept directories",
	"pam_namespace, one polydir",
	"pam_namespace, one polydir, noinit",
	"bare unshare and slave",
};

static int host = -1;
static int host_root = -1;

static double now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void make_policy(void)
{
	struct jail_mount mounts[] = {
		{.verb = JAIL_VERB_HIDE, .target = (char[]){"/home"}},
		{.verb = JAIL_VERB_BIND, .target = (char[]){"/home/%u"}},
		{.verb = JAIL_VERB_BIND, .target = (char[]){"/home/bar"}},
		{.verb = JAIL_VERB_BIND, .target = (char[]){"/home/spack"}},
	};
	struct jail_jail jail = {.name = (char[]){"guest"},
				 .confine = JAIL_CONFINE_NAMESPACE,
				 .mounts = mounts,
				 .n_mounts = sizeof mounts / sizeof mounts[0]};
	char *users[] = {(char[]){"foo"}};
	struct jail_rule rule = {.kind = JAIL_RULE_USERS, .names = users, .n_names = 1, .jail = 0};
	const struct jail_policy policy = {.cluster = (char[]){"bench"},
					   .version = 1,
					   .issued = 1,
					   .expires = 4000000000,
					   .jails = &jail,
					   .n_jails = 1,
					   .rules = &rule,
					   .n_rules = 1};
	const struct jail_cache_facts facts = {.node = "bench",
					       .places = {.run = "/mnt/run",
							  .roots = "/mnt/state/roots",
							  .marker = "/mnt/run/marker",
							  .private_disk = "/mnt/state/private",
							  .private_memory = "/mnt/run/private"}};
	machine_compile(&policy, &facts, "/mnt/policy.cache");
}

/* pam_namespace has its files' paths compiled in; its script is the machine's own. */
static void make_stock(void)
{
	must(mkdir("/mnt/poly", 0755), "/mnt/poly");
	must(mkdir("/mnt/inst", 0000), "/mnt/inst");
	must(mkdir("/mnt/security", 0755), "/mnt/security");
	must(mkdir("/mnt/security/namespace.d", 0755), "/mnt/security/namespace.d");
	if (access("/etc/security/namespace.init", X_OK) < 0)
		errx(2, "no namespace.init, so pam_namespace is not measured as it is installed");
	machine_write("/mnt/security/namespace.init", "%s", "");
	machine_bind("/etc/security/namespace.init", "/mnt/security/namespace.init");
	machine_write("/mnt/security/conf.script", "/mnt/poly /mnt/inst/ user root\n");
	machine_write("/mnt/security/conf.noinit", "/mnt/poly /mnt/inst/ user:noinit root\n");
	machine_bind("/mnt/security", "/etc/security");
}

static void make_machine(const char *jail)
{
	char path[64];

	machine_begin(&jail, 1);
	for (size_t i = 1; i < KEPT; i++) {
		(void)snprintf(path, sizeof path, "/home/%s", kept[i]);
		must(mkdir(path, 0755), path);
	}
	must(mkdir("/home/hidden", 0755), "/home/hidden");
	must(mkdir("/mnt/run", 0755), "/mnt/run");
	must(mkdir("/mnt/state", 0755), "/mnt/state");
	make_policy();
	make_stock();
	must(mkdir("/mnt/pam.d", 0755), "/mnt/pam.d");
	machine_write("/mnt/pam.d/other", "session required pam_deny.so\n");
	machine_write("/mnt/pam.d/jail", "session required %s cache=/mnt/policy.cache run=/mnt/run\n", jail);
	machine_write("/mnt/pam.d/stock", "session required pam_namespace.so\n");
	machine_bind("/mnt/pam.d", "/etc/pam.d");
	/* As systemd leaves it: what a session makes a slave of. */
	must(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), "/");
	host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(host, "/proc/self/ns/mnt");
	must(host_root, "/");
}

static void bare_namespace(void)
{
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
}

static void bare_view(void)
{
	int trees[KEPT];
	char path[64];

	bare_namespace();
	for (size_t i = 0; i < KEPT; i++) {
		(void)snprintf(path, sizeof path, "/home/%s", kept[i]);
		trees[i] = jail_open_tree_at(AT_FDCWD, path, JAIL_OPEN_TREE_CLONE | JAIL_AT_RECURSIVE);
		must(trees[i], path);
	}
	must(mount("hide", "/home", "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=0555"), "/home");
	for (size_t i = 0; i < KEPT; i++) {
		(void)snprintf(path, sizeof path, "/home/%s", kept[i]);
		must(mkdir(path, 0755), path);
		must(jail_move_mount_at(trees[i], AT_FDCWD, path), path);
		must(close(trees[i]), path);
	}
	must(mount(NULL, "/home", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL),
	     "/home");
	must(chdir("/home/foo"), "/home/foo");
}

/* What is left of pam_jail when nobody is looked up and nothing is logged: every check of the view is in it.
 */
static struct jail_entered enter_view(void)
{
	static struct jail_cache *cache;
	const struct jail_member member = {.user = "foo", .home = "/home/foo", .uid = 54321};
	struct jail_entered entered;
	struct jail_error error;
	jail_autoview struct jail_view view = {0};
	struct jail_door door = {.root = -1, .view = &view, .owner = member.uid, .home = member.home};

	if (!cache && jail_cache_open("/mnt/policy.cache", &cache, &error) < 0)
		errx(2, "%s", error.message);
	jail_cache_places(cache, &door.places);
	if (jail_namespace_view_build(cache, 0, &member, &view, &error) < 0 ||
	    jail_enter(&door, &entered, &error) < 0)
		errx(2, "%s", error.message);
	return entered;
}

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)n;
	(void)data;
	(void)responses;
	warnx("%s", messages[0]->msg);
	return PAM_CONV_ERR;
}

static double open_with_pam(enum who who, pam_handle_t **pamh)
{
	const struct pam_conv conv = {.conv = converse};
	const char *service = who == JAIL ? "jail" : "stock";
	if (who != JAIL) {
		(void)unlink("/etc/security/namespace.conf");
		must(symlink(who == STOCK ? "conf.noinit" : "conf.script", "/etc/security/namespace.conf"),
		     "/etc/security/namespace.conf");
	}
	if (pam_start(service, "foo", &conv, pamh) != PAM_SUCCESS)
		errx(2, "%s: pam_start failed", names[who]);
	double begin = now_us();
	int r = pam_open_session(*pamh, PAM_SILENT);
	double end = now_us();
	if (r != PAM_SUCCESS)
		errx(2, "%s: no session: %s", names[who], pam_strerror(*pamh, r));
	return end - begin;
}

static bool differs(const char *path)
{
	struct stat here;
	struct stat there;
	must(stat(path, &here), path);
	must(fstatat(host_root, path + 1, &there, 0), path);
	return here.st_dev != there.st_dev || here.st_ino != there.st_ino;
}

static void check(enum who who)
{
	struct stat st;
	bool view = who == BARE_VIEW || who == VIEW || who == JAIL;
	if (view && (!differs("/home") || differs("/home/bar") || stat("/home/hidden", &st) == 0 ||
		     mkdir("/home/x", 0755) == 0))
		errx(2, "%s: not the view", names[who]);
	if ((who == STOCK || who == STOCK_SCRIPT) && !differs("/mnt/poly"))
		errx(2, "%s: no polydir", names[who]);
}

static double one(enum who who)
{
	struct jail_entered entered = JAIL_ENTERED_INIT;
	pam_handle_t *pamh = NULL;
	double begin = now_us();

	if (who == BARE_VIEW)
		bare_view();
	else if (who == BARE_NAMESPACE)
		bare_namespace();
	else if (who == VIEW)
		entered = enter_view();
	double us = who == JAIL || who == STOCK || who == STOCK_SCRIPT ? open_with_pam(who, &pamh)
								       : now_us() - begin;
	check(who);
	if (pamh) {
		(void)pam_close_session(pamh, PAM_SILENT);
		(void)pam_end(pamh, PAM_SUCCESS);
	}
	jail_enter_forget(&entered);
	must(setns(host, CLONE_NEWNS), "back");
	if (differs("/home"))
		errx(2, "%s: no way back", names[who]);
	(void)machine_log_lines();
	return us;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Medians of those that first to last name. */
static void measure(enum who first, enum who last, double medians[static N])
{
	static double times[N][ROUNDS];
	for (int round = -WARM_UP; round < ROUNDS; round++) {
		for (size_t who = first; who <= last; who++) {
			double us = one((enum who)who);
			if (round >= 0)
				times[who][round] = us;
		}
	}
	for (size_t who = first; who <= last; who++) {
		qsort(times[who], ROUNDS, sizeof times[who][0], compare);
		medians[who] = times[who][ROUNDS / 2];
	}
}

static void add_host_mounts(void)
{
	char path[64];
	must(mkdir("/mnt/many", 0755), "/mnt/many");
	for (int i = 0; i < HOST_MOUNTS; i++) {
		(void)snprintf(path, sizeof path, "/mnt/many/%d", i);
		must(mkdir(path, 0755), path);
		machine_bind("/home/hidden", path);
	}
}

int main(int argc, char **argv)
{
	double few[N] = {0};
	double many[N] = {0};

	if (argc != 2)
		errx(64, "usage: bench_namespace PAM_JAIL.SO");
	make_machine(argv[1]);
	measure(BARE_VIEW, BARE_NAMESPACE, few);
	printf("%-44s %12s %10s\n", "open_session, the module alone", "median", "to bare");
	for (size_t who = 0; who < N; who++)
		printf("%-44s %9.1f us %10.2f\n", names[who], few[who], few[who] / few[BARE_VIEW]);
	printf("\npam_jail: %.2f times the bare calls (to stay within %.2f), %.2f times pam_namespace (below "
	       "%.2f), "
	       "%.2f without its script\n",
	       few[JAIL] / few[BARE_VIEW], GOAL_BARE, few[JAIL] / few[STOCK_SCRIPT], GOAL_STOCK,
	       few[JAIL] / few[STOCK]);
	add_host_mounts();
	measure(BARE_VIEW, BARE_NAMESPACE, many);
	printf("\n%-44s %12s %12s\n", "with 1,000 more mounts on the host", "median", "more");
	for (size_t who = 0; who < N; who++)
		printf("%-44s %9.1f us %9.1f us\n", names[who], many[who], many[who] - few[who]);
	printf("\n1,000 mounts cost pam_jail %.2f times what they cost a bare unshare and slave\n",
	       (many[JAIL] - few[JAIL]) / (many[BARE_NAMESPACE] - few[BARE_NAMESPACE]));
	return 0;
}
