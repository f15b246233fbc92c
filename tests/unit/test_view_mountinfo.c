/* The mount table, the order of paths, the manifest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/policy/model.h"
#include "lib/view/manifest.h"
#include "lib/view/mountinfo.h"
#include "lib/view/order.h"

static void parse(const char *text, struct jail_mount_table *table)
{
	struct jail_error err;
	if (jail_mount_table_parse(text, strlen(text), table, &err) < 0)
		fail_msg("%s", err.message);
}

static void lines_are_taken_apart(void **state)
{
	jail_automounttable struct jail_mount_table table = {0};
	(void)state;
	parse("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
	      "36 1 98:0 /mnt1 /mnt\\0402\\134 ro,nosuid,noexec,noatime shared:7 master:3 propagate_from:2 - "
	      "fuse.x y\\011z rw,errors=continue\n"
	      "37 1 0:5 / /e rw unbindable future:1 - tmpfs  rw\n",
	      &table);
	assert_int_equal(table.n_lines, 3);
	const struct jail_mount_line *line = jail_mount_table_by_id(&table, 36);
	assert_non_null(line);
	assert_string_equal(line->mount_point, "/mnt 2\\");
	assert_string_equal(line->root, "/mnt1");
	assert_int_equal(line->options, JAIL_OPT_RO | JAIL_OPT_NOSUID | JAIL_OPT_NOEXEC);
	assert_int_equal(line->shared, 7);
	assert_int_equal(line->master, 3);
	assert_int_equal(line->major, 98);
	assert_string_equal(line->fstype, "fuse.x");
	assert_string_equal(line->source, "y\tz");
	assert_string_equal(line->super_options, "rw,errors=continue");
	line = jail_mount_table_by_id(&table, 37);
	assert_true(line->unbindable);
	assert_string_equal(line->source, "");
	assert_null(jail_mount_table_by_id(&table, 38));
}

static void what_is_no_line_is_an_error_with_its_number(void **state)
{
	static const char *const wrong[] = {
		"x",
		"1 0 8:1 / / rw ext4 /dev/sda1 rw\n",
		"1 0 8-1 / / rw - ext4 a rw\n",
		"1 0 8:1 / mnt rw - ext4 a rw\n",
		"1 0 8:1 / / rw - ext4 a\n",
		"1 0 8:1 / / rw shared:x - e a rw\n",
		"-1 0 8:1 / / rw - ext4 a rw\n",
		"99999999999 0 8:1 / / rw - ext4 a rw\n",
		"\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct jail_mount_table table = {0};
		struct jail_error err = {0};
		char text[256];
		(void)snprintf(text, sizeof text, "1 0 8:1 / / rw - ext4 a rw\n%s", wrong[i]);
		assert_int_equal(jail_mount_table_parse(text, strlen(text), &table, &err), -EBADMSG);
		assert_non_null(strstr(err.message, "line 2"));
		assert_null(table.lines);
	}
}

static void walks_end_where_the_kernels_do(void **state)
{
	jail_automounttable struct jail_mount_table table = {0};
	(void)state;
	/* /a holds /a/b; then something is mounted on /a and hides that; /c is stacked three times; / twice.
	 */
	parse("1 0 8:1 / / rw - ext4 a rw\n"
	      "2 1 0:9 / / rw - tmpfs a rw\n"
	      "3 2 0:1 / /a/b rw - tmpfs a rw\n"
	      "4 2 0:2 / /a rw - tmpfs a rw\n"
	      "5 2 0:3 / /c rw - tmpfs a rw\n"
	      "6 5 0:4 / /c rw - tmpfs a rw\n"
	      "7 6 0:5 / /c rw - tmpfs a rw\n"
	      "8 7 0:6 / /c/d rw - tmpfs a rw\n"
	      "9 5 0:7 / /c/d rw - tmpfs a rw\n",
	      &table);
	assert_int_equal(jail_mount_table_at(&table, "/")->id, 2);
	assert_int_equal(jail_mount_table_at(&table, "/a/b/x")->id, 4);
	assert_null(jail_mount_table_on(&table, "/a/b"));
	assert_int_equal(jail_mount_table_on(&table, "/c")->id, 7);
	assert_int_equal(jail_mount_table_on(&table, "/c/d")->id, 8);
	assert_int_equal(jail_mount_table_at(&table, "/ca")->id, 2);
	assert_false(jail_mount_table_by_id(&table, 3)->visible);
	assert_false(jail_mount_table_by_id(&table, 6)->visible);
	assert_false(jail_mount_table_by_id(&table, 9)->visible);
	assert_true(jail_mount_table_by_id(&table, 8)->visible);
	size_t end;
	size_t first = jail_mount_table_range(&table, "/c", &end);
	assert_int_equal(end - first, 5);
	first = jail_mount_table_range(&table, "/", &end);
	assert_int_equal(end - first, 9);
	first = jail_mount_table_range(&table, "/nothing", &end);
	assert_int_equal(end - first, 0);
}

static void self_binds_are_known(void **state)
{
	jail_automounttable struct jail_mount_table table = {0};
	(void)state;
	parse("1 0 8:1 / / rw - ext4 a rw\n"
	      "2 1 8:2 /sub /var rw - ext4 b rw\n"
	      "3 2 8:2 /sub/roots /var/roots rw - ext4 b rw\n"
	      "4 2 8:3 / /var/own rw - ext4 c rw\n"
	      "5 2 8:2 /sub/x /var/y rw - ext4 b rw\n",
	      &table);
	assert_int_equal(jail_mount_table_self_bind(&table, "/var/roots")->id, 3);
	assert_null(jail_mount_table_self_bind(&table, "/var/own"));
	assert_null(jail_mount_table_self_bind(&table, "/var/y"));
	assert_null(jail_mount_table_self_bind(&table, "/var/none"));
}

