/* Members against real NSS over files of the test's own; what "NSS does not know" means is played by taking
 * lines out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/members_world.h"

/* The policy after its rules were turned round: numbers mean something else than in the last cache. */
static struct jail_rule rules_later[] = {
	{.kind = JAIL_RULE_MATCH, .names = n_match, .n_names = 1, .jail = 1},
	{.kind = JAIL_RULE_GROUPS, .names = n_ext, .n_names = 1, .jail = 0},
	{.kind = JAIL_RULE_GROUPS, .names = n_staff, .n_names = 1, .jail = JAIL_EXEMPT},
};
static const struct jail_policy policy_later = {.cluster = TEXT("alpha"),
						.version = 8,
						.jails = jails,
						.n_jails = N(jails),
						.rules = rules_later,
						.n_rules = N(rules_later)};

static void test_first_sync(void **state)
{
	(void)state;
	jail_automembers struct jail_members members;
	resolve(&policy, NULL, &members);
	/* dave is staff and exempt before ext-b; root never; ghost and nobody-here have no account. */
	expect_members(&members, "alice:2 bob:1 carol:2 visitor1:3");
	expect_group(&members, "ext-a", "alice bob ghost root");
	expect_group(&members, "ext-b", "carol dave");
	expect_group(&members, "users", "(no such group)");
	static const char *const warnings[] = {"1 users who have no account on this node: nobody-here"};
	expect_warnings(&members, warnings, 1);
	assert_string_equal(members.members[0].group, "ext-a");
	assert_string_equal(members.members[1].group, "users");
	assert_int_equal(members.members[1].uid, 2002);
}

static void test_group_not_found_any_more(void **state)
{
	(void)state;
	jail_automembers struct jail_members before;
	jail_automembers struct jail_members after;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer bytes_after = JAIL_BUFFER_INIT;

	resolve(&policy, NULL, &before);
	jail_autocache struct jail_cache *previous = compile(&policy, &before, &bytes);
	nss_write("group", "root:x:0:\nusers:x:100:\next-a:x:3001:bob,root\n");
	resolve(&policy, previous, &after);
	/* staff cannot be confirmed, so dave is exempt no more: confined by what was known of ext-b. */
	expect_members(&after, "alice:2 bob:1 carol:2 dave:2 visitor1:3");
	expect_group(&after, "ext-a", "alice bob ghost root");
	expect_group(&after, "ext-b", "carol dave");
	static const char *const warnings[] = {"group staff: NSS does not find it any more",
					       "group ext-b: NSS does not find it any more; its 2 members",
					       "nobody-here"};
	expect_warnings(&after, warnings, 3);
	jail_autocache struct jail_cache *cache = compile(&policy, &after, &bytes_after);
	static const char *const staff[] = {"staff"};
	expect_verdict(cache, "carol", NULL, 0, "rule 2 jail 0 last known");
	expect_verdict(cache, "dave", NULL, 0, "rule 2 jail 0 last known");
	expect_verdict(cache, "dave", staff, 1, "rule 0 jail -1");
}

static void test_accounts_not_found_any_more(void **state)
{
	(void)state;
	jail_automembers struct jail_members before;
	jail_automembers struct jail_members after;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;

	resolve(&policy, NULL, &before);
	jail_autocache struct jail_cache *previous = compile(&policy, &before, &bytes);
	nss_write("passwd", "root:x:0:0::/root:/bin/sh\n");
	resolve(&policy, previous, &after);
	/* carol's home is not there: she is no member of a view, but her group still holds her. dave's was
	 * not resolved before, being exempt. */
	expect_members(&after, "alice:2 bob:1 visitor1:3");
	expect_group(&after, "ext-b", "carol dave");
	expect_group(&after, "ext-a", "alice bob ghost root");
	assert_string_equal(after.members[0].group, "ext-a");
	assert_string_equal(after.members[0].home, "/tmp");
	static const char *const warnings[] = {"NSS does not find 3 accounts", "nobody-here"};
	expect_warnings(&after, warnings, 2);
}

static void test_rules_renumbered(void **state)
{
	(void)state;
	jail_automembers struct jail_members before;
	jail_automembers struct jail_members after;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer bytes_after = JAIL_BUFFER_INIT;

	resolve(&policy, NULL, &before);
	jail_autocache struct jail_cache *previous = compile(&policy, &before, &bytes);
	nss_write("group", "root:x:0:\n");
	resolve(&policy_later, previous, &after);
	expect_members(&after, "alice:1 bob:1 carol:1 dave:1 visitor1:0");
	jail_autocache struct jail_cache *cache = compile(&policy_later, &after, &bytes_after);
	expect_verdict(cache, "bob", NULL, 0, "rule 1 jail 0 last known");
	expect_verdict(cache, "visitor1", NULL, 0, "rule 0 jail 1");
}

