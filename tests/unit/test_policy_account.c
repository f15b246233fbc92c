/* account.h against real NSS over files of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <sys/wait.h>
#include "lib/policy/account.h"
#include "tests/unit/nss_files.h"
#include "tests/unit/policy_sample.h"

static int fresh_files(void **state)
{
	(void)state;
	nss_write("passwd", "root:x:0:0::/root:/bin/sh\n"
			    "toor:x:0:0::/root:/bin/sh\n"
			    "foo:x:2001:100::/home/foo:/bin/sh\n"
			    "second:x:2001:100::/home/foo:/bin/sh\n"
			    "nogroup:x:2002:9999::/home/nogroup:/bin/sh\n");
	nss_write("group", "root:x:0:\nusers:x:100:\next-a:x:3001:bar,foo\next-b:x:3002:foo\n");
	return 0;
}

static void test_get(void **state)
{
	(void)state;
	jail_autoaccount struct jail_account account = {0};
	struct jail_error err;
	assert_int_equal(jail_account_get("foo", &account, &err), 0);
	assert_string_equal(account.user, "foo");
	assert_string_equal(account.home, "/home/foo");
	assert_int_equal(account.uid, 2001);
	assert_int_equal(account.gid, 100);
	assert_null(account.group);
	assert_int_equal(account.n_groups, 0);
}

static void test_refused(void **state)
{
	(void)state;
	struct jail_account account = {.uid = 4242};
	struct jail_error err;
	assert_int_equal(jail_account_get("second", &account, &err), -EPERM);
	assert_non_null(strstr(err.message, "second has the uid 2001 of foo"));
	assert_int_equal(jail_account_get("FOO", &account, &err), -ENOENT);
	assert_int_equal(jail_account_get("", &account, &err), -ENOENT);
	assert_null(account.user);
	assert_int_equal(account.uid, 4242);
}

/* uid 0 is never confined, whatever it is called. */
static void test_root(void **state)
{
	(void)state;
	jail_autoaccount struct jail_account account = {0};
	assert_int_equal(jail_account_get("toor", &account, NULL), 0);
	assert_int_equal(account.uid, 0);
}

static bool has(const struct jail_account *account, const char *group)
{
	for (size_t i = 0; i < account->n_groups; i++) {
		if (strcmp(account->groups[i], group) == 0)
			return true;
	}
	return false;
}

static bool has_gid(const struct jail_account *account, gid_t gid)
{
	size_t n = 0;
	for (size_t i = 0; i < account->n_gids; i++)
		n += account->gids[i] == gid;
	assert_true(n <= 1);
	return n == 1;
}

static void test_groups(void **state)
{
	(void)state;
	jail_autoaccount struct jail_account account = {0};
	struct jail_error err;
	struct jail_identity identity;
	assert_int_equal(jail_account_get("foo", &account, &err), 0);
	assert_int_equal(jail_account_groups(&account, false, &err), 0);
	assert_string_equal(account.group, "users");
	assert_int_equal(account.n_groups, 3);
	assert_true(has(&account, "users") && has(&account, "ext-a") && has(&account, "ext-b"));
	assert_int_equal(account.n_gids, 3);
	assert_true(has_gid(&account, 100) && has_gid(&account, 3001) && has_gid(&account, 3002));
	jail_account_identity(&account, &identity);
	assert_string_equal(identity.user, "foo");
	assert_int_equal(identity.n_groups, 3);
	assert_ptr_equal(identity.gids, account.gids);
}

static void test_group_without_a_name(void **state)
{
	(void)state;
	jail_autoaccount struct jail_account account = {0};
	struct jail_error err;
	assert_int_equal(jail_account_get("nogroup", &account, &err), 0);
	assert_int_equal(jail_account_groups(&account, false, &err), 0);
	assert_null(account.group);
	assert_int_equal(account.n_groups, 0);
	assert_int_equal(account.n_gids, 1);
	assert_true(has_gid(&account, 9999));
}

