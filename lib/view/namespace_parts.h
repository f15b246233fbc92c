/* Private to lib/view/namespace*.c and enter_namespace.c. */
#pragma once

#include <stdbool.h>
#include "lib/base/error.h"

/* Makes rest ("/x/y") below the directory own, which nobody but root can be in, and opens it (O_PATH) and the
 * directory that it is in. target: for messages. */
int jail_namespace_make_point(int own, const char *rest, bool is_dir, const char *target, int *ret_parent,
			      int *ret_target, struct jail_error *err);
