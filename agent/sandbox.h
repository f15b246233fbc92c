/* A child without privileges, for everything that touches bytes which nobody has authenticated yet: it runs
 * as clusterjail or nobody, can gain nothing (no_new_privs), has no descriptor but its pipe, is limited in
 * memory, time, files and output, and dies with its parent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct jail_sandbox {
	const char *what; /* for messages: "fetching the policy" */
	size_t output;	  /* bytes that may come back */
	unsigned seconds; /* until it is killed */
	size_t memory;	  /* RLIMIT_AS */
	bool network;	  /* sockets, and the threads that getaddrinfo(3) wants */
};

/* Runs in the child: writes frames to out. What it returns below 0, with err, is what jail_sandbox_run
 * returns. */
typedef int jail_sandbox_body(const void *argument, int out, struct jail_error *err);

/* Runs body in a child and collects its frames. Errors: body's own; -ETIMEDOUT, -EFBIG, -EPROTO when the
 * child ended otherwise than it should; errno of fork and pipe. */
int jail_sandbox_run(const struct jail_sandbox *sandbox, jail_sandbox_body *body, const void *argument,
		     struct jail_buffer *ret, struct jail_error *err);
