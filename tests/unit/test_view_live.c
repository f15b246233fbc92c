/* What an open namespace view lacks and what it still has, from mount tables as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "lib/view/live.h"
#include "lib/view/namespace.h"

#define ALL (JAIL_OPT_RO | JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC)

enum { OWNER = 12001 };

static const struct jail_places_of_node places = {.run = "/run/clusterjail",
						  .roots = "/var/lib/clusterjail/roots",
						  .marker = "/run/clusterjail/marker",
						  .private_disk = "/var/lib/clusterjail/private",
						  .private_memory = "/run/clusterjail/private"};

#define HOST                                                                                                 \
	"1 0 8:1 / / rw shared:1 - ext4 a rw\n"                                                              \
	"2 1 0:5 / /proc rw shared:2 - proc proc rw\n"                                                       \
	"3 1 0:6 / /run rw shared:3 - tmpfs run rw\n"                                                        \
	"4 1 8:2 / /home rw shared:4 - ext4 h rw\n"                                                          \
	"5 3 0:7 / /run/clusterjail/private rw shared:5 - tmpfs p rw\n"

/* The same, as a session's slave. */
#define SLAVE                                                                                                \
	"11 0 8:1 / / rw master:1 - ext4 a rw\n"                                                             \
	"12 11 0:5 / /proc rw master:2 - proc proc rw\n"                                                     \
	"13 11 0:6 / /run rw master:3 - tmpfs run rw\n"                                                      \
	"14 11 8:2 / /home rw master:4 - ext4 h rw\n"                                                        \
	"15 13 0:7 / /run/clusterjail/private rw master:5 - tmpfs p rw\n"
#define MARKER                                                                                               \
	"20 13 0:6 /clusterjail/marker/guest/12001 /run/clusterjail ro,nosuid,nodev,noexec - tmpfs run rw\n"
#define HIDE "21 14 0:40 / /home ro,nosuid,nodev,noexec - tmpfs none rw,size=4k,mode=555\n"
#define FOO  "22 21 8:2 /foo /home/foo rw master:4 - ext4 h rw\n"
#define BAR  "23 21 8:2 /bar /home/bar rw master:4 - ext4 h rw\n"
#define TMP  "24 11 8:1 /var/lib/clusterjail/private/12001/tmp /tmp rw,nosuid,nodev - ext4 a rw\n"
#define SHM  "25 11 0:7 /12001/dev-shm /dev/shm rw,nosuid,nodev - tmpfs p rw\n"
#define PROC "26 12 0:41 / /proc rw,nosuid,nodev,noexec - proc proc rw,hidepid=invisible\n"

static struct jail_entry entries[] = {
	{.kind = JAIL_ENTRY_HIDE, .target = (char[]){"/home"}, .options = ALL},
	{.kind = JAIL_ENTRY_BIND, .target = (char[]){"/home/foo"}, .source = (char[]){"/home/foo"}},
	{.kind = JAIL_ENTRY_MARKER,
	 .target = (char[]){"/run/clusterjail"},
	 .source = (char[]){"/run/clusterjail/marker/guest/12001"},
	 .options = ALL},
	{.kind = JAIL_ENTRY_PRIVATE, .target = (char[]){"/tmp"}, .mode = 01777},
};
static const struct jail_view view = {
	.jail = (char[]){"guest"}, .root = (char[]){"/"}, .entries = entries, .n_entries = 4};

static void plan_of(const struct jail_view *wanted, const char *text, struct jail_live_plan *ret)
{
	jail_automounttable struct jail_mount_table session = {0};
	jail_automounttable struct jail_mount_table host = {0};
	struct jail_error err;
	assert_int_equal(jail_mount_table_parse(HOST, strlen(HOST), &host, &err), 0);
	assert_int_equal(jail_mount_table_parse(text, strlen(text), &session, &err), 0);
	assert_int_equal(jail_live_plan_make(wanted, &places, OWNER, &session, &host, ret, &err), 0);
}

static void nothing_to_do(void **state)
{
	jail_autoliveplan struct jail_live_plan plan = {0};
	(void)state;
	plan_of(&view, SLAVE MARKER HIDE FOO TMP, &plan);
	assert_true(jail_live_plan_is_empty(&plan));
}

