/* The name by which rules' nodes know this machine. */
#pragma once

#include <stdbool.h>

/* A host name as hostlists can hold it: 1 to 255 of a-z A-Z 0-9 . _ -. */
bool jail_node_name_ok(const char *name);

/* gethostname(2) up to the first dot, as SLURM's NodeName is by default; caller frees. NULL: out of memory,
 * or the machine has no name. */
char *jail_node_name(void);
