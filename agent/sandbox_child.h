/* The child's side of agent/sandbox.h. */
#pragma once

#include <sys/types.h>
#include "agent/sandbox.h"

struct jail_sandbox_user {
	uid_t uid;
	gid_t gid;
};

/* clusterjail of /etc/passwd, else nobody, read without NSS: at boot there may be none. */
struct jail_sandbox_user jail_sandbox_find_user(void);

/* Gives everything up and keeps out, which it returns as its new number, or negative errno. */
int jail_sandbox_enter(const struct jail_sandbox *sandbox, const struct jail_sandbox_user *user, int parent,
		       int out, struct jail_error *err);
