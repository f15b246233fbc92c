/* path.h over a tree of the test's own, twice: as the kernel is, and again without openat2(2) and statx(2).
 * Runs as root: owners are what it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "tests/unit/old_calls.h"

#define N(array) (sizeof(array) / sizeof *(array))

enum { OTHER = 4242 };

static char base[64]; /* root's, in root's /run */

/* What the tree is made of: a directory, a file, or a symlink with its text ("~" stands for base). */
static const struct thing {
	const char *path;
	mode_t mode; /* with the type */
	uid_t uid;
	const char *link;
} things[] = {
	{"root", S_IFDIR | 0755, 0, NULL},
	{"root/dir", S_IFDIR | 0755, 0, NULL},
	{"root/dir/file", S_IFREG | 0644, 0, NULL},
	{"root/group", S_IFDIR | 0775, 0, NULL},
	{"root/group/sub", S_IFDIR | 0755, 0, NULL},
	{"root/sticky", S_IFDIR | 01777, 0, NULL},
	{"root/sticky/sub", S_IFDIR | 0755, 0, NULL},
	{"root/users", S_IFDIR | 0755, OTHER, NULL},
	{"root/users/sub", S_IFDIR | 0755, 0, NULL},
	{"root/fifo", S_IFIFO | 0644, 0, NULL},
	{"root/rel", S_IFLNK, 0, "dir"},
	{"root/abs", S_IFLNK, 0, "~/root/dir"},
	{"root/up", S_IFLNK, 0, "dir/../../root/./dir//"},
	{"root/chain", S_IFLNK, 0, "rel"},
	{"root/loop", S_IFLNK, 0, "loop"},
	{"root/dangling", S_IFLNK, 0, "nothing"},
	{"root/theirs", S_IFLNK, OTHER, "dir"},
	{"root/out", S_IFLNK, 0, "../../../../../../.."},
	{"root/tosticky", S_IFLNK, 0, "sticky"},
	{"root/uplink", S_IFLNK, 0, "rel/../users"},
	{"root/back", S_IFLNK, 0, "sticky/../rel"},
	{"root/proc", S_IFLNK, 0, "/proc/self/root"},
	{"root/sticky/link", S_IFLNK, 0, "sub"},
	{"root/group/link", S_IFLNK, 0, "sub"},
	{"root/users/link", S_IFLNK, 0, "sub"},
	{"root/users/sub/link", S_IFLNK, 0, "/etc"},
};

static void place(char buffer[static PATH_MAX], const char *path)
{
	(void)snprintf(buffer, PATH_MAX, "%s%s%s", base, *path ? "/" : "", path);
}

