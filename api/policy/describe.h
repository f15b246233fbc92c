/* Jails, mounts and rules in words, for diff and explain. */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/policy/model.h"

/* Reads a policy, or the payload of an envelope (then *ret_envelope, and no signature is verified). Every
 * problem of it goes to stderr with its place. Errors: those of reading; -EINVAL it has errors. */
int jail_load_policy(const char *path, struct jail_policy *ret, bool *ret_envelope, struct jail_error *err);

/* "bind /opt from /data/opt (ro,nosuid), if it is there". target and from stand for the mount's own. -ENOMEM.
 */
int jail_describe_mount(const struct jail_mount *mount, const char *target, const char *from,
			struct jail_buffer *ret);
/* "chroot to /x", or that a session's view is the host's. root stands for the jail's own. -ENOMEM. */
int jail_describe_confinement(enum jail_confine confine, const char *root, struct jail_buffer *ret);
/* "users foo, bar on login[1-2]: jail partner", with all names, or the first few. -ENOMEM. */
int jail_describe_rule(const struct jail_policy *policy, const struct jail_rule *rule, size_t names_max,
		       struct jail_buffer *ret);
/* "jail partner" or "not confined". -ENOMEM. */
int jail_describe_place(const struct jail_policy *policy, ssize_t jail, struct jail_buffer *ret);
/* "users", "groups", "match". */
const char *jail_rule_kind_name(enum jail_rule_kind kind);