static void file_systems_of_many_machines_are_known(void **state)
{
	jail_automounttable struct jail_mount_table table = {0};
	(void)state;
	parse("1 0 8:1 / / rw - ext4 a rw\n"
	      "2 1 0:30 / /home rw - nfs4 s:/home rw\n"
	      "3 1 0:31 / /scratch rw - fuse.glusterfs s:/v rw\n"
	      "4 2 0:32 / /home/own rw - tmpfs t rw\n",
	      &table);
	assert_true(jail_mount_is_shared_fs(jail_mount_table_at(&table, "/home/jailed/rootfs")));
	assert_true(jail_mount_is_shared_fs(jail_mount_table_at(&table, "/scratch/rootfs")));
	assert_false(jail_mount_is_shared_fs(jail_mount_table_at(&table, "/home/own/rootfs")));
	assert_false(jail_mount_is_shared_fs(jail_mount_table_at(&table, "/var/lib/clusterjail/roots/a")));
}

static void a_table_without_root_has_no_answers(void **state)
{
	jail_automounttable struct jail_mount_table table = {0};
	jail_automounttable struct jail_mount_table empty = {0};
	(void)state;
	parse("2 1 0:1 / /a rw - tmpfs a rw\n", &table);
	assert_null(jail_mount_table_at(&table, "/a"));
	parse("", &empty);
	assert_null(jail_mount_table_on(&empty, "/"));
}

static void this_machines_own_table_can_be_read(void **state)
{
	jail_automounttable struct jail_mount_table table = {0};
	struct jail_error err;
	(void)state;
	assert_int_equal(jail_mount_table_read(&table, &err), 0);
	assert_non_null(jail_mount_table_on(&table, "/"));
}

static void order_is_by_component(void **state)
{
	static const char *const sorted[] = {"/",    "/a",   "/a/b", "/a/b/c", "/a/c",
					     "/a-b", "/a.b", "/aa",  "/b"};
	(void)state;
	for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++)
		for (size_t k = 0; k < sizeof sorted / sizeof *sorted; k++) {
			int r = jail_order_compare(sorted[i], sorted[k]);
			assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
		}
	assert_string_equal(jail_order_rest("/a/b", "/a"), "/b");
	assert_string_equal(jail_order_rest("/a", "/a"), "");
	assert_string_equal(jail_order_rest("/a", "/"), "/a");
	assert_string_equal(jail_order_rest("/", "/"), "");
	assert_null(jail_order_rest("/ab", "/a"));
	assert_null(jail_order_rest("/", "/a"));
}

static void the_manifest_keeps_what_it_is_told(void **state)
{
	char dir[] = "/tmp/view-made-XXXXXX";
	char path[64];
	struct jail_error err;
	struct stat before;
	struct stat after;
	bool changed = false;
	jail_automanifest struct jail_manifest manifest = {0};
	jail_automanifest struct jail_manifest again = {0};
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/made", dir);
	assert_int_equal(jail_manifest_read(path, &manifest, &err), 0);
	assert_int_equal(manifest.n_made, 0);
	assert_int_equal(jail_manifest_add(&manifest, 'r', "/roots/a"), 0);
	assert_int_equal(jail_manifest_add(&manifest, 'd', "/roots/a/my home"), 0);
	assert_int_equal(jail_manifest_add(&manifest, 'd', "/roots/a/bin"), 0);
	jail_manifest_sort(&manifest);
	assert_int_equal(jail_manifest_add(&manifest, 'l', "/roots/a/bin"), 0);
	jail_manifest_sort(&manifest);
	assert_int_equal(manifest.n_made, 3);
	assert_int_equal(jail_manifest_find(&manifest, "/roots/a/bin")->type, 'l');
	assert_int_equal(jail_manifest_write(path, &manifest, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_int_equal(jail_manifest_write(path, &manifest, &changed, &err), 0);
	assert_false(changed);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(jail_manifest_read(path, &again, &err), 0);
	assert_int_equal(again.n_made, 3);
	assert_non_null(jail_manifest_find(&again, "/roots/a/my home"));
	jail_manifest_drop(&again, "/roots/a/my home");
	assert_null(jail_manifest_find(&again, "/roots/a/my home"));
	assert_int_equal(again.n_made, 2);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void a_damaged_manifest_is_refused(void **state)
{
	static const char *const wrong[] = {"d /a\nx /b\n", "d /a\nd b\n", "d /a\nd /b/../c\n",
					    "d /a\nd /b",   "d /a\n\n",	   "d /a\nd /\n"};
	char path[] = "/tmp/view-made-XXXXXX";
	int fd = mkstemp(path);
	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct jail_manifest manifest = {0};
		struct jail_error err = {0};
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, wrong[i], strlen(wrong[i]), 0), (ssize_t)strlen(wrong[i]));
		assert_int_equal(jail_manifest_read(path, &manifest, &err), -EBADMSG);
		assert_non_null(strstr(err.message, ":2:"));
		assert_null(manifest.made);
	}
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_apart),
		cmocka_unit_test(what_is_no_line_is_an_error_with_its_number),
		cmocka_unit_test(walks_end_where_the_kernels_do),
		cmocka_unit_test(self_binds_are_known),
		cmocka_unit_test(file_systems_of_many_machines_are_known),
		cmocka_unit_test(a_table_without_root_has_no_answers),
		cmocka_unit_test(this_machines_own_table_can_be_read),
		cmocka_unit_test(order_is_by_component),
		cmocka_unit_test(the_manifest_keeps_what_it_is_told),
		cmocka_unit_test(a_damaged_manifest_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
