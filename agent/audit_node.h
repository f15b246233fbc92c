/* The node that is audited: its files, what runs on it, and who is confined there. A test says all of this in
 * text; on a node audit_host.h finds it out. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include "agent/audit.h"
#include "agent/audit_tree.h"

/* A running program of root's that may let users in. */
struct jail_daemon {
	pid_t pid;
	char *name;		/* of its program, without directories */
	struct jail_names argv; /* in its order */
};

struct jail_audited {
	struct jail_tree tree;
	const char *breakglass; /* the group whose members are never confined */
	const char *slurm_conf; /* $SLURM_CONF, or NULL */
	struct jail_daemon *daemons;
	size_t n_daemons;
	/* Answers of the node; context is theirs. */
	void *context;
	/* What "sshd -T" with these options more says. Errors: -ENOENT no sshd; what went wrong. */
	int (*ask_sshd)(void *context, const struct jail_names *options, struct jail_buffer *ret,
			struct jail_error *err);
	/* Whether some rule confines the user, break-glass left aside. 1, 0 or negative errno. */
	int (*is_confined)(void *context, const char *user, struct jail_error *err);
	/* Adds the members of a group that /etc/group does not tell. 0 or negative errno. */
	int (*group_members)(void *context, const char *group, struct jail_names *ret);
};

/* Each adds what it finds. Errors are those that keep it from telling: -ENOMEM, errno of reading. */
int jail_audit_sshd(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err);
int jail_audit_listeners(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err);
int jail_audit_slurm(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err);
int jail_audit_system(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err);

/* Whether a program of this name is one of those that jail_daemon is for. */
bool jail_audit_is_daemon(const char *program);

/* All of them, and audit_pam.h. */
int jail_audit_doors(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err);
