#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lib/base/ask.h"

enum { MANY = 1000 };

/* Paths are what the one who touches them does. */
static void touch(const char *path)
{
	if (strstr(path, "dead"))
		(void)pause();
	if (strstr(path, "crash"))
		_exit(3);
	if (strstr(path, "slow")) {
		const struct timespec some = {.tv_nsec = 600000000};
		(void)nanosleep(&some, NULL);
	}
	/* No descriptor came along: a lock that is held here would stay held. */
	if (strstr(path, "lock") && fcntl(STDERR_FILENO, F_GETFD) >= 0)
		(void)pause();
}

static double ask(struct jail_ask *asks, size_t n)
{
	struct timespec start, end;
	struct jail_error err;
	for (size_t i = 0; i < n; i++)
		if (!asks[i].group)
			asks[i].group = jail_ask_directory(asks[i].path);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(jail_ask(asks, n, touch, &err), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static void all_answer(void **state)
{
	struct jail_ask asks[MANY];
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		asks[i] = (struct jail_ask){.path = i % 2 ? "/home/lock" : "/usr"};
	assert_true(ask(asks, MANY) < 4);
	for (size_t i = 0; i < MANY; i++)
		assert_false(asks[i].silent);
	assert_true(ask(NULL, 0) < 1);
}

static void slow_is_not_dead(void **state)
{
	struct jail_ask asks[] = {{.path = "/a/slow"}, {.path = "/b/slow"}, {.path = "/c"}};
	(void)state;
	(void)ask(asks, 3);
	for (size_t i = 0; i < 3; i++)
		assert_false(asks[i].silent);
}

static void one_dead_keeps_nobody_waiting(void **state)
{
	struct jail_ask asks[] = {{.path = "/a/dead1"},
				  {.path = "/a/x"},
				  {.path = "/b/crash"},
				  {.path = "/b/x"},
				  {.path = "/c"}};
	(void)state;
	double seconds = ask(asks, 5);
	assert_true(seconds > 4 && seconds < 7);
	assert_true(asks[0].silent);
	assert_false(asks[1].silent); /* was put off, not given up */
	assert_true(asks[2].silent);
	assert_false(asks[3].silent);
	assert_false(asks[4].silent);
}

/* A thousand homes on a dead server, and what comes after them. */
static void many_dead_have_an_end(void **state)
{
	struct jail_ask asks[MANY + 1];
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		asks[i] = (struct jail_ask){.path = "/home/dead"};
	asks[MANY] = (struct jail_ask){.path = "/usr"};
	assert_true(ask(asks, MANY + 1) < 10);
	for (size_t i = 0; i < MANY; i++)
		assert_true(asks[i].silent);
	assert_false(asks[MANY].silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_answer),
		cmocka_unit_test(slow_is_not_dead),
		cmocka_unit_test(one_dead_keeps_nobody_waiting),
		cmocka_unit_test(many_dead_have_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
