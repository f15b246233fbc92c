/* Whose session this is, and who is never confined nor refused. */
#pragma once

#include <security/pam_modules.h>
#include "lib/policy/who.h"
#include "pam/options.h"

/* jail_who_is, its warning logged. name: PAM_USER, as typed. */
int who_is(pam_handle_t *pamh, const char *name, const struct options *options, struct jail_account *ret,
	   struct jail_error *err);
