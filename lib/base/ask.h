/* Asking file systems whether they answer.
 *
 * A path on a server that is dead (NFS, FUSE, an automount) holds whoever touches it, for hours, in a system
 * call that has no time limit. So a child touches first, which can be left behind: what it has touched is
 * taken for safe, and what it does not come back from is not touched by this process at all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/error.h"

struct jail_ask {
	const char *path;
	uint64_t group; /* paths that probably fall silent together: after one of them the others come last */
	bool silent;	/* result */

	bool answered, later; /* internal; false */
};

/* The answer to the first question may take JAIL_ASK_FIRST_MS after the one before it; once something was
 * silent the next have JAIL_ASK_NEXT_MS each. After JAIL_ASK_SILENT_MAX of them all that is left counts as
 * silent. So it takes 8 s at most, and in that time every group was asked that no dead one kept waiting. */
enum { JAIL_ASK_FIRST_MS = 5000, JAIL_ASK_NEXT_MS = 1000, JAIL_ASK_SILENT_MAX = 4 };

/* Calls touch(path) in a child for each; touch must not change anything. The child holds no descriptor of
 * this process, so that no lock or pipe stays with one that can't be killed. Errors: -EMFILE and others of
 * pipe(2) and fork(2). */
int jail_ask(struct jail_ask *asks, size_t n, void (*touch)(const char *path), struct jail_error *err);

/* For group: the same for paths in one directory. */
uint64_t jail_ask_directory(const char *path);

/* Closes every descriptor from first on. */
void jail_fds_close_from(int first);
