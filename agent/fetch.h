/* One GET of the policy, in a child without privileges (agent/sandbox.h). */
#pragma once

#include <stdbool.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct jail_request {
	const char *url;
	unsigned timeout; /* seconds for everything */
	/* Validators of what is here already; NULL: none (RFC 9110, 13.1). */
	const char *etag;
	const char *last_modified;
};

struct jail_answer {
	bool not_modified; /* 304: then body is empty */
	struct jail_buffer body;
	char *etag, *last_modified; /* NULL: the server gave none, or none that is worth keeping */
};
#define JAIL_ANSWER_INIT ((struct jail_answer){.body = JAIL_BUFFER_INIT})

/* Errors: -EHOSTUNREACH no answer at all (name, connection, TLS, time); -EPROTO an answer that is no policy
 * (a redirect, another status, cut short); -EFBIG over the limit of an envelope. */
int jail_fetch(const struct jail_request *request, struct jail_answer *ret, struct jail_error *err);
void jail_answer_release(struct jail_answer *answer);
#define jail_autoanswer __attribute__((cleanup(jail_answer_release)))
