/* One entry at a time from the name service, by way of the reentrant calls of libc; private to lib/policy.
 *
 * All return 1 found, 0 not found (which a name service that is away may say as well), or negative errno. */
#pragma once

#include <sys/types.h>
#include "lib/policy/cache.h"

struct nss_user {
	char *name; /* pw_name */
	char *home;
	uid_t uid;
	gid_t gid;
};

int nss_user_by_name(const char *name, struct nss_user *ret);
int nss_user_by_uid(uid_t uid, struct nss_user *ret);
void nss_user_release(struct nss_user *user);
#define autonssuser __attribute__((cleanup(nss_user_release)))

/* Copies of name and users (NULL-terminated; NULL: none). 0, or -ENOMEM with *ret as it was. */
int nss_group_copy(const char *name, gid_t gid, char *const *users, struct jail_cache_group *ret);
int nss_group_add_user(struct jail_cache_group *group, const char *user);
void nss_group_release(struct jail_cache_group *group);
#define autonssgroup __attribute__((cleanup(nss_group_release)))

/* With gr_mem as users. */
int nss_group_by_name(const char *name, struct jail_cache_group *ret);
int nss_group_name(gid_t gid, char **ret_name);
