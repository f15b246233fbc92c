/* The recipe as a view, on whatever machine runs the tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mount.h>
#include "tests/mount/playground.h"

#define ROOT PLAY_STATE "/roots/a"

static void sync_clean(const char *views)
{
	const struct play_sync *sync = play_sync(views);
	for (size_t i = 0; i < sync->applied.n_messages; i++)
		print_message("  %s\n", sync->applied.messages[i]);
	assert_int_equal(sync->applied.failures, 0);
	assert_string_equal(play_plan(views), "");
}

/* The recipe on the machine that runs the tests: its own /dev, /sys and /run, however they are stacked,
 * shared as a booted host's are. */
static void a_whole_machine_settles(void **state)
{
	const char *views = "view a " ROOT "\n"
			    "bind /bin\nbind /dev\nbind /etc\nbind /lib\nbind /opt optional\nbind /proc\n"
			    "bind /run\nbind /sbin\nbind /sys\nbind /usr options=ro,nosuid\nbind /var\n"
			    "bind /mnt\nbind /lib64 optional\nbind /lib32 optional\ntmpfs /tmp\n"
			    "user foo\n";
	(void)state;
	play_mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL);
	sync_clean(views);
	assert_true(play_exists(ROOT "/dev/null"));
	assert_true(play_exists(ROOT "/proc/self"));
	assert_true(play_exists(ROOT "/usr/bin/env"));
	assert_true(play_exists(ROOT "/bin/sh"));
	/* /mnt holds the roots, and shows none of them. */
	assert_false(play_exists(ROOT "/mnt/play/state/roots/a/usr/bin"));
	/* Unbindable and private are lost when somebody shares everything once more (kubelet asks for that).
	 */
	play_mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL);
	sync_clean(views);
	size_t before = play_count("/") - play_count(ROOT);
	sync_clean("");
	assert_int_equal(play_count("/"), before);
	play_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_whole_machine_settles)};
	play_begin();
	play_old_kernel(argc > 1 ? argv[1] : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
