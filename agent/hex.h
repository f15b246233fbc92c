/* Sums as text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* text: exactly 2 * n of 0-9a-f. */
bool jail_hex_parse(const char *text, uint8_t *ret, size_t n);
