/* Small files of /proc/PID, by the process's name below a descriptor of /proc. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include "agent/audit_tree.h"
#include "lib/base/buffer.h"

/* The file name of process pid. 0 or negative errno: -ENOENT, -ESRCH it is gone. */
int jail_proc_read(int proc, const char *pid, const char *name, struct jail_buffer *ret);
/* Real uid, from status. */
int jail_proc_real_uid(int proc, const char *pid, uid_t *ret);
/* When it started, in clock ticks since boot: together with the pid this names a process for good. */
int jail_proc_start(int proc, const char *pid, uint64_t *ret);
/* The last component of its program's path, without " (deleted)". -ENOENT: a kernel thread, a zombie, gone.
 */
int jail_proc_program(int proc, const char *pid, char name[static 256]);
/* Adds the arguments, in order. */
int jail_proc_arguments(int proc, const char *pid, struct jail_names *ret);
/* Seconds since the epoch when the machine booted; 0 where /proc does not tell. */
time_t jail_proc_boot(int proc);
