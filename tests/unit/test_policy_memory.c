/* An expression that cannot be evaluated for want of memory: whoever it could have confined is refused, not
 * let out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <regex.h>
#include "lib/base/cleanup.h"
#include "lib/policy/match.h"
#include "tests/unit/policy_sample.h"

/* Stands before libc's for this program. By its symbol only: how the header declares it differs between
 * versions. */
int no_memory_regexec(void) __asm__("regexec");
int no_memory_regexec(void)
{
	return REG_ESPACE;
}

static void test_match(void **state)
{
	(void)state;
	jail_automatch struct jail_match match = {0};
	assert_int_equal(jail_match_compile("visitor[0-9]+", &match, NULL), 0);
	assert_int_equal(jail_match_whole(&match, "visitor7"), -ENOMEM);
}

static void test_lookup(void **state)
{
	(void)state;
	static const char *const g_staff[] = {"staff"};
	const struct jail_identity anybody = {.user = "visitor7"};
	const struct jail_identity member = IDENTITY("visitor7", g_staff);
	struct jail_verdict verdict = {.rule = 4242};
	struct jail_error err = {0};
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	jail_autocache struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
	assert_int_equal(jail_cache_lookup(cache, &anybody, &verdict, &err), -ENOMEM);
	assert_non_null(strstr(err.message, "visitor7"));
	assert_int_equal(verdict.rule, 4242);
	/* A rule before it decides without it. */
	assert_int_equal(jail_cache_lookup(cache, &member, &verdict, &err), 0);
	assert_int_equal(verdict.rule, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_lookup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
