/* pam_jail.so: puts a session into its user's view before any of the user's code runs. It has no other entry
 * points: a line other than `session` that names it is a mistake, and fails. */
#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <syslog.h>
#include "pam/confine.h"
#include "pam/options.h"
#include "pam/saved.h"
#include "pam/who.h"

#define EXPORT __attribute__((visibility("default")))

/* One line in the log says it all; the user is only told whom to ask. */
static int refuse(pam_handle_t *pamh, int flags, const char *name, struct jail_error *err)
{
	/* The user's name, as typed, may be part of the message: a log line is one line. */
	for (char *p = err->message; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	pam_syslog(pamh, LOG_ERR, "session of %s refused: %s", name, err->message);
	if (!(flags & PAM_SILENT))
		pam_error(pamh,
			  "You cannot be logged in here at the moment: this node cannot give you the "
			  "view of its files that it must. Its administrator finds the reason in the log.");
	/* Not PAM_SESSION_ERR: sudo takes that for no reason to stop, and would run the command on the host.
	 */
	return PAM_PERM_DENIED;
}

static int open_session(pam_handle_t *pamh, int flags, const struct options *options)
{
	jail_autoaccount struct jail_account account = {0};
	struct jail_error err = {0};
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_USER, &item) != PAM_SUCCESS || !item || !*(const char *)item) {
		(void)jail_error_set(&err, EINVAL, "the service does not say whose session it is");
		return refuse(pamh, flags, "nobody", &err);
	}
	const char *name = item;
	int r = who_is(pamh, name, options, &account, &err);
	if (r == JAIL_WHO_FREE) {
		if (options->debug)
			pam_syslog(pamh, LOG_DEBUG, "%s is never confined", name);
		return PAM_SUCCESS;
	}
	if (r < 0)
		return refuse(pamh, flags, "an unknown user", &err);
	if (saved_exists(pamh))
		return PAM_SUCCESS; /* a second line of this module in the same stack */
	if (options->unknown)
		r = jail_error_set(&err, EINVAL, "%s is not an argument of pam_jail (pam_jail(8) has them)",
				   options->unknown);
	else
		r = confine(pamh, options, &account, &err);
	return r < 0 ? refuse(pamh, flags, account.user, &err) : PAM_SUCCESS;
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct options options;
	options_parse(argc, argv, &options);
	return open_session(pamh, flags, &options);
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct jail_error err = {0};
	struct options options;

	(void)flags;
	options_parse(argc, argv, &options);
	int r = saved_leave(pamh, &err);
	if (r >= 0)
		return PAM_SUCCESS;
	if (r == -EPERM) {
		if (options.debug)
			pam_syslog(pamh, LOG_DEBUG, "%s", err.message);
		return PAM_SUCCESS;
	}
	pam_syslog(pamh, LOG_ERR, "%s", err.message);
	return PAM_SESSION_ERR;
}
