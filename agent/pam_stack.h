/* The stack of modules that libpam makes of a service's files: includes and substacks read in, every line
 * with the place it stands at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "agent/audit_tree.h"
#include "agent/pam_control.h"
#include "agent/pam_line.h"
#include "lib/base/error.h"

/* What is known of a module's answers, for a user who is not root. */
enum jail_pam_module {
	JAIL_PAM_ANY,	   /* nothing */
	JAIL_PAM_JAIL,	   /* pam_jail.so */
	JAIL_PAM_PERMIT,   /* succeeds */
	JAIL_PAM_DENY,	   /* fails */
	JAIL_PAM_ROOT,	   /* pam_succeed_if.so uid = 0: fails */
	JAIL_PAM_SUBSTACK, /* not a module: what follows on the next level is one for a jump */
	JAIL_PAM_FAILS,	   /* a line that libpam can't use, and makes fail */
};

struct jail_pam_step {
	char *path;
	unsigned line;
	char *text;   /* the line */
	char *module; /* last component of its path, "" for none */
	enum jail_pam_module kind;
	unsigned level; /* of substacks */
	int actions[JAIL_PAM_ANSWERS];
	bool included; /* stands in another file than the service's own */
};

struct jail_pam_stack {
	struct jail_pam_step *steps;
	size_t n;
	bool has_file; /* the service has a file of its own, or lines in pam.conf */
	bool refused;  /* libpam gives up: nobody gets in */
	char *problem; /* a sentence, with its place: an include that can't be read; NULL: none */
};

/* Where files are looked for, in libpam's order: services that have none in /etc/pam.d may have one in the
 * vendor's directory. pam.conf is read when neither directory is there. */
#define JAIL_PAM_ETC	"/etc/pam.d"
#define JAIL_PAM_VENDOR "/usr/lib/pam.d"
#define JAIL_PAM_CONF	"/etc/pam.conf"

/* Whether the tree has one of the two directories. */
bool jail_pam_has_directory(const struct jail_tree *tree);

/* The stack of one type (session or account) of a service. Errors: -ENOMEM, and -E2BIG for more lines than
 * any stack has. A file that is not there is no error. */
int jail_pam_stack_read(const struct jail_tree *tree, const char *service, enum jail_pam_type type,
			struct jail_pam_stack *ret, struct jail_error *err);
void jail_pam_stack_release(struct jail_pam_stack *stack);
#define jail_autopamstack __attribute__((cleanup(jail_pam_stack_release)))
