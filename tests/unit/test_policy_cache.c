/* The compiled cache: what lookups find. */
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
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/policy/cache.h"
#include "tests/unit/policy_sample.h"

static void expect(const struct jail_cache *cache, const struct jail_identity *identity, const char *expected)
{
	struct jail_verdict verdict;
	struct jail_error err = {0};
	char found[128];
	if (jail_cache_lookup(cache, identity, &verdict, &err) < 0)
		fail_msg("%s", err.message);
	if (verdict.matched)
		(void)snprintf(found, sizeof found, "%u %zd%s", (unsigned)verdict.rule, verdict.jail,
			       verdict.last_known ? " last" : "");
	else
		(void)snprintf(found, sizeof found, "none %zd", verdict.jail);
	if (strcmp(found, expected) != 0)
		fail_msg("%s: %s, not %s", identity->user, found, expected);
}

static void test_lookup(void **state)
{
	(void)state;
	static const char *const g_none[] = {"users"};
	static const char *const g_staff[] = {"users", "staff"};
	static const char *const g_ext[] = {"ext-b"};
	static const char *const g_guests[] = {"guests"};
	static const char *const g_near[] = {"next-b", "ext", "guest", "Guests", "staffs"};
	static const struct {
		struct jail_identity identity;
		const char *expected;
	} cases[] = {
		{IDENTITY("foo", g_none), "1 0"},
		{IDENTITY("bar", g_none), "1 0"},
		{IDENTITY("foo", g_staff), "0 -1"},
		{IDENTITY("FOO", g_none), "none -1"},
		{IDENTITY("fo", g_none), "none -1"},
		{IDENTITY("fooo", g_none), "none -1"},
		{IDENTITY("", g_none), "none -1"},
		{IDENTITY("late", g_none), "5 1"},
		{IDENTITY("late", g_ext), "3 1"},
		{IDENTITY("new", g_ext), "3 1"},
		{IDENTITY("new", g_guests), "3 1"},
		{IDENTITY("new", g_near), "none -1"},
		{IDENTITY("visitor7", g_none), "4 1"},
		{IDENTITY("visitor", g_none), "none -1"},
		{IDENTITY("visitor7", g_ext), "3 1"},
		{IDENTITY("xvisitor7", g_none), "none -1"},
		/* A rule for another node. */
		{IDENTITY("baz", g_none), "none -1"},
		/* By what was last resolved; staff's members only when NSS says so now. */
		{IDENTITY("zoe", g_none), "3 1 last"},
		{IDENTITY("zoe", g_ext), "3 1"},
		{IDENTITY("sam", g_none), "3 1 last"},
		{IDENTITY("sam", g_staff), "0 -1"},
		{IDENTITY("ann", g_none), "none -1"},
	};
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	jail_autocache struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
	for (size_t i = 0; i < N(cases); i++)
		expect(cache, &cases[i].identity, cases[i].expected);
	/* By the number of a group, where NSS has no name for it. */
	static const gid_t gids[] = {50, 3001};
	expect(cache, &(struct jail_identity){.user = "new", .gids = gids, .n_gids = 1}, "none -1");
	expect(cache, &(struct jail_identity){.user = "new", .gids = gids, .n_gids = 2}, "3 1 last");
}

static void expect_mounts(const struct jail_cache *cache, const struct jail_cache_jail *jail,
			  const struct jail_mount *expected)
{
	for (size_t i = 0; i < jail->n_mounts; i++) {
		struct jail_mount mount;
		assert_int_equal(jail_cache_mount(cache, jail, i, &mount, NULL), 0);
		assert_int_equal(mount.verb, expected[i].verb);
		assert_string_equal(mount.target, expected[i].target);
		assert_int_equal(mount.from != NULL, expected[i].from != NULL);
		assert_int_equal(mount.options, expected[i].options);
		assert_int_equal(mount.optional, expected[i].optional);
		assert_int_equal(mount.in_memory, expected[i].in_memory);
		assert_int_equal(mount.size, expected[i].size);
		assert_int_equal(mount.mode, expected[i].mode);
		assert_int_equal(mount.hidepid, expected[i].hidepid);
	}
}

