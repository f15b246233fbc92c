/* Taking everything back: busy, killed half-way, with files of others in the way. */
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "tests/mount/playground.h"

#define ROOT  PLAY_STATE "/roots/a"
#define OTHER PLAY "/srv/jails/b"

static const char *const views = "view b " OTHER "\n"
				 "bind /home/foo " PLAY "/home/foo\n"
				 "view a " ROOT "\n"
				 "bind /src " PLAY "/src\n"
				 "bind /src/one/deep " PLAY "/src/two options=ro\n"
				 "hide /secret\n"
				 "bind /secret/foo " PLAY "/home/foo\n"
				 "tmpfs /tmp\n"
				 "bind /x/y/z " PLAY "/src/two/file\n"
				 "bind " PLAY "/link\n"
				 "bind " PLAY "/src\n";

static int fresh(void **state)
{
	(void)state;
	play_reset();
	play_dir(PLAY "/src/one/deep", 0, 0755);
	play_dir(PLAY "/src/two", 0, 0755);
	play_dir(PLAY "/home/foo", 1000, 0700);
	play_file(PLAY "/src/two/file", "two");
	play_file(PLAY "/home/foo/file", "foo");
	assert_int_equal(symlink("src/one", PLAY "/link"), 0);
	const struct play_sync *sync = play_sync(views);
	for (size_t i = 0; i < sync->applied.n_messages; i++)
		print_message("  %s\n", sync->applied.messages[i]);
	assert_int_equal(sync->applied.failures, 0);
	return 0;
}

static void teardown_clean(size_t messages)
{
	struct jail_applied applied = {0};
	struct jail_error err = {0};
	int r = jail_teardown(&play_node, &applied, &err);
	if (r < 0)
		print_message("%s\n", err.message);
	for (size_t i = 0; i < applied.n_messages; i++)
		print_message("  %s\n", applied.messages[i]);
	assert_int_equal(r, 0);
	assert_int_equal(applied.n_messages, messages);
	jail_applied_release(&applied);
	/* The playground's own mount is all there is. */
	assert_int_equal(play_count(PLAY), 1);
	assert_false(play_exists(PLAY_STATE "/made"));
	assert_false(play_exists(PLAY "/run/marker"));
}

static void assert_homes_are_whole(void)
{
	assert_string_equal(play_read(PLAY "/home/foo/file"), "foo");
	assert_string_equal(play_read(PLAY "/src/two/file"), "two");
	assert_true(play_exists(PLAY "/src/one/deep"));
}

static void everything_goes(void **state)
{
	(void)state;
	assert_string_equal(play_read(OTHER "/home/foo/file"), "foo");
	assert_string_equal(play_read(ROOT "/secret/foo/file"), "foo");
	teardown_clean(0);
	assert_false(play_exists(PLAY_STATE "/roots"));
	assert_false(play_exists(PLAY "/srv"));
	assert_homes_are_whole();
	/* Once more: nothing to do, nothing to complain about. */
	teardown_clean(0);
}

/* What sessions of namespace jails left behind: a marker each, and memory. */
static void markers_of_members_and_memory_go(void **state)
{
	(void)state;
	play_dir(PLAY "/run/marker/guest/1001", 0, 0700);
	play_dir(PLAY "/run/marker/guest/1002", 0, 0700);
	play_dir(PLAY "/run/private", 0, 0700);
	for (int i = 0; i < 2; i++)
		assert_int_equal(mount("memory", PLAY "/run/private", "tmpfs", 0, "mode=0700"), 0);
	play_dir(PLAY "/run/private/1001/dev-shm", 0, 0700);
	play_file(PLAY "/run/private/1001/dev-shm/x", "in memory");
	assert_true(jail_private_holds(PLAY "/run/private"));
	teardown_clean(0);
	assert_false(play_exists(PLAY "/run/private"));
}

/* Without a mount it lies on /run, and is not the agent's. */
static void what_is_no_memory_stays(void **state)
{
	(void)state;
	play_dir(PLAY "/run/private/1001/dev-shm", 0, 0700);
	assert_false(jail_private_holds(PLAY "/run/private"));
	play_file(PLAY "/run/private/1001/dev-shm/x", "kept");
	assert_true(jail_private_holds(PLAY "/run/private"));
	teardown_clean(0);
	assert_string_equal(play_read(PLAY "/run/private/1001/dev-shm/x"), "kept");
	assert_false(jail_private_holds(PLAY "/run/nowhere"));
}

