/* One user's session at a door: what the policy says of it, and the way into its view. pam/ and slurm/ are
 * this, with arguments and codes of their own. */
#pragma once

#include <stdbool.h>
#include "lib/base/error.h"
#include "lib/policy/account.h"
#include "lib/policy/cache.h"
#include "lib/view/enter.h"

/* The caller sets the first three, the rest is 0. */
struct jail_subject {
	struct jail_account *account;
	const char *run;	/* the agent's run directory, as the door knows it */
	const char *breakglass; /* for messages */
	struct jail_cache *cache;
	struct jail_verdict verdict;
	struct jail_cache_jail jail; /* where verdict.jail is one */
};

/* Opens the compiled policy. Errors: those of jail_cache_open. */
int jail_subject_open(struct jail_subject *subject, const char *cache, struct jail_error *err);
void jail_subject_release(struct jail_subject *subject);

/* Finds verdict and jail. Groups are asked for when the policy has rules about groups; process_groups as in
 * jail_account_groups; job_gids: more groups that the session has, and that NSS need not give for the user
 * (struct jail_identity, foreign); NULL: none. Errors: those of the account's groups and of the lookup;
 * -EPROTONOSUPPORT a jail that this door does not know how to enter. */
int jail_subject_look_up(struct jail_subject *subject, bool process_groups, const gid_t *job_gids,
			 size_t n_job_gids, struct jail_error *err);
bool jail_subject_is_confined(const struct jail_subject *subject);

/* Finds the way in, from the host. *view is filled for a namespace and must outlive *ret; ret->root is the
 * caller's to close. Errors: those of jail_enter_open and jail_namespace_view_build; -EINVAL the agent has
 * another run directory than the door. */
int jail_subject_door(struct jail_subject *subject, struct jail_view *view, struct jail_door *ret,
		      struct jail_error *err);

/* Chroot: what the user is to see, mount by mount (jail_view_build). */
int jail_subject_view(const struct jail_subject *subject, struct jail_view *ret, struct jail_error *err);

/* Whether this process is in the view that the user belongs into. host: jail_enter_host_root. 1, 0 or
 * negative errno. */
int jail_subject_is_at_home(const struct jail_subject *subject, int host, struct jail_error *err);

/* "who enters jail J at P (policy V, rule R)": for the log, before it happens. */
void jail_subject_describe(const struct jail_subject *subject, const struct jail_door *door, char *ret,
			   size_t size);
