/* The one error contract.
 *
 * A function that can fail takes a `struct jail_error *err` as its last argument and returns 0 on
 * success or a negative errno on failure. A failing function fills *err, a succeeding one does not
 * touch it, and no output (named ret_*) is written on failure. *err belongs to the caller, usually on
 * its stack, so the way to a failure allocates nothing. err may be NULL when the caller only wants
 * the code. Messages are whole sentences for people: what failed, on which path or JSON pointer, and
 * the errno in words. */
#pragma once

#include <errno.h>

enum { JAIL_ERROR_MESSAGE_MAX = 1024 };

struct jail_error {
	int code; /* positive errno; 0: nothing failed */
	char message[JAIL_ERROR_MESSAGE_MAX];
};

/* Fills *err with code (positive errno) and the formatted message, truncated to fit. Returns -code, and a
 * negative number whatever code is: no caller mistakes a failure for success. */
#define jail_error_set(...) jail_error_negative(jail_error_fill(__VA_ARGS__))

/* Like jail_error_set, with ": " and strerror(code) behind the message. */
#define jail_error_sys(...) jail_error_negative(jail_error_fill_sys(__VA_ARGS__))

/* Puts the formatted text and ": " before the message that *err already has. Returns -err->code. */
#define jail_error_prefix(...) jail_error_negative(jail_error_fill_prefix(__VA_ARGS__))

int jail_error_fill(struct jail_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int jail_error_fill_sys(struct jail_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int jail_error_fill_prefix(struct jail_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline int jail_error_negative(int code)
{
	return code < 0 ? code : -EIO;
}
