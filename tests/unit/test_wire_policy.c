#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/wire/policy_json.h"
#include "lib/wire/policy_json_parts.h"
#include "lib/wire/trust.h"

#define HEAD                                                                                                 \
	"{\"format\":1,\"cluster\":\"a\",\"version\":1,\"issued\":\"2026-01-01T00:00:00Z\","                 \
	"\"expires\":\"2036-01-01T00:00:00Z\","

static void read_example(const char *name, struct jail_buffer *ret)
{
	jail_autofree char *path = NULL;
	struct jail_error err;

	assert_true(asprintf(&path, EXAMPLES "/%s", name) > 0);
	assert_int_equal(jail_file_read(AT_FDCWD, path, 1 << 20, ret, &err), 0);
}

static void fills_the_model(void **state)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autopolicy struct jail_policy policy = {0};
	const struct jail_jail *guest;
	struct jail_error err;

	(void)state;
	read_example("policy-two-jails.json", &text);
	assert_int_equal(jail_policy_parse_strict(text.data, text.len, &policy, &err), 0);
	assert_string_equal(policy.cluster, "alpha");
	assert_int_equal(policy.version, 42);
	assert_int_equal(policy.issued, 1795600800);  /* date -d 2026-11-25T10:00:00Z +%s */
	assert_int_equal(policy.expires, 2087424000); /* date -d 2036-02-24T00:00:00Z +%s */
	assert_int_equal(policy.n_jails, 2);
	assert_string_equal(policy.jails[0].name, "partner");
	assert_true(policy.jails[0].shared);
	guest = &policy.jails[1];
	assert_int_equal(guest->confine, JAIL_CONFINE_CHROOT);
	assert_string_equal(guest->root, "/var/lib/clusterjail/roots/guest/%u");
	assert_false(guest->shared);
	assert_int_equal(guest->n_mounts, 15);
	assert_int_equal(guest->mounts[4].verb, JAIL_VERB_BIND);
	assert_true(guest->mounts[4].optional);
	assert_null(guest->mounts[4].from);
	assert_int_equal(guest->mounts[5].verb, JAIL_VERB_PROC);
	assert_int_equal(guest->mounts[5].hidepid, JAIL_HIDEPID_INVISIBLE);
	assert_int_equal(guest->mounts[9].verb, JAIL_VERB_TMPFS);
	assert_true(guest->mounts[9].size == UINT64_C(2) << 30);
	assert_int_equal(guest->mounts[9].mode, 01777);
	assert_int_equal(guest->mounts[12].verb, JAIL_VERB_HIDE);
	assert_int_equal(guest->mounts[13].options, JAIL_OPT_NOSUID | JAIL_OPT_NODEV);
	assert_string_equal(guest->mounts[14].from, "/scratch/%g/%u");
	assert_int_equal(policy.n_rules, 3);
	assert_int_equal(policy.rules[0].jail, JAIL_EXEMPT);
	assert_int_equal(policy.rules[1].kind, JAIL_RULE_USERS);
	assert_int_equal(policy.rules[1].n_names, 2);
	assert_string_equal(policy.rules[1].names[1], "bar");
	assert_int_equal(policy.rules[2].jail, 1);
}

static void reads_groups_matches_and_nodes(void **state)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autopolicy struct jail_policy policy = {0};
	struct jail_error err;

	(void)state;
	read_example("policy-nodes-groups-match.json", &text);
	assert_int_equal(jail_policy_parse_strict(text.data, text.len, &policy, &err), 0);
	assert_true(policy.version == (UINT64_C(1) << 53) - 1);
	assert_int_equal(policy.rules[0].kind, JAIL_RULE_GROUPS);
	assert_string_equal(policy.rules[0].names[1], "admin-*");
	assert_int_equal(policy.rules[1].n_nodes, 2);
	assert_string_equal(policy.rules[1].nodes[1], "c[001-128]");
	assert_int_equal(policy.rules[3].kind, JAIL_RULE_MATCH);
	assert_string_equal(policy.rules[3].names[0], "student[0-9]{1,4}");
}

