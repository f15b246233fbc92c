/* Private to lib/view/enter*.c. */
#pragma once

#include <sys/stat.h>
#include "lib/view/enter.h"

/* Opens path with flags | O_CLOEXEC, above the standard streams, and notes what it is. 0 or negative errno.
 */
int jail_place_open(const char *path, int flags, struct jail_place *ret);
bool jail_place_is(const struct jail_place *place, const struct stat *st);
/* Whether the number still is what was saved: a program may have closed every descriptor it does not know. */
bool jail_place_is_open(const struct jail_place *place);
/* Changes to home below root, through no symlink; failing is no error. */
void jail_enter_home(int root, const char *home);

int jail_enter_namespace(const struct jail_door *door, struct jail_entered *ret, struct jail_error *err);
int jail_enter_namespace_leave(const struct jail_entered *entered, struct jail_error *err);
