/* Base64 (RFC 4648), as DSSE uses it: standard and URL-safe alphabets are read, standard is written. */
#pragma once

#include <stddef.h>
#include "lib/base/buffer.h"

/* Appends the decoded bytes. Strict: padded, no white space, unused bits zero, one of the alphabets
 * throughout. Errors: -EBADMSG, -ENOMEM; *ret is then as it was. */
int jail_base64_decode(const char *text, size_t len, struct jail_buffer *ret);
/* Appends the encoded text. -ENOMEM. */
int jail_base64_encode(const void *data, size_t len, struct jail_buffer *ret);