static void test_many_groups(void **state)
{
	(void)state;
	FILE *f = fopen("/etc/group", "r+");
	assert_non_null(f);
	for (int i = 0; i < 300; i++)
		assert_true(fprintf(f, "g%d:x:%d:foo\n", i, 5000 + i) > 0);
	/* One line longer than any buffer that is tried first. */
	assert_true(fputs("long:x:6000:", f) >= 0);
	for (int i = 0; i < 5000; i++)
		assert_true(fprintf(f, "member%d,", i) > 0);
	assert_true(fputs("foo\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	jail_autoaccount struct jail_account account = {0};
	struct jail_error err;
	assert_int_equal(jail_account_get("foo", &account, &err), 0);
	assert_int_equal(jail_account_groups(&account, false, &err), 0);
	assert_int_equal(account.n_gids, 302);
	assert_true(has(&account, "g299") && has(&account, "long"));
}

/* In a child: it changes the process's groups. */
static void test_process_groups(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static const gid_t gids[] = {3002, 7777};
		jail_autoaccount struct jail_account account = {0};
		if (setgroups(2, gids) < 0 || setegid(3001) < 0 ||
		    jail_account_get("nogroup", &account, NULL) < 0 ||
		    jail_account_groups(&account, true, NULL) < 0)
			_exit(2);
		_exit(has(&account, "ext-b") && has(&account, "ext-a") && has_gid(&account, 7777) &&
				      has_gid(&account, 9999)
			      ? 0
			      : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Which rule of the sample holds for the user in a process with this effective group, or -1; in a child. */
static int rule_in_process(const char *user, gid_t egid)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		jail_autoaccount struct jail_account account = {0};
		jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
		jail_autocache struct jail_cache *cache = NULL;
		struct jail_identity identity;
		struct jail_verdict verdict;
		compile(&policy, &facts, &bytes);
		if (setgroups(0, NULL) < 0 || setegid(egid) < 0 ||
		    jail_account_get(user, &account, NULL) < 0 ||
		    jail_account_groups(&account, true, NULL) < 0 ||
		    jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL) < 0)
			_exit(100);
		jail_account_identity(&account, &identity);
		if (jail_cache_lookup(cache, &identity, &verdict, NULL) < 0)
			_exit(101);
		_exit(verdict.matched ? (int)verdict.rule : 99);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 100);
	return WEXITSTATUS(status) == 99 ? -1 : WEXITSTATUS(status);
}

/* A job has the groups that its submitter had: somebody who was taken out of staff keeps it in an old shell.
 * Only what NSS says now exempts; what the process has confines. */
static void test_process_groups_exempt_nobody(void **state)
{
	(void)state;
	nss_write("group", "users:x:100:\nstaff:x:50:boss\next-c:x:3009:\nguests:x:3010:\n");
	nss_write("passwd", "foo:x:2001:100::/home/foo:/bin/sh\nboss:x:2003:100::/home/boss:/bin/sh\n"
			    "new:x:2004:100::/home/new:/bin/sh\n");
	assert_int_equal(rule_in_process("foo", 50), 1);
	assert_int_equal(rule_in_process("new", 50), -1);
	assert_int_equal(rule_in_process("boss", 100), 0);
	assert_int_equal(rule_in_process("boss", 50), 0);
	/* By a glob and by an exact name, neither known to the last sync. */
	assert_int_equal(rule_in_process("new", 3009), 3);
	assert_int_equal(rule_in_process("new", 3010), 3);
}

static void test_breakglass(void **state)
{
	(void)state;
	static const struct {
		const char *group, *user;
		gid_t gid;
		int expected;
	} cases[] = {
		{"sudo", "adm", 100, 1},   {"sudo", "ops", 100, 1},  {"sudo", "ad", 100, 0},
		{"sudo", "adm2", 100, 0},  {"sudo", "other", 27, 1}, {"sudo", "other", 2, 0},
		{"sud", "adm", 100, 0},	   {"udo", "adm", 100, 0},   {"wheel", "adm", 100, 0},
		{"empty", "adm", 100, 0},  {"", "adm", 100, 0},	     {"sudo", "", 100, 0},
		{"short", "adm", 100, 0},  {"last", "adm", 100, 1},  {"sudo", "27", 100, 0},
		{"twice", "adm", 100, 1},  {"sudo", "x", 100, 0},    {"badgid", "adm", 0, 0},
		{"badgid", "adm", 100, 0},
	};
	nss_write("group", "#sudo:x:1:adm\nsudo:x:27:ops,adm\nempty:x:28:\nshort:x\nbadgid::\n\n"
			   "xsudo:x:29:other\ntwice:x:30:ops\ntwice:x:30:adm\nlast:x:31:adm");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct jail_error err;
		int r = jail_breakglass_member("/etc/group", cases[i].group, cases[i].user, cases[i].gid,
					       &err);
		if (r != cases[i].expected)
			fail_msg("%s in %s: %d", cases[i].user, cases[i].group, r);
	}
	struct jail_error err;
	assert_int_equal(jail_breakglass_member("/nonexistent", "sudo", "adm", 1, &err), -ENOENT);
	assert_int_equal(chmod("/etc/group", 0666), 0);
	assert_int_equal(jail_breakglass_member("/etc/group", "sudo", "adm", 1, &err), -EPERM);
	assert_int_equal(chmod("/etc/group", 0644), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_get, fresh_files),
		cmocka_unit_test_setup(test_refused, fresh_files),
		cmocka_unit_test_setup(test_root, fresh_files),
		cmocka_unit_test_setup(test_groups, fresh_files),
		cmocka_unit_test_setup(test_group_without_a_name, fresh_files),
		cmocka_unit_test_setup(test_many_groups, fresh_files),
		cmocka_unit_test_setup(test_process_groups, fresh_files),
		cmocka_unit_test_setup(test_process_groups_exempt_nobody, fresh_files),
		cmocka_unit_test_setup(test_breakglass, fresh_files),
	};
	return cmocka_run_group_tests(tests, nss_setup, nss_teardown);
}