static void test_gid_without_a_name(void **state)
{
	(void)state;
	jail_automembers struct jail_members members;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	resolve(&policy, NULL, &members);
	jail_autocache struct jail_cache *cache = compile(&policy, &members, &bytes);
	struct jail_verdict verdict;
	struct jail_error err;
	gid_t gids[] = {100, 3002, 50};
	struct jail_identity identity = {.user = "someone", .gids = gids, .n_gids = 3};
	assert_int_equal(jail_cache_lookup(cache, &identity, &verdict, &err), 0);
	/* staff's number (50) exempts nobody. */
	assert_true(verdict.matched && verdict.rule == 2 && verdict.jail == 0 && verdict.last_known);
}

/* A namespace jail lists nobody for a match, and fails closed for groups like any other. */
static void test_namespace_jail(void **state)
{
	(void)state;
	static struct jail_rule rules_host[] = {
		{.kind = JAIL_RULE_MATCH, .names = n_match, .n_names = 1, .jail = 2},
		{.kind = JAIL_RULE_GROUPS, .names = n_ext, .n_names = 1, .jail = 2},
	};
	struct jail_policy host = policy;
	host.rules = rules_host;
	host.n_rules = N(rules_host);
	jail_automembers struct jail_members before;
	jail_automembers struct jail_members after;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer bytes_after = JAIL_BUFFER_INIT;

	nss_write("group", "users:x:100:\next-a:x:3001:bob,root,ghost,visitor1\next-b:x:3002:carol\n");
	resolve(&host, NULL, &before);
	expect_members(&before, "alice:1 bob:1 carol:1 visitor1:0");
	expect_warnings(&before, NULL, 0);
	jail_autocache struct jail_cache *previous = compile(&host, &before, &bytes);
	expect_verdict(previous, "visitor2", NULL, 0, "rule 0 jail 2");

	nss_write("group", "users:x:100:\n");
	resolve(&host, previous, &after);
	expect_members(&after, "alice:1 bob:1 carol:1 visitor1:0");
	static const char *const warnings[] = {"group ext-a: NSS does not find it any more; its 5 members",
					       "group ext-b: NSS does not find it any more"};
	expect_warnings(&after, warnings, 2);
	jail_autocache struct jail_cache *cache = compile(&host, &after, &bytes_after);
	expect_verdict(cache, "bob", NULL, 0, "rule 1 jail 2 last known");

	host.n_rules = 1;
	jail_automembers struct jail_members nobody;
	resolve(&host, previous, &nobody);
	expect_members(&nobody, "");
	expect_warnings(&nobody, NULL, 0);
}

static void test_twice_the_same(void **state)
{
	(void)state;
	jail_automembers struct jail_members first;
	jail_automembers struct jail_members second;
	jail_autobuffer struct jail_buffer a = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer b = JAIL_BUFFER_INIT;
	resolve(&policy, NULL, &first);
	jail_autocache struct jail_cache *one = compile(&policy, &first, &a);
	resolve(&policy, one, &second);
	jail_autocache struct jail_cache *two = compile(&policy, &second, &b);
	assert_int_equal(jail_cache_n_members(one), jail_cache_n_members(two));
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void test_many_users(void **state)
{
	(void)state;
	enum { MANY = 2000 };
	jail_autobuffer struct jail_buffer passwd = JAIL_BUFFER_INIT;
	static char names[MANY][16];
	static char *list[MANY];
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof names[i], "u%zu", i);
		list[i] = names[i];
		if (i % 2 == 0)
			(void)jail_buffer_printf(&passwd, "u%zu:x:%zu:100::/tmp:/bin/sh\n", i, 10000 + i);
	}
	nss_write("passwd", passwd.data);
	struct jail_rule rule = {.kind = JAIL_RULE_USERS, .names = list, .n_names = MANY, .jail = 0};
	struct jail_policy many = {.cluster = TEXT("alpha"),
				   .version = 1,
				   .jails = jails,
				   .n_jails = 1,
				   .rules = &rule,
				   .n_rules = 1};
	jail_automembers struct jail_members members;
	resolve(&many, NULL, &members);
	assert_int_equal(members.n_members, MANY / 2);
	static const char *const warnings[] = {"names 1000 users who have no account on this node: u1, "};
	expect_warnings(&members, warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_sync, fresh_files),
		cmocka_unit_test_setup(test_group_not_found_any_more, fresh_files),
		cmocka_unit_test_setup(test_accounts_not_found_any_more, fresh_files),
		cmocka_unit_test_setup(test_rules_renumbered, fresh_files),
		cmocka_unit_test_setup(test_gid_without_a_name, fresh_files),
		cmocka_unit_test_setup(test_twice_the_same, fresh_files),
		cmocka_unit_test_setup(test_namespace_jail, fresh_files),
		cmocka_unit_test_setup(test_many_users, fresh_files),
	};
	return cmocka_run_group_tests(tests, nss_setup, nss_teardown);
}
