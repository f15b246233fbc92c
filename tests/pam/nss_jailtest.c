/* An NSS service as directories have them: names in any case (FOO is foo), names given back as they were
 * typed (Foo is "Foo", with foo's uid), and groups that come only while it is up.
 *
 * JAILTEST_GROUPS=up makes ext a member of ext-a; without it the service is dead for groups, and
 * getgrouplist(3) succeeds with a short list. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { EXT_GID = 12900, FOO_UID = 12001 };

EXPORT enum nss_status _nss_jailtest_getpwnam_r(const char *name, struct passwd *pw, char *buffer, size_t len,
						int *errnop);
EXPORT enum nss_status _nss_jailtest_getgrgid_r(gid_t gid, struct group *gr, char *buffer, size_t len,
						int *errnop);
EXPORT enum nss_status _nss_jailtest_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
						    gid_t **groups, long limit, int *errnop);

enum nss_status _nss_jailtest_getpwnam_r(const char *name, struct passwd *pw, char *buffer, size_t len,
					 int *errnop)
{
	static char x[] = "x", home[] = "/home/foo", shell[] = "/bin/sh", empty[] = "";
	if (strcasecmp(name, "foo") != 0)
		return NSS_STATUS_NOTFOUND;
	if (len < 4) {
		*errnop = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	}
	memcpy(buffer, isupper((unsigned char)name[1]) ? "foo" : name, 4);
	*pw = (struct passwd){.pw_name = buffer,
			      .pw_passwd = x,
			      .pw_uid = FOO_UID,
			      .pw_gid = FOO_UID,
			      .pw_gecos = empty,
			      .pw_dir = home,
			      .pw_shell = shell};
	return NSS_STATUS_SUCCESS;
}

static int is_up(void)
{
	const char *state = getenv("JAILTEST_GROUPS");
	return state && strcmp(state, "up") == 0;
}

enum nss_status _nss_jailtest_getgrgid_r(gid_t gid, struct group *gr, char *buffer, size_t len, int *errnop)
{
	static char name[] = "ext-a", x[] = "x";
	(void)buffer;
	(void)len;
	if (!is_up()) {
		*errnop = ECONNREFUSED;
		return NSS_STATUS_UNAVAIL;
	}
	if (gid != EXT_GID)
		return NSS_STATUS_NOTFOUND;
	static char *nobody[] = {NULL};
	*gr = (struct group){.gr_name = name, .gr_passwd = x, .gr_gid = gid, .gr_mem = nobody};
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_jailtest_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
					     gid_t **groups, long limit, int *errnop)
{
	(void)group;
	(void)limit;
	if (!is_up()) {
		*errnop = ECONNREFUSED;
		return NSS_STATUS_UNAVAIL;
	}
	if (strcmp(user, "ext") != 0)
		return NSS_STATUS_NOTFOUND;
	if (*start >= *size) {
		gid_t *more = realloc(*groups, ((size_t)*size + 8) * sizeof **groups);
		if (!more)
			return NSS_STATUS_TRYAGAIN;
		*groups = more;
		*size += 8;
	}
	(*groups)[(*start)++] = EXT_GID;
	return NSS_STATUS_SUCCESS;
}
