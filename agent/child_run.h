/* Running a program of the system and reading what it prints: fixed PATH and environment, no input, bounded
 * in time and output. */
#pragma once

#include <stddef.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* argv[0]: a name, looked for in /usr/sbin, /usr/bin, /sbin and /bin. *ret: an initialised buffer, replaced
 * by what it wrote to standard output and standard error. Errors: -ENOENT no such program; -ETIMEDOUT; -EFBIG
 * more than max bytes; -EIO it failed (the message has its first line); errno of fork and pipe. */
int jail_child_run(const char *const *argv, unsigned seconds, size_t max, struct jail_buffer *ret,
		   struct jail_error *err);
