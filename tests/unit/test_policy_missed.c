/* Who was in a group and is not listed any more: let go in time, and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/members_world.h"

/* Resolves and compiles again, after some seconds. */
static void again(const struct jail_policy *which, unsigned seconds, struct jail_buffer *bytes,
		  struct jail_cache **cache, struct jail_members *members)
{
	jail_autobuffer struct jail_buffer next = JAIL_BUFFER_INIT;
	moment.now += seconds;
	moment.uptime += seconds;
	jail_members_release(members);
	resolve(which, *cache, members);
	struct jail_cache *compiled = compile(which, members, &next);
	jail_cache_close(cache);
	struct jail_buffer old = *bytes;
	*bytes = next;
	next = old;
	*cache = compiled;
}

/* One sync after another, beginning with all that the files say first. */
#define SYNCS                                                                                                \
	jail_automembers struct jail_members members = {0};                                                  \
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;                                         \
	jail_autocache struct jail_cache *cache = NULL;                                                      \
	again(&policy, 0, &bytes, &cache, &members)
#define AGAIN(seconds) again(&policy, (seconds), &bytes, &cache, &members)

static const char group_few[] =
	"root:x:0:\nusers:x:100:\nstaff:x:50:dave\next-a:x:3001:bob,root,ghost\next-b:x:3002:dave\n";

static void test_found_group_loses_members(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", group_few);
	AGAIN(120);
	/* A short answer of NSS looks the same, so for an hour nothing changes. */
	expect_members(&members, "alice:2 bob:1 carol:2 visitor1:3");
	expect_group(&members, "ext-b", "carol dave");
	expect_group(&members, "ext-a", "alice bob ghost root");
	expect_verdict(cache, "carol", NULL, 0, "rule 2 jail 0 last known");
	static const char *const warnings[] = {
		"ext-b: NSS does not list 1 of its members any more (carol); they stay confined until "
		"2027-01-15T09:02:00Z",
		"nobody-here"};
	expect_warnings(&members, warnings, 2);
	AGAIN(JAIL_MISSED_FEW - 1);
	expect_group(&members, "ext-b", "carol dave");
	AGAIN(1);
	expect_members(&members, "alice:2 bob:1 visitor1:3");
	expect_group(&members, "ext-b", "dave");
	expect_verdict(cache, "carol", NULL, 0, "none");
	expect_warnings(&members, &warnings[1], 1);
}

static void test_missing_changes_the_cache_once(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", group_few);
	AGAIN(120);
	jail_autobuffer struct jail_buffer first = JAIL_BUFFER_INIT;
	assert_int_equal(jail_buffer_append(&first, bytes.data, bytes.len), 0);
	AGAIN(600);
	assert_int_equal(bytes.len, first.len);
	assert_memory_equal(bytes.data, first.data, first.len);
}

static void test_listed_again(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", group_few);
	AGAIN(120);
	AGAIN(JAIL_MISSED_FEW - 120);
	nss_write("group", group_all);
	AGAIN(60);
	static const char *const warnings[] = {"nobody-here"};
	expect_warnings(&members, warnings, 1);
	nss_write("group", group_few);
	AGAIN(60); /* and missed again: the hour begins anew */
	AGAIN(JAIL_MISSED_FEW - 1);
	expect_group(&members, "ext-b", "carol dave");
	AGAIN(1);
	expect_group(&members, "ext-b", "dave");
}

/* Two of four: one alone would be few. */
static void test_several_and_half_are_missing(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", "root:x:0:\nstaff:x:50:dave\next-a:x:3001:\next-b:x:3002:carol,dave\n");
	AGAIN(120);
	AGAIN(JAIL_MISSED_FEW);
	expect_group(&members, "ext-a", "alice bob ghost root");
	AGAIN(JAIL_MISSED_MANY);
	expect_group(&members, "ext-a", "alice ghost");
}

