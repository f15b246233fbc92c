/* What a child without privileges hands back: tagged pieces of bytes, one after the other. A tag is one
 * character, then eight bytes of length in the machine's order, then the bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct jail_frame {
	char tag;
	size_t len;
	const char *data; /* not NUL-terminated */
};

/* 0 or the negative errno of write(2). */
int jail_frame_put(int fd, char tag, const void *data, size_t len);

/* The frame at *offset of bytes, which is moved behind it. 1, 0 at the end, -EBADMSG cut short. */
int jail_frame_next(const struct jail_buffer *bytes, size_t *offset, struct jail_frame *ret);

/* A new NUL-terminated copy; a NUL byte inside is -EBADMSG. */
int jail_frame_text(const struct jail_frame *frame, char **ret);