static void reads_namespace_jails(void **state)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autopolicy struct jail_policy policy = {0};
	const struct jail_jail *jail = NULL;
	struct jail_error err;

	(void)state;
	read_example("policy-namespace-match.json", &text);
	assert_int_equal(jail_policy_parse_strict(text.data, text.len, &policy, &err), 0);
	jail = &policy.jails[0];
	assert_int_equal(jail->confine, JAIL_CONFINE_NAMESPACE);
	assert_null(jail->root);
	assert_false(jail->shared);
	assert_int_equal(jail->n_mounts, 10);
	assert_false(jail->mounts[0].optional);
	assert_int_equal(jail->mounts[1].verb, JAIL_VERB_HIDE);
	assert_true(jail->mounts[1].optional);
	assert_int_equal(jail->mounts[5].verb, JAIL_VERB_PRIVATE);
	assert_string_equal(jail->mounts[5].target, "/tmp");
	assert_false(jail->mounts[5].in_memory || jail->mounts[5].optional);
	assert_int_equal(jail->mounts[6].mode, 0700);
	assert_true(jail->mounts[7].in_memory);
	assert_int_equal(jail->mounts[7].mode, 01777);
	assert_true(jail->mounts[8].optional && !jail->mounts[8].in_memory);
	assert_int_equal(policy.jails[1].confine, JAIL_CONFINE_CHROOT);
	assert_int_equal(policy.rules[2].jail, 0);
}

static void names_every_problem_in_the_order_of_the_text(void **state)
{
	static const char text[] = HEAD "\n\"jails\":{\"j\":{\"confine\":\"chroot\",\"root\":\"/etc\",\n"
					"\"mounts\":[{\"bind\":\"/usr\",\"size\":\"1G\"}]}},\n"
					"\"rules\":[{\"users\":[\"a b\"],\"jail\":\"k\"}]}";
	static const struct {
		const char *rule, *pointer;
		size_t line, column;
	} expected[] = {{"root-place", "/jails/j/root", 2, 41},
			{"verb-field", "/jails/j/mounts/0/size", 3, 33},
			{"user-name", "/rules/0/users/0", 4, 20},
			{"unknown-jail", "/rules/0/jail", 4, 34}};
	jail_autoproblems struct jail_problems problems = {0};
	struct jail_policy policy;
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_policy_parse(text, strlen(text), &policy, &problems, &err), 0);
	assert_int_equal(policy.n_jails, 0);
	assert_null(policy.cluster);
	assert_int_equal(problems.n, 4);
	assert_int_equal(problems.n_errors, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(problems.list[i].rule, expected[i].rule);
		assert_string_equal(problems.list[i].pointer, expected[i].pointer);
		assert_int_equal(problems.list[i].line, expected[i].line);
		assert_int_equal(problems.list[i].column, expected[i].column);
	}
}

static void says_one_sentence_when_strict(void **state)
{
	static const char text[] = HEAD "\n\"jails\":{},\"rules\":[{\"users\":[\"x\"],\"jail\":\"k\"}]}";
	struct jail_policy policy = {.version = 77};
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_policy_parse_strict(text, strlen(text), &policy, &err), -EINVAL);
	assert_int_equal(policy.version, 77);
	assert_non_null(strstr(err.message, "2:43: /rules/0/jail: "));
	assert_non_null(strstr(err.message, "(unknown-jail)"));
}

static void keeps_problems_on_one_line(void **state)
{
	static const char text[] = HEAD "\"jails\":{},\"rules\":[],\"a\\n\\u001b[2Jb\\u009b\":1}";
	jail_autoproblems struct jail_problems problems = {0};
	struct jail_policy policy;
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_policy_parse(text, strlen(text), &policy, &problems, &err), 0);
	assert_int_equal(problems.n, 1);
	assert_string_equal(problems.list[0].pointer, "/a??[2Jb??");
	assert_non_null(strstr(problems.list[0].message, "\"a??[2Jb??\""));
	assert_int_equal(problems.list[0].column, strlen(text) - 1);
}

