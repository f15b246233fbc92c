#include "lib/policy/nss.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

enum { BUFFER_MAX = 1 << 26 };

/* Runs an NSS function again with a larger buffer as long as it asks for one. call: 0 or errno. */
#define NSS_CALL(buffer, size, call)                                                                         \
	({                                                                                                   \
		int nss_r_ = ENOMEM;                                                                         \
		for ((size) = 1024; (size) <= BUFFER_MAX; (size) *= 4) {                                     \
			char *nss_grown_ = realloc((buffer), (size));                                        \
			if (!nss_grown_) {                                                                   \
				nss_r_ = ENOMEM;                                                             \
				break;                                                                       \
			}                                                                                    \
			(buffer) = nss_grown_;                                                               \
			do                                                                                   \
				nss_r_ = (call);                                                             \
			while (nss_r_ == EINTR);                                                             \
			if (nss_r_ != ERANGE)                                                                \
				break;                                                                       \
		}                                                                                            \
		nss_r_;                                                                                      \
	})

/* For calls that found nothing: getpwnam(3) lists errors that mean no more than that. */
static int not_found(int r)
{
	return r == ENOENT || r == ESRCH ? 0 : -r;
}

static int copy_user(const struct passwd *pw, struct nss_user *ret)
{
	autonssuser struct nss_user user = {.uid = pw->pw_uid, .gid = pw->pw_gid};
	user.name = strdup(pw->pw_name);
	user.home = strdup(pw->pw_dir ? pw->pw_dir : "");
	if (!user.name || !user.home)
		return -ENOMEM;
	*ret = (struct nss_user){
		.name = JAIL_STEAL_PTR(user.name),
		.home = JAIL_STEAL_PTR(user.home),
		.uid = user.uid,
		.gid = user.gid,
	};
	return 1;
}

int nss_user_by_name(const char *name, struct nss_user *ret)
{
	jail_autofree char *buffer = NULL;
	struct passwd pw;
	struct passwd *found = NULL;
	size_t size;

	int r = NSS_CALL(buffer, size, getpwnam_r(name, &pw, buffer, size, &found));
	return found ? copy_user(found, ret) : not_found(r);
}

int nss_user_by_uid(uid_t uid, struct nss_user *ret)
{
	jail_autofree char *buffer = NULL;
	struct passwd pw;
	struct passwd *found = NULL;
	size_t size;

	int r = NSS_CALL(buffer, size, getpwuid_r(uid, &pw, buffer, size, &found));
	return found ? copy_user(found, ret) : not_found(r);
}

void nss_user_release(struct nss_user *user)
{
	free(user->name);
	free(user->home);
	*user = (struct nss_user){0};
}

int nss_group_add_user(struct jail_cache_group *group, const char *user)
{
	char *copy = strdup(user);
	char **slot = copy ? JAIL_ARRAY_PUSH(group->users, group->n_users) : NULL;
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = copy;
	group->n_users++;
	return 0;
}

int nss_group_copy(const char *name, gid_t gid, char *const *users, struct jail_cache_group *ret)
{
	autonssgroup struct jail_cache_group group = {.name = strdup(name), .gid = gid};
	if (!group.name)
		return -ENOMEM;
	for (; users && *users; users++) {
		if (nss_group_add_user(&group, *users) < 0)
			return -ENOMEM;
	}
	*ret = group;
	group = (struct jail_cache_group){0};
	return 0;
}

void nss_group_release(struct jail_cache_group *group)
{
	for (size_t i = 0; i < group->n_users; i++)
		free(group->users[i]);
	free((void *)group->users);
	free(group->since);
	free(group->name);
	*group = (struct jail_cache_group){0};
}

int nss_group_by_name(const char *name, struct jail_cache_group *ret)
{
	jail_autofree char *buffer = NULL;
	struct group gr;
	struct group *found = NULL;
	size_t size;

	int r = NSS_CALL(buffer, size, getgrnam_r(name, &gr, buffer, size, &found));
	if (!found)
		return not_found(r);
	r = nss_group_copy(found->gr_name, found->gr_gid, found->gr_mem, ret);
	return r < 0 ? r : 1;
}

int nss_group_name(gid_t gid, char **ret_name)
{
	jail_autofree char *buffer = NULL;
	struct group gr;
	struct group *found = NULL;
	size_t size;

	int r = NSS_CALL(buffer, size, getgrgid_r(gid, &gr, buffer, size, &found));
	if (!found)
		return not_found(r);
	char *name = strdup(found->gr_name);
	if (!name)
		return -ENOMEM;
	*ret_name = name;
	return 1;
}
