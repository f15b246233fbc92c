#include "lib/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats into *err by way of the stack: arguments may point into err->message itself. */
static void fill(struct jail_error *err, int code, const char *suffix, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

static void fill(struct jail_error *err, int code, const char *suffix, const char *format, va_list args)
{
	char text[JAIL_ERROR_MESSAGE_MAX];

	int len = vsnprintf(text, sizeof text, format, args);
	if (len < 0) {
		text[0] = '\0';
		len = 0;
	}
	if (suffix && (size_t)len < sizeof text)
		(void)snprintf(text + len, sizeof text - (size_t)len, ": %s", suffix);
	err->code = code;
	memcpy(err->message, text, sizeof text);
}

int jail_error_fill(struct jail_error *err, int code, const char *format, ...)
{
	if (err) {
		int saved = errno;
		va_list args;
		va_start(args, format);
		fill(err, code, NULL, format, args);
		va_end(args);
		errno = saved;
	}
	return -code;
}

int jail_error_fill_sys(struct jail_error *err, int code, const char *format, ...)
{
	if (err) {
		int saved = errno;
		char words[128];
		const char *suffix = strerror_r(code, words, sizeof words);
		va_list args;
		va_start(args, format);
		fill(err, code, suffix, format, args);
		va_end(args);
		errno = saved;
	}
	return -code;
}

int jail_error_fill_prefix(struct jail_error *err, const char *format, ...)
{
	if (!err)
		return -EINVAL;
	int saved = errno;
	char old[JAIL_ERROR_MESSAGE_MAX];
	memcpy(old, err->message, sizeof old);
	va_list args;
	va_start(args, format);
	fill(err, err->code, old, format, args);
	va_end(args);
	errno = saved;
	return -err->code;
}
