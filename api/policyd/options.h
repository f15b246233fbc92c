/* The command line of jail-policyd. */
#pragma once

#include <stdbool.h>

enum {
	POLICYD_EXIT_OK = 0,
	POLICYD_EXIT_FAILED = 1,
	POLICYD_EXIT_USAGE = 64, /* EX_USAGE of sysexits.h */
};

/* Whom it becomes when root starts it without --user; the package makes this user. */
#define POLICYD_USER "clusterjail-policyd"

struct policyd_options {
	const char *dir;    /* what jail-policy publish was given as --to */
	const char *listen; /* as typed; policyd_listen reads it */
	const char *user;   /* NULL: not given */
};

/* Returns true when *ret is filled; otherwise the usage, help or version was printed and *ret_exit is the
 * code to exit with. The strings are argv's. */
bool policyd_options_parse(int argc, char **argv, struct policyd_options *ret, int *ret_exit);