static void what_is_newly_shown_is_added(void **state)
{
	jail_autoliveplan struct jail_live_plan plan = {0};
	(void)state;
	plan_of(&view, SLAVE MARKER HIDE TMP, &plan);
	assert_int_equal(plan.n_add, 1);
	assert_int_equal(plan.acts[1], JAIL_LIVE_ADD);
	assert_int_equal(plan.n_denied + plan.n_granted, 0);
}

static void what_is_newly_hidden_is_denied(void **state)
{
	jail_autoliveplan struct jail_live_plan plan = {0};
	(void)state;
	plan_of(&view, SLAVE MARKER HIDE FOO BAR TMP, &plan);
	assert_int_equal(plan.n_add, 0);
	assert_int_equal(plan.n_denied, 1);
	assert_string_equal(plan.denied[0], "/home/bar");
}

static void another_source_at_a_target_is_replaced(void **state)
{
	jail_autoliveplan struct jail_live_plan plan = {0};
	(void)state;
	plan_of(&view, SLAVE MARKER HIDE "22 21 8:2 /bar /home/foo rw master:4 - ext4 h rw\n" TMP, &plan);
	assert_int_equal(plan.n_add, 1);
	assert_int_equal(plan.acts[1], JAIL_LIVE_ADD);
}

static void a_hide_that_is_missing_is_added(void **state)
{
	jail_autoliveplan struct jail_live_plan plan = {0};
	(void)state;
	plan_of(&view, SLAVE MARKER TMP, &plan);
	assert_int_equal(plan.acts[0], JAIL_LIVE_ADD);
	assert_int_equal(plan.acts[1], JAIL_LIVE_ADD);
}

static void what_only_hid_is_granted(void **state)
{
	struct jail_view bare = {.jail = (char[]){"guest"}, .root = (char[]){"/"}};
	jail_autoliveplan struct jail_live_plan plan = {0};
	(void)state;
	bare.entries = &entries[2];
	bare.n_entries = 1;
	plan_of(&bare, SLAVE MARKER HIDE FOO TMP SHM, &plan);
	assert_int_equal(plan.n_add + plan.n_denied, 0);
	assert_int_equal(plan.n_granted, 3);
	assert_string_equal(plan.granted[0], "/dev/shm");
	assert_string_equal(plan.granted[1], "/home");
	assert_string_equal(plan.granted[2], "/tmp");
}

/* The host's own /proc is no view's. */
static void a_proc_of_the_view_is_told_from_the_hosts(void **state)
{
	struct jail_entry proc[] = {{.kind = JAIL_ENTRY_PROC, .target = (char[]){"/proc"}}};
	const struct jail_view with = {
		.jail = (char[]){"guest"}, .root = (char[]){"/"}, .entries = proc, .n_entries = 1};
	jail_autoliveplan struct jail_live_plan missing = {0};
	jail_autoliveplan struct jail_live_plan there = {0};
	(void)state;
	plan_of(&with, SLAVE MARKER, &missing);
	assert_int_equal(missing.n_add, 1);
	plan_of(&with, SLAVE MARKER PROC, &there);
	assert_true(jail_live_plan_is_empty(&there));
}

static void private_directories_have_names_of_their_own(void **state)
{
	static const struct {
		const char *target, *path;
	} cases[] = {
		{"/tmp", "/p/7/tmp"},
		{"/var/tmp", "/p/7/var-tmp"},
		{"/var-tmp", "/p/7/var\\x2dtmp"},
		{"/.x/.y", "/p/7/\\x2ex-.y"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *path = jail_private_path("/p", 7, cases[i].target);
		assert_string_equal(path, cases[i].path);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(what_is_newly_shown_is_added),
		cmocka_unit_test(what_is_newly_hidden_is_denied),
		cmocka_unit_test(another_source_at_a_target_is_replaced),
		cmocka_unit_test(a_hide_that_is_missing_is_added),
		cmocka_unit_test(what_only_hid_is_granted),
		cmocka_unit_test(a_proc_of_the_view_is_told_from_the_hosts),
		cmocka_unit_test(private_directories_have_names_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
