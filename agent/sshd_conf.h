/* Where sshd_config(5) sets an option, and how a running sshd was called. */
#pragma once

#include <stdbool.h>
#include "agent/audit_tree.h"
#include "lib/base/error.h"

#define JAIL_SSHD_CONF "/etc/ssh/sshd_config"

/* The first line that sets keyword outside of Match, which is the one that holds; Include is followed.
 * *ret_path is allocated. Returns 1, 0 no line does, or negative errno. */
int jail_sshd_find(const struct jail_tree *tree, const char *path, const char *keyword, char **ret_path,
		   unsigned *ret_line, struct jail_error *err);

/* Picks what changes the configuration out of an sshd's command line: "-f", FILE, "-o", OPTION, ... argv may
 * be the title that a listening sshd gives itself ("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100
 * startups"). 0 or -ENOMEM. */
int jail_sshd_options(const struct jail_names *argv, struct jail_names *ret);

/* The value of keyword (lower case) in what "sshd -T" says, into value. false: it says nothing of it. */
bool jail_sshd_answer(const char *answer, const char *keyword, char value[static 64]);
