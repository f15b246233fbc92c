/* Whether a session can open without pam_jail.so: every way through a stack is tried, as libpam goes it.
 * Pure. */
#pragma once

#include "agent/pam_stack.h"

enum jail_pam_outcome {
	JAIL_PAM_CLOSED,   /* whoever gets in went through pam_jail.so, or nobody gets in */
	JAIL_PAM_EMPTY,	   /* there is no module in the stack */
	JAIL_PAM_LACKING,  /* pam_jail.so is not in it */
	JAIL_PAM_JUMPED,   /* the step jumps over it */
	JAIL_PAM_ENDED,	   /* the step ends the stack before it */
	JAIL_PAM_PASSED,   /* the step is pam_jail.so, and its refusal is not taken for one */
	JAIL_PAM_RESET,	   /* the step makes libpam forget its refusal */
	JAIL_PAM_TOO_MANY, /* so many ways that this code gave up */
};

/* For a user who is not root, and modules that answer whatever they like but those of which more is known
 * (enum jail_pam_module). *ret_step: the step that outcome speaks of; LACKING: the last that is included from
 * another file, else the last. Errors: -ENOMEM. */
int jail_pam_walk(const struct jail_pam_stack *stack, enum jail_pam_outcome *ret_outcome, size_t *ret_step);
