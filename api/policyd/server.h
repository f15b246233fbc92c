/* The HTTP side: routes, answers, limits. */
#pragma once

#include "lib/base/error.h"

struct policyd_server;

/* Serves what is below dir (kept, not copied) on the listening socket fd, which becomes the server's, in a
 * thread of its own. The signals of the caller's mask stay blocked there.
 * Errors: -ENOMEM; -EINVAL when libmicrohttpd does not start (it has logged why). */
int policyd_server_start(const char *dir, int fd, struct policyd_server **ret, struct jail_error *err);

/* Takes no new connections, lets requests in progress end for at most seconds, and frees it. */
void policyd_server_stop(struct policyd_server *server, unsigned seconds);
