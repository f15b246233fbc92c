/* The module's arguments on its line in /etc/pam.d (pam_jail(8)). */
#pragma once

#include <stdbool.h>

struct options {
	const char *cache;	/* cache=PATH: the compiled policy */
	const char *breakglass; /* breakglass=GROUP: never confined, never refused */
	const char *run; /* run=DIR: the agent's run directory, on which namespace views have their marker */
	bool debug;	 /* debug: say why a session is left as it is */
	const char *unknown; /* the first argument that is none of these, NULL: all were good */
};

/* Strings point into argv. */
void options_parse(int argc, const char **argv, struct options *ret);
