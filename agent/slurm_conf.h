/* slurm.conf(5) and plugstack.conf (spank(8)): what the audit wants to know of them. */
#pragma once

#include <stdbool.h>
#include "agent/audit_tree.h"
#include "lib/base/error.h"

/* One key of slurm.conf. The last line that sets it holds. */
struct jail_slurm_setting {
	const char *key;
	char *value; /* NULL: nowhere set */
	char *path;  /* where */
	unsigned line;
};

/* Fills in those of settings that path, or a file that it includes, sets. Errors: errno of reading path;
 * -ENOMEM. An included file that can't be read is left out: slurmd would not start with it. */
int jail_slurm_read(const struct jail_tree *tree, const char *path, struct jail_slurm_setting *settings,
		    size_t n, struct jail_error *err);
void jail_slurm_release(struct jail_slurm_setting *settings, size_t n);

/* As SLURM reads a boolean. */
bool jail_slurm_is_yes(const char *value);

/* How plugstack.conf has a plugin. */
struct jail_spank_line {
	bool required;
	char *path; /* of the file; NULL: in none */
	unsigned line;
};

/* The first line for a plugin called name, required before optional. Errors: -ENOMEM. */
int jail_spank_find(const struct jail_tree *tree, const char *path, const char *name,
		    struct jail_spank_line *ret, struct jail_error *err);
