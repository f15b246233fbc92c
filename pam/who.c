#include "pam/who.h"

#include <security/pam_ext.h>
#include <syslog.h>

int who_is(pam_handle_t *pamh, const char *name, const struct options *options, struct jail_account *ret,
	   struct jail_error *err)
{
	struct jail_error warning = {0};
	int r = jail_who_is(name, options->breakglass, ret, &warning, err);
	if (warning.code != 0)
		pam_syslog(pamh, LOG_WARNING, "nobody is let in as a member of %s: %s", options->breakglass,
			   warning.message);
	return r;
}
