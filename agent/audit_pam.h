/* Session doors: the services of the PAM configuration whose session stack does not lead through pam_jail.so.
 */
#pragma once

#include <stdbool.h>
#include "agent/audit.h"
#include "agent/pam_stack.h"

/* Every service that opens sessions of users, but slurm's, which opens none without UsePAM (audit_slurm.h).
 * Errors: -ENOMEM, errno of reading the directories. */
int jail_audit_pam(const struct jail_tree *tree, struct jail_audit *audit, struct jail_error *err);

/* One service. */
int jail_audit_pam_service(const struct jail_tree *tree, const char *service, struct jail_audit *audit,
			   struct jail_error *err);

/* The names of all services: files in both directories, or what the lines of pam.conf begin with. */
int jail_pam_services(const struct jail_tree *tree, struct jail_names *ret, struct jail_error *err);
/* Adds the names of files that a service's file includes, by itself. */
int jail_pam_includes(const struct jail_tree *tree, const char *service, struct jail_names *ret,
		      struct jail_error *err);
/* Whether a file of this name is what includes are for, or what a package manager or an editor left. */
bool jail_pam_is_no_service(const char *name);
/* Whether the service never opens a session for processes of a user. */
bool jail_pam_opens_none(const char *service);
