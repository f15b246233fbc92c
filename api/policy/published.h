/* The directory that an endpoint serves: DIR/v1/policy.json and how it is replaced. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct jail_published {
	int fd;		 /* of DIR/v1, locked against other publishers until released */
	char *path;	 /* DIR/v1/policy.json, for messages */
	bool exists;	 /* there is a current file */
	time_t modified; /* its mtime in seconds, rounded up */
};
#define JAIL_PUBLISHED_INIT ((struct jail_published){.fd = -1})

/* Makes DIR (not its parents) and DIR/v1, mode 0755, where they are missing, and waits for the lock.
 * Errors: errno of mkdir(2), open(2) and flock(2). */
int jail_published_open(const char *directory, struct jail_published *ret, struct jail_error *err);

/* The current file. Errors: those of jail_file_read; -ENOENT when there is none. */
int jail_published_read(const struct jail_published *published, struct jail_buffer *ret,
			struct jail_error *err);

/* Replaces it atomically, mode 0644. Its mtime is at least a whole second later than the one before, also
 * when the clock is not: nginx makes its ETag of mtime and size, and envelopes of two policies often have one
 * size. */
int jail_published_write(const struct jail_published *published, const struct jail_buffer *text,
			 struct jail_error *err);

void jail_published_release(struct jail_published *published);
#define jail_autopublished __attribute__((cleanup(jail_published_release)))
