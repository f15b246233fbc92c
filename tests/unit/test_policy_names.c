/* hostlist.h, template.h, match.h, model.h: text in, text out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib/base/cleanup.h"
#include "lib/policy/hostlist.h"
#include "lib/policy/match.h"
#include "lib/policy/model.h"
#include "lib/policy/template.h"

#define N(array) (sizeof(array) / sizeof *(array))

static void test_hostlist_matches(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *host;
		bool expected;
	} cases[] = {
		{"login1", "login1", true},
		{"login1", "login", false},
		{"login1", "login11", false},
		{"login1", "Login1", false},
		{"a,b,c", "b", true},
		{"a,b,c", "d", false},
		{"a,b,c", "a,b", false},
		{"c[001-128]", "c001", true},
		{"c[001-128]", "c007", true},
		{"c[001-128]", "c128", true},
		{"c[001-128]", "c7", false},
		{"c[001-128]", "c07", false},
		{"c[001-128]", "c0007", false},
		{"c[001-128]", "c000", false},
		{"c[001-128]", "c129", false},
		{"c[001-128]", "c", false},
		{"c[1-128]", "c7", true},
		{"c[1-128]", "c128", true},
		{"c[1-128]", "c007", false},
		{"c[0-3]", "c0", true},
		{"c[00-3]", "c00", true},
		{"c[00-3]", "c0", false},
		{"c[08-10]", "c10", true},
		{"c[98-101]", "c101", true},
		{"c[98-101]", "c099", false},
		{"c[1,3,5-7]", "c3", true},
		{"c[1,3,5-7]", "c6", true},
		{"c[1,3,5-7]", "c4", false},
		{"c[1,003]", "c003", true},
		{"c[1,003]", "c3", false},
		{"rack[1-3]n[01-40]", "rack2n40", true},
		{"rack[1-3]n[01-40]", "rack4n40", false},
		{"rack[1-3]n[01-40]", "rack2n4", false},
		{"rack[1-3]n[01-40]", "rack2", false},
		{"c[1-2].example", "c1.example", true},
		{"[1-3]", "2", true},
		/* Brackets beside digits can be read in more than one way. */
		{"a[1-12][0-9]", "a115", true},
		{"a[1-12][0-9]", "a15", true},
		{"a[1-12][0-9]", "a1", false},
		{"a[1-12][0-9]", "a139", false},
		{"a[1-3]5", "a15", true},
		{"a[1-35]5", "a155", true},
		{"a[1-35]5", "a5", false},
		{"1[0-9]0", "110", true},
		{"c[1-999999999]", "c999999999", true},
		{"c[1-999999999]", "c1234567890", false},
		{"c[1-9]1234567890", "c51234567890", true},
		{"a[1-2],b[3-4]", "b3", true},
		{"a[1-2],b[3-4]", "a3", false},
		{"a", "", false},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct jail_error err = {0};
		if (jail_hostlist_check(cases[i].expression, &err) < 0)
			fail_msg("%s", err.message);
		if (jail_hostlist_matches(cases[i].expression, cases[i].host) != cases[i].expected)
			fail_msg("%s against %s", cases[i].expression, cases[i].host);
	}
}

static void test_hostlist_check(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *place;
	} bad[] = {
		{"", "character 1: a host name is missing"},
		{",a", "character 1: a host"},
		{"a,", "character 3: a host"},
		{"a,,b", "character 3: a host"},
		{"a[", "character 3: a number is missing"},
		{"a[]", "character 3: a number is missing"},
		{"a[1", "character 4: a bracket is not closed"},
		{"a[1-", "a range has no end"},
		{"a[1-]", "a range has no end"},
		{"a[-1]", "a number is missing"},
		{"a[3-1]", "runs downwards"},
		{"a[1,]", "a number is missing"},
		{"a[1-2-3]", "numbers and ranges only"},
		{"a[[1]]", "a number is missing"},
		{"a[x]", "a number is missing"},
		{"a]", "character 2: a bracket is not opened"},
		{"a[1-2]]", "a bracket is not opened"},
		{"a[1234567890]", "more than 9 digits"},
		{"a[1-1234567890]", "more than 9 digits"},
		{"a b", "character 2: no host name"},
		{"a*", "no host name"},
		{"a/b", "no host name"},
		{"\xc3\xbc", "no host name"},
	};
	for (size_t i = 0; i < N(bad); i++) {
		struct jail_error err = {0};
		assert_int_equal(jail_hostlist_check(bad[i].expression, &err), -EINVAL);
		if (!strstr(err.message, bad[i].place))
			fail_msg("%s", err.message);
	}
	char text[1026];
	memset(text, 'a', sizeof text);
	text[1025] = '\0';
	assert_int_equal(jail_hostlist_check(text, NULL), -EINVAL);
	text[1024] = '\0';
	assert_int_equal(jail_hostlist_check(text, NULL), 0);
}

