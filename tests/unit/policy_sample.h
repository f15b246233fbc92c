/* A policy with one of everything, and what the last sync found out. Include after cmocka.h. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/policy/cache.h"

#define N(array) (sizeof(array) / sizeof *(array))
/* The model owns its strings elsewhere; here they are literals. */
#define TEXT(literal) ((char *)(literal))
#define NAMES(array)  .names = (array), .n_names = N(array)
#define NODES(array)  .nodes = (array), .n_nodes = N(array)
#define IDENTITY(who, groups_)                                                                               \
	{                                                                                                    \
		.user = (who), .groups = (groups_), .n_groups = N(groups_)                                   \
	}

static char *staff[] = {TEXT("staff")};
static char *foo_bar[] = {TEXT("foo"), TEXT("bar")};
static char *ext[] = {TEXT("ext-*"), TEXT("guests")};
static char *visitor[] = {TEXT("visitor[0-9]+")};
static char *foo_late[] = {TEXT("foo"), TEXT("late")};
static char *here[] = {TEXT("login[1-2]"), TEXT("c[001-128]")};
static char *there[] = {TEXT("other1")};
static char *baz[] = {TEXT("baz")};

static struct jail_mount mounts[] = {
	{.verb = JAIL_VERB_BIND, .target = TEXT("/home/%u")},
	{.verb = JAIL_VERB_BIND,
	 .target = TEXT("/opt"),
	 .from = TEXT("/srv/%g"),
	 .options = JAIL_OPT_RO | JAIL_OPT_NODEV,
	 .optional = true},
	{.verb = JAIL_VERB_TMPFS, .target = TEXT("/tmp"), .size = 5000000000, .mode = 01777},
	{.verb = JAIL_VERB_PROC, .target = TEXT("/proc"), .hidepid = JAIL_HIDEPID_PTRACEABLE},
};
static struct jail_mount guest_mounts[] = {
	{.verb = JAIL_VERB_HIDE, .target = TEXT("/home"), .optional = true},
	{.verb = JAIL_VERB_PRIVATE, .target = TEXT("/tmp"), .mode = 0700},
	{.verb = JAIL_VERB_PRIVATE, .target = TEXT("/dev/shm/%u"), .in_memory = true, .optional = true},
};
static struct jail_jail jails[] = {
	{.name = TEXT("partner"),
	 .confine = JAIL_CONFINE_CHROOT,
	 .root = TEXT("/roots/partner"),
	 .shared = true,
	 .mounts = mounts,
	 .n_mounts = N(mounts)},
	{.name = TEXT("guest"),
	 .confine = JAIL_CONFINE_CHROOT,
	 .root = TEXT("/roots/%u"),
	 .mounts = mounts,
	 .n_mounts = 1},
	{.name = TEXT("unused"),
	 .confine = JAIL_CONFINE_NAMESPACE,
	 .mounts = guest_mounts,
	 .n_mounts = N(guest_mounts)},
};
static struct jail_rule rules[] = {
	{.kind = JAIL_RULE_GROUPS, NAMES(staff), .jail = JAIL_EXEMPT},
	{.kind = JAIL_RULE_USERS, NAMES(foo_bar), .jail = 0},
	{.kind = JAIL_RULE_USERS, NAMES(baz), NODES(there), .jail = 2},
	{.kind = JAIL_RULE_GROUPS, NAMES(ext), NODES(here), .jail = 1},
	{.kind = JAIL_RULE_MATCH, NAMES(visitor), .jail = 1},
	{.kind = JAIL_RULE_USERS, NAMES(foo_late), .jail = 1},
};
static struct jail_policy policy = {.cluster = TEXT("alpha"),
				    .version = 9007199254740991,
				    .issued = 1,
				    .expires = 5000000000,
				    .jails = jails,
				    .n_jails = N(jails),
				    .rules = rules,
				    .n_rules = N(rules)};

static struct jail_cache_member members[] = {
	{.user = TEXT("foo"), .group = TEXT("users"), .home = TEXT("/home/foo"), .uid = 1001, .rule = 1},
	{.user = TEXT("bar"), .group = NULL, .home = TEXT("/home/bar"), .uid = 1002, .rule = 1},
	{.user = TEXT("zoe"), .group = TEXT("ext-a"), .home = TEXT("/home/zoe"), .uid = 1003, .rule = 3},
};
static char *in_ext_a[] = {TEXT("zoe"), TEXT("sam")};
static char *in_staff[] = {TEXT("sam"), TEXT("ann")};
static struct jail_cache_group groups[] = {
	{.name = TEXT("staff"), .gid = 50, .users = in_staff, .n_users = 2},
	{.name = TEXT("ext-a"), .gid = 3001, .users = in_ext_a, .n_users = 2},
};
static const uint8_t digest[32] = {1, 2, 3, [31] = 32};
static const struct jail_cache_facts facts = {.node = "c007",
					      .policy_sha256 = digest,
					      .members = members,
					      .n_members = N(members),
					      .groups = groups,
					      .n_groups = N(groups),
					      .places = {.run = "/run/x",
							 .roots = "/state/roots",
							 .marker = "/run/x/marker",
							 .private_disk = "/state/private"}};

static inline void compile(const struct jail_policy *which, const struct jail_cache_facts *known,
			   struct jail_buffer *ret)
{
	struct jail_error err;
	if (jail_cache_compile(which, known, ret, &err) < 0)
		fail_msg("%s", err.message);
}
