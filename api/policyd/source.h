/* A file below the published directory, read whole at one moment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* What tells that a file is no longer the one that was read. */
struct policyd_stamp {
	uint64_t device, inode, size;
	struct timespec modified, changed;
	/* The file's time is not older than a clock tick of what may be behind (1 s on old network file
	 * systems): it could change again without its times telling, so it is read again. */
	bool recent;
};

/* Opens name ("v1/policy.json") below dir. No component below dir is followed when it is a symlink, so
 * nothing that was not published there can be served. dir is opened anew, for an administrator who swaps it.
 * Errors: -ENOENT there is no such regular file; errno of open(2). */
int policyd_source_open(const char *dir, const char *name, int *ret_fd, struct policyd_stamp *ret_stamp,
			struct jail_error *err);

bool policyd_stamp_same(const struct policyd_stamp *a, const struct policyd_stamp *b);

/* Reads it from its start; *stamp is that of opening and becomes that of the bytes read. A file that is
 * written while it is read is read again, a few times.
 * Errors: -EFBIG larger than any node takes, -EAGAIN it keeps changing, -ENOMEM, errno of read(2). */
int policyd_source_read(int fd, struct policyd_stamp *stamp, struct jail_buffer *ret, struct jail_error *err);
