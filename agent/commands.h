/* jail-agent: a verb a file, listed in the table of main.c. */
#pragma once

#include <stdbool.h>
#include "agent/config.h"
#include "agent/report.h"

enum {
	JAIL_EXIT_OK = 0,
	JAIL_EXIT_FAILED = 1,
	JAIL_EXIT_DIFFERS = 2, /* --check: something differs; --audit: something is open; --sync
				* --detailed-exitcode: something changed */
	JAIL_EXIT_KEPT = 3,    /* last-known-good is enforced */
	JAIL_EXIT_USAGE = 64,  /* EX_USAGE of sysexits.h */
};

/* Seconds to wait for another agent. */
enum { JAIL_LOCK_SECONDS = 30 };

struct jail_options {
	bool json, offline, detailed;
	const char *user; /* --explain */
};

int jail_cmd_sync(const struct jail_config *config, const struct jail_options *options);
int jail_cmd_check(const struct jail_config *config, const struct jail_options *options);
int jail_cmd_audit(const struct jail_config *config, const struct jail_options *options);
int jail_cmd_status(const struct jail_config *config, const struct jail_options *options);
int jail_cmd_explain(const struct jail_config *config, const struct jail_options *options);
int jail_cmd_teardown(const struct jail_config *config, const struct jail_options *options);