static void test_accessors(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	jail_autocache struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
	assert_string_equal(jail_cache_cluster(cache), "alpha");
	assert_string_equal(jail_cache_node(cache), "c007");
	assert_int_equal(jail_cache_version(cache), 9007199254740991);
	assert_int_equal(jail_cache_expires(cache), 5000000000);
	assert_memory_equal(jail_cache_policy_sha256(cache), digest, 32);
	assert_true(jail_cache_has_group_rules(cache));

	struct jail_cache_jail jail;
	assert_int_equal(jail_cache_n_jails(cache), 3);
	assert_int_equal(jail_cache_jail(cache, 0, &jail, NULL), 0);
	assert_string_equal(jail.name, "partner");
	assert_string_equal(jail.root, "/roots/partner");
	assert_true(jail.shared && jail.used && jail.confine == JAIL_CONFINE_CHROOT);
	assert_int_equal(jail.uses, JAIL_TEMPLATE_U | JAIL_TEMPLATE_G);
	assert_int_equal(jail.n_mounts, 4);
	expect_mounts(cache, &jail, mounts);
	struct jail_mount mount;
	assert_int_equal(jail_cache_mount(cache, &jail, 4, &mount, NULL), -EBADMSG);
	assert_int_equal(jail_cache_jail(cache, 1, &jail, NULL), 0);
	assert_true(!jail.shared && jail.used && jail.uses == JAIL_TEMPLATE_U);
	assert_int_equal(jail_cache_mount(cache, &jail, 1, &mount, NULL), -EBADMSG);
	assert_int_equal(jail_cache_jail(cache, 2, &jail, NULL), 0);
	assert_true(!jail.used && jail.confine == JAIL_CONFINE_NAMESPACE);
	assert_string_equal(jail.root, "");
	assert_int_equal(jail.uses, JAIL_TEMPLATE_U);
	assert_int_equal(jail.n_mounts, 3);
	expect_mounts(cache, &jail, guest_mounts);
	assert_int_equal(jail_cache_jail(cache, 3, &jail, NULL), -EBADMSG);
}

static void test_members(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	jail_autocache struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
	static const char *const sorted[] = {"bar", "foo", "zoe"};
	assert_int_equal(jail_cache_n_members(cache), 3);
	struct jail_cache_member member;
	ssize_t jail = -2;
	for (size_t i = 0; i < 3; i++) {
		size_t found = 99;
		assert_int_equal(jail_cache_member(cache, i, &member, &jail, NULL), 0);
		assert_string_equal(member.user, sorted[i]);
		assert_int_equal(jail_cache_member_find(cache, sorted[i], &found, NULL), 0);
		assert_int_equal(found, i);
	}
	assert_int_equal(jail, 1);
	assert_int_equal(member.rule, 3);
	assert_int_equal(member.uid, 1003);
	assert_string_equal(member.group, "ext-a");
	assert_string_equal(member.home, "/home/zoe");
	assert_int_equal(jail_cache_member(cache, 0, &member, &jail, NULL), 0);
	assert_null(member.group);
	size_t found = 0;
	assert_int_equal(jail_cache_member_find(cache, "fo", &found, NULL), -ENOENT);
	assert_int_equal(jail_cache_member(cache, 3, &member, &jail, NULL), -EBADMSG);

	struct jail_cache_known known;
	const char *user = NULL;
	uint32_t since = 1;
	assert_int_equal(jail_cache_n_known(cache), 2);
	assert_int_equal(jail_cache_known(cache, 0, &known, NULL), 0);
	assert_string_equal(known.name, "ext-a");
	assert_int_equal(known.gid, 3001);
	assert_int_equal(known.n_users, 2);
	assert_int_equal(jail_cache_known_user(cache, &known, 1, &user, &since, NULL), 0);
	assert_string_equal(user, "sam");
	assert_int_equal(since, 0);
	assert_int_equal(jail_cache_known_user(cache, &known, 2, &user, &since, NULL), -EBADMSG);
}

static void test_places(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	jail_autocache struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
	struct jail_places_of_node places;
	jail_cache_places(cache, &places);
	assert_string_equal(places.run, "/run/x");
	assert_string_equal(places.roots, "/state/roots");
	assert_string_equal(places.marker, "/run/x/marker");
	assert_string_equal(places.private_disk, "/state/private");
	assert_string_equal(places.private_memory, "");

	static const char *const refused[] = {"run", "/run/", "/run/../etc", "/run\n"};
	for (size_t i = 0; i < N(refused); i++) {
		struct jail_cache_facts with = facts;
		struct jail_error err = {0};
		with.places.private_memory = refused[i];
		assert_int_equal(jail_cache_compile(&policy, &with, &bytes, &err), -EINVAL);
		assert_non_null(strstr(err.message, "no absolute path"));
	}
}

