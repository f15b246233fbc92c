#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/audit_pam.h"
#include "lib/base/cleanup.h"

static int conf_services(const struct jail_tree *tree, struct jail_names *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autopamline struct jail_pam_line line = JAIL_PAM_LINE_INIT;
	struct jail_pam_cursor cursor;
	int r = jail_tree_read(tree, JAIL_PAM_CONF, &text, err), more;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	cursor = (struct jail_pam_cursor){.rest = text.data};
	while ((more = jail_pam_next(&cursor, true, &line)) > 0) {
		for (char *p = line.service; p && *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p - 'A' + 'a');
		if (line.service && jail_names_add(ret, line.service) < 0)
			return jail_error_sys(err, ENOMEM, "cannot read " JAIL_PAM_CONF);
	}
	jail_names_sort(ret);
	return more < 0 ? jail_error_sys(err, ENOMEM, "cannot read " JAIL_PAM_CONF) : 0;
}

int jail_pam_services(const struct jail_tree *tree, struct jail_names *ret, struct jail_error *err)
{
	int r;

	if (!jail_pam_has_directory(tree))
		return conf_services(tree, ret, err);
	r = jail_tree_list(tree, JAIL_PAM_ETC, ret, err);
	return r < 0 ? r : jail_tree_list(tree, JAIL_PAM_VENDOR, ret, err);
}

static int includes_of(const char *text, struct jail_names *ret)
{
	jail_autopamline struct jail_pam_line line = JAIL_PAM_LINE_INIT;
	struct jail_pam_cursor cursor = {.rest = text};
	int r;

	while ((r = jail_pam_next(&cursor, false, &line)) > 0) {
		bool includes = line.type == JAIL_PAM_INCLUDE ||
				(line.control && (strcasecmp(line.control, "include") == 0 ||
						  strcasecmp(line.control, "substack") == 0));

		if (includes && line.module && jail_names_add(ret, line.module) < 0)
			return -ENOMEM;
	}
	return r;
}

int jail_pam_includes(const struct jail_tree *tree, const char *service, struct jail_names *ret,
		      struct jail_error *err)
{
	static const char *const directories[] = {JAIL_PAM_ETC, JAIL_PAM_VENDOR};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;

	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
		jail_autofree char *path = NULL;
		int r;

		if (asprintf(&path, "%s/%s", directories[i], service) < 0) {
			path = NULL;
			return jail_error_sys(err, ENOMEM, "cannot read the file of service %s", service);
		}
		r = jail_tree_read(tree, path, &text, err);
		if (r == 0)
			r = includes_of(text.data, ret);
		if (r == -ENOMEM)
			return jail_error_sys(err, ENOMEM, "cannot read %s", path);
		if (r == 0)
			break;
	}
	return 0;
}

static bool matches(const char *name, const char *const *patterns)
{
	for (; *patterns; patterns++)
		if (fnmatch(*patterns, name, 0) == 0)
			return true;
	return false;
}

bool jail_pam_is_no_service(const char *name)
{
	static const char *const patterns[] = {
		"common-auth",
		"common-account",
		"common-password",
		"common-session",
		"common-session-noninteractive",
		"system-*",
		"password-auth*",
		"fingerprint-auth*",
		"smartcard-auth*",
		"postlogin*",
		"*~",
		"*.dpkg-*",
		"*.ucf-*",
		"*.pam-old",
		"*.pam-new",
		"*.rpm*",
		"*.bak",
		"*.orig",
		"*.swp",
		"README*",
		NULL,
	};

	return matches(name, patterns);
}

/* They change accounts, ask for a password or unlock a screen, and start nothing as the user; runuser starts
 * what only root can ask it for. */
bool jail_pam_opens_none(const char *service)
{
	static const char *const patterns[] = {
		"passwd",	"chpasswd", "chgpasswd", "chfn",	"chsh",	   "chage",	"newusers",
		"user*",	"group*",   "polkit-1",	 "cups",	"runuser", "runuser-l", "vlock",
		"xscreensaver", "i3lock",   "swaylock",	 "ppp",		"squid",   "dovecot",	"postgresql",
		"smtp",		"imap",	    "pop3",	 "config-util", NULL,
	};

	return matches(service, patterns);
}
