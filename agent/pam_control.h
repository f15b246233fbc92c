/* What libpam does with what a module answers (pam.conf(5), "control"). Pure. */
#pragma once

/* Answers that this code names; the others it only counts. The numbers are libpam's. */
enum {
	JAIL_PAM_SUCCESS = 0,
	JAIL_PAM_SERVICE_ERR = 3,
	JAIL_PAM_SYSTEM_ERR = 4,
	JAIL_PAM_BUF_ERR = 5,
	JAIL_PAM_PERM_DENIED = 6,
	JAIL_PAM_AUTH_ERR = 7,
	JAIL_PAM_USER_UNKNOWN = 10,
	JAIL_PAM_SESSION_ERR = 14,
	JAIL_PAM_IGNORE = 25,
	JAIL_PAM_ABORT = 26,
	JAIL_PAM_MODULE_UNKNOWN = 28, /* the module is not installed */
	JAIL_PAM_INCOMPLETE = 31,
	JAIL_PAM_ANSWERS = 32,
};

/* Above 0: so many modules are jumped over. */
enum {
	JAIL_PAM_DO_IGNORE = 0,
	JAIL_PAM_DO_OK = -1,
	JAIL_PAM_DO_DONE = -2,
	JAIL_PAM_DO_BAD = -3,
	JAIL_PAM_DO_DIE = -4,
	JAIL_PAM_DO_RESET = -5,
};

/* control: the word as in the file, without brackets; NULL: there is none. One that libpam can't read fails
 * whatever the module answers. */
void jail_pam_actions(const char *control, int ret[JAIL_PAM_ANSWERS]);