/* As many ambiguous brackets as fit: trying them one after the other would not end. */
static void test_hostlist_is_quick(void **state)
{
	(void)state;
	char expression[1025] = "";
	for (int i = 0; i < 200; i++)
		memcpy(expression + (size_t)i * 5, "[0-9]", 6);
	char host[256];
	memset(host, '1', 255);
	host[254] = 'x';
	host[255] = '\0';
	struct timespec before;
	struct timespec after;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_false(jail_hostlist_matches(expression, host));
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 5);
	host[200] = '\0';
	assert_true(jail_hostlist_matches(expression, host));
}

static void test_template(void **state)
{
	(void)state;
	static const struct {
		const char *text, *expanded; /* NULL: -EINVAL */
		int uses;
	} cases[] = {
		{"/home/%u", "/home/foo", JAIL_TEMPLATE_U},
		{"/home/%g/%u", "/home/grp/foo", JAIL_TEMPLATE_U | JAIL_TEMPLATE_G},
		{"/home/%u.d", "/home/foo.d", JAIL_TEMPLATE_U},
		{"%h", "/home/foo", JAIL_TEMPLATE_H},
		{"%h/bin", "/home/foo/bin", JAIL_TEMPLATE_H},
		{"/a%%b", "/a%b", 0},
		{"/%%u", "/%u", 0},
		{"/plain", "/plain", 0},
		{"/", "/", 0},
		{"%hx", NULL, 0},
		{"/a%h", NULL, 0},
		{"/%h", NULL, 0},
		{"%h%h", NULL, 0},
		{"%%h", NULL, 0},
		{"%u", NULL, 0},
		{"/%x", NULL, 0},
		{"/%U", NULL, 0},
		{"/a%", NULL, 0},
		{"", NULL, 0},
		{"a", NULL, 0},
		{"/a/", NULL, 0},
		{"/a//b", NULL, 0},
		{"/a/../%u", NULL, 0},
		{"/./%u", NULL, 0},
		{"%h/..", NULL, 0},
		{"/a\n", NULL, 0},
	};
	static const struct jail_member foo = {.user = "foo", .group = "grp", .home = "/home/foo", .uid = 1};
	for (size_t i = 0; i < N(cases); i++) {
		jail_autofree char *expanded = NULL;
		struct jail_error err = {0};
		int uses = jail_template_check(cases[i].text, &err);
		int r = jail_template_expand(cases[i].text, &foo, &expanded, &err);
		if (!cases[i].expanded) {
			assert_int_equal(uses, -EINVAL);
			assert_int_equal(r, -EINVAL);
			assert_null(expanded);
			assert_non_null(strstr(err.message, cases[i].text));
			continue;
		}
		assert_int_equal(uses, cases[i].uses);
		assert_int_equal(r, 0);
		assert_string_equal(expanded, cases[i].expanded);
	}
}

static void test_template_values(void **state)
{
	(void)state;
	static const char *const bad_names[] = {NULL, "", ".", "..", "a/b", "/", "a\n", "\x7f"};
	static const char *const bad_homes[] = {NULL,	      "",      "/",  "home",  "/home/",
						"/home//foo", "/../x", "/.", "/a/..", "/a\nb"};
	for (size_t i = 0; i < N(bad_names); i++) {
		struct jail_member member = {.user = bad_names[i], .group = bad_names[i], .home = "/h"};
		jail_autofree char *expanded = NULL;
		struct jail_error err;
		assert_int_equal(jail_template_expand("/x/%u", &member, &expanded, &err), -EINVAL);
		assert_int_equal(jail_template_expand("/x/%g", &member, &expanded, &err), -EINVAL);
		/* Even where the whole component would be harmless. */
		assert_int_equal(jail_template_expand("/x/a%u", &member, &expanded, &err), -EINVAL);
		assert_int_equal(jail_template_expand("/x", &member, &expanded, &err), 0);
	}
	for (size_t i = 0; i < N(bad_homes); i++) {
		struct jail_member member = {.user = "foo", .group = "grp", .home = bad_homes[i]};
		char *expanded = NULL;
		struct jail_error err;
		assert_int_equal(jail_template_expand("%h", &member, &expanded, &err), -EINVAL);
		assert_int_equal(jail_template_expand("%h/x", &member, &expanded, &err), -EINVAL);
		assert_null(expanded);
	}
	jail_autofree char *expanded = NULL;
	assert_int_equal(jail_template_expand("/x/%u", NULL, &expanded, NULL), -EINVAL);
	assert_int_equal(jail_template_expand("/x", NULL, &expanded, NULL), 0);
	/* Too long once expanded. */
	char home[PATH_MAX];
	memset(home, 'a', sizeof home);
	home[0] = '/';
	home[PATH_MAX - 1] = '\0';
	struct jail_member member = {.user = "foo", .home = home};
	char *unset = NULL;
	assert_int_equal(jail_template_expand("%h/x", &member, &unset, NULL), -EINVAL);
}

