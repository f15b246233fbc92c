/* Views on real mounts. Every test runs twice: as the kernel is, and with the mount calls of Linux 5.2
 * to 5.12 made to fail with ENOSYS, as on RHEL 8 and (mount_setattr alone) on Debian 11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/policy/model.h"
#include "tests/mount/playground.h"

#define ROOT  PLAY_STATE "/roots/a"
#define OTHER PLAY "/srv/jails/b"

static int fresh(void **state)
{
	(void)state;
	play_reset();
	play_dir(PLAY "/src/one/deep", 0, 0755);
	play_dir(PLAY "/src/two", 0, 0755);
	play_dir(PLAY "/home/foo", 1000, 0700);
	play_dir(PLAY "/home/bar", 1001, 0700);
	play_file(PLAY "/src/one/file", "one");
	play_file(PLAY "/src/two/file", "two");
	play_file(PLAY "/home/foo/file", "foo");
	return 0;
}

/* Carries out, demands no failure, and that a second look finds nothing to do. */
static const struct play_sync *sync_clean(const char *views)
{
	const struct play_sync *sync = play_sync(views);
	for (size_t i = 0; i < sync->applied.n_messages; i++)
		print_message("  %s\n", sync->applied.messages[i]);
	assert_int_equal(sync->applied.failures, 0);
	assert_string_equal(play_plan(views), "");
	return sync;
}

