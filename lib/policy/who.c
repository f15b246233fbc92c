#include "lib/policy/who.h"

#include <errno.h>
#include <string.h>
#include "lib/policy/nss.h"

static bool breaks_glass(const char *group, const char *user, gid_t gid, struct jail_error *ret_warning)
{
	return jail_breakglass_member("/etc/group", group, user, gid, ret_warning) == 1;
}

/* An account that may not be confined by its name can still be root, or somebody who breaks the glass: they
 * must get in above all when names can't be had. */
static bool is_free_all_the_same(const char *name, const char *breakglass, struct jail_error *ret_warning)
{
	autonssuser struct nss_user user = {0};
	if (nss_user_by_name(name, &user) == 1)
		return user.uid == 0 || breaks_glass(breakglass, user.name, user.gid, ret_warning);
	return strcmp(name, "root") == 0 || breaks_glass(breakglass, name, (gid_t)-1, ret_warning);
}

int jail_who_is(const char *name, const char *breakglass, struct jail_account *ret,
		struct jail_error *ret_warning, struct jail_error *err)
{
	jail_autoaccount struct jail_account account = {0};

	ret_warning->code = 0;
	int r = jail_account_get(name, &account, err);
	if (r < 0)
		return is_free_all_the_same(name, breakglass, ret_warning) ? JAIL_WHO_FREE : r;
	if (account.uid == 0 || breaks_glass(breakglass, account.user, account.gid, ret_warning))
		return JAIL_WHO_FREE;
	*ret = account;
	account = (struct jail_account){0};
	return JAIL_WHO_ORDINARY;
}

int jail_who_has(uid_t uid, const char *breakglass, struct jail_account *ret, struct jail_error *ret_warning,
		 struct jail_error *err)
{
	autonssuser struct nss_user user = {0};

	ret_warning->code = 0;
	if (uid == 0)
		return JAIL_WHO_FREE;
	int r = nss_user_by_uid(uid, &user);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot look up uid %u", (unsigned)uid);
	if (r == 0)
		return jail_error_set(err, ENOENT, "uid %u has no name", (unsigned)uid);
	if (breaks_glass(breakglass, user.name, user.gid, ret_warning))
		return JAIL_WHO_FREE;
	jail_autoaccount struct jail_account account = {0};
	r = jail_account_get(user.name, &account, err);
	if (r < 0)
		return r;
	if (account.uid != uid)
		return jail_error_set(err, EPERM, "uid %u is called %.100s, whose uid is %u", (unsigned)uid,
				      user.name, (unsigned)account.uid);
	*ret = account;
	account = (struct jail_account){0};
	return JAIL_WHO_ORDINARY;
}
