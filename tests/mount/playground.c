#include "tests/mount/playground.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/view/plan.h"
#include "tests/unit/view_text.h"

const struct jail_node play_node = {
	.roots_dir = PLAY_STATE "/roots",
	.marker_dir = PLAY "/run/marker",
	.private_memory = PLAY "/run/private",
	.manifest = PLAY_STATE "/made",
};

static struct play_sync last;
static char *last_plan;

static void fail(const char *what, const char *path)
{
	(void)fprintf(stderr, "playground: %s %s: %s\n", what, path, strerror(errno));
	abort();
}

void play_mount(const char *source, const char *target, const char *fstype, unsigned long flags,
		const char *data)
{
	if (mount(source, target, fstype, flags, data) < 0)
		fail("mount", target);
}

void play_umount(const char *target)
{
	if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		fail("umount", target);
}

void play_begin(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		fail("unshare", "CLONE_NEWNS (root is needed)");
	play_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	play_mount("play", "/mnt", "tmpfs", 0, "mode=0755");
	(void)umask(0077); /* what the agent makes must not depend on it */
	play_reset();
}

void play_reset(void)
{
	if (play_exists(PLAY))
		while (umount2(PLAY, MNT_DETACH) == 0)
			;
	else if (mkdir(PLAY, 0755) < 0 || chmod(PLAY, 0755) < 0)
		fail("mkdir", PLAY);
	play_mount("play", PLAY, "tmpfs", 0, "mode=0755");
	play_mount(NULL, PLAY, NULL, MS_SHARED, NULL);
	play_dir(PLAY_STATE, 0, 0700);
	play_dir(PLAY "/run", 0, 0755);
}

void play_dir(const char *path, unsigned uid, unsigned mode)
{
	char *copy = strdup(path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) == 0 && chmod(copy, 0755) < 0)
			fail("chmod", copy);
		*p = '/';
	}
	free(copy);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail("mkdir", path);
	if (chown(path, uid, uid) < 0 || chmod(path, mode) < 0)
		fail("chmod", path);
}

void play_file(const char *path, const char *content)
{
	FILE *f = fopen(path, "we");
	if (!f || fputs(content, f) < 0 || fclose(f) != 0 || chmod(path, 0644) < 0)
		fail("write", path);
}

const char *play_read(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f)
		(void)fclose(f);
	return text;
}

bool play_exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static void read_table(struct jail_mount_table *table)
{
	struct jail_error err;
	if (jail_mount_table_read(table, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		abort();
	}
}

size_t play_count(const char *path)
{
	jail_automounttable struct jail_mount_table table = {0};
	size_t end;
	read_table(&table);
	size_t first = jail_mount_table_range(&table, path, &end);
	return end - first;
}

bool play_has_options(const char *path, unsigned options)
{
	jail_automounttable struct jail_mount_table table = {0};
	read_table(&table);
	const struct jail_mount_line *line = jail_mount_table_on(&table, path);
	return line && (line->options & options) == options;
}

static void must(int r, const struct jail_error *err)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "playground: %s\n", err->message);
	abort();
}

const char *play_plan(const char *text)
{
	jail_autoviews struct jail_views views = {0};
	jail_autoobservation struct jail_observation observation = {0};
	jail_autobuffer struct jail_buffer plan = JAIL_BUFFER_INIT;
	struct jail_error err;
	view_text_parse(text, play_node.marker_dir, &views);
	must(jail_observe(&play_node, &views, &observation, &err), &err);
	if (jail_plan_text(&observation.plan, &views, &plan) < 0)
		abort();
	free(last_plan);
	last_plan = strdup(plan.data);
	return last_plan;
}

const struct play_sync *play_sync(const char *text)
{
	jail_autoviews struct jail_views views = {0};
	jail_autoobservation struct jail_observation observation = {0};
	jail_autobuffer struct jail_buffer plan = JAIL_BUFFER_INIT;
	struct jail_error err;

	jail_applied_release(&last.applied);
	free(last.plan);
	view_text_parse(text, play_node.marker_dir, &views);
	must(jail_observe(&play_node, &views, &observation, &err), &err);
	if (jail_plan_text(&observation.plan, &views, &plan) < 0)
		abort();
	last.plan = strdup(plan.data);
	must(jail_apply_grant(&play_node, &views, &observation, &last.applied, &err), &err);
	must(jail_apply_revoke(&play_node, &views, &observation, &last.applied, &err), &err);
	for (size_t i = 0; i < last.applied.n_messages && getenv("PLAY_VERBOSE"); i++)
		(void)fprintf(stderr, "  %s\n", last.applied.messages[i]);
	return &last;
}
