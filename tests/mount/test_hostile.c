/* A user who swaps everything they may write while views are being carried out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/view/walk.h"
#include "tests/mount/playground.h"

#define ROOT PLAY_STATE "/roots/a"
#define HOME PLAY "/home/foo"

/* Rounds go on past ROUNDS, for a minute at most, until swaps were met: on a busy machine whole rounds may
 * pass in which the user does not run. */
enum { ROUNDS = 150, PATIENCE_S = 60 };

static int fresh(void **state)
{
	(void)state;
	play_reset();
	play_dir(HOME, 1000, 0755);
	play_dir(HOME "/data", 1000, 0755);
	play_file(HOME "/data/file", "foo");
	play_dir(PLAY "/src/two", 0, 0755);
	play_dir(PLAY "/victim", 0, 0755);
	play_file(PLAY "/victim/file", "victim");
	return 0;
}

/* Runs until killed: data is a directory, a symlink to the victim, a symlink upwards, a file, nothing. */
static void swap_forever(const char *home)
{
	static const char *const links[] = {PLAY "/victim", "../../victim", "/etc", "/proc/self/root"};
	if (setgid(1000) < 0 || setuid(1000) < 0 || chdir(home) < 0)
		_exit(1);
	for (unsigned i = 0;; i++) {
		(void)renameat2(AT_FDCWD, "data", AT_FDCWD, "aside", 0);
		if (symlink(links[i % 4], "data") == 0)
			(void)unlink("data");
		if (symlink(links[i % 4], "sub") < 0 && errno != EEXIST)
			_exit(2);
		(void)renameat2(AT_FDCWD, "aside", AT_FDCWD, "data", 0);
		(void)unlink("sub");
		(void)mkdir("sub", 0755);
		(void)rmdir("sub");
		/* Now and then it stays a directory for a moment, so that a sync can get through. */
		if (i % 8 == 0)
			(void)nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
}

static pid_t attack(const char *home)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		swap_forever(home);
	return pid;
}

static void stop(pid_t pid)
{
	int status = 0;
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* it was still at it */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Only the view and the directory of roots are mounted on, whatever was swapped. */
static size_t mounts_outside(void)
{
	return play_count("/") - play_count(PLAY_STATE "/roots");
}

static void assert_nothing_outside(size_t before)
{
	assert_int_equal(mounts_outside(), before);
	assert_int_equal(play_count(PLAY) - play_count(PLAY_STATE "/roots"), 1);
	assert_string_equal(play_read(PLAY "/victim/file"), "victim");
}

/* What came of the rounds. A test in which no sync gets anywhere, or that never meets a swap, shows nothing.
 */
struct tally {
	unsigned rounds, clean, refused, mounted;
	bool harmless; /* a swap in the way need not refuse anything */
	time_t began;  /* CLOCK_MONOTONIC, s */
};

static bool goes_on(struct tally *tally)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (tally->began == 0)
		tally->began = now.tv_sec;
	bool tried = tally->clean > 0 && tally->mounted > 0 && (tally->harmless || tally->refused > 0);
	if (tally->rounds >= ROUNDS && (tried || now.tv_sec - tally->began > PATIENCE_S))
		return false;
	tally->rounds++;
	return true;
}

static void assert_it_was_tried(const struct tally *tally)
{
	print_message("%u rounds: %u without a failure, %u refused, %u mounted\n", tally->rounds,
		      tally->clean, tally->refused, tally->mounted);
	assert_true(tally->clean > 0);
	assert_true(tally->mounted > 0);
	assert_true(tally->harmless || tally->refused > 0); /* a swap was in the way at least once */
}

static void swapped_sources_are_never_followed(void **state)
{
	static const char *const views[] = {
		"view a " ROOT "\nbind /data " HOME "/data owner=1000 personal\n",
		"view a " ROOT "\nbind /data " HOME "/data owner=1000 personal options=ro\n",
	};
	(void)state;
	size_t before = mounts_outside();
	pid_t pid = attack(HOME);
	struct tally tally = {0};
	for (unsigned i = 0; goes_on(&tally); i++) {
		const struct play_sync *sync = play_sync(views[i % 2]);
		bool mounted = play_count(ROOT "/data") > 0;
		tally.clean += sync->applied.failures == 0;
		tally.refused += !mounted;
		tally.mounted += mounted;
		/* It is foo's directory or it is not there: never the victim's. */
		if (mounted)
			assert_string_equal(play_read(ROOT "/data/file"), "foo");
		assert_false(play_exists(ROOT "/data/passwd"));
		assert_nothing_outside(before);
	}
	stop(pid);
	assert_it_was_tried(&tally);
}

