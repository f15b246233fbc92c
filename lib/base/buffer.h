/* A growing byte buffer.
 *
 * Invariants (after JAIL_BUFFER_INIT and after every call): data is never NULL and data[len] is NUL,
 * so text in it is a C string at any time; len < capacity, or capacity is 0 and data is the shared
 * empty string, which must not be written. */
#pragma once

#include <stddef.h>
#include "lib/base/error.h"

struct jail_buffer {
	char *data;
	size_t len;
	size_t capacity;
};

extern char jail_buffer_empty[1];
#define JAIL_BUFFER_INIT ((struct jail_buffer){.data = jail_buffer_empty})

/* All of them: 0, or -ENOMEM with the buffer as it was. */
int jail_buffer_reserve(struct jail_buffer *buffer, size_t more);
int jail_buffer_append(struct jail_buffer *buffer, const void *data, size_t len);
int jail_buffer_puts(struct jail_buffer *buffer, const char *text);
int jail_buffer_printf(struct jail_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void jail_buffer_release(struct jail_buffer *buffer);
#define jail_autobuffer __attribute__((cleanup(jail_buffer_release)))
