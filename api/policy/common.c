#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "api/policy/commands.h"
#include "lib/base/cleanup.h"

int jail_fail(const struct jail_error *err)
{
	fflush(stdout);
	fprintf(stderr, "jail-policy: %s\n", err->message);
	return JAIL_EXIT_FAILED;
}

int jail_input_read(const char *path, size_t max, struct jail_buffer *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer buffer = JAIL_BUFFER_INIT;
	jail_autoclose int opened = -1;
	int fd = STDIN_FILENO;

	if (strcmp(path, "-") != 0) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return jail_error_sys(err, errno, "cannot open %s", path);
		fd = opened;
	}
	for (;;) {
		ssize_t n;

		if (jail_buffer_reserve(&buffer, 65536) < 0)
			return jail_error_sys(err, ENOMEM, "cannot read %s", path);
		n = read(fd, buffer.data + buffer.len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return jail_error_sys(err, errno, "cannot read %s", path);
		if (n == 0)
			break;
		buffer.len += (size_t)n;
		buffer.data[buffer.len] = '\0';
		if (buffer.len > max)
			return jail_error_set(err, EFBIG, "%s is larger than the limit of %zu bytes", path,
					      max);
	}
	*ret = buffer;
	buffer = JAIL_BUFFER_INIT;
	return 0;
}

void jail_print_problems(const char *file, const struct jail_problems *problems)
{
	fflush(stdout);
	for (size_t i = 0; i < problems->n; i++) {
		const struct jail_problem *problem = &problems->list[i];

		fprintf(stderr, "%s:%zu:%zu: %s%s%s%s [%s]\n", file, problem->line, problem->column,
			problem->pointer, *problem->pointer ? ": " : "", problem->warning ? "warning: " : "",
			problem->message, problem->rule);
	}
}
