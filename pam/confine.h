/* What the policy says about an ordinary user's session, carried out. */
#pragma once

#include <security/pam_modules.h>
#include "lib/base/error.h"
#include "lib/policy/account.h"
#include "pam/options.h"

/* The session is as the policy wants it when 0 is returned: left as it is, or put into its view. Otherwise
 * negative errno with the reason, and the thread is where it was. account's groups are filled in on the way
 * when the policy has rules about groups. */
int confine(pam_handle_t *pamh, const struct options *options, struct jail_account *account,
	    struct jail_error *err);
