/* From a policy to the views of a node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/buffer.h"
#include "lib/policy/cache.h"
#include "lib/view/order.h"
#include "lib/view/view.h"

#define N(array)      (sizeof(array) / sizeof *(array))
#define TEXT(literal) ((char *)(literal))

static char *users[] = {TEXT("foo"), TEXT("bar"), TEXT("odd")};
static char *pattern[] = {TEXT("visitor[0-9]+")};
static char *elsewhere[] = {TEXT("other1")};
static char *gone[] = {TEXT("gone")};

static struct jail_mount shared_mounts[] = {
	{.verb = JAIL_VERB_BIND, .target = TEXT("/usr"), .options = JAIL_OPT_RO},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/sys")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/sys/fs/cgroup")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/sys/fs/cgroup/freezer")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/sys-data"), .from = TEXT("/srv")},
	{.verb = JAIL_VERB_HIDE, .target = TEXT("/opt")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/opt/sys"), .from = TEXT("/sys")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("%h")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/data/%g"), .from = TEXT("/srv/%g"), .optional = true},
	{.verb = JAIL_VERB_TMPFS, .target = TEXT("/tmp"), .size = 4096, .mode = 01777},
	{.verb = JAIL_VERB_PROC, .target = TEXT("/proc"), .hidepid = JAIL_HIDEPID_INVISIBLE},
};
static struct jail_mount own_mounts[] = {{.verb = JAIL_VERB_BIND, .target = TEXT("/home/%u")}};
static struct jail_mount clashing[] = {
	{.verb = JAIL_VERB_BIND, .target = TEXT("/home/foo")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/home/%u"), .options = JAIL_OPT_RO},
};
static struct jail_mount same_but_optional[] = {
	{.verb = JAIL_VERB_BIND, .target = TEXT("/home/foo"), .optional = true},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/home/%u")},
};
static struct jail_mount home_and_name[] = {
	{.verb = JAIL_VERB_BIND, .target = TEXT("%h")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/home/%u")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/work/bar")},
};
static struct jail_mount policy_clash[] = {
	{.verb = JAIL_VERB_BIND, .target = TEXT("/srv")},
	{.verb = JAIL_VERB_BIND, .target = TEXT("/srv"), .options = JAIL_OPT_RO},
};
static struct jail_mount marker_taken[] = {
	{.verb = JAIL_VERB_BIND, .target = TEXT("/.clusterjail"), .from = TEXT("/srv")},
};

static struct jail_jail jails[] = {
	{.name = TEXT("partner"), .root = TEXT("/roots/partner"), .shared = true},
	{.name = TEXT("visitor"), .root = TEXT("/roots/visitor")},
	{.name = TEXT("away"), .root = TEXT("/roots/away")},
};
static struct jail_rule rules[] = {
	{.kind = JAIL_RULE_USERS, .names = users, .n_names = 3, .jail = 0},
	{.kind = JAIL_RULE_MATCH, .names = pattern, .n_names = 1, .jail = 1},
	{.kind = JAIL_RULE_USERS, .names = gone, .n_names = 1, .nodes = elsewhere, .n_nodes = 1, .jail = 2},
};
static struct jail_cache_member members[] = {
	{.user = TEXT("foo"), .group = TEXT("ext"), .home = TEXT("/home/foo"), .uid = 1001, .rule = 0},
	{.user = TEXT("bar"), .group = TEXT("ext"), .home = TEXT("/work/bar"), .uid = 1002, .rule = 0},
	{.user = TEXT("odd"), .group = TEXT("ext"), .home = TEXT("/"), .uid = 1003, .rule = 0},
};

struct node {
	struct jail_buffer bytes;
	struct jail_cache *cache;
};

static void set_up(struct node *node, const char *root, struct jail_mount *mounts, size_t n_mounts)
{
	struct jail_error err = {0};
	struct jail_policy policy = {.cluster = TEXT("alpha"),
				     .version = 1,
				     .jails = jails,
				     .n_jails = N(jails),
				     .rules = rules,
				     .n_rules = N(rules)};
	const struct jail_cache_facts facts = {.node = "c1", .members = members, .n_members = N(members)};
	for (size_t i = 0; i < N(jails); i++)
		jails[i].confine = JAIL_CONFINE_CHROOT;
	jails[0].root = TEXT(root);
	jails[0].mounts = mounts;
	jails[0].n_mounts = n_mounts;
	node->bytes = JAIL_BUFFER_INIT;
	if (jail_cache_compile(&policy, &facts, &node->bytes, &err) < 0 ||
	    jail_cache_open_memory(node->bytes.data, node->bytes.len, &node->cache, &err) < 0)
		fail_msg("%s", err.message);
}

static void tear_down(struct node *node)
{
	jail_cache_close(&node->cache);
	jail_buffer_release(&node->bytes);
}

static const struct jail_entry *find(const struct jail_view *view, const char *target)
{
	for (size_t e = 0; e < view->n_entries; e++)
		if (strcmp(view->entries[e].target, target) == 0)
			return &view->entries[e];
	return NULL;
}

static void a_shared_root_has_all_its_members(void **state)
{
	jail_autoviews struct jail_views views = {0};
	struct jail_error err;
	struct node node;
	(void)state;
	set_up(&node, "/roots/partner", shared_mounts, N(shared_mounts));
	assert_int_equal(jail_views_build(node.cache, "/run/marker", &views, &err), 0);
	/* partner, and visitor, which has no member that is known; away has no rule on this node. */
	assert_int_equal(views.n_views, 2);
	assert_string_equal(views.views[0].jail, "partner");
	assert_string_equal(views.views[1].root, "/roots/visitor");
	assert_int_equal(views.views[1].n_entries, 1);
	assert_int_equal(views.n_users, 2);
	assert_string_equal(views.users[0].user, "bar");
	assert_int_equal(views.users[0].view, 0);
	/* A home of "/" can't be expanded: left out, with a word. */
	assert_int_equal(views.n_warnings, 1);
	assert_non_null(strstr(views.warnings[0], "odd"));

	const struct jail_view *view = &views.views[0];
	for (size_t e = 1; e < view->n_entries; e++)
		assert_true(jail_order_compare(view->entries[e - 1].target, view->entries[e].target) < 0);
	const struct jail_entry *home = find(view, "/home/foo");
	assert_non_null(home);
	assert_true(home->owned && home->personal);
	assert_int_equal(home->owner, 1001);
	assert_non_null(find(view, "/work/bar"));
	assert_non_null(find(view, "/data/ext"));
	assert_true(find(view, "/data/ext")->optional);
	assert_string_equal(find(view, "/data/ext")->source, "/srv/ext");
	/* /sys brings its cgroups, but not into the hide, nor under another name. */
	assert_null(find(view, "/sys/fs/cgroup"));
	assert_null(find(view, "/sys/fs/cgroup/freezer"));
	assert_non_null(find(view, "/sys-data"));
	assert_non_null(find(view, "/opt/sys"));
	assert_int_equal(find(view, "/opt")->options, 15);
	assert_int_equal(find(view, "/tmp")->options, JAIL_OPT_NOSUID | JAIL_OPT_NODEV);
	assert_int_equal(find(view, "/proc")->options, JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC);
	assert_string_equal(find(view, JAIL_MARKER_TARGET)->source, "/run/marker/partner");
	tear_down(&node);
}

