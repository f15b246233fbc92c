/* Entity tags (RFC 9110, 8.8.3). */
#pragma once

#include <stdbool.h>

/* Whether the value of one If-None-Match field names etag (with its quotes): a list, weak comparison, or "*".
 * What stands behind the first mistake in the list does not count: in doubt the whole document is sent. */
bool policyd_etag_listed(const char *list, const char *etag);
