/* A session's user as the system knows them: the rules on identity of DESIGN.md. Uses NSS through libc; no
 * process-wide state is changed, and it is safe in a multithreaded caller (slurmstepd). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "lib/base/error.h"
#include "lib/policy/cache.h"

struct jail_account {
	char *user;  /* pw_name */
	char *group; /* name of the primary group; NULL before it was asked for, or when NSS does not tell
		      */
	char *home;
	uid_t uid;
	gid_t gid;
	char **groups;
	size_t n_groups;
	gid_t *gids;
	size_t n_gids;
	size_t n_foreign; /* of groups, at the end: the process's alone */
};

/* Looks name up. The canonical identity is pw_name of getpwnam(name) and of getpwuid of its uid; when
 * they differ (a second name on a uid, a name service that repeats another spelling), or the uid has no name,
 * -EPERM; not asked for uid 0. Errors: -ENOENT unknown user, other errno of getpwnam_r (an NSS failure).
 * Neither group nor groups are filled in yet: sessions that no group rule concerns do not pay for them; a
 * template's %g is the member's in the cache (jail_cache_member_find). */
int jail_account_get(const char *name, struct jail_account *ret, struct jail_error *err);

/* Fills in group, groups and gids from getgrouplist(3), and from the process's own (getgroups(2), getegid(2))
 * when process_groups: these can confine and not exempt (struct jail_identity). A group without a name keeps
 * its number in gids only. */
int jail_account_groups(struct jail_account *account, bool process_groups, struct jail_error *err);

/* After that: more groups, which a session has and NSS need not give for the user; they count as the
 * process's own do. */
int jail_account_add_groups(struct jail_account *account, const gid_t *gids, size_t n_gids,
			    struct jail_error *err);

/* identity points into account. */
void jail_account_identity(const struct jail_account *account, struct jail_identity *ret);
void jail_account_release(struct jail_account *account);
#define jail_autoaccount __attribute__((cleanup(jail_account_release)))

/* Whether user is a member of the local group in group_file (normally /etc/group), read without NSS, so
 * that break-glass works when NSS does not. Returns 1, 0, or negative errno (file unreadable, or not root's
 * alone to write: jail_file_read_trusted).
 * The primary group counts when the user's gid equals the group's. */
int jail_breakglass_member(const char *group_file, const char *group, const char *user, gid_t gid,
			   struct jail_error *err);
