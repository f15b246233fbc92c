/* The manifest: what the agent made in and above roots, so that it can take away exactly that.
 *
 * One line each, sorted: "r /path" a root, "d /path" a directory, "f /path" an empty file, "l /path" a
 * symlink; paths escaped as in mountinfo. It is written before what it names is made, and after what it
 * names is gone: a line too many is harmless, one too few is a directory that stays for ever. */
#pragma once

#include "lib/view/plan.h"

struct jail_manifest {
	struct jail_made *made; /* sorted by path (lib/view/order.h), once each */
	size_t n_made;
	size_t n_sorted; /* internal: of made; the rest was added since */
};

/* A file that is not there is an empty manifest. Errors: -EBADMSG with the line's number, -EPERM not root's
 * alone, other errno. present is not filled in. */
int jail_manifest_read(const char *path, struct jail_manifest *ret, struct jail_error *err);
/* Replaces the file if it differs. *ret_changed may be NULL. */
int jail_manifest_write(const char *path, const struct jail_manifest *manifest, bool *ret_changed,
			struct jail_error *err);
/* NULL when there is none. */
struct jail_made *jail_manifest_find(const struct jail_manifest *manifest, const char *path);
/* Adds a line, or changes the type of the one that is there. jail_manifest_sort must follow before the next
 * find. 0 or -ENOMEM. */
int jail_manifest_add(struct jail_manifest *manifest, char type, const char *path);
void jail_manifest_sort(struct jail_manifest *manifest);
void jail_manifest_drop(struct jail_manifest *manifest, const char *path);
/* A copy of what an observation has. 0 or -ENOMEM. */
int jail_manifest_copy(const struct jail_made *made, size_t n_made, struct jail_manifest *ret);
void jail_manifest_release(struct jail_manifest *manifest);
#define jail_automanifest __attribute__((cleanup(jail_manifest_release)))
