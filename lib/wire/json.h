/* Strict JSON (RFC 8259) before cJSON sees it. cJSON keeps duplicate keys, cuts strings at \u0000, rounds
 * integers over 2^53, turns 1e400 into inf and takes invalid UTF-8; the scan refuses all of it. */
#pragma once

#include <stddef.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct jail_json_limits {
	size_t bytes;  /* of the whole text */
	size_t depth;  /* of nested arrays and objects */
	size_t values; /* of all kinds, members included */
};

#define JAIL_JSON_LIMITS_POLICY	  ((struct jail_json_limits){16u << 20, 16, 2000000})
#define JAIL_JSON_LIMITS_ENVELOPE ((struct jail_json_limits){24u << 20, 8, 4096})
#define JAIL_JSON_LIMITS_SMALL	  ((struct jail_json_limits){1u << 20, 16, 20000}) /* trust, status */

/* 0, or -EBADMSG with "LINE:COLUMN: what" in err (both from 1, columns in bytes): not UTF-8, control
 * character or \u0000 in a string, lone surrogate, duplicate key (compared after unescaping), number that is
 * no integer within +-(2^53-1), over a limit, anything trailing. */
int jail_json_scan(const char *text, size_t len, const struct jail_json_limits *limits,
		   struct jail_error *err);

/* Line and column (from 1) of the value that an RFC 6901 pointer leads to, in text that passed the scan. When
 * the last step does not exist, the place of its parent. */
void jail_json_locate(const char *text, size_t len, const char *pointer, size_t *ret_line,
		      size_t *ret_column);

/* Appends text (len bytes of UTF-8) as a JSON string, quotes included. 0 or -ENOMEM. */
int jail_json_put_string(struct jail_buffer *buffer, const char *text, size_t len);
