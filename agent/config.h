/* agent.conf: what this node was told (DESIGN.md, "Commands"; agent.conf(5)). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lib/base/error.h"

#define JAIL_CONFIG_DEFAULT CLUSTERJAIL_SYSCONFDIR "/agent.conf"

struct jail_config {
	char *url;	    /* [policy] url; NULL: none, then only --offline works */
	char *trust;	    /* [policy] trust */
	unsigned timeout;   /* [policy] timeout, seconds for the whole fetch */
	char *node;	    /* [node] name */
	char *breakglass;   /* [node] breakglass: a group of /etc/group */
	char *state;	    /* [paths] state */
	char *run;	    /* [paths] run */
	char **chroot_conf; /* [paths] chroot_conf */
	size_t n_chroot_conf;
	bool any_namespace; /* [safety] host_namespace = any */

	/* Derived: state/policy.envelope, state/accepted.json, state/policy.cache, state/roots, state/made,
	 * run/marker, run/lock, run/status.json, run/whole (its mtime: the last unconditional GET),
	 * state/private, run/private. */
	char *envelope, *accepted, *cache, *roots, *made, *marker, *lock, *status, *whole;
	char *private_disk, *private_memory;
};

/* Reads path, which must be root's and writable by nobody else. Errors: errno of reading; -EINVAL with
 * "FILE:LINE: what" for a syntax error, an unknown section or key, a value that is none. */
int jail_config_read(const char *path, struct jail_config *ret, struct jail_error *err);
void jail_config_release(struct jail_config *config);
#define jail_autoconfig __attribute__((cleanup(jail_config_release)))
