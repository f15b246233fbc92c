/* The policy as C: what schema/policy.schema.json describes, nothing resolved or expanded yet.
 *
 * lib/wire fills it from JSON, lib/policy/cache.h compiles it for a node. Strings are owned by the
 * structure. Indices are those of the JSON arrays, so that a message can name the JSON pointer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { JAIL_POLICY_FORMAT = 1 };

enum jail_confine {
	JAIL_CONFINE_CHROOT = 1, /* a root kept by the agent; sessions chroot into it */
	JAIL_CONFINE_NAMESPACE,	 /* a mount namespace of each session's own: the host, with mounts over it */
};

enum jail_verb {
	JAIL_VERB_BIND = 1, /* a directory or file of the host, submounts included */
	JAIL_VERB_HIDE,	    /* an empty, read-only directory */
	JAIL_VERB_TMPFS,    /* an empty, writable directory in memory */
	JAIL_VERB_PROC,	    /* a new procfs of the host's PID namespace */
	JAIL_VERB_PRIVATE,  /* namespace: a directory of the user's own per node, which all their sessions
			       share */
};

/* Mount options, as bits; mount(8) names them ro, nosuid, nodev, noexec. */
enum {
	JAIL_OPT_RO = 1 << 0,
	JAIL_OPT_NOSUID = 1 << 1,
	JAIL_OPT_NODEV = 1 << 2,
	JAIL_OPT_NOEXEC = 1 << 3,
};

/* hidepid= of proc(5). */
enum jail_hidepid {
	JAIL_HIDEPID_OFF = 0,
	JAIL_HIDEPID_NOACCESS = 1,
	JAIL_HIDEPID_INVISIBLE = 2,
	JAIL_HIDEPID_PTRACEABLE = 4,
};

struct jail_mount {
	enum jail_verb verb;
	char *target;	  /* path inside the view; may hold %u, %g, or begin with %h */
	char *from;	  /* bind: the host path, NULL: the same as target */
	unsigned options; /* JAIL_OPT_*; bind with any: on every submount, and does not follow */
	bool optional;	  /* bind, hide, private: skipped where the node has no such source or target */
	bool in_memory;	  /* private: kept in memory, not on disk */
	uint64_t size;	  /* tmpfs: bytes; 0: the kernel's default (half of memory) */
	mode_t mode;	  /* tmpfs, private: permission bits of its root; 01777 unless said */
	enum jail_hidepid hidepid; /* proc; invisible unless said */
};

struct jail_jail {
	char *name;
	enum jail_confine confine;
	char *root;  /* chroot: absolute; may hold %u, then every member has a root of their own; else NULL */
	bool shared; /* chroot */
	struct jail_mount *mounts;
	size_t n_mounts;
};

enum jail_rule_kind { JAIL_RULE_USERS = 1, JAIL_RULE_GROUPS, JAIL_RULE_MATCH };

enum { JAIL_EXEMPT = -1 };

struct jail_rule {
	enum jail_rule_kind kind;
	char **names; /* users: exact names; groups: exact names or fnmatch(3) globs; match: one POSIX ERE */
	size_t n_names;
	char **nodes; /* hostlist expressions; none: every node */
	size_t n_nodes;
	ssize_t jail; /* index into jails, or JAIL_EXEMPT */
};

struct jail_policy {
	char *cluster;
	uint64_t version; /* 1 to 2^53-1 */
	time_t issued;	  /* seconds since the epoch, UTC */
	time_t expires;
	struct jail_jail *jails;
	size_t n_jails;
	struct jail_rule *rules;
	size_t n_rules;
};

void jail_policy_release(struct jail_policy *policy);
#define jail_autopolicy __attribute__((cleanup(jail_policy_release)))

/* Whether the rule holds on the node called node: it has no "nodes", or one of them matches. */
bool jail_rule_is_for(const struct jail_rule *rule, const char *node);
/* Whether a group rule names the group, exactly or by a glob. False for other kinds. */
bool jail_rule_names_group(const struct jail_rule *rule, const char *group);

/* Words for messages: "bind", "hide", ...; "ro,nosuid" or "" (buffer of at least 32 bytes); "invisible". */
const char *jail_verb_name(enum jail_verb verb);
const char *jail_options_text(unsigned options, char text[static 32]);
const char *jail_hidepid_name(enum jail_hidepid hidepid);
