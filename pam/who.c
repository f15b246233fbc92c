#include "pam/who.h"

#include <errno.h>
#include <security/pam_modutil.h>
#include <string.h>
#include <syslog.h>
#include <security/pam_ext.h>

static bool breaks_glass(pam_handle_t *pamh, const struct options *options, const char *user, gid_t gid)
{
	struct jail_error err;
	int r = jail_breakglass_member("/etc/group", options->breakglass, user, gid, &err);
	if (r < 0)
		pam_syslog(pamh, LOG_WARNING, "nobody is let in as a member of %s: %s", options->breakglass,
			   err.message);
	return r == 1;
}

/* An account that may not be confined by its name can still be root, or somebody who breaks the glass: they
 * must get in above all when names can't be had. */
static bool is_free_all_the_same(pam_handle_t *pamh, const char *name, const struct options *options)
{
	const struct passwd *pw = pam_modutil_getpwnam(pamh, name);
	if (pw)
		return pw->pw_uid == 0 || breaks_glass(pamh, options, pw->pw_name, pw->pw_gid);
	return strcmp(name, "root") == 0 || breaks_glass(pamh, options, name, (gid_t)-1);
}

int who_is(pam_handle_t *pamh, const char *name, const struct options *options, struct jail_account *ret,
	   struct jail_error *err)
{
	jail_autoaccount struct jail_account account = {0};

	int r = jail_account_get(name, &account, err);
	if (r < 0)
		return is_free_all_the_same(pamh, name, options) ? WHO_FREE : r;
	if (account.uid == 0 || breaks_glass(pamh, options, account.user, account.gid))
		return WHO_FREE;
	*ret = account;
	account = (struct jail_account){0};
	return WHO_ORDINARY;
}