static int make(const struct thing *thing)
{
	char path[PATH_MAX];
	char text[PATH_MAX];
	place(path, thing->path);
	if (S_ISLNK(thing->mode)) {
		if (thing->link[0] == '~')
			(void)snprintf(text, sizeof text, "%s%s", base, thing->link + 1);
		else
			(void)snprintf(text, sizeof text, "%s", thing->link);
		if (symlink(text, path) < 0)
			return -1;
	} else if ((S_ISDIR(thing->mode) ? mkdir(path, 0700) : mknod(path, thing->mode, 0)) < 0 ||
		   chmod(path, thing->mode & 07777) < 0) {
		return -1;
	}
	return lchown(path, thing->uid, 0);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(base, sizeof base, "/run/test-path.XXXXXX");
	if (geteuid() != 0 || !mkdtemp(base) || chmod(base, 0755) < 0)
		return -1;
	for (size_t i = 0; i < N(things); i++) {
		if (make(&things[i]) < 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = N(things); i-- > 0;) {
		char path[PATH_MAX];
		place(path, things[i].path);
		if (remove(path) < 0)
			return -1;
	}
	return rmdir(base);
}

static void test_normal(void **state)
{
	(void)state;
	static const char *const good[] = {"/",	  "/a",	 "/a/b", "/a b",     "/...",
					   "/.a", "/a.", "/..a", "/\xc3\xbc"};
	static const char *const bad[] = {"",	  "a",	   "a/b",  "//",    "/a/",  "/a//b", "/.",  "/..",
					  "/a/.", "/a/..", "/./a", "/../a", "/a\n", "/\x7f", "./a", "/a/./b"};
	for (size_t i = 0; i < N(good); i++)
		assert_true(jail_path_is_normal(good[i]));
	for (size_t i = 0; i < N(bad); i++)
		assert_false(jail_path_is_normal(bad[i]));
	char text[PATH_MAX + 1];
	memset(text, 'a', sizeof text);
	text[0] = '/';
	text[PATH_MAX - 1] = '\0';
	assert_true(jail_path_is_normal(text));
	text[PATH_MAX - 1] = 'a';
	text[PATH_MAX] = '\0';
	assert_false(jail_path_is_normal(text));
}

static void test_below(void **state)
{
	(void)state;
	assert_true(jail_path_is_below("/a/b", "/a"));
	assert_true(jail_path_is_below("/a", "/a"));
	assert_true(jail_path_is_below("/a", "/"));
	assert_true(jail_path_is_below("/", "/"));
	assert_false(jail_path_is_below("/ab", "/a"));
	assert_false(jail_path_is_below("/", "/a"));
	assert_false(jail_path_is_below("/a", "/a/b"));
}

static void test_trusted(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int expected;
		const char *named; /* must stand in the message */
	} cases[] = {
		{"", 0, ""},
		{"root", 0, ""},
		{"root/dir", 0, ""},
		{"root/dir/file", -ENOTDIR, "root/dir/file"},
		{"root/dir/file/x", -ENOTDIR, "root/dir/file"},
		{"root/fifo", -ENOTDIR, "root/fifo"},
		{"root/nothing", -ENOENT, "root/nothing"},
		{"root/nothing/x", -ENOENT, "root/nothing"},
		{"root/rel", -ELOOP, "root/rel"},
		{"root/abs/x", -ELOOP, "root/abs"},
		{"root/group", -EPERM, "mode 0775"},
		{"root/group/sub", -EPERM, "root/group may"},
		{"root/sticky", -EPERM, "mode 1777"},
		{"root/sticky/sub", -EPERM, "root/sticky may"},
		{"root/users", -EPERM, "uid 4242"},
		{"root/users/sub", -EPERM, "root/users belongs"},
	};
	jail_autoclose int dirfd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dirfd >= 0);
	for (size_t i = 0; i < 2 * N(cases); i++) {
		/* From "/", and the same relative to a directory. */
		const char *asked = cases[i / 2].path;
		char path[PATH_MAX];
		struct jail_error err = {0};
		jail_autoclose int fd = -1;
		place(path, asked);
		int r = i % 2 ? jail_path_open_trusted(dirfd, asked, &fd, &err)
			      : jail_path_open_trusted(-1, path, &fd, &err);
		if (r != cases[i / 2].expected)
			print_error("%s: %s\n", asked, err.message);
		assert_int_equal(r, cases[i / 2].expected);
		assert_int_equal(fd >= 0, r == 0);
		assert_non_null(strstr(err.message, cases[i / 2].named));
		assert_true(r < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC));
		assert_true(r < 0 || (fcntl(fd, F_GETFL) & O_PATH));
	}
	jail_autoclose int fd = -1;
	assert_int_equal(jail_path_open_trusted(dirfd, "root/../root", &fd, NULL), -EINVAL);
	assert_int_equal(jail_path_open_trusted(-1, "/", &fd, NULL), 0);
}

/* A start that is not root's own does not do either. */
static void test_trusted_start(void **state)
{
	(void)state;
	char path[PATH_MAX];
	place(path, "root/users");
	jail_autoclose int dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	jail_autoclose int fd = -1;
	assert_true(dirfd >= 0);
	assert_int_equal(jail_path_open_trusted(dirfd, "", &fd, NULL), -EPERM);
	assert_int_equal(jail_path_open_trusted(dirfd, "sub", &fd, NULL), -EPERM);
}

