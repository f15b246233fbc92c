/* A kernel without the new mount calls, by a seccomp filter that answers ENOSYS. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/openat2.h"
#include "lib/view/syscalls.h"
#include "tests/mount/playground.h"

/* A jump over the n instructions to "refuse". */
#define REFUSE_IF(number, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), (n), 0)

static void install(struct sock_filter *filter, unsigned short n)
{
	struct sock_fprog program = {.len = n, .filter = filter};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("seccomp");
		abort();
	}
}

/* What is blocked and is not refused would make every test of it vacuous. */
static void expect_refused(long number)
{
	errno = 0;
	if (syscall(number, -1, NULL, 0, NULL, 0) != -1 || errno != ENOSYS) {
		(void)fprintf(stderr, "playground: system call %ld is not blocked\n", number);
		abort();
	}
}

/* All at once, as on RHEL 8 (4.18), and statx with them, which that has: nothing newer than Linux 4.10. */
static void install_rhel8(void)
{
	static const long calls[] = {
		JAIL_SYS_OPEN_TREE, JAIL_SYS_MOVE_MOUNT,    JAIL_SYS_FSOPEN, JAIL_SYS_FSCONFIG,
		JAIL_SYS_FSMOUNT,   JAIL_SYS_MOUNT_SETATTR, SYS_openat2,     SYS_statx};
	enum { N = sizeof calls / sizeof *calls };
	struct sock_filter filter[N + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	for (unsigned i = 0; i < N; i++)
		filter[i + 1] = (struct sock_filter)REFUSE_IF((unsigned)calls[i], (unsigned char)(N - i));
	filter[N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[N + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	install(filter, N + 3);
	for (unsigned i = 0; i < N; i++)
		expect_refused(calls[i]);
}

void play_old_kernel(const char *which)
{
	struct sock_filter old[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE_IF(JAIL_SYS_OPEN_TREE, 6),
		REFUSE_IF(JAIL_SYS_MOVE_MOUNT, 5),
		REFUSE_IF(JAIL_SYS_FSOPEN, 4),
		REFUSE_IF(JAIL_SYS_FSCONFIG, 3),
		REFUSE_IF(JAIL_SYS_FSMOUNT, 2),
		REFUSE_IF(JAIL_SYS_MOUNT_SETATTR, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_filter no_setattr[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE_IF(JAIL_SYS_MOUNT_SETATTR, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	if (strcmp(which, "old") == 0)
		install(old, sizeof old / sizeof *old);
	else if (strcmp(which, "no-setattr") == 0)
		install(no_setattr, sizeof no_setattr / sizeof *no_setattr);
	else if (strcmp(which, "rhel8") == 0)
		install_rhel8();
	else if (*which)
		abort();
}
