/* The plugin's arguments on its line in plugstack.conf (spank_jail(8)). */
#pragma once

struct options {
	const char *cache;	/* cache=PATH: the compiled policy */
	const char *breakglass; /* breakglass=GROUP: never confined, never refused */
	const char *run; /* run=DIR: the agent's run directory, on which namespace views have their marker */
	const char *unknown; /* the first argument that is none of these, NULL: all were good */
};

/* Strings point into argv. */
void options_parse(int argc, char *argv[], struct options *ret);