/* "group: files [SUCCESS=merge] sss" with sss away: the local half is a group like any other. */
static void test_all_are_missing(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group",
		  "root:x:0:\nusers:x:100:\nstaff:x:50:dave\next-a:x:3001:bob,root,ghost\next-b:x:3002:\n");
	AGAIN(120);
	AGAIN(JAIL_MISSED_FEW);
	expect_group(&members, "ext-b", "carol dave");
	expect_verdict(cache, "carol", NULL, 0, "rule 2 jail 0 last known");
	static const char *const warnings[] = {"looks the same: to let somebody go before", "nobody-here"};
	expect_warnings(&members, warnings, 2);
	AGAIN(JAIL_MISSED_MANY - JAIL_MISSED_FEW - 1);
	expect_group(&members, "ext-b", "carol dave");
	AGAIN(1);
	expect_group(&members, "ext-b", "");
	expect_verdict(cache, "carol", NULL, 0, "none");
}

static void test_half_comes_back(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", "root:x:0:\nstaff:x:50:dave\next-a:x:3001:bob,root,ghost\next-b:x:3002:\n");
	AGAIN(120);
	AGAIN(2 * JAIL_MISSED_FEW);
	nss_write("group", group_few); /* NSS tells of dave: the service is there, and carol is not in it */
	AGAIN(60);
	expect_group(&members, "ext-b", "dave");
}

/* Switched off for a month in the middle of an outage, and up before its name service is. */
static void test_time_off_does_not_count(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", group_few);
	AGAIN(120);
	moment.now += 30 * 86400;
	moment.uptime = 20;
	AGAIN(0);
	expect_group(&members, "ext-b", "carol dave");
	AGAIN(JAIL_MISSED_FEW - 20);
	expect_group(&members, "ext-b", "dave");
}

static void test_clock_goes_back(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", group_few);
	AGAIN(120);
	moment.now -= 86400;
	AGAIN(0);
	AGAIN(JAIL_MISSED_FEW - 1);
	expect_group(&members, "ext-b", "carol dave");
	AGAIN(1);
	expect_group(&members, "ext-b", "dave");
}

/* Who is missed in an exempting group is exempt no more, at once; and users named exactly go first. */
static void test_missing_exempts_nobody(void **state)
{
	(void)state;
	SYNCS;
	nss_write("group", "root:x:0:\nusers:x:100:\nstaff:x:50:\next-a:x:3001:bob,root,ghost\next-b:x:3002:"
			   "carol,dave\n");
	AGAIN(120);
	expect_group(&members, "staff", "dave");
	expect_members(&members, "alice:2 bob:1 carol:2 dave:2 visitor1:3");
	expect_verdict(cache, "dave", NULL, 0, "rule 2 jail 0 last known");
	nss_write("group", group_few);
	static char *carol[] = {TEXT("carol")};
	struct jail_rule free_carol[N(rules) + 1] = {
		{.kind = JAIL_RULE_USERS, .names = carol, .n_names = 1, .jail = JAIL_EXEMPT}};
	memcpy(&free_carol[1], rules, sizeof rules);
	struct jail_policy edited = policy;
	edited.rules = free_carol;
	edited.n_rules = N(free_carol);
	again(&edited, 60, &bytes, &cache, &members);
	expect_members(&members, "alice:3 bob:2 visitor1:4");
	expect_verdict(cache, "carol", NULL, 0, "rule 0 jail -1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_found_group_loses_members, fresh_files),
		cmocka_unit_test_setup(test_missing_changes_the_cache_once, fresh_files),
		cmocka_unit_test_setup(test_listed_again, fresh_files),
		cmocka_unit_test_setup(test_several_and_half_are_missing, fresh_files),
		cmocka_unit_test_setup(test_all_are_missing, fresh_files),
		cmocka_unit_test_setup(test_half_comes_back, fresh_files),
		cmocka_unit_test_setup(test_time_off_does_not_count, fresh_files),
		cmocka_unit_test_setup(test_clock_goes_back, fresh_files),
		cmocka_unit_test_setup(test_missing_exempts_nobody, fresh_files),
	};
	return cmocka_run_group_tests(tests, nss_setup, nss_teardown);
}
