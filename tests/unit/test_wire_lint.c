#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/buffer.h"
#include "lib/wire/lint.h"
#include "lib/wire/policy_json.h"

static void tells_how_paths_lie(void **state)
{
	enum { AT = JAIL_PATH_AT, BELOW = JAIL_PATH_BELOW, ABOVE = JAIL_PATH_ABOVE };
	static const struct {
		const char *path, *other;
		unsigned relation;
	} table[] = {
		{"/etc", "/etc", AT},
		{"/etc/x", "/etc", BELOW},
		{"/", "/etc", ABOVE},
		{"/var", "/var/tmp", ABOVE},
		{"/etcx", "/etc", 0},
		{"/et", "/etc", 0},
		{"/x/etc", "/etc", 0},
		{"/lib", "/lib*", AT},
		{"/lib64", "/lib*", AT},
		{"/libexec/x", "/lib*", BELOW},
		{"/li", "/lib*", 0},
		{"/l", "/lib*", 0},
		{"/%u", "/etc", AT},
		{"/%u", "/lib*", AT},
		{"/%u/x", "/etc", BELOW},
		{"/e%u", "/etc", AT},
		{"/x%u", "/etc", 0},
		{"/lib%u", "/lib*", AT},
		{"/li%g/y", "/lib*", BELOW},
		{"/%%u", "/etc", 0},
		{"/%%u", "/%%u", AT},
		{"/jails/%u", "/jails/other", AT},
		{"/jails/%u", "/jails/a/b", ABOVE},
		{"/jails/%u/x", "/jails/%u/y", 0},
		{"/jails/a/%u", "/jails/b/%u", 0},
		{"%h", "/etc", 0},
		{"%h/x", "/home", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		unsigned relation = jail_path_relation(table[i].path, table[i].other);

		if (relation != table[i].relation)
			fail_msg("%s to %s: %u", table[i].path, table[i].other, relation);
	}
}

/* Lints a policy of the given jails and rules; returns "rule pointer" of each problem, one a line. */
static void lint(const char *jails, const char *rules, struct jail_buffer *ret)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoproblems struct jail_problems problems = {0};
	jail_autopolicy struct jail_policy policy = {0};
	struct jail_error err;

	assert_int_equal(jail_buffer_printf(&text,
					    "{\"format\":1,\"cluster\":\"a\",\"version\":1,"
					    "\"issued\":\"2026-01-01T00:00:00Z\","
					    "\"expires\":\"2036-01-01T00:00:00Z\","
					    "\"jails\":{%s},\"rules\":[%s]}",
					    jails, rules),
			 0);
	assert_int_equal(jail_policy_parse(text.data, text.len, &policy, &problems, &err), 0);
	for (size_t i = 0; i < problems.n; i++)
		assert_int_equal(jail_buffer_printf(ret, "%s%s %s\n",
						    problems.list[i].warning ? "" : "ERROR ",
						    problems.list[i].rule, problems.list[i].pointer),
				 0);
}

#define CHROOT(name, root, mounts)                                                                           \
	"\"" name "\":{\"confine\":\"chroot\",\"root\":\"" root "\",\"mounts\":[" mounts "]}"
#define NAMESPACE(mounts) "\"j\":{\"confine\":\"namespace\",\"mounts\":[" mounts "]}"
#define J		  CHROOT("j", "/x/j", "{\"bind\":\"/usr\"}")
#define EACH		  CHROOT("j", "/x/%u", "{\"bind\":\"/home/%u\"}")
#define FOO		  "{\"users\":[\"foo\"],\"jail\":\"j\"}"
#define SHARE                                                                                                \
	"\"j\":{\"confine\":\"chroot\",\"root\":\"/x/j\",\"shared\":true,\"mounts\":[{\"bind\":\"%h\"}]}"

