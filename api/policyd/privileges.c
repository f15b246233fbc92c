#include "api/policyd/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "api/policyd/options.h"

static int find_user(const char *name, bool given, struct passwd *ret, struct jail_error *err)
{
	errno = 0;
	const struct passwd *found = getpwnam(name);

	if (!found && errno != 0 && errno != ENOENT)
		return jail_error_sys(err, errno, "cannot look up the user %s", name);
	if (!found)
		return jail_error_set(err, ENOENT, "there is no user %s to become: %s", name,
				      given ? "--user must name an existing one"
					    : "will not serve as root; give --user NAME, or start it as an "
					      "ordinary user");
	if (found->pw_uid == 0)
		return jail_error_set(err, EPERM, "--user %s is root: will not serve as root", name);
	*ret = *found;
	return 0;
}

static int become(const char *name, bool given, struct jail_error *err)
{
	struct passwd user;
	int r = find_user(name, given, &user, err);

	if (r < 0)
		return r;
	if (setgroups(0, NULL) < 0 || setresgid(user.pw_gid, user.pw_gid, user.pw_gid) < 0 ||
	    setresuid(user.pw_uid, user.pw_uid, user.pw_uid) < 0)
		return jail_error_sys(err, errno, "cannot become the user %s", name);
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
		return jail_error_set(err, EPERM, "became the user %s, but could become root again", name);
	return 0;
}

static int stay(const char *name, struct jail_error *err)
{
	struct passwd user;
	int r = find_user(name, true, &user, err);

	if (r < 0 || user.pw_uid == geteuid())
		return r;
	return jail_error_set(err, EPERM, "--user %s: only root can become somebody else", name);
}

int policyd_privileges_drop(const char *user, struct jail_error *err)
{
	int r = 0;

	if (getuid() == 0 || geteuid() == 0)
		r = become(user ? user : POLICYD_USER, user != NULL, err);
	else if (user)
		r = stay(user, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return jail_error_sys(err, errno, "cannot give up gaining privileges (PR_SET_NO_NEW_PRIVS)");
	return 0;
}
