/* The bytes of a compiled cache; private to lib/policy. cache.h describes what they are for.
 *
 * The file is: the header, then the sections in the order of enum cache_section, each an array of one kind
 * of record. Every record is made of 32-bit words in native byte order, and every section begins at a
 * multiple of 8. A string is an offset into CACHE_STRINGS and goes on to the next NUL; string 0 is the
 * empty one and also stands for "none".
 *
 * A table is a hash table: a name stands in slot cache_hash(name) % count or, where that is taken, in one of
 * the next, round the end; the first slot whose name is string 0 says that it is in none. Such a slot
 * has CACHE_NO_RULE: a block of zeros, which a crash may leave, is damage and frees nobody. That is one or
 * two small reads however many names there are; a binary search over 100,000 would touch a dozen pages,
 * which takes longer than all the rest of a lookup. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CACHE_MAGIC "CLJAIL\n" /* eight bytes with its NUL */

enum {
	CACHE_FORMAT = 3,
	CACHE_ENDIAN = 0x01020304,
	CACHE_ALIGN = 8,
};

#define CACHE_NO_RULE UINT32_MAX

enum cache_section {
	/* What every session may need, and small: */
	CACHE_RULES,   /* one each of the policy's "rules" */
	CACHE_JAILS,   /* one each of the policy's "jails" */
	CACHE_MOUNTS,  /* of all jails, one jail's after another's */
	CACHE_GLOBS,   /* struct cache_name: by rule */
	CACHE_MATCHES, /* struct cache_name: by rule */
	CACHE_GIDS,    /* struct cache_gid: sorted by gid */
	CACHE_STRINGS, /* those of the sections above first */
	/* What grows with the number of users: */
	CACHE_USERS,	   /* table of struct cache_name: exact users, each with its first rule */
	CACHE_GROUPS,	   /* table of struct cache_name: exact groups, likewise */
	CACHE_HELD,	   /* table of struct cache_name: users whom a confining group rule held when last
			    * resolved */
	CACHE_MEMBERS,	   /* sorted by user */
	CACHE_KNOWN,	   /* groups that rules name, as last resolved, sorted by name */
	CACHE_KNOWN_USERS, /* the users of these groups, one group's after another's */
	CACHE_N_SECTIONS
};

/* The strings of struct jail_places_of_node. */
enum cache_node_place {
	CACHE_RUN,
	CACHE_ROOTS,
	CACHE_MARKER,
	CACHE_PRIVATE_DISK,
	CACHE_PRIVATE_MEMORY,
	CACHE_N_PLACES
};

struct cache_place {
	uint64_t offset;
	uint64_t count; /* records; of CACHE_STRINGS: bytes */
};

struct cache_header {
	char magic[8];
	uint32_t endian;
	uint32_t format;
	uint64_t size; /* of the file */
	uint64_t version;
	int64_t expires;
	uint8_t policy_sha256[32];
	uint32_t cluster;
	uint32_t node;
	uint32_t has_group_rules;
	uint32_t places[CACHE_N_PLACES]; /* strings */
	struct cache_place sections[CACHE_N_SECTIONS];
	uint64_t checksum; /* cache_checksum of everything before it */
};

struct cache_rule {
	uint32_t here; /* 1: names this node */
	int32_t jail;  /* index, or JAIL_EXEMPT */
};

struct cache_jail {
	uint32_t name, confine, root, shared, used, uses, first_mount, n_mounts;
};

struct cache_mount {
	uint32_t verb, target, from, options, optional, in_memory, hidepid, mode, size_low, size_high;
};

struct cache_name {
	uint32_t name, rule;
};

struct cache_gid {
	uint32_t gid, rule;
};

struct cache_member {
	uint32_t user, group, home, uid, rule;
};

struct cache_known {
	uint32_t name, gid, first_user, n_users;
};

struct cache_known_user {
	uint32_t user, since; /* since: struct jail_cache_group */
};

/* FNV-1a, 32 bits. */
static inline uint32_t cache_hash(const char *name)
{
	uint32_t hash = 0x811c9dc5U;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		hash = (hash ^ *p) * 0x01000193U;
	return hash;
}

/* FNV-1a, 64 bits: against damage, not against forgery (the file's owner is what is trusted). */
static inline uint64_t cache_checksum(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t hash = 0xcbf29ce484222325ULL;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}