static void counts_more_errors_than_it_keeps(void **state)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoproblems struct jail_problems problems = {0};
	struct jail_policy policy;
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_buffer_puts(&text, HEAD "\"jails\":{},\"rules\":["), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(jail_buffer_printf(&text, "%s1", i ? "," : ""), 0);
	assert_int_equal(jail_buffer_puts(&text, "]}"), 0);
	assert_int_equal(jail_policy_parse(text.data, text.len, &policy, &problems, &err), 0);
	assert_int_equal(problems.n_errors, 1000);
	assert_int_equal(problems.n, 200);
	assert_string_equal(problems.list[199].pointer, "/rules/199");
}

static void refuses_too_many(void **state)
{
	jail_autobuffer struct jail_buffer mounts = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer jails = JAIL_BUFFER_INIT;
	struct jail_policy policy;
	struct jail_error err;

	(void)state;
	assert_int_equal(jail_buffer_puts(&mounts, HEAD "\"jails\":{\"j\":{\"confine\":\"chroot\","
							"\"root\":\"/x\",\"mounts\":["),
			 0);
	for (int i = 0; i <= JAIL_MOUNTS_MAX; i++)
		assert_int_equal(jail_buffer_printf(&mounts, "%s{\"bind\":\"/d/%d\"}", i ? "," : "", i), 0);
	assert_int_equal(jail_buffer_puts(&mounts, "]}},\"rules\":[]}"), 0);
	assert_int_equal(jail_policy_parse_strict(mounts.data, mounts.len, &policy, &err), -EINVAL);
	assert_non_null(strstr(err.message, "/jails/j/mounts: 4097 mounts are too many"));

	assert_int_equal(jail_buffer_puts(&jails, HEAD "\"rules\":[],\"jails\":{"), 0);
	for (int i = 0; i <= JAIL_JAILS_MAX; i++)
		assert_int_equal(jail_buffer_printf(&jails,
						    "%s\"j%d\":{\"confine\":\"chroot\",\"root\":\"/x/%d\","
						    "\"mounts\":[{\"bind\":\"/y\"}]}",
						    i ? "," : "", i, i),
				 0);
	assert_int_equal(jail_buffer_puts(&jails, "}}"), 0);
	assert_int_equal(jail_policy_parse_strict(jails.data, jails.len, &policy, &err), -EINVAL);
	assert_non_null(strstr(err.message, "/jails: 1025 jails are too many"));
}

static void reads_times(void **state)
{
	static const struct {
		const char *text;
		long long seconds; /* -1: none */
	} table[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-23T10:00:00Z", 1795428000},
		{"2036-02-29T23:59:59Z", 2087942399},
		{"2035-02-29T00:00:00Z", -1},
		{"2036-00-01T00:00:00Z", -1},
		{"2036-13-01T00:00:00Z", -1},
		{"2036-04-31T00:00:00Z", -1},
		{"2036-01-01T24:00:00Z", -1},
		{"2036-01-01T00:60:00Z", -1},
		{"2036-01-01T00:00:60Z", -1},
		{"2036-01-01 00:00:00Z", -1},
		{"2036-01-01T00:00:00", -1},
		{"2036-01-01T00:00:00+00:00", -1},
		{"2036-01-01T00:00:00ZZ", -1},
		{"2036-01-01T00:00:00.5Z", -1},
		{"", -1},
		{"\xd9\xa2\xd9\xa0-01-01T00:00:00Z", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		time_t time = -1;

		assert_int_equal(jail_time_parse(table[i].text, &time), table[i].seconds >= 0);
		assert_int_equal(time, table[i].seconds);
	}
}

static void reads_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: none */
	} table[] = {
		{"1", 1},
		{"4096", 4096},
		{"64K", 65536},
		{"2G", UINT64_C(2) << 30},
		{"8388607T", UINT64_C(8388607) << 40},
		{"8388608T", 0},
		{"9223372036854775807", INT64_MAX},
		{"9223372036854775808", 0},
		{"99999999999999999999999", 0},
		{"0", 0},
		{"01", 0},
		{"", 0},
		{"1k", 0},
		{"1KB", 0},
		{"-1", 0},
		{"1 G", 0},
		{"G", 0},
		{"1P", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		uint64_t bytes = 0;

		assert_int_equal(jail_size_parse(table[i].text, &bytes), table[i].bytes != 0);
		assert_true(bytes == table[i].bytes);
	}
}

