/* What an earlier policy made, where something is mounted now: the path leads into the host's own files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "lib/view/apply_parts.h"
#include "tests/mount/playground.h"

#define ROOT PLAY_STATE "/roots/a"
#define HOST PLAY "/host"

static int fresh(void **state)
{
	(void)state;
	play_reset();
	play_dir(HOST "/etc", 0, 0755);
	play_dir(HOST "/var/run", 0, 0755);
	play_dir(PLAY "/src/two", 0, 0755);
	play_dir(PLAY "/home/foo", 1000, 0700);
	play_file(PLAY "/home/foo/file", "foo");
	assert_int_equal(symlink("../run/resolv.conf", HOST "/etc/resolv.conf"), 0);
	return 0;
}

static const struct play_sync *sync_clean(const char *views)
{
	const struct play_sync *sync = play_sync(views);
	for (size_t i = 0; i < sync->applied.n_messages; i++)
		print_message("  %s\n", sync->applied.messages[i]);
	assert_int_equal(sync->applied.failures, 0);
	assert_string_equal(play_plan(views), "");
	return sync;
}

static void what_a_bind_covers_is_not_removed_through_it(void **state)
{
	(void)state;
	sync_clean("view a " ROOT "\nbind " HOST "/etc/resolv.conf\nbind " HOST "/var/run " PLAY
		   "/src/two\n");
	assert_true(play_exists(ROOT HOST "/etc/resolv.conf"));
	sync_clean("view a " ROOT "\nbind " HOST "/etc\nbind " HOST "/var\n");
	assert_true(play_exists(HOST "/etc/resolv.conf"));
	assert_true(play_exists(HOST "/var/run"));
	/* It goes when nothing covers it any more, and the host's stays. */
	sync_clean("view a " ROOT "\n");
	assert_false(play_exists(ROOT "/mnt"));
	assert_true(play_exists(HOST "/etc/resolv.conf"));
	assert_true(play_exists(HOST "/var/run"));
}

/* From a bind each to one of the directory that they lie in, and back. */
static void many_binds_become_one(void **state)
{
	const char *each = "view a " ROOT "\nbind /home/foo " PLAY "/home/foo\nhide /home/bar\n";
	const char *one = "view a " ROOT "\nbind /home " PLAY "/home\nhide /home/bar\n";
	(void)state;
	play_dir(PLAY "/home/bar", 0, 0755);
	sync_clean(each);
	sync_clean(one);
	assert_string_equal(play_read(ROOT "/home/foo/file"), "foo");
	assert_true(play_has_options(ROOT "/home/bar", 15));
	assert_int_equal(play_count(ROOT "/home"), 2); /* nothing is buried */
	sync_clean(each);
	assert_int_equal(play_count(ROOT "/home"), 2);
	sync_clean("view a " ROOT "\n");
	assert_false(play_exists(ROOT "/home"));
	assert_true(play_exists(PLAY "/home/foo/file"));
}

static int remove_line(char type, const char *path, struct jail_error *why)
{
	jail_automanifest struct jail_manifest manifest = {0};
	jail_automounttable struct jail_mount_table table = {0};
	const struct jail_made made = {.type = type, .path = (char *)path};
	assert_int_equal(jail_manifest_add(&manifest, 'r', ROOT), 0);
	assert_int_equal(jail_manifest_add(&manifest, type, path), 0);
	jail_manifest_sort(&manifest);
	assert_int_equal(jail_mount_table_read(&table, why), 0);
	return jail_leftover_remove(&table, &manifest, play_node.roots_dir, &made, why);
}

/* The same where the plan did not know: somebody mounted it since. */
static void nothing_is_removed_in_what_is_mounted_on_the_way(void **state)
{
	struct jail_error why = {0};
	(void)state;
	sync_clean("view a " ROOT "\nbind /etc " HOST "/etc\nbind /var " HOST "/var\n");
	assert_int_equal(remove_line('l', ROOT "/etc/resolv.conf", &why), 0);
	assert_int_equal(why.code, EXDEV);
	assert_true(play_exists(HOST "/etc/resolv.conf"));
	assert_int_equal(remove_line('d', ROOT "/var/run", &why), 0);
	assert_true(play_exists(HOST "/var/run"));
	play_mount("over", PLAY_STATE "/roots/a", "tmpfs", 0, "mode=0755");
	play_dir(ROOT "/empty", 0, 0755);
	assert_int_equal(remove_line('d', ROOT "/none/at/all", &why), 1);
	play_umount(ROOT);
	play_dir(ROOT "/mine", 0, 0755);
	assert_int_equal(remove_line('d', ROOT "/mine", &why), 1);
	assert_false(play_exists(ROOT "/mine"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_a_bind_covers_is_not_removed_through_it, fresh),
		cmocka_unit_test_setup(many_binds_become_one, fresh),
		cmocka_unit_test_setup(nothing_is_removed_in_what_is_mounted_on_the_way, fresh),
	};
	play_begin();
	play_old_kernel(argc > 1 ? argv[1] : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
