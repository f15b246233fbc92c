/* The child's side of agent/fetch.h: libcurl. */
#pragma once

#include "agent/fetch.h"

enum { JAIL_TAG_NOT_MODIFIED = 'N', JAIL_TAG_BODY = 'B', JAIL_TAG_ETAG = 'E', JAIL_TAG_LAST_MODIFIED = 'M' };

/* A jail_sandbox_body: argument is a struct jail_request. */
int jail_fetch_http(const void *argument, int out, struct jail_error *err);