/* The order in which members and groups come in makes no difference. */
static void test_same_bytes(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer one = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer two = JAIL_BUFFER_INIT;
	struct jail_cache_member turned[] = {members[2], members[0], members[1]};
	struct jail_cache_group swapped[] = {groups[1], groups[0]};
	struct jail_cache_facts other = facts;
	other.members = turned;
	other.groups = swapped;
	compile(&policy, &facts, &one);
	compile(&policy, &other, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
}

static void test_refused(void **state)
{
	(void)state;
	static char *bad_nodes[] = {TEXT("c[1")};
	static char *bad_match[] = {TEXT("(a)\\1")};
	static struct jail_mount bad_mount[] = {{.verb = JAIL_VERB_BIND, .target = TEXT("/%x")}};
	struct jail_rule rule = {.kind = JAIL_RULE_USERS, NAMES(foo_bar), NODES(bad_nodes), .jail = 0};
	struct jail_policy bad = policy;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	struct jail_error err = {0};
	bad.rules = &rule;
	bad.n_rules = 1;
	assert_int_equal(jail_cache_compile(&bad, &facts, &bytes, &err), -EINVAL);
	assert_non_null(strstr(err.message, "/rules/0/nodes/0"));
	rule = (struct jail_rule){.kind = JAIL_RULE_MATCH, NAMES(bad_match), .jail = 0};
	assert_int_equal(jail_cache_compile(&bad, &facts, &bytes, &err), -EINVAL);
	assert_non_null(strstr(err.message, "/rules/0/match"));
	struct jail_jail jail = jails[0];
	jail.mounts = bad_mount;
	jail.n_mounts = 1;
	bad = policy;
	bad.jails = &jail;
	bad.n_jails = 1;
	assert_int_equal(jail_cache_compile(&bad, &facts, &bytes, &err), -EINVAL);
	/* A member by a rule that is not there. */
	struct jail_cache_member stray = members[0];
	struct jail_cache_facts with = {.node = "c007", .members = &stray, .n_members = 1};
	stray.rule = N(rules);
	assert_int_equal(jail_cache_compile(&policy, &with, &bytes, &err), -EINVAL);
	assert_int_equal(bytes.len, 0);
}

static void test_empty_policy(void **state)
{
	(void)state;
	struct jail_policy empty = {.cluster = TEXT("alpha"), .version = 1};
	struct jail_cache_facts none = {.node = "n"};
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&empty, &none, &bytes);
	jail_autocache struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
	expect(cache, &(struct jail_identity){.user = "foo"}, "none -1");
	assert_false(jail_cache_has_group_rules(cache));
	assert_int_equal(jail_cache_n_jails(cache) + jail_cache_n_members(cache), 0);
}

static void test_many_users(void **state)
{
	(void)state;
	enum { MANY = 100000 };
	char(*names)[16] = calloc(MANY, sizeof *names);
	char **list = calloc(MANY, sizeof *list);
	assert_true(names && list);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof names[i], "user%05zu", i);
		list[i] = names[i];
	}
	struct jail_rule rule = {.kind = JAIL_RULE_USERS, .names = list, .n_names = MANY, .jail = 0};
	struct jail_policy many = policy;
	struct jail_cache_facts none = {.node = "n"};
	many.rules = &rule;
	many.n_rules = 1;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&many, &none, &bytes);
	jail_autocache struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
	for (size_t i = 0; i < MANY; i++) {
		expect(cache, &(struct jail_identity){.user = names[i]}, "0 0");
		names[i][0] = 'U';
		expect(cache, &(struct jail_identity){.user = names[i]}, "none -1");
	}
	free((void *)list);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),	   cmocka_unit_test(test_accessors),
		cmocka_unit_test(test_members),	   cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_refused),	   cmocka_unit_test(test_empty_policy),
		cmocka_unit_test(test_many_users), cmocka_unit_test(test_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
