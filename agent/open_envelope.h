/* From an envelope's bytes to its parts, in a child without privileges: JSON and base64 that nobody has
 * authenticated yet. Root then verifies the signatures over the parts. */
#pragma once

#include "lib/wire/dsse.h"

/* Errors: -EBADMSG no envelope, with the reason; those of jail_sandbox_run. */
int jail_open_envelope(const struct jail_buffer *bytes, struct jail_envelope *ret, struct jail_error *err);