static void binds_arrive(void **state)
{
	const char *views = "view a " ROOT "\n"
			    "bind /one " PLAY "/src/one\n"
			    "bind /home/foo " PLAY "/home/foo owner=1000\n"
			    "bind /file " PLAY "/src/two/file\n"
			    "hide /secret\n"
			    "tmpfs /tmp size=1048576\n"
			    "proc /proc\n";
	(void)state;
	const struct play_sync *sync = sync_clean(views);
	assert_string_equal(play_read(ROOT "/one/file"), "one");
	assert_string_equal(play_read(ROOT "/home/foo/file"), "foo");
	assert_string_equal(play_read(ROOT "/file"), "two");
	assert_true(play_exists(ROOT "/proc/1"));
	assert_true(play_has_options(ROOT "/secret", 15));
	assert_true(play_has_options(ROOT "/tmp", JAIL_OPT_NOSUID | JAIL_OPT_NODEV));
	assert_true(play_exists(ROOT "/.clusterjail"));
	assert_true(play_has_options(ROOT "/.clusterjail", 15));
	struct stat st;
	assert_int_equal(stat(ROOT, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(ROOT "/tmp", &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(stat(PLAY_STATE "/roots", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* The directory of roots and seven entries. */
	assert_int_equal(sync->applied.mounts, 8);
}

static void a_second_sync_does_nothing(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one\nuser foo\n";
	struct stat before;
	struct stat after;
	(void)state;
	sync_clean(views);
	assert_int_equal(stat(PLAY_STATE "/made", &before), 0);
	const struct play_sync *sync = play_sync(views);
	assert_int_equal(sync->applied.mounts + sync->applied.unmounts + sync->applied.others, 0);
	assert_int_equal(stat(PLAY_STATE "/made", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void only_what_was_unmounted_comes_back(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one\nbind /two " PLAY "/src/two\n";
	(void)state;
	sync_clean(views);
	play_umount(ROOT "/two");
	assert_string_equal(play_plan(views), "mount " ROOT "/two from " PLAY "/src/two (missing)\n");
	const struct play_sync *sync = sync_clean(views);
	assert_int_equal(sync->applied.mounts, 1);
	assert_int_equal(sync->applied.unmounts, 0);
	assert_string_equal(play_read(ROOT "/two/file"), "two");
}

static void a_replaced_source_is_seen(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one\n";
	(void)state;
	sync_clean(views);
	assert_int_equal(rename(PLAY "/src/one", PLAY "/src/old"), 0);
	play_dir(PLAY "/src/one", 0, 0755);
	play_file(PLAY "/src/one/file", "new");
	assert_string_equal(play_plan(views),
			    "remount " ROOT "/one from " PLAY "/src/one (source was replaced)\n");
	sync_clean(views);
	assert_string_equal(play_read(ROOT "/one/file"), "new");
	/* A file system mounted over it is another source too. */
	play_mount("late", PLAY "/src/one", "tmpfs", 0, "mode=0755");
	play_file(PLAY "/src/one/file", "late");
	sync_clean(views);
	assert_string_equal(play_read(ROOT "/one/file"), "late");
}

static void a_late_submount_follows(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one\n";
	(void)state;
	sync_clean(views);
	play_mount("late", PLAY "/src/one/deep", "tmpfs", 0, "mode=0755");
	play_file(PLAY "/src/one/deep/file", "late");
	assert_string_equal(play_read(ROOT "/one/deep/file"), "late");
	assert_string_equal(play_plan(views), "");
	play_umount(PLAY "/src/one/deep");
	assert_false(play_exists(ROOT "/one/deep/file"));
	/* And nothing goes the other way. */
	play_mount("mine", ROOT "/one/deep", "tmpfs", 0, NULL);
	assert_int_equal(play_count(PLAY "/src/one/deep"), 0);
}

static void options_hold_on_every_submount_and_do_not_follow(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one options=ro,nosuid\n";
	(void)state;
	play_mount("sub", PLAY "/src/one/deep", "tmpfs", MS_NODEV, "mode=0755");
	play_dir(PLAY "/src/one/deep/er", 0, 0755);
	play_mount("subsub", PLAY "/src/one/deep/er", "tmpfs", 0, "mode=0755");
	sync_clean(views);
	assert_true(play_has_options(ROOT "/one", JAIL_OPT_RO | JAIL_OPT_NOSUID));
	assert_true(play_has_options(ROOT "/one/deep", JAIL_OPT_RO | JAIL_OPT_NOSUID | JAIL_OPT_NODEV));
	assert_true(play_has_options(ROOT "/one/deep/er", JAIL_OPT_RO | JAIL_OPT_NOSUID));
	assert_int_equal(open(ROOT "/one/deep/er/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), -1);
	assert_int_equal(errno, EROFS);
	/* The source itself is as it was. */
	assert_false(play_has_options(PLAY "/src/one/deep", JAIL_OPT_RO));

	play_dir(PLAY "/src/one/late", 0, 0755);
	play_mount("late", PLAY "/src/one/late", "tmpfs", 0, "mode=0755");
	assert_int_equal(play_count(ROOT "/one/late"), 0);
	assert_string_equal(play_plan(views), "remount " ROOT "/one from " PLAY "/src/one with ro,nosuid "
					      "(submount /late is missing)\n");
	sync_clean(views);
	assert_true(play_has_options(ROOT "/one/late", JAIL_OPT_RO | JAIL_OPT_NOSUID));
	/* Somebody takes an option away. */
	play_mount(NULL, ROOT "/one/deep", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, NULL);
	assert_string_equal(play_plan(views), "remount " ROOT "/one from " PLAY "/src/one with ro,nosuid "
					      "(options of submount /deep differ)\n");
	sync_clean(views);
}

static void a_policy_change_replaces_what_differs(void **state)
{
	(void)state;
	play_mount("shm", PLAY "/src/one/deep", "tmpfs", 0, "mode=0755");
	sync_clean("view a " ROOT "\nbind /one " PLAY "/src/one\nbind /two " PLAY "/src/two\n");
	/* Options, another source, a hide inside a bind, a directory less. */
	sync_clean("view a " ROOT "\nbind /one " PLAY "/src/one options=ro\nhide /one/deep\n");
	assert_false(play_exists(ROOT "/two"));
	assert_true(play_has_options(ROOT "/one/deep", 15));
	sync_clean("view a " ROOT "\nbind /one " PLAY "/src/one\n");
	assert_false(play_has_options(ROOT "/one/deep", JAIL_OPT_RO));
	sync_clean("view a " ROOT "\nbind /one " PLAY "/src/two\n");
	assert_string_equal(play_read(ROOT "/one/file"), "two");
	/* What was mounted is now a way to what is. */
	sync_clean("view a " ROOT "\nbind /one/x/y " PLAY "/src/two\n");
	assert_string_equal(play_read(ROOT "/one/x/y/file"), "two");
	sync_clean("view a " ROOT "\n");
	assert_false(play_exists(ROOT "/one"));
	assert_true(play_exists(ROOT "/.clusterjail"));
	sync_clean("");
	assert_false(play_exists(ROOT));
	assert_string_equal(play_read(PLAY_STATE "/made"), "");
}

static void entries_stand_in_hides_and_tmpfs(void **state)
{
	(void)state;
	sync_clean("view a " ROOT "\nhide /home\nbind /home/foo " PLAY "/home/foo\n"
		   "tmpfs /tmp\nbind /tmp/keep " PLAY "/src/two\n");
	assert_string_equal(play_read(ROOT "/home/foo/file"), "foo");
	assert_string_equal(play_read(ROOT "/tmp/keep/file"), "two");
	/* Later ones as well, while the hide stays as it is. */
	const struct play_sync *sync =
		sync_clean("view a " ROOT "\nhide /home\nbind /home/foo " PLAY "/home/foo\n"
			   "bind /home/bar " PLAY "/home/bar\n"
			   "tmpfs /tmp\nbind /tmp/keep " PLAY "/src/two\n");
	assert_int_equal(sync->applied.mounts, 1);
	assert_true(play_has_options(ROOT "/home", 15));
	assert_int_equal(mkdir(ROOT "/home/new", 0755), -1);
	assert_int_equal(errno, EROFS);
}

static void a_tmpfs_changes_without_losing_its_files(void **state)
{
	(void)state;
	sync_clean("view a " ROOT "\ntmpfs /tmp size=1048576\n");
	play_file(ROOT "/tmp/work", "work");
	sync_clean("view a " ROOT "\ntmpfs /tmp size=2097152 options=noexec\n");
	assert_string_equal(play_read(ROOT "/tmp/work"), "work");
	assert_true(play_has_options(ROOT "/tmp", JAIL_OPT_NOEXEC));
}

static void a_tmpfs_that_is_too_full_keeps_the_view_open(void **state)
{
	static char mebibyte[(1 << 20) + 1];
	(void)state;
	sync_clean("view a " ROOT "\ntmpfs /tmp size=4194304\n");
	memset(mebibyte, 'x', sizeof mebibyte - 1);
	play_file(ROOT "/tmp/work", mebibyte);
	const struct play_sync *sync = play_sync("view a " ROOT "\ntmpfs /tmp size=65536 options=noexec\n");
	assert_int_equal(sync->applied.failures, 1);
	assert_non_null(strstr(sync->applied.messages[0], "more than that is in use"));
	assert_true(play_has_options(ROOT "/tmp", JAIL_OPT_NOEXEC));
	assert_int_equal(play_count(ROOT "/.clusterjail"), 1);
	assert_int_equal(unlink(ROOT "/tmp/work"), 0);
	sync_clean("view a " ROOT "\ntmpfs /tmp size=65536 options=noexec\n");
}

static void links_of_root_are_reproduced(void **state)
{
	const char *views = "view a " ROOT "\nbind " PLAY "/src\nbind " PLAY "/link\n";
	char text[64] = "";
	(void)state;
	assert_int_equal(symlink("src/one", PLAY "/link"), 0);
	sync_clean(views);
	assert_int_equal(readlink(ROOT PLAY "/link", text, sizeof text - 1), 7);
	assert_string_equal(text, "src/one");
	assert_string_equal(play_read(ROOT PLAY "/link/file"), "one");
	/* A link out of the view would dangle: what it leads to is bound instead. */
	sync_clean("view a " ROOT "\nbind " PLAY "/link\n");
	assert_string_equal(play_read(ROOT PLAY "/link/file"), "one");
	assert_int_equal(readlink(ROOT PLAY "/link", text, sizeof text - 1), -1);
	/* And back. */
	sync_clean(views);
	sync_clean("view a " ROOT "\n");
	assert_false(play_exists(ROOT "/mnt"));
}

static void what_cannot_be_had_closes_the_view(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one\nbind /two " PLAY "/src/two\n";
	(void)state;
	sync_clean(views);
	assert_int_equal(rename(PLAY "/src/two", PLAY "/src/gone"), 0);
	const struct play_sync *sync = play_sync(views);
	assert_non_null(strstr(sync->plan, "unmount " ROOT "/.clusterjail (the view is not complete)"));
	assert_int_equal(play_count(ROOT "/.clusterjail"), 0);
	assert_int_equal(play_count(ROOT "/two"), 0);
	assert_int_equal(play_count(ROOT "/one"), 1);
	/* Nothing flaps: only the problem is left. */
	assert_int_equal(strncmp(play_plan(views), "problem ", 8), 0);
	assert_int_equal(rename(PLAY "/src/gone", PLAY "/src/two"), 0);
	sync_clean(views);
	assert_int_equal(play_count(ROOT "/.clusterjail"), 1);
}

static void an_optional_one_comes_and_goes(void **state)
{
	const char *views = "view a " ROOT "\nbind /opt " PLAY "/src/three optional\n";
	(void)state;
	sync_clean(views);
	assert_false(play_exists(ROOT "/opt"));
	play_dir(PLAY "/src/three", 0, 0755);
	sync_clean(views);
	assert_int_equal(play_count(ROOT "/opt"), 1);
	assert_int_equal(rename(PLAY "/src/three", PLAY "/src/four"), 0);
	sync_clean(views);
	assert_false(play_exists(ROOT "/opt"));
}

static void a_home_must_be_its_owners(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one\n"
			    "bind /home/foo " PLAY "/home/foo owner=1000 personal\n";
	(void)state;
	sync_clean(views);
	assert_int_equal(chown(PLAY "/home/foo", 1001, 1001), 0);
	const struct play_sync *sync = play_sync(views);
	assert_non_null(strstr(sync->plan, "belongs to uid 1001"));
	assert_int_equal(play_count(ROOT "/home/foo"), 0);
	/* Only foo is kept out, at the door. */
	assert_int_equal(play_count(ROOT "/.clusterjail"), 1);
}

static void untrusted_ways_are_refused(void **state)
{
	(void)state;
	/* A user's directory on the way to a target. */
	play_dir(PLAY "/home/foo/sub", 1000, 0755);
	const struct play_sync *sync = play_sync("view a " ROOT "\nbind /home/foo " PLAY "/home/foo\n"
						 "bind /home/foo/sub " PLAY "/src/two\n");
	assert_int_equal(sync->applied.failures, 1);
	/* Nor is what it should cover a part of shown. */
	assert_int_equal(play_count(ROOT "/home/foo"), 0);
	assert_int_equal(play_count(ROOT "/.clusterjail"), 0);
	/* Something of a user's at a system directory. */
	sync = play_sync("view a " ROOT "\nbind /etc " PLAY "/home/foo\n");
	assert_non_null(strstr(sync->plan, "may not stand at /etc"));
	assert_int_equal(play_count(ROOT "/etc"), 0);
	/* A mount point is never made in what is mounted. */
	sync = play_sync("view a " ROOT "\nbind /one " PLAY "/src/one\nbind /one/new " PLAY "/src/two\n");
	assert_int_equal(sync->applied.failures, 1);
	assert_false(play_exists(PLAY "/src/one/new"));
}

static void roots_elsewhere_are_bound_to_themselves(void **state)
{
	const char *views = "view b " OTHER "\nbind /two " PLAY "/src/two\n"
			    "view a " ROOT "\nbind /one " PLAY "/src/one\nbind /srv " PLAY "/srv\n";
	(void)state;
	play_dir(PLAY "/srv", 0, 0755);
	/* First a alone, which binds the directory that b's root comes to be in. */
	sync_clean("view a " ROOT "\nbind /one " PLAY "/src/one\nbind /srv " PLAY "/srv\n");
	sync_clean(views);
	assert_string_equal(play_read(OTHER "/two/file"), "two");
	assert_false(play_exists(ROOT "/srv/jails/b/two/file"));
	struct stat st;
	assert_int_equal(stat(PLAY "/srv/jails", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	sync_clean("view a " ROOT "\nbind /one " PLAY "/src/one\nbind /srv " PLAY "/srv\n");
	assert_int_equal(play_count(OTHER), 0);
	assert_false(play_exists(PLAY "/srv/jails"));
}

static void two_jails_that_bind_the_roots_see_nothing_of_each_other(void **state)
{
	(void)state;
	sync_clean("view a " ROOT "\nbind /var " PLAY "\nbind /home/foo " PLAY "/home/foo\n"
		   "view b " PLAY_STATE "/roots/b\nbind /var " PLAY "\nbind /home/bar " PLAY "/home/bar\n");
	/* Four binds, two markers, the directory of roots: no copy of a copy. */
	assert_int_equal(play_count(PLAY_STATE "/roots"), 7);
	assert_false(play_exists(ROOT "/var/state/roots/b/home/bar/file"));
	assert_int_equal(play_count(ROOT "/var"), 1);
	assert_int_equal(play_count(PLAY_STATE "/roots/b/var"), 1);
}

static void a_shared_bind_made_by_hand_is_taken_without_harm(void **state)
{
	const char *views = "view a " ROOT "\nbind /one " PLAY "/src/one\n";
	(void)state;
	sync_clean(views);
	play_mount("sub", PLAY "/src/one/deep", "tmpfs", 0, NULL);
	play_dir(ROOT "/hand", 0, 0755);
	play_mount(PLAY "/src/one", ROOT "/hand", NULL, MS_BIND | MS_REC, NULL);
	const struct play_sync *sync = play_sync(views);
	assert_non_null(strstr(sync->plan, "unmount " ROOT "/hand (not in the policy)"));
	assert_int_equal(sync->applied.failures, 0);
	/* A peer of the host's: its submounts are still there. */
	assert_int_equal(play_count(PLAY "/src/one/deep"), 1);
	assert_string_equal(play_plan(views), "");
	assert_true(play_exists(ROOT "/hand")); /* not the agent's */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(binds_arrive, fresh),
		cmocka_unit_test_setup(a_second_sync_does_nothing, fresh),
		cmocka_unit_test_setup(only_what_was_unmounted_comes_back, fresh),
		cmocka_unit_test_setup(a_replaced_source_is_seen, fresh),
		cmocka_unit_test_setup(a_late_submount_follows, fresh),
		cmocka_unit_test_setup(options_hold_on_every_submount_and_do_not_follow, fresh),
		cmocka_unit_test_setup(a_policy_change_replaces_what_differs, fresh),
		cmocka_unit_test_setup(entries_stand_in_hides_and_tmpfs, fresh),
		cmocka_unit_test_setup(a_tmpfs_changes_without_losing_its_files, fresh),
		cmocka_unit_test_setup(a_tmpfs_that_is_too_full_keeps_the_view_open, fresh),
		cmocka_unit_test_setup(links_of_root_are_reproduced, fresh),
		cmocka_unit_test_setup(what_cannot_be_had_closes_the_view, fresh),
		cmocka_unit_test_setup(an_optional_one_comes_and_goes, fresh),
		cmocka_unit_test_setup(a_home_must_be_its_owners, fresh),
		cmocka_unit_test_setup(untrusted_ways_are_refused, fresh),
		cmocka_unit_test_setup(roots_elsewhere_are_bound_to_themselves, fresh),
		cmocka_unit_test_setup(two_jails_that_bind_the_roots_see_nothing_of_each_other, fresh),
		cmocka_unit_test_setup(a_shared_bind_made_by_hand_is_taken_without_harm, fresh),
	};
	play_begin();
	play_old_kernel(argc > 1 ? argv[1] : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
