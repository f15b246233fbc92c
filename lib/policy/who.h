/* Whose session it is, and who is never confined nor refused: the same at every door. */
#pragma once

#include "lib/policy/account.h"

enum jail_who {
	JAIL_WHO_FREE = 1,     /* uid 0 or break-glass: the policy is not even looked at */
	JAIL_WHO_ORDINARY = 2, /* *ret is filled */
};

/* name: as typed. breakglass: the local group. Returns enum jail_who or negative errno: an account that NSS
 * does not tell, or whose name is not its own (jail_account_get). *ret_warning, whatever is returned: code is
 * not 0 when /etc/group can't be read, so that nobody was let in as a member. */
int jail_who_is(const char *name, const char *breakglass, struct jail_account *ret,
		struct jail_error *ret_warning, struct jail_error *err);

/* The same by uid: of that uid, and of its name, are the account. Errors besides: -ENOENT the uid has no
 * name. */
int jail_who_has(uid_t uid, const char *breakglass, struct jail_account *ret, struct jail_error *ret_warning,
		 struct jail_error *err);
