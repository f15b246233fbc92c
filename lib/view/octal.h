/* Paths on a line: space, tab, newline, backslash and other control characters as \ooo, as in mountinfo and
 * fstab(5). */
#pragma once

#include "lib/base/buffer.h"

/* In place: the result is never longer. */
void jail_octal_unescape(char *text);
/* 0 or -ENOMEM. */
int jail_octal_escape(struct jail_buffer *buffer, const char *text);