static void says_what_it_should(void **state)
{
	static const struct {
		const char *jails, *rules, *expected;
	} table[] = {
		{J, FOO, ""},
		{EACH, FOO, ""},
		{"", "", ""},
		/* warnings */
		{J, "", "unused-jail /jails/j\n"},
		{SHARE, FOO, "shared-entries /jails/j/shared\n"},
		{J, "{\"users\":[\"root\",\"foo\"],\"jail\":\"j\"}", "root-user /rules/0/users/0\n"},
		{J, "{\"users\":[\"root\"],\"jail\":null}," FOO, ""},
		{J, "{\"match\":\"v[0-9]\",\"jail\":\"j\"}", "members-unlisted /rules/0/match\n"},
		{J, "{\"groups\":[\"a\",\"ext-*\"],\"jail\":\"j\"}", "members-unlisted /rules/0/groups\n"},
		{J, "{\"groups\":[\"ext-*\"],\"jail\":null}," FOO, ""},
		/* what is never reached */
		{J, FOO "," FOO, "unreachable /rules/1\n"},
		{J, FOO ",{\"users\":[\"bar\",\"foo\"],\"jail\":\"j\"}", "unreachable /rules/1/users/1\n"},
		{J, "{\"users\":[\"foo\"],\"nodes\":[\"c1\"],\"jail\":null}," FOO, ""},
		{J, FOO ",{\"users\":[\"foo\"],\"nodes\":[\"c1\"],\"jail\":null}", "unreachable /rules/1\n"},
		{J, FOO ",{\"groups\":[\"foo\"],\"jail\":\"j\"}", ""},
		{J, FOO ",{\"groups\":[\"a\"],\"jail\":null},{\"groups\":[\"a\"],\"jail\":null}",
		 "unreachable /rules/2\n"},
		/* nested mounts */
		{CHROOT("j", "/x/j", "{\"bind\":\"/opt\",\"options\":[\"ro\"]},{\"bind\":\"/opt/a\"}"), FOO,
		 "options-nested /jails/j/mounts/1/bind\n"},
		{CHROOT("j", "/x/j", "{\"bind\":\"/opt/a\"},{\"bind\":\"/opt\",\"options\":[\"ro\"]}"), FOO,
		 "options-nested /jails/j/mounts/0/bind\n"},
		{CHROOT("j", "/x/j",
			"{\"bind\":\"/opt\",\"options\":[\"ro\"]},{\"bind\":\"/opt/"
			"a\",\"options\":[\"ro\"]}"),
		 FOO, ""},
		{CHROOT("j", "/x/j", "{\"bind\":\"/opt\",\"options\":[\"ro\"]},{\"bind\":\"/opt-a\"}"), FOO,
		 ""},
		{CHROOT("j", "/x/j", "{\"hide\":\"/home\"},{\"bind\":\"/home/a\"}"), FOO, ""},
		{CHROOT("j", "/x/j", "{\"tmpfs\":\"/srv\"},{\"bind\":\"/srv/a/b\"}"), FOO, ""},
		{CHROOT("j", "/x/%u",
			"{\"hide\":\"/home\"},{\"bind\":\"/home/%u\"},{\"bind\":\"/home/a/b\"}"),
		 FOO, ""},
		{CHROOT("j", "/x/%u", "{\"bind\":\"/d/%u\"},{\"hide\":\"/d/%u/a/b\"}"), FOO,
		 "ERROR below-user-directory /jails/j/mounts/1/hide\n"},
		/* system directories */
		{CHROOT("j", "/x/j", "{\"hide\":\"/etc/ssh\"},{\"hide\":\"/run\"}"), FOO, ""},
		{CHROOT("j", "/x/j", "{\"tmpfs\":\"/run/user\"},{\"tmpfs\":\"/dev/shm\"}"), FOO, ""},
		{CHROOT("j", "/x/j", "{\"bind\":\"/etc\",\"from\":\"/opt/etc\"}"), FOO, ""},
		{CHROOT("j", "/x/j", "{\"bind\":\"/run/x\",\"from\":\"/tmp/x\"}"), FOO,
		 "ERROR dangerous-target /jails/j/mounts/0/from\n"},
		/* what daemons keep for everybody's programs: sockets, maps, caches */
		{CHROOT("j", "/x/j", "{\"tmpfs\":\"/var\"}"), FOO,
		 "ERROR dangerous-target /jails/j/mounts/0/tmpfs\n"},
		{CHROOT("j", "/x/j", "{\"tmpfs\":\"/var/r%u\"}"), FOO,
		 "ERROR dangerous-target /jails/j/mounts/0/tmpfs\n"
		 "ERROR template-unshared /jails/j/mounts/0/tmpfs\n"},
		{CHROOT("j", "/x/j", "{\"bind\":\"/var/lib/sss\",\"from\":\"/home/sss\"}"), FOO,
		 "ERROR dangerous-target /jails/j/mounts/0/from\n"},
		{CHROOT("j", "/x/j", "{\"bind\":\"/var/lib/sss\",\"from\":\"/srv/sss\"}"), FOO, ""},
		{CHROOT("j", "/x/%u", "{\"bind\":\"/var/lib/site/%u\"},{\"hide\":\"/var/cache\"}"), FOO, ""},
		{CHROOT("j", "/x/j",
			"{\"tmpfs\":\"/var/tmp\"},{\"tmpfs\":\"/var/scratch\"},{\"tmpfs\":\"/run/lock\"},"
			"{\"bind\":\"/run/shm\",\"from\":\"/dev/shm\"},{\"tmpfs\":\"/var/libx\"}"),
		 FOO, ""},
		{CHROOT("j", "/x/j", "{\"bind\":\"/run\",\"from\":\"/tmp/x\"}"), FOO,
		 "ERROR dangerous-target /jails/j/mounts/0/from\n"},
		{CHROOT("j", "/x/j", "{\"bind\":\"/etc\",\"from\":\"/homes/etc\"}"), FOO, ""},
		{CHROOT("j", "/x/j", "{\"proc\":\"/proc\"},{\"proc\":\"/opt/proc\"}"), FOO, ""},
		/* roots */
		{CHROOT("j", "/jails/%u", "{\"bind\":\"/usr\"}") "," CHROOT("k", "/jails/%u/k",
									    "{\"bind\":\"/usr\"}"),
		 FOO ",{\"users\":[\"bar\"],\"jail\":\"k\"}", "ERROR root-overlap /jails/k/root\n"},
		{CHROOT("j", "/jails/j/%u", "{\"bind\":\"/usr\"}") "," CHROOT("k", "/jails/k/%u",
									      "{\"bind\":\"/usr\"}"),
		 FOO ",{\"users\":[\"bar\"],\"jail\":\"k\"}", ""},
		{CHROOT("j", "/var/lib/clusterjail/%u/roots", "{\"bind\":\"/usr\"}"), FOO,
		 "ERROR root-place /jails/j/root\n"},
		{CHROOT("j", "/home/jailed/%u", "{\"bind\":\"/usr\"}"), FOO, ""},
		/* namespace jails: nobody is listed, and private directories stand where tmpfs may */
		{NAMESPACE("{\"hide\":\"/home\"},{\"bind\":\"/home/%u\"},{\"bind\":\"%h\"},"
			   "{\"hide\":\"/work/%g\",\"optional\":true}"),
		 "{\"match\":\"v[0-9]\",\"jail\":\"j\"},{\"groups\":[\"ext-*\"],\"jail\":\"j\"}," FOO, ""},
		{NAMESPACE("{\"private\":\"/tmp\"},{\"private\":\"/var/tmp\"},{\"private\":\"/dev/shm\"},"
			   "{\"private\":\"/run/lock\"},{\"private\":\"/scratch/%u\"}"),
		 FOO, ""},
		{NAMESPACE("{\"private\":\"/dev\"},{\"private\":\"/lib64\"},{\"private\":\"/%u\"},"
			   "{\"private\":\"/var\"},{\"private\":\"/run/user\"}"),
		 FOO,
		 "ERROR dangerous-target /jails/j/mounts/0/private\n"
		 "ERROR dangerous-target /jails/j/mounts/1/private\n"
		 "ERROR dangerous-target /jails/j/mounts/2/private\n"
		 "ERROR dangerous-target /jails/j/mounts/3/private\n"},
		{NAMESPACE("{\"hide\":\"/home\"},{\"bind\":\"/opt\",\"from\":\"/var/lib/clusterjail/roots/"
			   "x\"}"),
		 FOO, "ERROR source-place /jails/j/mounts/1/from\n"},
		{NAMESPACE("{\"private\":\"/tmp\"},{\"hide\":\"/tmp/a/b\"},{\"hide\":\"/tmpa\"}"), FOO,
		 "ERROR below-user-directory /jails/j/mounts/1/hide\n"},
		{NAMESPACE("{\"bind\":\"/home\"},{\"proc\":\"/proc\"}"), FOO,
		 "hides-nothing /jails/j/mounts\n"},
		{NAMESPACE("{\"bind\":\"/home\",\"from\":\"/srv/empty\"}"), FOO, ""},
		{NAMESPACE("{\"tmpfs\":\"/home\"}"), FOO, ""},
		{CHROOT("j", "/x/%u",
			"{\"private\":\"/tmp\"},{\"hide\":\"/a\",\"optional\":true},"
			"{\"hide\":\"/b\",\"optional\":false}"),
		 FOO,
		 "ERROR namespace-only /jails/j/mounts/0/private\n"
		 "ERROR namespace-only /jails/j/mounts/1/optional\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		jail_autobuffer struct jail_buffer said = JAIL_BUFFER_INIT;

		lint(table[i].jails, table[i].rules, &said);
		if (strcmp(said.data, table[i].expected) != 0)
			fail_msg("{%s} [%s]:\n%s", table[i].jails, table[i].rules, said.data);
	}
}

/* A hundred thousand users named twice over, and four thousand nested mounts: sorted, not compared one by
 * one.
 */
static void is_quick_with_many(void **state)
{
	jail_autobuffer struct jail_buffer mounts = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer rules = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer said = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer jails = JAIL_BUFFER_INIT;
	clock_t start;

	(void)state;
	for (int rule = 0; rule < 2; rule++) {
		assert_int_equal(jail_buffer_puts(&rules, rule ? ",{\"users\":[" : "{\"users\":["), 0);
		for (int i = 0; i < 100000; i++)
			assert_int_equal(jail_buffer_printf(&rules, "%s\"u%d\"", i ? "," : "", i), 0);
		assert_int_equal(jail_buffer_puts(&rules, "],\"jail\":\"j\"}"), 0);
	}
	assert_int_equal(jail_buffer_puts(&mounts, "{\"bind\":\"/d\",\"options\":[\"ro\"]}"), 0);
	for (int i = 1; i < 4096; i++)
		assert_int_equal(jail_buffer_printf(&mounts, ",{\"bind\":\"/d/a/b/c/%d\"}", i), 0);
	assert_int_equal(
		jail_buffer_printf(&jails, "\"j\":{\"confine\":\"chroot\",\"root\":\"/x/j\",\"mounts\":[%s]}",
				   mounts.data),
		0);
	start = clock();
	lint(jails.data, rules.data, &said);
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
	assert_non_null(strstr(said.data, "options-nested /jails/j/mounts/1/bind\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_how_paths_lie),
		cmocka_unit_test(says_what_it_should),
		cmocka_unit_test(is_quick_with_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
