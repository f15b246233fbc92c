#include "agent/pam_control.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { UNSET = -6, DEFAULT = JAIL_PAM_ANSWERS };

/* In libpam's order, which is that of the numbers. */
static const char *const answers[] = {
	"success",
	"open_err",
	"symbol_err",
	"service_err",
	"system_err",
	"buf_err",
	"perm_denied",
	"auth_err",
	"cred_insufficient",
	"authinfo_unavail",
	"user_unknown",
	"maxtries",
	"new_authtok_reqd",
	"acct_expired",
	"session_err",
	"cred_unavail",
	"cred_expired",
	"cred_err",
	"no_module_data",
	"conv_err",
	"authtok_err",
	"authtok_recover_err",
	"authtok_lock_busy",
	"authtok_disable_aging",
	"try_again",
	"ignore",
	"abort",
	"authtok_expired",
	"module_unknown",
	"bad_item",
	"conv_again",
	"incomplete",
	"default",
};
static const char *const actions[] = {"ignore", "ok", "done", "bad", "die", "reset"};

static void set_rest(int to[JAIL_PAM_ANSWERS], int action)
{
	for (int i = 0; i < JAIL_PAM_ANSWERS; i++)
		if (to[i] == UNSET)
			to[i] = action;
}

/* Index of the name that *text begins with, and goes behind it; -1: none. */
static int take(const char **text, const char *const *names, size_t n)
{
	while (isspace((unsigned char)**text))
		(*text)++;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		if (strncmp(*text, names[i], len) == 0) {
			*text += len;
			return (int)i;
		}
	}
	return -1;
}

/* A jump of 0 is none: libpam wants "ignore" for that. */
static bool take_jump(const char **text, int *ret)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)**text))
		return false;
	n = strtoul(*text, &end, 10);
	*text = end;
	*ret = n > 10000 ? 10000 : (int)n;
	return n > 0;
}

static bool take_pair(const char **text, int ret[JAIL_PAM_ANSWERS])
{
	int answer = take(text, answers, sizeof answers / sizeof answers[0]), action;

	while (isspace((unsigned char)**text))
		(*text)++;
	if (answer < 0 || *(*text)++ != '=')
		return false;
	action = take(text, actions, sizeof actions / sizeof actions[0]);
	if (action >= 0)
		action = -action;
	else if (!take_jump(text, &action))
		return false;
	if (answer == DEFAULT)
		set_rest(ret, action);
	else
		ret[answer] = action;
	return true;
}

static void parse_pairs(const char *text, int ret[JAIL_PAM_ANSWERS])
{
	while (*text) {
		if (!take_pair(&text, ret)) {
			for (int i = 0; i < JAIL_PAM_ANSWERS; i++)
				ret[i] = JAIL_PAM_DO_BAD;
			return;
		}
		while (isspace((unsigned char)*text))
			text++;
	}
}

void jail_pam_actions(const char *control, int ret[JAIL_PAM_ANSWERS])
{
	static const struct {
		const char *name;
		int success, other;

	} words[] = {
		{"required", JAIL_PAM_DO_OK, JAIL_PAM_DO_BAD},
		{"requisite", JAIL_PAM_DO_OK, JAIL_PAM_DO_DIE},
		{"optional", JAIL_PAM_DO_OK, JAIL_PAM_DO_IGNORE},
		{"sufficient", JAIL_PAM_DO_DONE, JAIL_PAM_DO_IGNORE},
	};
	enum { NEW_AUTHTOK_REQD = 12 };

	for (int i = 0; i < JAIL_PAM_ANSWERS; i++)
		ret[i] = UNSET;
	for (size_t i = 0; control && i < sizeof words / sizeof words[0]; i++) {
		if (strcasecmp(control, words[i].name) != 0)
			continue;
		ret[JAIL_PAM_SUCCESS] = ret[NEW_AUTHTOK_REQD] = words[i].success;
		ret[JAIL_PAM_IGNORE] = JAIL_PAM_DO_IGNORE;
		set_rest(ret, words[i].other);
		return;
	}
	if (control)
		parse_pairs(control, ret);
	set_rest(ret, JAIL_PAM_DO_BAD);
}