static void swapped_targets_are_never_followed(void **state)
{
	static const char *const views[] = {
		"view a " ROOT "\nbind /home/foo " HOME "\nbind /home/foo/data " PLAY "/src/two\n"
		"hide /home/foo/sub\n",
		"view a " ROOT "\nbind /home/foo " HOME "\n",
	};
	(void)state;
	size_t before = mounts_outside();
	pid_t pid = attack(HOME);
	struct tally tally = {0};
	for (unsigned i = 0; goes_on(&tally); i++) {
		const struct play_sync *sync = play_sync(views[i % 2]);
		tally.clean += sync->applied.failures == 0;
		tally.refused += sync->applied.failures > 0;
		tally.mounted += play_count(ROOT "/home/foo") == 1;
		assert_int_equal(play_count(ROOT "/home/foo/data"), 0);
		assert_int_equal(play_count(PLAY "/victim"), 0);
		assert_nothing_outside(before);
	}
	stop(pid);
	assert_it_was_tried(&tally);
	assert_true(tally.refused >=
		    tally.rounds / 2); /* every round that asks for what lies in foo's hands */
}

/* Options on submounts below directories of the user's: each is opened by its identifier. */
static void swapped_ways_to_submounts_cannot_mislead(void **state)
{
	(void)state;
	play_dir(HOME "/data/mnt", 0, 0755);
	play_mount("sub", HOME "/data/mnt", "tmpfs", 0, "mode=0755");
	play_mount("victim", PLAY "/victim", "tmpfs", 0, "mode=0755");
	play_file(PLAY "/victim/file", "victim");
	size_t before = mounts_outside();
	pid_t pid = attack(HOME);
	struct tally tally = {.harmless = true};
	for (unsigned i = 0; goes_on(&tally); i++) {
		const struct play_sync *sync =
			play_sync(i % 2 ? "view a " ROOT "\n"
					: "view a " ROOT "\nbind /home/foo " HOME " options=ro,nosuid\n");
		tally.clean += i % 2 == 0 && sync->applied.failures == 0;
		tally.refused += sync->applied.failures > 0;
		tally.mounted += play_count(ROOT "/home/foo") > 1; /* with its submount */
		assert_int_equal(mounts_outside(), before);
		assert_false(play_has_options(PLAY "/victim", 1));
		assert_int_equal(play_count(PLAY "/victim"), 1);
	}
	stop(pid);
	assert_it_was_tried(&tally);
}

