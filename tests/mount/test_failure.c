/* What goes wrong in the middle leaves nothing open, and nothing of the host's in the view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/policy/model.h"
#include "tests/mount/playground.h"
#include "tests/unit/view_text.h"

#define ROOT PLAY_STATE "/roots/a"

static int fresh(void **state)
{
	(void)state;
	play_reset();
	play_dir(PLAY "/src/one/mnt", 0, 0755);
	play_dir(PLAY "/src/two", 0, 0755);
	return 0;
}

/* The manifest can't be written, so nothing can be begun: what is not whole is closed all the same. */
static void a_view_is_closed_though_nothing_can_be_begun(void **state)
{
	const char *text = "view a " ROOT "\nbind /one " PLAY "/src/one\nbind /two " PLAY "/src/two\n"
			   "bind /new " PLAY "/src/one\n";
	jail_autoviews struct jail_views views = {0};
	jail_autoobservation struct jail_observation observation = {0};
	struct jail_applied applied = {0};
	struct jail_error err = {0};
	(void)state;
	(void)play_sync("view a " ROOT "\nbind /one " PLAY "/src/one\nbind /two " PLAY "/src/two\n");
	assert_int_equal(play_count(ROOT "/.clusterjail"), 1);
	assert_int_equal(rename(PLAY "/src/two", PLAY "/src/gone"), 0);
	view_text_parse(text, play_node.marker_dir, &views);
	assert_int_equal(jail_observe(&play_node, &views, &observation, &err), 0);
	assert_int_equal(unlink(PLAY_STATE "/made"), 0);
	play_dir(PLAY_STATE "/made/in-the-way", 0, 0700);
	assert_true(jail_apply_grant(&play_node, &views, &observation, &applied, &err) < 0);
	assert_int_equal(play_count(ROOT "/new"), 0);
	assert_int_equal(play_count(ROOT "/.clusterjail"), 0);
	jail_applied_release(&applied);
}

/* However few descriptors there are, a bind that has not got its options does not stay. */
static void no_bind_stays_without_its_options(void **state)
{
	const char *text = "view a " ROOT "\nbind /one " PLAY "/src/one options=ro,nosuid personal\n";
	struct rlimit before;
	(void)state;
	play_mount("sub", PLAY "/src/one/mnt", "tmpfs", 0, NULL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int first = dup(0);
	assert_true(first >= 0);
	(void)close(first);
	for (int more = 0; more < 16; more++) {
		jail_autoviews struct jail_views views = {0};
		jail_autoobservation struct jail_observation observation = {0};
		struct jail_applied applied = {0};
		struct jail_error err = {0};
		const struct rlimit few = {(rlim_t)(first + more), before.rlim_max};
		(void)play_sync("view a " ROOT "\n");
		view_text_parse(text, play_node.marker_dir, &views);
		assert_int_equal(jail_observe(&play_node, &views, &observation, &err), 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		(void)jail_apply_grant(&play_node, &views, &observation, &applied, &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		jail_applied_release(&applied);
		if (play_count(ROOT "/one"))
			assert_true(play_has_options(ROOT "/one", JAIL_OPT_RO | JAIL_OPT_NOSUID));
		if (play_count(ROOT "/one/mnt"))
			assert_true(play_has_options(ROOT "/one/mnt", JAIL_OPT_RO | JAIL_OPT_NOSUID));
		/* Nor has anything gone on the host. */
		assert_int_equal(play_count(PLAY "/src/one/mnt"), 1);
	}
	assert_int_equal(play_sync(text)->applied.failures, 0);
}

/* A file system in user space whose daemon never says a word. */
static bool mount_fuse(const char *target, unsigned uid)
{
	char data[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	(void)snprintf(data, sizeof data, "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fd, uid, uid);
	return fd >= 0 && mount("mine", target, "fuse", MS_NOSUID | MS_NODEV, data) == 0;
}

/* A bind with options does not follow the host: what users mount there is neither missed nor kept. */
static void what_users_mount_is_theirs(void **state)
{
	const char *with = "view a " ROOT "\nbind /one " PLAY "/src/one options=nosuid\n";
	(void)state;
	assert_true(mount_fuse(PLAY "/src/one/mnt", 1000)); /* a kernel without FUSE cannot run this */
	assert_int_equal(play_sync(with)->applied.failures, 0);
	assert_int_equal(play_count(ROOT "/one"), 1);
	assert_string_equal(play_plan(with), "");
	assert_false(play_exists(PLAY_STATE "/roots/.staging"));
	assert_int_equal(play_count(PLAY "/src/one/mnt"), 1);
	play_umount(PLAY "/src/one/mnt");
	assert_string_equal(play_plan(with), "");
	assert_true(mount_fuse(PLAY "/src/one/mnt", 1000));
	assert_string_equal(play_plan(with), "");
	play_umount(PLAY "/src/one/mnt");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_view_is_closed_though_nothing_can_be_begun, fresh),
		cmocka_unit_test_setup(no_bind_stays_without_its_options, fresh),
		cmocka_unit_test_setup(what_users_mount_is_theirs, fresh),
	};
	play_begin();
	play_old_kernel(argc > 1 ? argv[1] : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
