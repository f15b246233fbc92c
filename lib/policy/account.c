#include "lib/policy/account.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/policy/nss.h"

static int get_by_name(const char *name, struct jail_account *account, struct jail_error *err)
{
	struct nss_user user;
	int r = nss_user_by_name(name, &user);
	if (r == 0)
		return jail_error_set(err, ENOENT, "there is no user \"%.100s\"", name);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot look up the user \"%.100s\"", name);
	account->uid = user.uid;
	account->gid = user.gid;
	account->user = user.name;
	account->home = user.home;
	return 0;
}

/* The name that the uid has must be the name that the name has: else a second name on a confined user's uid
 * would be a way around the rules. */
static int check_name_of_uid(const struct jail_account *account, struct jail_error *err)
{
	autonssuser struct nss_user user = {0};
	int r = nss_user_by_uid(account->uid, &user);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot look up uid %u", (unsigned)account->uid);
	if (r == 0)
		return jail_error_set(err, EPERM, "the user %.100s has uid %u, but that uid has no name",
				      account->user, (unsigned)account->uid);
	if (strcmp(user.name, account->user) != 0)
		return jail_error_set(err, EPERM, "the user %.100s has the uid %u of %.100s", account->user,
				      (unsigned)account->uid, user.name);
	return 0;
}

int jail_account_get(const char *name, struct jail_account *ret, struct jail_error *err)
{
	jail_autoaccount struct jail_account account = {0};

	int r = get_by_name(name, &account, err);
	/* uid 0 is never confined, whatever it is called. */
	if (r == 0 && account.uid != 0)
		r = check_name_of_uid(&account, err);
	if (r < 0)
		return r;
	*ret = account;
	account = (struct jail_account){0};
	return 0;
}

static int add_gid(struct jail_account *account, gid_t gid)
{
	for (size_t i = 0; i < account->n_gids; i++) {
		if (account->gids[i] == gid)
			return 0;
	}
	gid_t *slot = JAIL_ARRAY_PUSH(account->gids, account->n_gids);
	if (!slot)
		return -ENOMEM;
	*slot = gid;
	account->n_gids++;
	return 0;
}

static int add_listed_gids(struct jail_account *account)
{
	int capacity = 64;
	for (;;) {
		jail_autofree gid_t *gids = calloc((size_t)capacity, sizeof *gids);
		if (!gids)
			return -ENOMEM;
		int n = capacity;
		if (getgrouplist(account->user, account->gid, gids, &n) >= 0) {
			int r = 0;
			for (int i = 0; i < n && r == 0; i++)
				r = add_gid(account, gids[i]);
			return r;
		}
		/* n is what it takes; -1 with room enough is a lack of memory. */
		if (n <= capacity)
			return -ENOMEM;
		capacity = n;
	}
}

static int add_process_gids(struct jail_account *account)
{
	int n = getgroups(0, NULL);
	if (n < 0)
		return -errno;
	jail_autofree gid_t *gids = calloc((size_t)n + 1, sizeof *gids);
	if (!gids)
		return -ENOMEM;
	n = getgroups(n, gids);
	if (n < 0)
		return -errno;
	int r = add_gid(account, getegid());
	for (int i = 0; i < n && r == 0; i++)
		r = add_gid(account, gids[i]);
	return r;
}

/* A group that NSS does not name stays a number. */
static int add_name(struct jail_account *account, gid_t gid)
{
	jail_autofree char *name = NULL;
	int r = nss_group_name(gid, &name);
	if (r <= 0)
		return r == -ENOMEM ? r : 0;
	if (gid == account->gid && !account->group) {
		account->group = strdup(name);
		if (!account->group)
			return -ENOMEM;
	}
	char **slot = JAIL_ARRAY_PUSH(account->groups, account->n_groups);
	if (!slot)
		return -ENOMEM;
	*slot = JAIL_STEAL_PTR(name);
	account->n_groups++;
	return 0;
}

/* The names of gids[first] and those behind it; they are foreign from number n_own on. */
static int add_names(struct jail_account *account, size_t first, size_t n_own)
{
	int r = 0;
	for (size_t i = first; i < account->n_gids && r == 0; i++) {
		size_t before = account->n_groups;
		r = add_name(account, account->gids[i]);
		if (i >= n_own)
			account->n_foreign += account->n_groups - before;
	}
	return r;
}

static int groups_failed(const struct jail_account *account, int r, struct jail_error *err)
{
	return jail_error_sys(err, -r, "cannot find out the groups of %.100s", account->user);
}

int jail_account_groups(struct jail_account *account, bool process_groups, struct jail_error *err)
{
	int r = add_gid(account, account->gid);
	if (r == 0)
		r = add_listed_gids(account);
	size_t n_own = account->n_gids;
	if (r == 0 && process_groups)
		r = add_process_gids(account);
	if (r == 0)
		r = add_names(account, 0, n_own);
	return r < 0 ? groups_failed(account, r, err) : 0;
}

int jail_account_add_groups(struct jail_account *account, const gid_t *gids, size_t n_gids,
			    struct jail_error *err)
{
	size_t known = account->n_gids;
	int r = 0;
	for (size_t i = 0; i < n_gids && r == 0; i++)
		r = add_gid(account, gids[i]);
	if (r == 0)
		r = add_names(account, known, known);
	return r < 0 ? groups_failed(account, r, err) : 0;
}

void jail_account_identity(const struct jail_account *account, struct jail_identity *ret)
{
	*ret = (struct jail_identity){
		.user = account->user,
		.groups = (const char *const *)account->groups,
		.n_groups = account->n_groups,
		.gids = account->gids,
		.n_gids = account->n_gids,
		.n_foreign = account->n_foreign,
	};
}

void jail_account_release(struct jail_account *account)
{
	for (size_t i = 0; i < account->n_groups; i++)
		free(account->groups[i]);
	free((void *)account->groups);
	free(account->gids);
	free(account->user);
	free(account->group);
	free(account->home);
	*account = (struct jail_account){0};
}
