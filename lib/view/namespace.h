/* A view in a mount namespace of the session's own: the host as it is, minus what is hidden. */
#pragma once

#include "lib/policy/cache.h"
#include "lib/view/view.h"

/* The view of one member of a namespace jail. Its root is "/", its marker stands on the node's run directory
 * and comes from a directory of the member's own below the marker directory. A plain bind of a place on
 * itself that nothing covers is left out: it is there. Pure. Errors: those of jail_view_build; -EINVAL
 * places that the cache lacks. */
int jail_namespace_view_build(const struct jail_cache *cache, size_t jail, const struct jail_member *member,
			      struct jail_view *ret, struct jail_error *err);

/* Makes the view in the calling thread's mount namespace, which has to be nobody else's and a slave of the
 * host's: no process may be in it while what is to be hidden can still be seen. All sources are opened
 * before the first mount. Missing mount points are made in what the view itself mounts, never on the host.
 * places: of the cache, owner: whose private directories are meant. Errors name the target; what was mounted
 * stays, and the namespace is to be given up. */
int jail_namespace_mount(const struct jail_view *view, const struct jail_places_of_node *places, uid_t owner,
			 struct jail_error *err);

/* Opens (O_PATH) the directory that stands for target in a member's sessions, and makes it where it is
 * missing: BASE/UID/target, as systemd-escape --path writes it, base and UID root's alone. It is root's, of
 * mode; nosuid and nodev come with the mount. Errors: -EPERM something there is not root's; errno. */
int jail_private_open(const char *base, uid_t owner, const char *target, mode_t mode, int *ret_fd,
		      struct jail_error *err);
/* Its path; caller frees; NULL: ENOMEM. */
char *jail_private_path(const char *base, uid_t owner, const char *target);