static void test_source(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int follow;
		int expected;
		const char *resolved; /* below base; NULL: "/" */
		const char *link;
		bool user_owned;
	} cases[] = {
		{"root/dir", false, 0, "root/dir", NULL, false},
		{"root/dir/file", false, 0, "root/dir/file", NULL, false},
		{"root/fifo", false, 0, "root/fifo", NULL, false},
		{"root/dir/file/x", false, -ENOTDIR, NULL, NULL, false},
		{"root/nothing", false, -ENOENT, NULL, NULL, false},
		{"root/rel", false, 0, "root/rel", "dir", false},
		{"root/rel", true, 0, "root/dir", NULL, false},
		{"root/rel/file", false, 0, "root/dir/file", NULL, false},
		{"root/abs/file", false, 0, "root/dir/file", NULL, false},
		{"root/up", true, 0, "root/dir", NULL, false},
		{"root/up/file", false, 0, "root/dir/file", NULL, false},
		{"root/chain", true, 0, "root/dir", NULL, false},
		{"root/chain/file", true, 0, "root/dir/file", NULL, false},
		{"root/loop", false, 0, "root/loop", "loop", false},
		{"root/loop", true, -ELOOP, NULL, NULL, false},
		{"root/loop/x", false, -ELOOP, NULL, NULL, false},
		{"root/dangling", true, -ENOENT, NULL, NULL, false},
		{"root/theirs", false, -ELOOP, NULL, NULL, false},
		{"root/theirs/file", false, -ELOOP, NULL, NULL, false},
		{"root/out", true, 0, NULL, NULL, false},
		{"root/uplink", true, 0, "root/users", NULL, true},
		/* ".." out of a sticky directory is root's own ground again. */
		{"root/back", true, 0, "root/dir", NULL, false},
		{"root/proc", true, -ELOOP, NULL, NULL, false},
		{"root/group/sub", false, 0, "root/group/sub", NULL, true},
		{"root/sticky/sub", false, 0, "root/sticky/sub", NULL, true},
		{"root/users", false, 0, "root/users", NULL, true},
		{"root/users/sub", false, 0, "root/users/sub", NULL, true},
		{"root/tosticky/sub", false, 0, "root/sticky/sub", NULL, true},
		/* Even root's own links: in these directories users can put others in their place. */
		{"root/sticky/link", false, -ELOOP, NULL, NULL, false},
		{"root/tosticky/link", true, -ELOOP, NULL, NULL, false},
		{"root/group/link", true, -ELOOP, NULL, NULL, false},
		{"root/users/link", true, -ELOOP, NULL, NULL, false},
		{"root/users/link/x", false, -ELOOP, NULL, NULL, false},
		{"root/users/sub/link", true, -ELOOP, NULL, NULL, false},
		{"root/users/sub/link", false, -ELOOP, NULL, NULL, false},
	};
	for (size_t i = 0; i < N(cases); i++) {
		char path[PATH_MAX];
		char resolved[PATH_MAX] = "/";
		struct jail_error err = {0};
		jail_autosource struct jail_source source = {.fd = -1};
		place(path, cases[i].path);
		int r = jail_path_open_source(path, cases[i].follow != 0, &source, &err);
		if (r != cases[i].expected)
			print_error("case %zu, %s: %s\n", i, cases[i].path, err.message);
		assert_int_equal(r, cases[i].expected);
		if (r < 0) {
			assert_int_equal(source.fd, -1);
			assert_null(source.path);
			assert_true(err.message[0] != '\0');
			continue;
		}
		if (cases[i].resolved)
			place(resolved, cases[i].resolved);
		assert_string_equal(source.path, resolved);
		assert_int_equal(source.user_owned, cases[i].user_owned);
		assert_int_equal(source.link != NULL, cases[i].link != NULL);
		if (cases[i].link)
			assert_string_equal(source.link, cases[i].link);
		struct stat st;
		assert_int_equal(lstat(resolved, &st), 0);
		assert_true(st.st_ino == source.st.st_ino && st.st_dev == source.st.st_dev);
	}
	struct jail_source source;
	assert_int_equal(jail_path_open_source("relative", false, &source, NULL), -EINVAL);
	assert_int_equal(jail_path_open_source("/a/../b", false, &source, NULL), -EINVAL);
}

