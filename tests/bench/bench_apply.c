/* How long carrying out N binds takes whose mount points exist, against bare mount(2) calls for the same
 * binds, alternating in one run: the median of each and its ratio to one MS_BIND each, in the root of the
 * view. Not a test: nothing fails here because of a time.
 *
 *	bench_apply [BINDS [ROUNDS]]	(1000, 9)	a table
 *	bench_apply BINDS ROUNDS lines			NAME tab MILLISECONDS, for bench_sync.py
 *
 * "apply" is jail_apply_grant; "observe" is reading, probing and planning, which a sync does before it. The
 * binds of a view follow the host, which takes a second call when mount(2) is to do it: MS_SLAVE | MS_REC.
 * That row makes the same mounts as apply, and is what apply is measured by. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include "lib/view/sync.h"
#include "tests/mount/playground.h"
#include "tests/unit/view_text.h"

#define ROOT  PLAY_STATE "/roots/a"
#define PLAIN PLAY "/jailed/rootfs" /* as in the recipe: on the file system of the homes */

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
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

static void must(int r, const struct jail_error *err)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "bench_apply: %s\n", err->message);
	exit(1);
}

static void unmount_binds(unsigned n, const char *root)
{
	char target[128];
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(target, sizeof target, "%s/home/u%04u", root, i);
		play_umount(target);
	}
}

/* slave: the second call that makes each bind follow the host without reaching back, as the view's do. */
static double bare(unsigned n, const char *root, bool slave)
{
	char source[128];
	char target[128];
	double begin = now();
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(source, sizeof source, PLAY "/home/u%04u", i);
		(void)snprintf(target, sizeof target, "%s/home/u%04u", root, i);
		play_mount(source, target, NULL, MS_BIND | (slave ? MS_REC : 0), NULL);
		if (slave)
			play_mount(NULL, target, NULL, MS_SLAVE | MS_REC, NULL);
	}
	double took = now() - begin;
	unmount_binds(n, root);
	return took;
}

static double apply(const struct jail_views *views, size_t expect, double *ret_observe)
{
	jail_autoobservation struct jail_observation observation = {0};
	struct jail_applied applied = {0};
	struct jail_error err;
	double begin = now();
	must(jail_observe(&play_node, views, &observation, &err), &err);
	double between = now();
	must(jail_apply_grant(&play_node, views, &observation, &applied, &err), &err);
	double end = now();
	if (applied.failures || applied.mounts < expect) {
		(void)fprintf(stderr, "bench_apply: %zu mounts, %zu failures\n", applied.mounts,
			      applied.failures);
		exit(1);
	}
	jail_applied_release(&applied);
	*ret_observe = between - begin;
	return end - between;
}

enum { BARE, BARE_PLAIN, BARE_SLAVE, APPLY, OBSERVE, IDLE, KINDS };

static const char *const names[KINDS] = {
	[BARE] = "bare mount(2): one MS_BIND each",
	[BARE_PLAIN] = "the same, in a plain directory as the recipe's",
	[BARE_SLAVE] = "the same, and MS_SLAVE: following the host",
	[APPLY] = "apply, mount points exist",
	[OBSERVE] = "observe and plan before it",
	[IDLE] = "observe and plan, nothing to do",
};

static void measure(const struct jail_views *views, unsigned n, double times[KINDS])
{
	(void)apply(views, 0, &times[IDLE]);
	unmount_binds(n, ROOT);
	times[BARE_PLAIN] = bare(n, PLAIN, false);
	times[BARE] = bare(n, ROOT, false);
	times[BARE_SLAVE] = bare(n, ROOT, true);
	times[APPLY] = apply(views, n, &times[OBSERVE]);
}

static void prepare(unsigned n, struct jail_views *ret)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	char path[128];
	(void)jail_buffer_puts(&text, "view a " ROOT "\n");
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, PLAIN "/home/u%04u", i);
		play_dir(path, 0, 0755);
		(void)snprintf(path, sizeof path, PLAY "/home/u%04u", i);
		play_dir(path, 1000 + i, 0700);
		(void)jail_buffer_printf(&text, "bind /home/u%04u %s owner=%u personal\n", i, path, 1000 + i);
	}
	view_text_parse(text.data, play_node.marker_dir, ret);
}

static void print_table(const double medians[KINDS], double with_mkdir)
{
	for (unsigned k = 0; k < KINDS; k++)
		(void)printf("%-48s %9.2f ms  %5.2fx\n", names[k], medians[k], medians[k] / medians[BARE]);
	(void)printf("%-48s %9.2f ms  %5.2fx\n", "apply, mount points made (once)", with_mkdir,
		     with_mkdir / medians[BARE]);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 9;
	jail_autoviews struct jail_views views = {0};
	double *times = calloc((size_t)rounds * KINDS + KINDS, sizeof *times);
	double one[KINDS];
	double medians[KINDS];
	double first = 0;
	if (!times || rounds == 0 || n == 0)
		return 1;

	play_begin();
	prepare(n, &views);
	double with_mkdir = apply(&views, n, &first);
	for (unsigned i = 0; i < rounds; i++) {
		measure(&views, n, one);
		for (unsigned k = 0; k < KINDS; k++)
			times[k * rounds + i] = one[k];
	}
	for (unsigned k = 0; k < KINDS; k++)
		medians[k] = median(&times[k * rounds], rounds);
	if (argc > 3)
		for (unsigned k = 0; k < KINDS; k++)
			(void)printf("%s\t%.3f\n", names[k], medians[k]);
	else
		print_table(medians, with_mkdir);
	free(times);
	return 0;
}
