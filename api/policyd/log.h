/* The access log: one line a request on stderr. */
#pragma once

#include <microhttpd.h>
#include <stddef.h>
#include <time.h>
#include "api/policyd/listen.h"

/* One request from its first line to the end of its answer. */
struct policyd_request {
	struct timespec began; /* CLOCK_MONOTONIC */
	char target[256];      /* path and query as they came, cut */
	char method[16];       /* "" until the headers are there */
	unsigned status;       /* 0: libmicrohttpd refused it before anybody saw it */
	size_t bytes;	       /* of the body that was answered with */
};

/* target: as in the request line, any bytes. NULL when memory runs out. */
struct policyd_request *policyd_request_new(const char *target);

/* "GET /v1/policy.json 200 5120 bytes to 192.0.2.7 in 0.3 ms", with '?' for what is not printable ASCII;
 * complete: the answer went out whole. */
void policyd_request_log(const struct policyd_request *request, const struct sockaddr *client, bool complete);
