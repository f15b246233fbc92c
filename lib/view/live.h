/* Namespace views that are open on this node, and bringing them to what the policy says now. */
#pragma once

#include "lib/policy/cache.h"
#include "lib/view/mountinfo.h"
#include "lib/view/view.h"

struct jail_live {
	char *jail; /* and whose it is, by its marker */
	uid_t uid;
	pid_t pid;   /* some process in it */
	ino_t inode; /* of its mount namespace */
};

struct jail_lives {
	struct jail_live *lives;
	size_t n;
};

/* Looks through /proc for mount namespaces whose marker is one of those below the marker directory; nothing
 * is kept, and no namespace held. Those that a user made inside a view are found too, as long as they have
 * its root. Errors: -ENOMEM, errno of /proc. */
int jail_lives_find(const struct jail_places_of_node *places, struct jail_lives *ret, struct jail_error *err);
void jail_lives_release(struct jail_lives *lives);
#define jail_autolives __attribute__((cleanup(jail_lives_release)))

enum jail_live_act {
	JAIL_LIVE_KEEP = 0,
	JAIL_LIVE_ADD, /* mount the entry: it is missing, or something else stands there */
};

/* What would have to change. drop: mount points of what earlier versions of the view mounted, to be detached;
 * covers first those that take something away (binds in a hide), then those that only hid. */
struct jail_live_plan {
	enum jail_live_act *acts; /* [entry] of the view */
	size_t n_add;
	char **denied; /* binds in a hide */
	size_t n_denied;
	char **granted; /* hides and private directories that the policy has no more */
	size_t n_granted;
};

/* Pure. session: the namespace's mount table, host: the node's. A tmpfs or proc of an earlier version that
 * the policy has no more stays: it hides nothing of anybody's. Errors: -ENOMEM. */
int jail_live_plan_make(const struct jail_view *view, const struct jail_places_of_node *places, uid_t owner,
			const struct jail_mount_table *session, const struct jail_mount_table *host,
			struct jail_live_plan *ret, struct jail_error *err);
bool jail_live_plan_is_empty(const struct jail_live_plan *plan);
void jail_live_plan_release(struct jail_live_plan *plan);
#define jail_autoliveplan __attribute__((cleanup(jail_live_plan_release)))

/* Carries the plan out in the namespace of live. The calling process moves there and does not come back: for
 * a child. What is hidden is hidden first, and nothing that the policy hides is uncovered in between. Needs
 * open_tree and mount_setattr (Linux 5.12): -ENOSYS. -ESTALE the namespace is gone. */
int jail_live_apply(const struct jail_live *live, const struct jail_view *view,
		    const struct jail_places_of_node *places, const struct jail_live_plan *plan,
		    struct jail_error *err);
