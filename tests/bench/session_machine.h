/* The machine that bench_session.c and bench_namespace.c measure on: users, a view, policies, PAM services
 * and a log, all in the mount namespace of this process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "lib/policy/cache.h"

#define ROOT "/mnt/roots/recipe"

struct contender {
	const char *name;
	size_t users; /* pam_jail: of the policy */
	size_t lines; /* pam_chroot: of chroot.conf */
};

/* Ends the program when a call failed. */
void must(int result, const char *what);

enum { MODULES_MAX = 4 };
/* A mount namespace with a tmpfs on /mnt, a log, and the user foo. modules: paths, which become those of
 * copies: the build may lie below what is mounted over. */
void machine_begin(const char **modules, size_t n);
void machine_write(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
void machine_tmpfs(const char *path);
void machine_bind(const char *from, const char *to);
void machine_compile(const struct jail_policy *policy, const struct jail_cache_facts *facts,
		     const char *path);

/* jail, stock: paths of the two modules. */
void machine_make(const struct contender *contenders, size_t n, const char *jail, const char *stock);

/* The PAM service of contender number i: its module alone, or as the last line of sshd's stack. */
void machine_service(size_t i, bool stacked, char name[static 32]);

/* pam_chroot has its configuration's path compiled in: gives it the one with so many lines. */
void machine_choose(size_t lines);

/* Takes the lines out of the log and counts them. */
size_t machine_log_lines(void);
