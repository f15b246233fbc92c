/* One agent at a time: a record lock (fcntl(2)) on run/lock. The kernel tells whose it is, so nothing is ever
 * written to the file; and children of the agent have no part in it. */
#pragma once

#include <stdbool.h>
#include "lib/base/error.h"

/* Waits up to seconds, saying so once. shared: for looking only; the file is not made then, and *ret_fd is -1
 * when there is none. The lock ends with the descriptor, or any other of this process on the file, and with
 * the process, so a killed agent leaves none. Errors: -EWOULDBLOCK another one is still at work; errno of
 * open. */
int jail_lock_take(const char *path, bool shared, unsigned seconds, int *ret_fd, struct jail_error *err);
