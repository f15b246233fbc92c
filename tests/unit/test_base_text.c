/* error.h, buffer.h, array.h, log.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/array.h"
#include "lib/base/buffer.h"
#include "lib/base/cleanup.h"
#include "lib/base/error.h"
#include "lib/base/log.h"

static void test_error_set(void **state)
{
	(void)state;
	struct jail_error err;
	errno = EXDEV;
	assert_int_equal(jail_error_set(&err, EPERM, "%s is %d", "it", 3), -EPERM);
	assert_int_equal(err.code, EPERM);
	assert_string_equal(err.message, "it is 3");
	assert_int_equal(jail_error_sys(&err, ENOENT, "cannot open %s", "/x"), -ENOENT);
	assert_string_equal(err.message, "cannot open /x: No such file or directory");
	assert_int_equal(jail_error_prefix(&err, "line %d", 7), -ENOENT);
	assert_string_equal(err.message, "line 7: cannot open /x: No such file or directory");
	assert_int_equal(errno, EXDEV);
}

static void test_error_without_a_place(void **state)
{
	(void)state;
	assert_int_equal(jail_error_set(NULL, EPERM, "x"), -EPERM);
	assert_int_equal(jail_error_sys(NULL, EIO, "x"), -EIO);
	assert_true(jail_error_prefix(NULL, "x") < 0);
}

static void test_error_is_truncated(void **state)
{
	(void)state;
	struct jail_error err;
	char text[JAIL_ERROR_MESSAGE_MAX * 2];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)jail_error_sys(&err, ENOENT, "%s", text);
	assert_int_equal(strlen(err.message), JAIL_ERROR_MESSAGE_MAX - 1);
	(void)jail_error_prefix(&err, "%s", "before");
	assert_int_equal(strlen(err.message), JAIL_ERROR_MESSAGE_MAX - 1);
	assert_memory_equal(err.message, "before: xxx", 11);
	/* The message itself as an argument. */
	(void)jail_error_set(&err, EPERM, "short");
	(void)jail_error_set(&err, EPERM, "again %s", err.message);
	assert_string_equal(err.message, "again short");
}

static void test_buffer(void **state)
{
	(void)state;
	struct jail_buffer buffer = JAIL_BUFFER_INIT;
	assert_string_equal(buffer.data, "");
	assert_int_equal(jail_buffer_append(&buffer, "", 0), 0);
	assert_int_equal(buffer.capacity, 0);
	assert_int_equal(jail_buffer_printf(&buffer, "%s", ""), 0);
	assert_string_equal(buffer.data, "");
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(jail_buffer_printf(&buffer, "%d,", i % 10), 0);
		assert_int_equal(buffer.len, (size_t)(i + 1) * 2);
		assert_int_equal(buffer.data[buffer.len], '\0');
		assert_true(buffer.len < buffer.capacity);
	}
	assert_memory_equal(buffer.data, "0,1,2,3,", 8);
	assert_int_equal(jail_buffer_append(&buffer, "a\0b", 3), 0);
	assert_memory_equal(buffer.data + 2000, "a\0b", 4);
	assert_int_equal(jail_buffer_reserve(&buffer, SIZE_MAX), -ENOMEM);
	assert_int_equal(jail_buffer_reserve(&buffer, SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(buffer.len, 2003);
	jail_buffer_release(&buffer);
	assert_string_equal(buffer.data, "");
	assert_int_equal(buffer.capacity, 0);
	jail_buffer_release(&buffer);
}

static void test_array(void **state)
{
	(void)state;
	jail_autofree int *array = NULL;
	size_t n = 0;
	for (int i = 0; i < 1000; i++) {
		int *slot = JAIL_ARRAY_PUSH(array, n);
		assert_non_null(slot);
		assert_ptr_equal(slot, array + n);
		assert_int_equal(*slot, 0);
		*slot = i;
		n++;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(array[i], i);
	assert_null(jail_array_grow((void **)&array, (size_t)1 << 62, sizeof *array));
}

/* What a line of the log comes out as on a stderr that is a file. */
static void expect_line(enum jail_log_level level, const char *text, const char *expected)
{
	char path[] = "/tmp/test-log.XXXXXX";
	char found[256];
	int fd = mkstemp(path);
	int saved = dup(STDERR_FILENO);
	assert_true(fd >= 0 && saved >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	if (expected[0] == '<') {
		char stream[64];
		(void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
		assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	} else {
		assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	}
	jail_log_init("prog");
	jail_log(level, "%s", text);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	ssize_t n = pread(fd, found, sizeof found - 1, 0);
	(void)close(fd);
	(void)unlink(path);
	assert_true(n >= 0);
	found[n] = '\0';
	assert_string_equal(found, expected);
}

static void test_log(void **state)
{
	(void)state;
	expect_line(JAIL_LOG_ERR, "it failed", "prog: it failed\n");
	expect_line(JAIL_LOG_WARNING, "it failed", "<4>it failed\n");
	expect_line(JAIL_LOG_INFO, "a\nb\x1b[31m\x7f\xc2\x9b", "prog: a?b?[31m???\n");
	expect_line(JAIL_LOG_INFO, "M\xc3\xbcller", "prog: M\xc3\xbcller\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_set),
		cmocka_unit_test(test_error_without_a_place),
		cmocka_unit_test(test_error_is_truncated),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_array),
		cmocka_unit_test(test_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