static void checks_expressions(void **state)
{
	static const char *const good[] = {
		"visitor[0-9]+", "a|b",		  "(a|b)*c",	      "[]x]",
		"[^]x]",	 "[[:alpha:]-]+", "a\\.b\\-c",	      "[(]",
		"[\\d]",	 "a{2,5}",	  "x(a{1,16}){1,16}", "[a-z_][a-z0-9_-]{0,255}",
		"a{2}{3}",	 "\\)",		  "[[.-.]]"};
	static const char *const bad[] = {"", "a)", "a)|(b", "(a", "[a", "[]", "[[:alpha:]", "a\\1", "\\d",
					  "\\w+", "a\\", "\\<a", "*{", "a{2,1}", "((a{1,99}){1,99}){1,9}",
					  "a{99999999999999999999}", "(a{33}){32}",
					  /* Seconds, gigabytes or a stack's end, if regcomp(3) saw them. */
					  "(x?){1,1024}", "((x*)*){256}", "(a?a?a?a?a?a?a?a?a?a?){100}",
					  "a{30}{30}", "(a?){500}(b?){500}"};
	struct jail_error err;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		err.message[0] = '\0';
		if (jail_expression_check(good[i], &err) != 0)
			fail_msg("%s: %s", good[i], err.message);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (jail_expression_check(bad[i], &err) != -EINVAL)
			fail_msg("%s was accepted", bad[i]);
}

/* The examples of trust files; those of policies are held by tests/schema. */
static void takes_and_refuses_example_trust_files(void **state)
{
	static const char *const folders[] = {"", "invalid/"};
	size_t seen[2] = {0, 0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		jail_autofree char *path = NULL;
		jail_autoclosedir DIR *dir = NULL;

		assert_true(asprintf(&path, EXAMPLES "/%s", folders[i]) > 0);
		dir = opendir(path);
		assert_non_null(dir);
		for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
			jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
			jail_autotrust struct jail_trust trust = {0};
			jail_autofree char *name = NULL;
			struct jail_error err;

			if (strncmp(entry->d_name, "trust-", 6) != 0)
				continue;
			assert_true(asprintf(&name, "%s%s", folders[i], entry->d_name) > 0);
			read_example(name, &text);
			if ((jail_trust_parse(text.data, text.len, &trust, &err) == 0) != (i == 0))
				fail_msg("%s: %s", name, i ? "was accepted" : err.message);
			seen[i]++;
		}
	}
	assert_true(seen[0] >= 2);
	assert_true(seen[1] >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_the_model),
		cmocka_unit_test(reads_groups_matches_and_nodes),
		cmocka_unit_test(reads_namespace_jails),
		cmocka_unit_test(names_every_problem_in_the_order_of_the_text),
		cmocka_unit_test(says_one_sentence_when_strict),
		cmocka_unit_test(keeps_problems_on_one_line),
		cmocka_unit_test(counts_more_errors_than_it_keeps),
		cmocka_unit_test(refuses_too_many),
		cmocka_unit_test(reads_times),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(checks_expressions),
		cmocka_unit_test(takes_and_refuses_example_trust_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
