/* Root is wanted for nothing but a port below 1024. */
#pragma once

#include "lib/base/error.h"

/* Becomes user for good when started by root (NULL: POLICYD_USER); an ordinary user stays who they are, and
 * may only name themselves. Afterwards this process and its children can gain no privilege
 * (PR_SET_NO_NEW_PRIVS). Errors: -ENOENT no such user; -EPERM the user is root, or somebody else than who
 * started it; errno of setresuid(2) and its kin. */
int policyd_privileges_drop(const char *user, struct jail_error *err);
