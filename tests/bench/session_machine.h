/* The machine that bench_session.c measures on: users, a view, policies, PAM services and a log, all in the
 * mount namespace of this process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ROOT "/mnt/roots/recipe"

struct contender {
	const char *name;
	size_t users; /* pam_jail: of the policy */
	size_t lines; /* pam_chroot: of chroot.conf */
};

/* Ends the program when a call failed. */
void must(int result, const char *what);

/* jail, stock: paths of the two modules. */
void machine_make(const struct contender *contenders, size_t n, const char *jail, const char *stock);

/* The PAM service of contender number i: its module alone, or as the last line of sshd's stack. */
void machine_service(size_t i, bool stacked, char name[static 32]);

/* pam_chroot has its configuration's path compiled in: gives it the one with so many lines. */
void machine_choose(size_t lines);

/* Takes the lines out of the log and counts them. */
size_t machine_log_lines(void);
