/* Accounts, groups and a policy about them, for tests of members. Include after cmocka.h. */
#pragma once

#include "lib/policy/members.h"
#include "tests/unit/nss_files.h"

/* The model owns its strings elsewhere; here they are literals. */
#define TEXT(literal) ((char *)(literal))

#define N(array) (sizeof(array) / sizeof *(array))

static const char passwd_all[] = "root:x:0:0::/root:/bin/sh\n"
				 "alice:x:2001:3001::/tmp:/bin/sh\n" /* primary group ext-a */
				 "bob:x:2002:100::/tmp:/bin/sh\n"
				 "carol:x:2003:100::/nonexistent/carol:/bin/sh\n"
				 "dave:x:2004:100::/tmp:/bin/sh\n"
				 "visitor1:x:2005:100::/tmp:/bin/sh\n"
				 "visitorx:x:2006:100::/tmp:/bin/sh\n";
static const char group_all[] = "root:x:0:\n"
				"users:x:100:\n"
				"staff:x:50:dave\n"
				"ext-a:x:3001:bob,root,ghost\n"
				"ext-b:x:3002:carol,dave\n";

static char *n_staff[] = {TEXT("staff")};
static char *n_users[] = {TEXT("bob"), TEXT("nobody-here"), TEXT("root")};
static char *n_ext[] = {TEXT("ext-*")};
static char *n_match[] = {TEXT("visitor[0-9]+")};
static char *n_elsewhere[] = {TEXT("other[1-9]")};
static char *n_dave[] = {TEXT("visitorx")};
static struct jail_mount mounts[] = {{.verb = JAIL_VERB_BIND, .target = TEXT("/home/%u")}};
static struct jail_jail jails[] = {
	{.name = TEXT("a"),
	 .confine = JAIL_CONFINE_CHROOT,
	 .root = TEXT("/r/a"),
	 .mounts = mounts,
	 .n_mounts = 1},
	{.name = TEXT("b"), .confine = JAIL_CONFINE_CHROOT, .root = TEXT("/r/b")},
	{.name = TEXT("host"), .confine = JAIL_CONFINE_NAMESPACE, .mounts = mounts, .n_mounts = 1},
};
static struct jail_rule rules[] = {
	{.kind = JAIL_RULE_GROUPS, .names = n_staff, .n_names = 1, .jail = JAIL_EXEMPT},
	{.kind = JAIL_RULE_USERS, .names = n_users, .n_names = N(n_users), .jail = 1},
	{.kind = JAIL_RULE_GROUPS, .names = n_ext, .n_names = 1, .jail = 0},
	{.kind = JAIL_RULE_MATCH, .names = n_match, .n_names = 1, .jail = 1},
	{.kind = JAIL_RULE_USERS,
	 .names = n_dave,
	 .n_names = 1,
	 .nodes = n_elsewhere,
	 .n_nodes = 1,
	 .jail = 1},
};
static const struct jail_policy policy = {.cluster = TEXT("alpha"),
					  .version = 7,
					  .jails = jails,
					  .n_jails = N(jails),
					  .rules = rules,
					  .n_rules = N(rules)};

/* "user:rule user:rule" */
static inline void expect_members(const struct jail_members *members, const char *text)
{
	jail_autobuffer struct jail_buffer found = JAIL_BUFFER_INIT;
	for (size_t i = 0; i < members->n_members; i++)
		(void)jail_buffer_printf(&found, "%s%s:%u", i ? " " : "", members->members[i].user,
					 (unsigned)members->members[i].rule);
	assert_string_equal(found.data, text);
}

static inline void expect_group(const struct jail_members *members, const char *name, const char *users)
{
	for (size_t i = 0; i < members->n_groups; i++) {
		if (strcmp(members->groups[i].name, name) != 0)
			continue;
		jail_autobuffer struct jail_buffer found = JAIL_BUFFER_INIT;
		for (size_t j = 0; j < members->groups[i].n_users; j++)
			(void)jail_buffer_printf(&found, "%s%s", j ? " " : "", members->groups[i].users[j]);
		assert_string_equal(found.data, users);
		return;
	}
	assert_string_equal(users, "(no such group)");
}

static inline void expect_warnings(const struct jail_members *members, const char *const *parts, size_t n)
{
	for (size_t i = 0; i < members->n_warnings && i < n; i++) {
		if (!strstr(members->warnings[i], parts[i]))
			assert_string_equal(members->warnings[i], parts[i]);
	}
	assert_int_equal(members->n_warnings, n);
}

static struct jail_moment moment;

static inline void resolve(const struct jail_policy *which, const struct jail_cache *previous,
			   struct jail_members *ret)
{
	struct jail_error err;
	*ret = (struct jail_members){0};
	assert_int_equal(jail_members_resolve(which, "node1", previous, &moment, ret, &err), 0);
}

/* Compiles, and opens what was compiled; buffer holds the bytes. */
static inline struct jail_cache *compile(const struct jail_policy *which, const struct jail_members *members,
					 struct jail_buffer *buffer)
{
	struct jail_error err;
	struct jail_cache *cache = NULL;
	struct jail_cache_facts facts = jail_members_facts(members, "node1", NULL);
	assert_int_equal(jail_cache_compile(which, &facts, buffer, &err), 0);
	assert_int_equal(jail_cache_open_memory(buffer->data, buffer->len, &cache, &err), 0);
	return cache;
}

static inline void expect_verdict(const struct jail_cache *cache, const char *user, const char *const *groups,
				  size_t n_groups, const char *text)
{
	struct jail_identity identity = {.user = user, .groups = groups, .n_groups = n_groups};
	struct jail_verdict verdict;
	struct jail_error err;
	char found[64];
	assert_int_equal(jail_cache_lookup(cache, &identity, &verdict, &err), 0);
	if (verdict.matched)
		(void)snprintf(found, sizeof found, "rule %u jail %zd%s", (unsigned)verdict.rule,
			       verdict.jail, verdict.last_known ? " last known" : "");
	else
		(void)snprintf(found, sizeof found, "none");
	assert_string_equal(found, text);
}

static inline int fresh_files(void **state)
{
	(void)state;
	nss_write("passwd", passwd_all);
	nss_write("group", group_all);
	moment = (struct jail_moment){.now = 1800000000, .uptime = 100000000};
	return 0;
}
