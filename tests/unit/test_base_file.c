/* file.h, in a directory of the test's own. Runs as root: owners are what it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"

enum { OTHER = 4242 };

static char dir[64];
static int dirfd_ = -1;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test-file.XXXXXX");
	if (geteuid() != 0 || !mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	DIR *d = opendir(dir);
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlinkat(dirfd_, e->d_name, 0) < 0)
			(void)unlinkat(dirfd_, e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
	(void)close(dirfd_);
	return rmdir(dir);
}

static size_t count_files(void)
{
	size_t n = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n - 2;
}

static void write_file(const char *name, const char *text, mode_t mode, uid_t uid)
{
	jail_autoclose int fd = openat(dirfd_, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(jail_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(fchown(fd, uid, 0), 0);
}

static void test_read(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_error err = {0};
	write_file("plain", "hello", 0644, 0);
	assert_int_equal(jail_file_read(dirfd_, "plain", 5, &text, &err), 0);
	assert_string_equal(text.data, "hello");
	assert_int_equal(jail_file_read(dirfd_, "plain", 4, &text, &err), -EFBIG);
	/* Outputs are as they were. */
	assert_string_equal(text.data, "hello");
	assert_int_equal(jail_file_read(dirfd_, "missing", 5, &text, &err), -ENOENT);
	assert_non_null(strstr(err.message, "missing"));
	/* A file that says that it is empty and is not. */
	assert_int_equal(jail_file_read(AT_FDCWD, "/proc/self/status", 1 << 20, &text, &err), 0);
	assert_memory_equal(text.data, "Name:", 5);
	assert_int_equal(jail_file_read(AT_FDCWD, "/proc/self/status", 10, &text, &err), -EFBIG);
}

static void test_read_odd_files(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_error err;
	write_file("target", "x", 0644, 0);
	assert_int_equal(symlinkat("target", dirfd_, "link"), 0);
	assert_int_equal(mkfifoat(dirfd_, "fifo", 0644), 0);
	(void)alarm(20); /* a FIFO that blocks ends the test */
	assert_int_equal(jail_file_read(dirfd_, "link", 9, &text, &err), -ELOOP);
	assert_int_equal(jail_file_read(dirfd_, "fifo", 9, &text, &err), -EINVAL);
	assert_int_equal(jail_file_read(dirfd_, ".", 9, &text, &err), -EINVAL);
	assert_int_equal(jail_file_read(AT_FDCWD, "/dev/zero", 9, &text, &err), -EINVAL);
	(void)alarm(0);
}

static void test_read_trusted(void **state)
{
	(void)state;
	static const struct {
		mode_t mode;
		uid_t uid;
		int expected;
	} cases[] = {
		{0644, 0, 0},	       {0600, 0, 0},	      {0400, 0, 0},
		{0664, 0, -EPERM},     {0646, 0, -EPERM},     {0666, 0, -EPERM},
		{0644, OTHER, -EPERM}, {0400, OTHER, -EPERM}, {0777, 0, -EPERM},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
		struct jail_error err;
		write_file("trusted", "x", cases[i].mode, cases[i].uid);
		assert_int_equal(jail_file_read_trusted(dirfd_, "trusted", 9, &text, &err),
				 cases[i].expected);
	}
}

