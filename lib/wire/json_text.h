/* Small readers of JSON text, shared by the scan, the look-up of places and nobody else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lib/base/buffer.h"

/* Skips the four kinds of white space of RFC 8259, section 2. */
const char *jail_json_skip_space(const char *p, const char *end);

/* p is at the opening quote of a string that passed the scan: appends its unescaped bytes to *ret.
 * Returns 0 or -ENOMEM, and the place behind the closing quote in *ret_next. */
int jail_json_string_decode(const char *p, struct jail_buffer *ret, const char **ret_next);

/* Length of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7: no overlong form, no surrogate,
 * nothing over U+10FFFF), or 0. */
size_t jail_json_utf8_length(const char *p, const char *end);

/* Value of four hexadecimal digits at p, or -1. */
int jail_json_hex4(const char *p, const char *end);

/* Line and column, both from 1, the column in bytes, of at, which lies in or at the end of text. */
void jail_json_place(const char *text, const char *at, size_t *ret_line, size_t *ret_column);