static void a_root_each_has_one_view_a_member(void **state)
{
	jail_autoviews struct jail_views views = {0};
	struct jail_error err;
	struct node node;
	(void)state;
	set_up(&node, "/roots/u-%u", own_mounts, N(own_mounts));
	assert_int_equal(jail_views_build(node.cache, "/run/marker", &views, &err), 0);
	assert_int_equal(views.n_views, 4);
	assert_int_equal(views.n_users, 3);
	for (size_t u = 0; u < views.n_users; u++) {
		const struct jail_view *view = &views.views[views.users[u].view];
		assert_string_equal(view->root + strlen("/roots/u-"), views.users[u].user);
		assert_int_equal(view->n_entries, 2);
		assert_string_equal(view->entries[1].target + strlen("/home/"), views.users[u].user);
	}
	tear_down(&node);
}

static void roots_do_not_meet(void **state)
{
	static const char *const roots[] = {"/roots/visitor", "/roots", "/roots/visitor/in"};
	(void)state;
	for (size_t i = 0; i < N(roots); i++) {
		jail_autoviews struct jail_views views = {0};
		struct jail_error err = {0};
		struct node node;
		set_up(&node, roots[i], own_mounts, N(own_mounts));
		assert_int_equal(jail_views_build(node.cache, "/run/marker", &views, &err), -EEXIST);
		assert_non_null(strstr(err.message, "/roots/visitor"));
		assert_null(views.views);
		tear_down(&node);
	}
}

static void what_differs_at_one_target_is_refused(void **state)
{
	const struct jail_member foo = {"foo", "ext", "/home/foo", 1001};
	const struct jail_member bar = {"bar", "ext", "/home/bar", 1002};
	jail_autoview struct jail_view view = {0};
	struct jail_error err = {0};
	struct node node;
	(void)state;
	set_up(&node, "/roots/partner", clashing, N(clashing));
	assert_int_equal(jail_view_build(node.cache, 0, &foo, 1, "/m", &view, &err), -EEXIST);
	assert_non_null(strstr(err.message, "/home/foo"));
	assert_int_equal(jail_view_build(node.cache, 0, &bar, 1, "/m", &view, &err), 0);
	assert_int_equal(view.n_entries, 3);
	tear_down(&node);
	set_up(&node, "/roots/partner", marker_taken, N(marker_taken));
	jail_view_release(&view);
	assert_int_equal(jail_view_build(node.cache, 0, &bar, 1, "/m", &view, &err), -EINVAL);
	assert_non_null(strstr(err.message, "marker"));
	tear_down(&node);
}

