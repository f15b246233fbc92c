/* Whose session this is, and who is never confined nor refused. */
#pragma once

#include <security/pam_modules.h>
#include "lib/policy/account.h"
#include "pam/options.h"

enum who {
	WHO_FREE = 1,	  /* uid 0 or break-glass: the policy is not even looked at */
	WHO_ORDINARY = 2, /* *ret is filled */
};

/* name: PAM_USER, as typed. Returns enum who or negative errno: an account that NSS does not tell, or whose
 * name is not its own (jail_account_get). */
int who_is(pam_handle_t *pamh, const char *name, const struct options *options, struct jail_account *ret,
	   struct jail_error *err);
