/* The compiled policy of one node: one flat file, of which the PAM module reads a few pieces.
 *
 * Layout (native byte order; the magic tells a foreign one): header {magic, format, total size, checksum of
 * the header, sections {offset, count}}, then arrays of fixed-size records and a string table. Every offset
 * is checked against the file's size before use, so a damaged file gives an error, never a fault. The file
 * must be a regular file owned by uid 0 and writable by nobody else.
 *
 * Rules are numbered as in the policy's "rules"; those whose nodes do not name this node are left out. Exact
 * users and groups are found in hash tables, in constant time; globs and expressions are tried one by one, in
 * the order of their rules, as long as they could still decide. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/policy/model.h"
#include "lib/policy/template.h"

/* What the agent found out about group rules and chroot members when it compiled (lib/policy/members.h). */
struct jail_cache_member {
	char *user;
	char *group; /* name of the primary group, NULL when NSS does not tell */
	char *home;
	uid_t uid;
	uint32_t rule; /* the first rule that holds for this user, as resolved; it confines */
};

/* One group that rules of this node name, with everybody who is in it, as last resolved. Kept whole and by
 * name, so that the next sync can fall back on it under another policy, where rules have other numbers. */
struct jail_cache_group {
	char *name;
	gid_t gid;
	char **users;
	size_t n_users;
	uint32_t *since; /* one each of users: when NSS first did not list them any more, seconds since the
			  * epoch, or 0: it does; NULL: all 0 */
};

/* Where the agent keeps what namespace views are made of on this node: absolute paths in normal form; NULL
 * (or, read back, ""): not given. They stand in the cache, so that a session needs no other file. */
struct jail_places_of_node {
	const char *run;	    /* the agent's run directory */
	const char *roots;	    /* the directory of all roots, which views detach */
	const char *marker;	    /* the source of the marker by which views are found */
	const char *private_disk;   /* where users' private directories are, those on disk */
	const char *private_memory; /* and those in memory */
};

struct jail_cache_facts {
	const char *node;	      /* short host name that the rules' nodes were matched with */
	const uint8_t *policy_sha256; /* 32 bytes: of the payload as signed; NULL: zeros */
	/* Users known to be confined by some rule; any order, each once. */
	const struct jail_cache_member *members;
	size_t n_members;
	const struct jail_cache_group *groups; /* any order, each name once */
	size_t n_groups;
	struct jail_places_of_node places;
};

/* Compiles into bytes ready for jail_file_replace(..., 0644). The same input gives the same bytes.
 * Errors: -ENOMEM; -EINVAL for what lint refuses (bad expression, bad hostlist), and for a place that is no
 * absolute path in normal form; -E2BIG over 4 GiB. */
int jail_cache_compile(const struct jail_policy *policy, const struct jail_cache_facts *facts,
		       struct jail_buffer *ret, struct jail_error *err);

struct jail_cache; /* opened; used by one thread at a time */

/* Opens the file at path: every check above; no symlink at the last component, no FIFO (O_NONBLOCK).
 * Errors: -ENOENT, -EPERM owner or mode, -EBADMSG truncated or damaged, -EPROTONOSUPPORT other format. */
int jail_cache_open(const char *path, struct jail_cache **ret, struct jail_error *err);
/* The same over bytes in memory, which must outlive it; 8-byte aligned. */
int jail_cache_open_memory(const void *data, size_t size, struct jail_cache **ret, struct jail_error *err);
void jail_cache_close(struct jail_cache **cache);
#define jail_autocache __attribute__((cleanup(jail_cache_close)))

const char *jail_cache_cluster(const struct jail_cache *cache);
const char *jail_cache_node(const struct jail_cache *cache);
uint64_t jail_cache_version(const struct jail_cache *cache);
time_t jail_cache_expires(const struct jail_cache *cache);
const uint8_t *jail_cache_policy_sha256(const struct jail_cache *cache); /* 32 bytes */
bool jail_cache_has_group_rules(const struct jail_cache *cache);
/* Strings point into the cache and are valid while it is open; "" for what was not given, or is damaged. */
void jail_cache_places(const struct jail_cache *cache, struct jail_places_of_node *ret);

/* Jails of the policy, in its order. Strings and mounts point into the cache and are valid while it is
 * open. */
struct jail_cache_jail {
	const char *name;
	enum jail_confine confine;
	const char *root; /* "" where it has none: namespace */
	bool shared;
	bool used; /* some rule of this node leads to it, with known members or not */
	int uses;  /* mask of enum jail_template_use over root and mounts: what expansion asks for */
	size_t n_mounts;
	uint32_t first_mount;
};
size_t jail_cache_n_jails(const struct jail_cache *cache);
int jail_cache_jail(const struct jail_cache *cache, size_t jail, struct jail_cache_jail *ret,
		    struct jail_error *err);
/* Mount number i of the jail. target and from are templates; they point into the cache and must not be
 * freed. */
int jail_cache_mount(const struct jail_cache *cache, const struct jail_cache_jail *jail, size_t i,
		     struct jail_mount *ret, struct jail_error *err);

/* Members as last resolved, sorted by user (strcmp). */
size_t jail_cache_n_members(const struct jail_cache *cache);
/* Strings of *ret point into the cache. ret_jail: index of the jail. */
int jail_cache_member(const struct jail_cache *cache, size_t i, struct jail_cache_member *ret,
		      ssize_t *ret_jail, struct jail_error *err);
/* The number of the member called user. -ENOENT: nobody of that name is one; -EBADMSG. Logarithmic. */
int jail_cache_member_find(const struct jail_cache *cache, const char *user, size_t *ret_i,
			   struct jail_error *err);

/* Groups as last resolved, sorted by name (strcmp). Strings point into the cache. */
struct jail_cache_known {
	const char *name;
	gid_t gid;
	size_t n_users;
	uint32_t first_user;
};
size_t jail_cache_n_known(const struct jail_cache *cache);
int jail_cache_known(const struct jail_cache *cache, size_t i, struct jail_cache_known *ret,
		     struct jail_error *err);
/* User number i of the group: name, and since as in struct jail_cache_group. */
int jail_cache_known_user(const struct jail_cache *cache, const struct jail_cache_known *known, size_t i,
			  const char **ret_user, uint32_t *ret_since, struct jail_error *err);

/* Who asks. groups: names of the user's groups as NSS gives them now (any that has no name may be left out),
 * gids: their numbers. The last n_foreign of groups are the process's, and NSS does not give them for the
 * user: they confine like what was last resolved, and exempt nobody. */
struct jail_identity {
	const char *user;
	const char *const *groups;
	size_t n_groups;
	const gid_t *gids;
	size_t n_gids;
	size_t n_foreign; /* of n_groups */
};

struct jail_verdict {
	bool matched; /* false: no rule, not confined */
	uint32_t rule;
	ssize_t jail;	 /* JAIL_EXEMPT or an index; JAIL_EXEMPT too when !matched */
	bool last_known; /* the rule holds by the last resolved membership, not by what NSS says now */
};

/* The first rule that matches. A confining group rule holds by what NSS says now or by what was last
 * resolved; an exempting group rule only by what NSS says now (fail closed). Errors: -EBADMSG damaged cache,
 * -ENOMEM. */
int jail_cache_lookup(const struct jail_cache *cache, const struct jail_identity *identity,
		      struct jail_verdict *ret, struct jail_error *err);
