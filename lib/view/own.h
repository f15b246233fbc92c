/* What a job has of its own: mounts that SLURM made in the job's mount namespace (job_container/tmpfs: /tmp,
 * /dev/shm and what else its configuration names), and that stay the job's in a view. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lib/base/error.h"
#include "lib/view/mountinfo.h"
#include "lib/view/view.h"

struct jail_own {
	char **paths; /* mount points where the host has another file system or directory */
	size_t n_paths;
};

/* Compares two mount tables. Pure. "/" is never one. Errors: -ENOMEM. */
int jail_own_compare(const struct jail_mount_table *here, const struct jail_mount_table *host,
		     struct jail_own *ret, struct jail_error *err);
/* The same for the calling thread and PID 1. Needs CAP_SYS_PTRACE. */
int jail_own_find(struct jail_own *ret, struct jail_error *err);
void jail_own_release(struct jail_own *own);
#define jail_autoown __attribute__((cleanup(jail_own_release)))

/* Namespace views: leaves private and tmpfs entries out that stand exactly at such a place. */
void jail_own_keep(const struct jail_own *own, struct jail_view *view);

/* Chroot views: where in the view such a place is to be seen (caller frees; NULL: nowhere, or ENOMEM), and
 * the entry that shows the host's there. Pure. */
char *jail_own_place(const struct jail_view *view, size_t entry, const char *path);
/* Mounts each such place where the view whose root is open shows the host's. The calling thread's mount
 * namespace has to be nobody else's. Errors name the place. */
int jail_own_carry(const struct jail_own *own, const struct jail_view *view, int root,
		   struct jail_error *err);
