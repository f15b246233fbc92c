/* Runs a command on a kernel that lacks system calls: they fail with ENOSYS. Needs root.
 *
 *   without openat2,statx COMMAND... */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/openat2.h"
#include "lib/view/syscalls.h"

static unsigned number_of(const char *name)
{
	static const struct {
		const char *name;
		unsigned number;
	} calls[] = {
		{"openat2", SYS_openat2},	   {"statx", SYS_statx},
		{"open_tree", JAIL_SYS_OPEN_TREE}, {"move_mount", JAIL_SYS_MOVE_MOUNT},
		{"fsopen", JAIL_SYS_FSOPEN},	   {"fsconfig", JAIL_SYS_FSCONFIG},
		{"fsmount", JAIL_SYS_FSMOUNT},	   {"mount_setattr", JAIL_SYS_MOUNT_SETATTR},
	};
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].number;
	}
	errx(64, "no system call %s in the table", name);
}

static void deny(unsigned number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		err(1, "seccomp");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(64, "usage: without CALL[,CALL] COMMAND...");
	for (char *rest = argv[1], *name; (name = strsep(&rest, ","));)
		deny(number_of(name));
	execvp(argv[2], argv + 2);
	err(127, "%s", argv[2]);
}