/* A marker directory is removed when it is empty, whatever else it is. */
static void a_file_among_the_markers_stays(void **state)
{
	(void)state;
	struct jail_applied applied = {0};
	play_file(PLAY "/run/marker/note", "an administrator's");
	assert_int_equal(jail_teardown(&play_node, &applied, NULL), 0);
	jail_applied_release(&applied);
	assert_string_equal(play_read(PLAY "/run/marker/note"), "an administrator's");
}

static void a_busy_mount_goes_too(void **state)
{
	(void)state;
	int fd = open(OTHER "/home/foo/file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(chdir(ROOT "/src/one"), 0);
	teardown_clean(0);
	assert_int_equal(chdir("/"), 0);
	char text[4] = "";
	assert_int_equal(read(fd, text, 3), 3); /* who uses it keeps it */
	assert_string_equal(text, "foo");
	(void)close(fd);
	assert_homes_are_whole();
}

static void files_of_others_stay(void **state)
{
	(void)state;
	play_file(ROOT "/notes", "mine");
	teardown_clean(1);
	assert_string_equal(play_read(ROOT "/notes"), "mine");
	assert_homes_are_whole();
}

/* A mount that cannot be reached by any path is found in the mount table all the same. */
static void stacked_and_covered_mounts_go(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		play_mount("more", ROOT "/tmp", "tmpfs", 0, NULL);
	play_mount("cover", ROOT "/secret", "tmpfs", 0, "mode=0755");
	play_dir(ROOT "/secret/new", 0, 0755);
	play_mount("inside", ROOT "/secret/new", "tmpfs", 0, NULL);
	teardown_clean(0);
	assert_homes_are_whole();
}

static void killed_anywhere_it_can_be_run_again(void **state)
{
	(void)state;
	/* Uninterrupted it takes about this long; kill it at points spread over that. */
	struct timespec begin;
	struct timespec end;
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	teardown_clean(0);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	long whole = (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
	unsigned cut = 0;
	for (long i = 0; i < 40; i++) {
		int status = 0;
		(void)fresh(NULL);
		int busy = open(OTHER "/home/foo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct jail_applied applied = {0};
			struct jail_error err;
			_exit(jail_teardown(&play_node, &applied, &err) < 0);
		}
		struct timespec nap = {.tv_nsec = (whole * i / 40 + 200) * 1000};
		(void)nanosleep(&nap, NULL);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		cut += WIFSIGNALED(status);
		assert_homes_are_whole();
		teardown_clean(0);
		assert_homes_are_whole();
		(void)close(busy);
	}
	assert_true(cut > 5); /* else nothing was tried */
}

/* The same for apply: what was announced and never made is no obstacle. */
static void an_apply_killed_anywhere_is_finished_by_the_next(void **state)
{
	(void)state;
	unsigned cut = 0;
	for (long i = 0; i < 40; i++) {
		int status = 0;
		struct jail_applied applied = {0};
		struct jail_error err;
		assert_int_equal(jail_teardown(&play_node, &applied, &err), 0);
		jail_applied_release(&applied);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)play_sync(views);
			_exit(0);
		}
		struct timespec nap = {.tv_nsec = (i * 60 + 200) * 1000};
		(void)nanosleep(&nap, NULL);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		cut += WIFSIGNALED(status);
		assert_int_equal(play_sync(views)->applied.failures, 0);
		assert_string_equal(play_plan(views), "");
	}
	assert_true(cut > 5);
	teardown_clean(0);
	assert_false(play_exists(PLAY_STATE "/roots"));
	assert_homes_are_whole();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_goes, fresh),
		cmocka_unit_test_setup(markers_of_members_and_memory_go, fresh),
		cmocka_unit_test_setup(what_is_no_memory_stays, fresh),
		cmocka_unit_test_setup(a_file_among_the_markers_stays, fresh),
		cmocka_unit_test_setup(a_busy_mount_goes_too, fresh),
		cmocka_unit_test_setup(files_of_others_stay, fresh),
		cmocka_unit_test_setup(stacked_and_covered_mounts_go, fresh),
		cmocka_unit_test_setup(killed_anywhere_it_can_be_run_again, fresh),
		cmocka_unit_test_setup(an_apply_killed_anywhere_is_finished_by_the_next, fresh),
	};
	play_begin();
	play_old_kernel(argc > 1 ? argv[1] : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
