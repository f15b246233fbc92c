/* /etc/passwd and /etc/group of the tests' own, in a mount namespace of the test program's own: NSS is libc's
 * real one. Include after cmocka.h. */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char nss_dir[64];

/* Writes text as the file NAME, which stands at /etc/NAME for this process. */
static inline void nss_write(const char *name, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/%s", nss_dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void nss_place(const char *name, const char *text)
{
	char path[128];
	char place[128];
	nss_write(name, text);
	(void)snprintf(path, sizeof path, "%s/%s", nss_dir, name);
	(void)snprintf(place, sizeof place, "/etc/%s", name);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(mount(path, place, NULL, MS_BIND, NULL), 0);
}

/* Group set-up of cmocka. */
static inline int nss_setup(void **state)
{
	(void)state;
	(void)snprintf(nss_dir, sizeof nss_dir, "/tmp/test-nss.XXXXXX");
	if (geteuid() != 0 || !mkdtemp(nss_dir) || unshare(CLONE_NEWNS) < 0 ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	nss_place("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\ninitgroups: files\n");
	nss_place("passwd", "root:x:0:0::/root:/bin/sh\n");
	nss_place("group", "root:x:0:\n");
	return 0;
}

static inline int nss_teardown(void **state)
{
	(void)state;
	static const char *const names[] = {"nsswitch.conf", "passwd", "group"};
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		(void)snprintf(path, sizeof path, "/etc/%s", names[i]);
		(void)umount2(path, MNT_DETACH);
		(void)snprintf(path, sizeof path, "%s/%s", nss_dir, names[i]);
		(void)unlink(path);
	}
	return rmdir(nss_dir);
}