/* 40 links in a row are followed, 41 are not: as in the kernel. */
static void test_source_link_limit(void **state)
{
	(void)state;
	char path[PATH_MAX];
	char text[PATH_MAX];
	for (int i = 0; i < 41; i++) {
		(void)snprintf(path, sizeof path, "%s/n%d", base, i);
		(void)snprintf(text, sizeof text, i ? "n%d" : "root", i - 1);
		assert_int_equal(symlink(text, path), 0);
	}
	for (int i = 39; i < 41; i++) {
		jail_autosource struct jail_source source = {.fd = -1};
		(void)snprintf(path, sizeof path, "%s/n%d", base, i);
		assert_int_equal(jail_path_open_source(path, true, &source, NULL), i == 39 ? 0 : -ELOOP);
	}
	for (int i = 0; i < 41; i++) {
		(void)snprintf(path, sizeof path, "%s/n%d", base, i);
		assert_int_equal(unlink(path), 0);
	}
}

static int root_of(const char *path)
{
	jail_autoclose int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	assert_true(fd >= 0);
	return jail_fd_is_mount_root(fd);
}

/* Binds, in a mount namespace of this program's own (main). */
static void test_mount_root(void **state)
{
	(void)state;
	char dir[PATH_MAX];
	char file[PATH_MAX];
	place(dir, "root/dir");
	place(file, "root/dir/file");
	assert_int_equal(root_of("/"), 1);
	assert_int_equal(root_of("/proc"), 1);
	assert_int_equal(root_of(dir), 0);
	assert_int_equal(root_of(file), 0);
	/* The same file system: only the mount differs. */
	assert_int_equal(mount(dir, dir, NULL, MS_BIND, NULL), 0);
	assert_int_equal(root_of(dir), 1);
	assert_int_equal(root_of(file), 0);
	assert_int_equal(mount(file, file, NULL, MS_BIND, NULL), 0);
	assert_int_equal(root_of(file), 1);
	/* And one over the other. */
	assert_int_equal(mount(file, file, NULL, MS_BIND, NULL), 0);
	assert_int_equal(root_of(file), 1);
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
	assert_int_equal(root_of(dir), 0);
}

static void test_mount_id(void **state)
{
	(void)state;
	char line[4096];
	int id = -1;
	jail_autoclose int fd = open("/proc", O_PATH | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(jail_fd_mount_id(fd, &id), 0);
	jail_autofclose FILE *f = fopen("/proc/self/mountinfo", "re");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		char point[1024];
		int found = -1;
		if (sscanf(line, "%d %*d %*s %*s %1023s", &found, point) == 2 && found == id) {
			assert_string_equal(point, "/proc");
			return;
		}
	}
	fail_msg("no mount has the id %d", id);
}

static int setup_blocked(void **state)
{
	block_calls();
	return setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal),	   cmocka_unit_test(test_below),
		cmocka_unit_test(test_trusted),	   cmocka_unit_test(test_trusted_start),
		cmocka_unit_test(test_source),	   cmocka_unit_test(test_source_link_limit),
		cmocka_unit_test(test_mount_root), cmocka_unit_test(test_mount_id),
	};
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		perror("test_base_path needs root");
		return 1;
	}
	int failed = cmocka_run_group_tests_name("new calls", tests, setup, teardown);
	return failed + cmocka_run_group_tests_name("old calls", tests, setup_blocked, teardown);
}
