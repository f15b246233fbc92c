/* What a job has of its own, and where a view shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "lib/view/own.h"

#define N(array)      (sizeof(array) / sizeof *(array))
#define TEXT(literal) ((char *)(literal))

static const char host_table[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
				 "2 1 0:5 / /dev rw - devtmpfs dev rw\n"
				 "3 2 0:6 / /dev/shm rw - tmpfs shm rw\n"
				 "4 1 0:7 / /home rw - nfs server:/home rw\n"
				 "5 1 0:8 / /net rw - autofs net rw\n"
				 "6 5 0:9 / /net/a rw - nfs server:/a rw\n"
				 "7 1 8:1 /srv /srv rw - ext4 /dev/sda1 rw\n";

static void compare(const char *here_text, struct jail_own *own)
{
	jail_automounttable struct jail_mount_table here = {0};
	jail_automounttable struct jail_mount_table host = {0};
	struct jail_error err = {0};
	if (jail_mount_table_parse(host_table, strlen(host_table), &host, &err) < 0 ||
	    jail_mount_table_parse(here_text, strlen(here_text), &here, &err) < 0 ||
	    jail_own_compare(&here, &host, own, &err) < 0)
		fail_msg("%s", err.message);
}

static void the_hosts_mounts_are_nobodys_own(void **state)
{
	jail_autoown struct jail_own own = {0};
	(void)state;
	compare(host_table, &own);
	assert_int_equal(own.n_paths, 0);
}

static void a_jobs_directories_are_its_own(void **state)
{
	jail_autoown struct jail_own own = {0};
	(void)state;
	compare("11 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
		"12 11 0:5 / /dev rw - devtmpfs dev rw\n"
		"13 12 0:60 / /dev/shm rw - tmpfs tmpfs rw\n"
		"14 11 0:7 / /home rw - nfs server:/home rw\n"
		"15 11 0:8 / /net/a rw - autofs net rw\n"
		"17 11 8:1 /srv /srv rw - ext4 /dev/sda1 rw\n"
		"18 11 8:1 /scratch/7/.7 /tmp rw - ext4 /dev/sda1 rw\n"
		"19 11 8:1 /scratch/7/.7 /opt/hidden rw - ext4 /dev/sda1 rw\n"
		"20 11 0:70 / /opt rw - tmpfs tmpfs rw\n"
		"21 11 0:71 / /mnt rw unbindable - tmpfs tmpfs rw\n",
		&own);
	static const char *const expected[] = {"/dev/shm", "/opt", "/tmp"};
	assert_int_equal(own.n_paths, N(expected));
	for (size_t i = 0; i < N(expected); i++)
		assert_string_equal(own.paths[i], expected[i]);
}

static void a_namespace_view_leaves_them(void **state)
{
	static char *paths[] = {TEXT("/tmp"), TEXT("/dev/shm"), TEXT("/home")};
	const struct jail_own own = {paths, N(paths)};
	struct jail_entry entries[] = {
		{.kind = JAIL_ENTRY_PRIVATE, .target = strdup("/dev/shm")},
		{.kind = JAIL_ENTRY_HIDE, .target = strdup("/home")},
		{.kind = JAIL_ENTRY_TMPFS, .target = strdup("/tmp")},
		{.kind = JAIL_ENTRY_PRIVATE, .target = strdup("/var/tmp")},
	};
	struct jail_view view = {.entries = entries, .n_entries = N(entries)};
	(void)state;
	jail_own_keep(&own, &view);
	assert_int_equal(view.n_entries, 2);
	assert_string_equal(view.entries[0].target, "/home");
	assert_string_equal(view.entries[1].target, "/var/tmp");
	free(view.entries[0].target);
	free(view.entries[1].target);
}

static void places(const struct jail_view *view, const char *path, const char *expected)
{
	char *found = NULL;
	for (size_t i = 0; i < view->n_entries; i++) {
		char *place = jail_own_place(view, i, path);
		if (!place)
			continue;
		assert_null(found);
		found = place;
	}
	if (expected) {
		assert_non_null(found);
		assert_string_equal(found, expected);
	} else {
		assert_null(found);
	}
	free(found);
}

static void a_chroot_view_shows_them_where_it_showed_the_hosts(void **state)
{
	struct jail_entry entries[] = {
		{.kind = JAIL_ENTRY_BIND, .target = TEXT("/dev"), .source = TEXT("/dev")},
		{.kind = JAIL_ENTRY_BIND, .target = TEXT("/home/foo"), .source = TEXT("/home/foo")},
		{.kind = JAIL_ENTRY_BIND, .target = TEXT("/scratch"), .source = TEXT("/mnt/scratch")},
		{.kind = JAIL_ENTRY_TMPFS, .target = TEXT("/tmp")},
		{.kind = JAIL_ENTRY_BIND, .target = TEXT("/var"), .source = TEXT("/var")},
		{.kind = JAIL_ENTRY_HIDE, .target = TEXT("/var/tmp")},
	};
	const struct jail_view view = {.entries = entries, .n_entries = N(entries)};
	(void)state;
	places(&view, "/dev/shm", "/dev/shm");
	places(&view, "/dev", "/dev");
	places(&view, "/mnt/scratch/job", "/scratch/job");
	places(&view, "/tmp", "/tmp");
	places(&view, "/tmp/deeper", NULL);
	places(&view, "/var/tmp", NULL);
	places(&view, "/var/cache", "/var/cache");
	places(&view, "/home", NULL);
	places(&view, "/opt", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hosts_mounts_are_nobodys_own),
		cmocka_unit_test(a_jobs_directories_are_its_own),
		cmocka_unit_test(a_namespace_view_leaves_them),
		cmocka_unit_test(a_chroot_view_shows_them_where_it_showed_the_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
