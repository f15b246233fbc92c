/* What --audit finds: open doors, processes outside their view, and what deserves a look. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "agent/audit_tree.h"
#include "lib/base/error.h"

/* A way in that is not confined. One place that opens several services is one door. */
struct jail_door {
	char *path;
	unsigned line; /* the line to change; 0: it is about the whole file, or no file at all */
	char *what;
	char *who; /* the services that come through it: "sshd, su"; ends the sentence. NULL: said in what */
	char *todo;
};

/* A process of a confined user that is not in their view. */
struct jail_stray {
	pid_t pid;
	char *command, *user, *jail;
	uid_t uid;
	time_t since;
	char *door;	/* how it came in */
	size_t threads; /* 0: the process; else so many of its threads only */
};

struct jail_audit {
	struct jail_door *doors;
	size_t n_doors;
	struct jail_stray *strays;
	size_t n_strays;
	char **warnings;
	size_t n_warnings;
};

/* Adds an open door. One with the same place, what and todo gets who added to its own; who may be NULL. The
 * second takes a format for what. 0 or -ENOMEM. */
int jail_audit_open(struct jail_audit *audit, const char *path, unsigned line, const char *who,
		    const char *what, const char *todo);
int jail_audit_openf(struct jail_audit *audit, const char *path, unsigned line, const char *todo,
		     const char *what, ...) __attribute__((format(printf, 5, 6)));
/* Adds a warning, unless it is there already. 0 or -ENOMEM. */
int jail_audit_warn(struct jail_audit *audit, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a stray, taking over its strings. 0 or -ENOMEM (then they are freed). */
int jail_audit_stray(struct jail_audit *audit, struct jail_stray *stray);

/* The sentence of a door, without its place and what to do. */
int jail_door_text(const struct jail_door *door, struct jail_buffer *ret);
/* For people, or as JSON (jail-agent(8)); error: what kept the audit from being whole, or NULL. -ENOMEM. */
int jail_audit_text(const struct jail_audit *audit, struct jail_buffer *ret);
int jail_audit_json(const struct jail_audit *audit, const char *error, struct jail_buffer *ret);

void jail_audit_release(struct jail_audit *audit);
#define jail_autoaudit __attribute__((cleanup(jail_audit_release)))
