/* What a mount covers stays covered while it, or what it stands in, is replaced: somebody who looks all the
 * time never sees it, and neither does who looks after the agent was killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/mount/playground.h"

#define ROOT   PLAY_STATE "/roots/a"
#define SECRET ROOT "/one/deep/secret"

enum { REPLACEMENTS = 200, KILLS = 60 };

struct seen {
	atomic_uint looks, secrets;
};

static int fresh(void **state)
{
	(void)state;
	play_reset();
	play_dir(PLAY "/src/one/deep", 0, 0755);
	play_dir(PLAY "/src/two/deep", 0, 0755);
	play_file(PLAY "/src/one/deep/secret", "secret");
	play_file(PLAY "/src/two/deep/secret", "secret");
	play_dir(PLAY "/empty/one", 0, 0755);
	play_dir(PLAY "/empty/two", 0, 0755);
	return 0;
}

static struct seen *look_forever(pid_t *ret_pid)
{
	struct seen *seen =
		mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(seen, MAP_FAILED);
	*ret_pid = fork();
	assert_true(*ret_pid >= 0);
	/* A test that fails leaves nobody behind. */
	if (*ret_pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(1);
	while (*ret_pid == 0) {
		int fd = open(SECRET, O_RDONLY | O_CLOEXEC);
		atomic_fetch_add(&seen->secrets, fd >= 0);
		atomic_fetch_add(&seen->looks, 1);
		if (fd >= 0)
			(void)close(fd);
	}
	return seen;
}

/* Until the looker looked n times more, however busy the machine is. */
static void await_looks(struct seen *seen, unsigned n)
{
	unsigned before = atomic_load(&seen->looks);
	for (unsigned ms = 0; atomic_load(&seen->looks) - before < n; ms++) {
		assert_true(ms < 60000);
		(void)usleep(1000);
	}
}

static void assert_unseen(struct seen *seen, pid_t pid)
{
	int status = 0;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(atomic_load(&seen->secrets), 0);
	(void)munmap(seen, sizeof *seen);
}

static void replace_often(const char *const views[2], unsigned times)
{
	pid_t pid = -1;
	assert_int_equal(play_sync(views[1])->applied.failures, 0);
	struct seen *seen = look_forever(&pid);
	for (unsigned i = 0; i < times; i++) {
		await_looks(seen, 2);
		assert_int_equal(play_sync(views[i % 2])->applied.failures, 0);
		assert_string_equal(play_plan(views[i % 2]), "");
	}
	await_looks(seen, 2);
	assert_unseen(seen, pid);
}

static const char *const hidden[] = {
	"view a " ROOT "\nbind /one " PLAY "/src/one\nhide /one/deep\n",
	"view a " ROOT "\nbind /one " PLAY "/src/two options=nosuid\nhide /one/deep\n",
};

static void a_hide_covers_while_its_bind_is_replaced(void **state)
{
	(void)state;
	replace_often(hidden, REPLACEMENTS);
	assert_int_equal(play_count(ROOT "/one"), 2);
	assert_false(play_exists(PLAY_STATE "/roots/.staging"));
}

static void a_cover_in_a_bind_is_replaced_without_a_gap(void **state)
{
	static const char *const views[] = {
		"view a " ROOT "\nbind /one " PLAY "/src/one\nbind /one/deep " PLAY "/empty/one\n",
		"view a " ROOT "\nbind /one " PLAY "/src/one\nbind /one/deep " PLAY "/empty/two\n",
	};
	(void)state;
	/* Old kernels stack a few, since they can't do it from below. */
	replace_often(views, 6);
	assert_int_equal(play_sync("view a " ROOT "\n")->applied.failures, 0);
	assert_int_equal(play_count(ROOT "/one"), 0);
}

/* What is missing comes complete as well. */
static void a_hide_covers_when_its_bind_comes(void **state)
{
	static const char *const views[] = {
		"view a " ROOT "\nbind /one " PLAY "/src/one\nhide /one/deep\n",
		"view a " ROOT "\n",
	};
	(void)state;
	replace_often(views, 40);
}

static void killed_anywhere_nothing_is_uncovered(void **state)
{
	pid_t reader = -1;
	(void)state;
	assert_int_equal(play_sync(hidden[1])->applied.failures, 0);
	struct seen *seen = look_forever(&reader);
	unsigned cut = 0;
	for (unsigned i = 0; i < KILLS; i++) {
		int status = 0;
		const struct timespec nap = {.tv_nsec = (long)(i + 1) * 100000};
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
				_exit(1);
			for (unsigned j = i;; j++)
				(void)play_sync(hidden[j % 2]);
		}
		(void)nanosleep(&nap, NULL);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		cut += WIFSIGNALED(status);
		await_looks(seen, 2);
	}
	assert_true(cut > KILLS / 2);
	assert_int_equal(play_sync(hidden[0])->applied.failures, 0);
	assert_string_equal(play_plan(hidden[0]), "");
	await_looks(seen, 2);
	assert_unseen(seen, reader);
	/* The empty place may be left; it goes with the rest. */
	struct jail_applied applied = {0};
	struct jail_error err;
	assert_int_equal(jail_teardown(&play_node, &applied, &err), 0);
	jail_applied_release(&applied);
	assert_false(play_exists(PLAY_STATE "/roots"));
}

/* A view that can't be covered as it must does not show what is to be covered. */
static void what_cannot_be_covered_is_not_shown(void **state)
{
	(void)state;
	assert_int_equal(play_sync(hidden[0])->applied.failures, 0);
	const struct play_sync *sync =
		play_sync("view a " ROOT "\nbind /one " PLAY "/src/two\nhide /one/deep\nhide /one/none\n");
	assert_int_equal(sync->applied.failures, 1);
	assert_false(play_exists(SECRET));
	assert_int_equal(play_count(ROOT "/.clusterjail"), 0);
	assert_false(play_exists(PLAY_STATE "/roots/.staging"));
	sync = play_sync(hidden[0]);
	assert_int_equal(sync->applied.failures, 0);
	assert_int_equal(play_count(ROOT "/.clusterjail"), 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_hide_covers_while_its_bind_is_replaced, fresh),
		cmocka_unit_test_setup(a_cover_in_a_bind_is_replaced_without_a_gap, fresh),
		cmocka_unit_test_setup(a_hide_covers_when_its_bind_comes, fresh),
		cmocka_unit_test_setup(killed_anywhere_nothing_is_uncovered, fresh),
		cmocka_unit_test_setup(what_cannot_be_covered_is_not_shown, fresh),
	};
	play_begin();
	play_old_kernel(argc > 1 ? argv[1] : "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