static void test_match(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *name;
		bool expected;
	} cases[] = {
		{"visitor[0-9]+", "visitor1", true},
		{"visitor[0-9]+", "visitor", false},
		{"visitor[0-9]+", "xvisitor1", false},
		{"visitor[0-9]+", "visitor1x", false},
		{"visitor[0-9]+", "Visitor1", false},
		{"^visitor[0-9]+$", "visitor1", true},
		{"a|ab", "ab", true},
		{"a|ab", "abc", false},
		{"a|b", "b", true},
		{"a|b", "ab", false},
		{"(a|ab)(c|bcd)", "abcd", true},
		{"x*", "", true},
		{"x*", "y", false},
		{"[[:lower:]]+", "abc", true},
		{"[a-z]+", "\xc3\xbc", false},
		{".*", "anything", true},
		{"a.c", "a\nc", true},
		{"a\\.c", "abc", false},
		{"[\\1]+", "1\\", true},
	};
	for (size_t i = 0; i < N(cases); i++) {
		jail_automatch struct jail_match match = {0};
		struct jail_error err = {0};
		if (jail_match_compile(cases[i].expression, &match, &err) < 0)
			fail_msg("%s", err.message);
		if (jail_match_whole(&match, cases[i].name) != (cases[i].expected ? 1 : 0))
			fail_msg("%s against %s", cases[i].expression, cases[i].name);
	}
}

static void test_match_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"(a)\\1", "(a)[^]b]\\1", "[[:alpha:]\\]](a)\\1", "a{2,1}", "(", "[a", "*\\9", "[[.x.]"};
	for (size_t i = 0; i < N(bad); i++) {
		jail_automatch struct jail_match match = {0};
		struct jail_error err = {0};
		if (jail_match_compile(bad[i], &match, &err) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
		assert_non_null(strstr(err.message, bad[i]));
	}
	jail_automatch struct jail_match match = {0};
	char text[258];
	memset(text, 'a', sizeof text);
	text[257] = '\0';
	assert_int_equal(jail_match_compile(text, &match, NULL), -EINVAL);
	text[256] = '\0';
	assert_int_equal(jail_match_compile(text, &match, NULL), 0);
}

static void test_globs(void **state)
{
	(void)state;
	assert_true(jail_glob_is_pattern("ext-*"));
	assert_true(jail_glob_is_pattern("ext-?"));
	assert_true(jail_glob_is_pattern("ext-[ab]"));
	assert_false(jail_glob_is_pattern("ext-a\\]"));
	assert_true(jail_glob_matches("ext-*", "ext-"));
	assert_true(jail_glob_matches("ext-*", "ext-a"));
	assert_false(jail_glob_matches("ext-*", "Ext-a"));
	assert_false(jail_glob_matches("ext-*", "next-a"));
	assert_true(jail_glob_matches("ext-[a-c]", "ext-b"));
	assert_true(jail_glob_matches("a\\*", "a\\b"));
	assert_true(jail_glob_matches("*", ".hidden"));
}

/* The caller's locale is as it was, also where it is the thread's own. */
static void test_locale_is_kept(void **state)
{
	(void)state;
	locale_t own = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
	assert_non_null(own);
	locale_t before = uselocale(own);
	assert_true(jail_glob_matches("a*", "ab"));
	assert_false(jail_glob_matches("?", "\xc3\xbc")); /* two bytes */
	assert_ptr_equal(uselocale((locale_t)0), own);
	(void)uselocale(before);
	freelocale(own);
}

static void test_words(void **state)
{
	(void)state;
	char text[32];
	assert_string_equal(jail_options_text(0, text), "");
	assert_string_equal(jail_options_text(JAIL_OPT_RO, text), "ro");
	assert_string_equal(jail_options_text(15, text), "ro,nosuid,nodev,noexec");
	assert_string_equal(jail_verb_name(JAIL_VERB_BIND), "bind");
	assert_string_equal(jail_verb_name(JAIL_VERB_PROC), "proc");
	assert_string_equal(jail_verb_name(JAIL_VERB_PRIVATE), "private");
	assert_string_equal(jail_hidepid_name(JAIL_HIDEPID_PTRACEABLE), "ptraceable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostlist_matches),  cmocka_unit_test(test_hostlist_check),
		cmocka_unit_test(test_hostlist_is_quick), cmocka_unit_test(test_template),
		cmocka_unit_test(test_template_values),	  cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_refused),	  cmocka_unit_test(test_globs),
		cmocka_unit_test(test_locale_is_kept),	  cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
