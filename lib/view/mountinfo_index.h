/* Private to lib/view/mountinfo*.c. */
#pragma once

#include "lib/view/mountinfo.h"

/* Sorts the lines, builds the lookups, finds "/" and marks what is visible. 0 or -ENOMEM. */
int jail_mount_table_index(struct jail_mount_table *table);
