/* Wanted against present, pure: jail_plan_make compares the views with the mount table and the facts about
 * their sources and says which calls make them equal.
 * tests/fixtures/plan/CASE/{views,mountinfo,facts,made,plan.txt} hold it. */
#pragma once

#include <stdint.h>
#include "lib/base/buffer.h"
#include "lib/view/mountinfo.h"
#include "lib/view/view.h"

/* What lib/view/observe.c found out about one entry: about the source of a bind, and for every kind whether
 * this kernel can have it. */
struct jail_fact {
	int code; /* 0; or positive errno: why the entry can't be had (ENOENT missing, ELOOP, EPERM not
		     owned ...) */
	bool is_dir;
	bool trusted;	   /* every component root's and not writable by others: may stand at a system
			      directory */
	char *link;	   /* a symlink that root made: reproduced with this text, no mount */
	char *target_link; /* for link: the text of the symlink that is at the target now, NULL: none */
	char *path;	   /* resolved path on the host */
	int mount_id;	   /* of the mount that it lies in */
	uint64_t inode;	   /* of the source, and of what is at the target now; 0: not known. Only asked on */
	uint64_t target_inode; /* file systems whose mountinfo has "/" for every root (NFS) */
	char *message;	       /* for code != 0: the sentence */
};

enum jail_action_kind {
	JAIL_ACTION_ROOT = 1, /* make the root directory, self-bind it where needed, unbindable and private */
	JAIL_ACTION_MOUNT,    /* make the mount point and mount entry */
	JAIL_ACTION_UNMOUNT,  /* detach what is at target, all that is stacked there and below */
	JAIL_ACTION_SYMLINK,  /* make target a symlink with text link */
	JAIL_ACTION_REMOVE,   /* rmdir or unlink a mount point or symlink that the agent made and nobody needs
			       */
};

enum jail_how {
	JAIL_HOW_NEW = 0, /* on top of what is there */
	JAIL_HOW_REPLACE, /* detach what is there, just before */
	JAIL_HOW_REMOUNT, /* tmpfs: size and options change, what is in it stays */
};

struct jail_action {
	enum jail_action_kind kind;
	enum jail_how how; /* MOUNT and SYMLINK */
	size_t view;	   /* index into views; SIZE_MAX for what no wanted view has any more */
	size_t entry;	   /* index into its entries; SIZE_MAX where it does not apply */
	char *path;	   /* host path of the target */
	char *reason;	   /* "missing", "source was replaced", "options differ", "not in the policy", ... */
};

/* What cannot be had: an entry whose source is unusable. Its view is broken (jail_entry_breaks) unless the
 * entry is optional, or a bind for one member, or its source gives no answer and it is mounted already. */
struct jail_problem_entry {
	size_t view, entry;
	int code;
	bool breaks;
	char *message;
};

struct jail_plan {
	struct jail_action *grant; /* first: everything that makes a view complete, parents before children */
	size_t n_grant;
	struct jail_action *revoke; /* after the cache was replaced: children before parents */
	size_t n_revoke;
	struct jail_problem_entry *problems;
	size_t n_problems;
};

/* Whether a view without this entry may be entered by nobody. A bind of one member's own is missed by that
 * member alone, whom the door refuses. */
bool jail_entry_breaks(const struct jail_entry *entry);

/* facts[v][e] belongs to views->views[v].entries[e]. made: host paths that the agent made earlier
 * (lib/view/manifest.h), for JAIL_ACTION_REMOVE and for roots that are gone from the policy. roots_dir: the
 * directory of all roots. */
struct jail_made {
	char type; /* 'r' root, 'd' directory, 'f' empty file, 'l' symlink */
	char *path;
	bool present; /* a root: it is there, and root's */
};

int jail_plan_make(const struct jail_views *views, const struct jail_mount_table *table,
		   const struct jail_fact *const *facts, const struct jail_made *made, size_t n_made,
		   const char *roots_dir, struct jail_plan *ret, struct jail_error *err);
/* True when there is nothing to do and no problem. */
bool jail_plan_is_empty(const struct jail_plan *plan);
/* One line an action, for --check, logs and fixtures: "mount /root/home/foo from /home/foo (missing)".
 * 0 or -ENOMEM. */
int jail_plan_text(const struct jail_plan *plan, const struct jail_views *views, struct jail_buffer *ret);
/* One such line, without newline. 0 or -ENOMEM. */
int jail_action_text(const struct jail_action *action, const struct jail_views *views,
		     struct jail_buffer *ret);
void jail_plan_release(struct jail_plan *plan);
#define jail_autoplan __attribute__((cleanup(jail_plan_release)))