static void expect_file(const char *name, const char *text, mode_t mode)
{
	jail_autobuffer struct jail_buffer found = JAIL_BUFFER_INIT;
	struct stat st;
	assert_int_equal(jail_file_read(dirfd_, name, 1 << 20, &found, NULL), 0);
	assert_string_equal(found.data, text);
	assert_int_equal(fstatat(dirfd_, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void test_replace(void **state)
{
	(void)state;
	struct jail_error err;
	mode_t mask = umask(077);
	assert_int_equal(jail_file_replace(dirfd_, "new", "one", 3, 0644, &err), 0);
	expect_file("new", "one", 0644);
	assert_int_equal(jail_file_replace(dirfd_, "new", "", 0, 0600, &err), 0);
	expect_file("new", "", 0600);
	(void)umask(mask);
	/* A path with directories, and one from the root. */
	char path[128];
	(void)snprintf(path, sizeof path, "%s/new", dir);
	assert_int_equal(jail_file_replace(AT_FDCWD, path, "abs", 3, 0644, &err), 0);
	expect_file("new", "abs", 0644);
	assert_int_equal(mkdirat(dirfd_, "sub", 0755), 0);
	assert_int_equal(jail_file_replace(dirfd_, "sub/file", "sub", 3, 0644, &err), 0);
	expect_file("sub/file", "sub", 0644);
	assert_int_equal(unlinkat(dirfd_, "sub/file", 0), 0);
}

static void test_replace_leaves_links_alone(void **state)
{
	(void)state;
	struct jail_error err;
	write_file("victim", "victim", 0644, 0);
	assert_int_equal(symlinkat("victim", dirfd_, "name"), 0);
	assert_int_equal(jail_file_replace(dirfd_, "name", "new", 3, 0644, &err), 0);
	expect_file("victim", "victim", 0644);
	expect_file("name", "new", 0644);
	/* A directory that is a symlink is not gone through. */
	assert_int_equal(mkdirat(dirfd_, "real", 0755), 0);
	assert_int_equal(symlinkat("real", dirfd_, "way"), 0);
	assert_true(jail_file_replace(dirfd_, "way/file", "new", 3, 0644, &err) < 0);
}

static void test_replace_fails_whole(void **state)
{
	(void)state;
	struct jail_error err;
	assert_int_equal(mkdirat(dirfd_, "full", 0755), 0);
	size_t before = count_files();
	/* A directory cannot be renamed over. */
	assert_int_equal(jail_file_replace(dirfd_, "full", "x", 1, 0644, &err), -EISDIR);
	assert_non_null(strstr(err.message, "kept"));
	assert_int_equal(count_files(), before);
	static const char *const bad[] = {"", ".", "..", "sub/", "sub/."};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_true(jail_file_replace(dirfd_, bad[i], "x", 1, 0644, &err) < 0);
	assert_int_equal(jail_file_replace(dirfd_, "nodir/file", "x", 1, 0644, &err), -ENOENT);
	assert_int_equal(count_files(), before);
	/* The longest name that there is. */
	char name[256];
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(jail_file_replace(dirfd_, name, "x", 1, 0644, &err), 0);
	expect_file(name, "x", 0644);
}

static void test_update(void **state)
{
	(void)state;
	struct jail_error err;
	bool changed = false;
	struct stat before;
	struct stat after;
	assert_int_equal(jail_file_update(dirfd_, "up", "one", 3, 0644, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(fstatat(dirfd_, "up", &before, 0), 0);
	assert_int_equal(jail_file_update(dirfd_, "up", "one", 3, 0644, &changed, &err), 0);
	assert_false(changed);
	assert_int_equal(fstatat(dirfd_, "up", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	/* Other bytes, another length, another mode, a foreign owner, a symlink to the same: written. */
	assert_int_equal(jail_file_update(dirfd_, "up", "two", 3, 0644, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(jail_file_update(dirfd_, "up", "tw", 2, 0644, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(jail_file_update(dirfd_, "up", "tw", 2, 0600, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(fchownat(dirfd_, "up", OTHER, 0, 0), 0);
	assert_int_equal(jail_file_update(dirfd_, "up", "tw", 2, 0600, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(fstatat(dirfd_, "up", &after, 0), 0);
	assert_int_equal(after.st_uid, 0);
	assert_int_equal(symlinkat("up", dirfd_, "uplink"), 0);
	assert_int_equal(jail_file_update(dirfd_, "uplink", "tw", 2, 0600, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(jail_file_update(dirfd_, "up", "", 0, 0600, NULL, &err), 0);
}

static void test_dir_make(void **state)
{
	(void)state;
	struct jail_error err;
	char base[128];
	char path[192];
	struct stat st;
	/* /tmp is sticky and everybody's, which does not do. */
	(void)snprintf(path, sizeof path, "%s/x", dir);
	int fd = -1;
	assert_int_equal(jail_dir_make(path, 0755, &fd, &err), -EPERM);
	(void)snprintf(base, sizeof base, "/run/test-dir.%d", (int)getpid());
	(void)snprintf(path, sizeof path, "%s/a/b", base);
	mode_t mask = umask(077);
	assert_int_equal(jail_dir_make(path, 0755, &fd, &err), 0);
	(void)umask(mask);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	(void)close(fd);
	assert_int_equal(jail_dir_make(path, 0700, &fd, &err), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755); /* what is there stays as it is */
	(void)close(fd);
	fd = -1;
	/* Somebody else's component, a symlink, a file. */
	char part[160];
	(void)snprintf(part, sizeof part, "%s/a", base);
	assert_int_equal(chown(part, OTHER, 0), 0);
	assert_int_equal(jail_dir_make(path, 0755, &fd, &err), -EPERM);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(chown(part, 0, 0), 0);
	assert_int_equal(chmod(part, 0775), 0);
	assert_int_equal(jail_dir_make(path, 0755, &fd, &err), -EPERM);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(chmod(part, 0755), 0);
	assert_int_equal(symlink("/etc", path), 0);
	assert_int_equal(jail_dir_make(path, 0755, &fd, &err), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mknod(path, S_IFREG | 0644, 0), 0);
	assert_int_equal(jail_dir_make(path, 0755, &fd, &err), -ENOTDIR);
	assert_int_equal(jail_dir_make("relative", 0755, &fd, &err), -EINVAL);
	assert_int_equal(jail_dir_make("/run/x", 0777, &fd, &err), -EINVAL);
	assert_int_equal(fd, -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(part), 0);
	assert_int_equal(rmdir(base), 0);
}

enum { MAKERS = 4, ROUNDS = 200 };

static char made[64];

/* Makes made/N/x for each round as the same time comes for all makers. */
static int make_all(int barrier)
{
	char go;
	for (int i = 0; i < ROUNDS; i++) {
		char path[96];
		struct jail_error err;
		(void)snprintf(path, sizeof path, "%s/%d/x", made, i);
		jail_autoclose int fd = -1;
		if (read(barrier, &go, 1) != 1)
			return 1;
		if (jail_dir_make(path, 0755, &fd, &err) < 0) {
			(void)fprintf(stderr, "%s\n", err.message);
			return 1;
		}
	}
	return 0;
}

/* Agents that start at once on a new node make the same directories: each of them gets its descriptor. */
static void test_dir_make_at_once(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(made, sizeof made, "/run/test-file.%d", (int)getpid());
	int barriers[MAKERS];
	pid_t makers[MAKERS];
	for (int m = 0; m < MAKERS; m++) {
		int ends[2];
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		makers[m] = fork();
		assert_true(makers[m] >= 0);
		if (makers[m] == 0) {
			(void)close(ends[1]);
			_exit(make_all(ends[0]));
		}
		(void)close(ends[0]);
		barriers[m] = ends[1];
	}
	for (int i = 0; i < ROUNDS; i++) {
		for (int m = 0; m < MAKERS; m++)
			(void)!write(barriers[m], "g", 1); /* a maker that failed is counted below */
	}
	for (int m = 0; m < MAKERS; m++) {
		int status = 0;
		assert_int_equal(waitpid(makers[m], &status, 0), makers[m]);
		assert_int_equal(status, 0);
		(void)close(barriers[m]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		char path[96];
		(void)snprintf(path, sizeof path, "%s/%d/x", made, i);
		assert_int_equal(rmdir(path), 0);
		(void)snprintf(path, sizeof path, "%s/%d", made, i);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(made), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_odd_files),
		cmocka_unit_test(test_read_trusted),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_leaves_links_alone),
		cmocka_unit_test(test_replace_fails_whole),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_dir_make),
		cmocka_unit_test(test_dir_make_at_once),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