/* An account called like something that all members have: nobody else is to suffer for it. */
static void a_member_who_clashes_is_left_out(void **state)
{
	jail_autoviews struct jail_views views = {0};
	struct jail_error err = {0};
	struct node node;
	(void)state;
	set_up(&node, "/roots/partner", clashing, N(clashing));
	assert_int_equal(jail_views_build(node.cache, "/m", &views, &err), 0);
	assert_int_equal(views.n_views, 2);
	assert_int_equal(views.n_users, 2);
	assert_string_equal(views.users[0].user, "bar");
	assert_string_equal(views.users[1].user, "odd");
	assert_int_equal(views.n_warnings, 1);
	assert_non_null(strstr(views.warnings[0], "foo"));
	assert_non_null(strstr(views.warnings[0], "/home/foo"));
	assert_int_equal(find(&views.views[0], "/home/foo")->options, 0);
	assert_int_equal(find(&views.views[0], "/home/bar")->options, JAIL_OPT_RO);
	tear_down(&node);
}

/* bar's home is what all have, which need not be bar's; foo's has two entries, and one mount. */
static void a_home_that_is_everybodys_leaves_its_member_out(void **state)
{
	const struct jail_member bar = {"bar", "ext", "/work/bar", 1002};
	jail_autoviews struct jail_views views = {0};
	jail_autoview struct jail_view view = {0};
	struct jail_error err = {0};
	struct node node;
	(void)state;
	set_up(&node, "/roots/partner", home_and_name, N(home_and_name));
	assert_int_equal(jail_views_build(node.cache, "/m", &views, &err), 0);
	assert_int_equal(views.n_users, 1);
	assert_string_equal(views.users[0].user, "foo");
	assert_int_equal(views.n_warnings, 2); /* odd has no home */
	const struct jail_entry *home = find(&views.views[0], "/home/foo");
	assert_true(home->owned && home->personal);
	assert_int_equal(home->owner, 1001);
	assert_false(find(&views.views[0], "/work/bar")->owned);
	assert_int_equal(jail_view_build(node.cache, 0, &bar, 1, "/m", &view, &err), -EEXIST);
	tear_down(&node);
}

static void required_wins_for_its_member_alone(void **state)
{
	jail_autoviews struct jail_views views = {0};
	struct jail_error err = {0};
	struct node node;
	(void)state;
	set_up(&node, "/roots/partner", same_but_optional, N(same_but_optional));
	assert_int_equal(jail_views_build(node.cache, "/m", &views, &err), 0);
	assert_int_equal(views.n_users, 3);
	const struct jail_entry *entry = find(&views.views[0], "/home/foo");
	assert_false(entry->optional);
	assert_true(entry->personal);
	tear_down(&node);
	/* The policy's own contradiction is nobody's fault but the policy's. */
	jail_views_release(&views);
	set_up(&node, "/roots/partner", policy_clash, N(policy_clash));
	assert_int_equal(jail_views_build(node.cache, "/m", &views, &err), -EEXIST);
	tear_down(&node);
}

static void a_name_that_makes_anothers_root_is_left_out(void **state)
{
	static const char *const visitors[] = {"/roots/foo", "/roots/foo/in", "/roots"};
	(void)state;
	for (size_t i = 0; i < N(visitors); i++) {
		jail_autoviews struct jail_views views = {0};
		struct jail_error err = {0};
		struct node node;
		char *before = jails[1].root;
		jails[1].root = TEXT(visitors[i]);
		set_up(&node, "/roots/%u", own_mounts, N(own_mounts));
		jails[1].root = before;
		assert_int_equal(jail_views_build(node.cache, "/m", &views, &err), 0);
		assert_int_equal(views.n_users, i < 2 ? 2 : 0);
		assert_int_equal(views.n_warnings, i < 2 ? 1 : 3);
		assert_int_equal(views.n_views, i < 2 ? 3 : 1);
		tear_down(&node);
	}
}

static void one_member_has_what_all_have_and_their_own(void **state)
{
	const struct jail_member foo = {"foo", "ext", "/home/foo", 1001};
	jail_autoview struct jail_view view = {0};
	struct jail_error err = {0};
	struct node node;
	(void)state;
	set_up(&node, "/roots/partner", shared_mounts, N(shared_mounts));
	assert_int_equal(jail_view_build(node.cache, 0, &foo, 1, "/", &view, &err), 0);
	assert_non_null(find(&view, "/home/foo"));
	assert_null(find(&view, "/work/bar"));
	assert_non_null(find(&view, "/usr"));
	const struct jail_member odd = {"odd", "ext", "/", 1003};
	jail_autoview struct jail_view none = {0};
	assert_int_equal(jail_view_build(node.cache, 0, &odd, 1, "/", &none, &err), -EINVAL);
	assert_non_null(strstr(err.message, "odd"));
	assert_null(none.entries);
	tear_down(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_root_has_all_its_members),
		cmocka_unit_test(a_root_each_has_one_view_a_member),
		cmocka_unit_test(roots_do_not_meet),
		cmocka_unit_test(what_differs_at_one_target_is_refused),
		cmocka_unit_test(a_member_who_clashes_is_left_out),
		cmocka_unit_test(a_home_that_is_everybodys_leaves_its_member_out),
		cmocka_unit_test(required_wins_for_its_member_alone),
		cmocka_unit_test(a_name_that_makes_anothers_root_is_left_out),
		cmocka_unit_test(one_member_has_what_all_have_and_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
