/* The thin edge around the plan: look at the node, carry the plan out. Used by the agent only. */
#pragma once

#include "lib/view/plan.h"

struct jail_node {
	const char *roots_dir;	    /* state/roots: 0700, self-bound, unbindable */
	const char *marker_dir;	    /* run/marker: 0700 */
	const char *private_memory; /* run/private: memory of its own, by a mount that systemd makes; NULL:
				       none */
	const char
		*manifest; /* state/made: what the agent made in roots; replaced atomically when it changes */
};

/* Sources that did not answer in time, sorted. */
struct jail_silence {
	char **paths;
	size_t n;
};

struct jail_observation {
	struct jail_mount_table table;
	struct jail_fact **facts; /* [view][entry] */
	size_t *n_facts;	  /* [view] */
	size_t n_views;
	struct jail_made *made;
	size_t n_made;
	struct jail_plan plan;
	struct jail_silence silence; /* they count as ETIMEDOUT, and nothing else touched them */
};

/* Probes every source, reads mountinfo and the manifest, makes the plan. Changes nothing (but an automount
 * on the way to a source happens). A source whose server is dead costs seconds, once: *ret is empty or an
 * earlier observation, which is released, and what was silent then is not asked again. On failure *ret is
 * empty. Errors: what makes looking itself impossible; a source that can't be used
 * is a problem in the plan. */
int jail_observe(const struct jail_node *node, const struct jail_views *views, struct jail_observation *ret,
		 struct jail_error *err);
void jail_observation_release(struct jail_observation *observation);
#define jail_autoobservation __attribute__((cleanup(jail_observation_release)))

struct jail_applied {
	size_t mounts, unmounts, others; /* calls that changed something */
	size_t failures;		 /* actions that failed; each is in messages */
	char **messages;
	size_t n_messages;
};

/* Carries out plan.grant. An action that fails is reported and the rest goes on (0 is returned), but a view
 * with a failed or unusable entry that jail_entry_breaks loses its marker, so that no session enters it.
 * Errors: what keeps it from beginning (the manifest can't be written). A missing mount point is made by
 * descriptor, and written to the manifest before it is made. Plain binds: open_tree(CLONE|RECURSIVE), made
 * slave, move_mount; with options: the same, private, options on every submount, read back. Kernels without
 * these calls: mount(2) through /proc/self/fd. */
int jail_apply_grant(const struct jail_node *node, const struct jail_views *views,
		     const struct jail_observation *observation, struct jail_applied *ret,
		     struct jail_error *err);
/* Carries out plan.revoke: detach (MNT_DETACH: busy or not), prove from mountinfo that nothing is mounted
 * below, rmdir / unlinkat. A directory that is not empty stays, with a message, and is forgotten. */
int jail_apply_revoke(const struct jail_node *node, const struct jail_views *views,
		      const struct jail_observation *observation, struct jail_applied *ret,
		      struct jail_error *err);
void jail_applied_release(struct jail_applied *applied);

/* Takes everything back: every mount below every root of the manifest and of roots_dir, mount points, roots,
 * the self-binds; markers, and the memory of private directories with what is in it. What is still mounted
 * stops it (-EBUSY, path in err); can be run again after being killed at any point. */
int jail_teardown(const struct jail_node *node, struct jail_applied *ret, struct jail_error *err);

/* Whether anything is in the private directories below base (jail_private_open). */
bool jail_private_holds(const char *base);

/* The observation must be of these views; it is taken before or after an apply, and tells what was seen then.
 * SHA-256-able text of what is observed, the same on every node that enforces the same views: for each view
 * sorted lines "root target kind source options" of what is really there (a mismatch gives "drift", an absent
 * optional "absent", one that can't be had "unusable"), and for each user "user root". No device numbers, no
 * order of the kernel's. */
int jail_observation_text(const struct jail_views *views, const struct jail_observation *observation,
			  struct jail_buffer *ret, struct jail_error *err);
