/* Places that the programs of every view believe, besides the system's own directories. */
#pragma once

#include <stdbool.h>

/* Where daemons keep the sockets, maps and caches by which they answer libc and setuid programs:
 * /run/nscd/socket, /var/lib/sss/pipes/nss. Whoever can put files there answers for NSS. Ends with NULL. */
extern const char *const jail_service_directories[];

/* Whether path (a template: a %u in it is no exception) is where users keep things of their own in them:
 * /run/user, /run/lock and /run/shm. */
bool jail_service_is_open(const char *path);
