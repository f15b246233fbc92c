/* Sources that do not answer, found out before anything of this process touches them. Private to lib/view. */
#pragma once

#include "lib/view/sync.h"

/* Adds to silence every source of views that does not answer now (lib/base/ask.h); what is in it already is
 * not asked again. Does nothing where the table shows no file system that can fall silent.
 * Errors: -ENOMEM, and those of jail_ask. */
int jail_silence_ask(struct jail_silence *silence, const struct jail_views *views,
		     const struct jail_mount_table *table, struct jail_error *err);
bool jail_silence_has(const struct jail_silence *silence, const char *source);
void jail_silence_release(struct jail_silence *silence);