/* A mount that took another's place between the look and the call is left alone. */
static void only_the_mount_that_was_seen_is_touched(void **state)
{
	jail_automounttable struct jail_mount_table table = {0};
	struct jail_error err = {0};
	size_t count = 0;
	int fd = -1;
	(void)state;
	play_dir(HOME "/data/mnt", 0, 0755);
	play_dir(HOME "/other/mnt", 0, 0755);
	play_mount("one", HOME "/data/mnt", "tmpfs", 0, NULL);
	play_mount("two", HOME "/other/mnt", "tmpfs", 0, NULL);
	play_mount(NULL, PLAY, NULL, MS_PRIVATE, NULL);
	assert_int_equal(jail_mount_table_read(&table, &err), 0);
	const struct jail_mount_line *line = jail_mount_table_on(&table, HOME "/data/mnt");
	assert_non_null(line);
	assert_int_equal(renameat2(AT_FDCWD, HOME "/data", AT_FDCWD, HOME "/other", RENAME_EXCHANGE), 0);
	assert_int_equal(jail_walk_mount(-1, line->mount_point, line->id, &fd, &err), -EAGAIN);
	assert_int_equal(jail_detach(&table, line->mount_point, &count, &err), -EAGAIN);
	assert_int_equal(play_count(HOME), 2);
	/* And back: now it is the one. */
	assert_int_equal(renameat2(AT_FDCWD, HOME "/data", AT_FDCWD, HOME "/other", RENAME_EXCHANGE), 0);
	assert_int_equal(jail_detach(&table, line->mount_point, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(play_count(HOME "/data/mnt"), 0);
	assert_int_equal(play_count(HOME "/other/mnt"), 1);
}

/* A directory of a tmpfs in the view, where everybody may make names: what is there is moved aside, and keeps
 * nobody out. */
static void names_taken_in_a_tmpfs_are_moved_aside(void **state)
{
	const char *without = "view a " ROOT "\ntmpfs /tmp\n";
	const char *with = "view a " ROOT "\ntmpfs /tmp\nbind /tmp/keep " PLAY "/src/two\n"
			   "bind /tmp/way/to " PLAY "/src/two\nbind /tmp/file " PLAY "/victim/file\n";
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		(void)play_sync(without);
		if (i == 0) {
			assert_int_equal(symlink(PLAY "/victim", ROOT "/tmp/keep"), 0);
			assert_int_equal(lchown(ROOT "/tmp/keep", 1000, 1000), 0);
			assert_int_equal(symlink(PLAY "/victim", ROOT "/tmp/way"), 0);
			play_dir(ROOT "/tmp/file", 1000, 0755);
		} else {
			play_dir(ROOT "/tmp/keep", 1000, 0755);
			play_dir(ROOT "/tmp/way/to", 1000, 0755);
			assert_int_equal(chown(ROOT "/tmp/way", 1000, 1000), 0);
			assert_int_equal(symlink(PLAY "/victim/file", ROOT "/tmp/file"), 0);
		}
		const struct play_sync *sync = play_sync(with);
		assert_int_equal(sync->applied.failures, 0);
		assert_int_equal(sync->applied.n_messages, 3);
		assert_string_equal(play_plan(with), "");
		assert_int_equal(play_count(PLAY "/victim"), 0);
		assert_int_equal(play_count(ROOT "/tmp/keep"), 1);
		assert_int_equal(play_count(ROOT "/tmp/way/to"), 1);
		assert_string_equal(play_read(ROOT "/tmp/file"), "victim");
		assert_int_equal(play_count(ROOT "/.clusterjail"), 1);
		(void)play_sync("view a " ROOT "\n");
	}
}

/* A tmpfs that comes with what stands in it has no moment in which a name could be taken. */
static void points_are_made_before_a_tmpfs_is_seen(void **state)
{
	(void)state;
	const struct play_sync *sync =
		play_sync("view a " ROOT "\ntmpfs /tmp\nbind /tmp/keep " PLAY "/src/two\n");
	assert_int_equal(sync->applied.failures, 0);
	assert_int_equal(play_count(ROOT "/tmp"), 2);
	assert_false(play_exists(PLAY_STATE "/roots/.staging"));
}

/* A mounted file that its owner makes a directory, or the other way round: the mount point is replaced by one
 * of the other type, and still has to go when nobody needs it. */
static void mount_points_of_turned_sources_go(void **state)
{
	const char *without = "view a " ROOT "\ntmpfs /tmp\n";
	const char *with = "view a " ROOT "\ntmpfs /tmp\nbind /turn " HOME "/turn\n";
	(void)state;
	for (size_t turns = 1; turns <= 2; turns++) {
		play_file(HOME "/turn", "");
		assert_int_equal(play_sync(with)->applied.failures, 0);
		for (size_t i = 0; i < turns; i++) {
			if (i == 0) {
				assert_int_equal(unlink(HOME "/turn"), 0);
				play_dir(HOME "/turn", 1000, 0755);
			} else {
				assert_int_equal(rmdir(HOME "/turn"), 0);
				play_file(HOME "/turn", "");
			}
			assert_int_equal(play_sync(with)->applied.failures, 0);
			assert_string_equal(play_plan(with), "");
		}
		(void)play_sync(without);
		assert_false(play_exists(ROOT "/turn"));
		if (turns == 1)
			assert_int_equal(rmdir(HOME "/turn"), 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(swapped_sources_are_never_followed, fresh),
		cmocka_unit_test_setup(swapped_targets_are_never_followed, fresh),
		cmocka_unit_test_setup(swapped_ways_to_submounts_cannot_mislead, fresh),
		cmocka_unit_test_setup(only_the_mount_that_was_seen_is_touched, fresh),
		cmocka_unit_test_setup(names_taken_in_a_tmpfs_are_moved_aside, fresh),
		cmocka_unit_test_setup(points_are_made_before_a_tmpfs_is_seen, fresh),
		cmocka_unit_test_setup(mount_points_of_turned_sources_go, fresh),
	};
	play_begin();
	play_old_kernel(argc > 1 ? argv[1] : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
