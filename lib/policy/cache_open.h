/* An opened cache; private to lib/policy. That sections lie within the file was checked when it was opened;
 * what stands in records is checked when it is read.
 *
 * A session reads the file's first bytes with one read(2), which for most policies hold all that it needs but
 * one slot of a table and its name: two more reads. Mapping the file would cost more than all of that, in
 * page faults. Whoever wants more (the agent, which goes through members) gets it mapped then. */
#pragma once

#include "lib/policy/cache.h"
#include "lib/policy/cache_layout.h"

struct jail_cache {
	const unsigned char *data; /* its first bytes, or all of it */
	size_t available;	   /* how many are at data */
	size_t size;		   /* of the file */
	const struct cache_header *header;
	int fd;	   /* -1: in memory */
	void *map; /* NULL: not mapped (yet) */
	unsigned char *head;
};

static inline size_t cache_count(const struct jail_cache *cache, enum cache_section section)
{
	return (size_t)cache->header->sections[section].count;
}

/* Record number i of a section, each of size bytes; NULL where the section has no such record, or the file
 * cannot be mapped. What was returned stays valid until the cache is closed. */
const void *cache_record(const struct jail_cache *cache, enum cache_section section, size_t i, size_t size);
#define CACHE_RECORD(cache, section, i, type) ((const type *)cache_record(cache, section, i, sizeof(type)))

/* The same into *ret, without mapping anything. */
bool cache_copy(const struct jail_cache *cache, enum cache_section section, size_t i, size_t size, void *ret);

/* String number string, or NULL where the file is damaged. */
const char *cache_string(const struct jail_cache *cache, uint32_t string);

/* Whether string number string is text. 1, 0, or -EBADMSG. Without mapping anything. */
int cache_string_is(const struct jail_cache *cache, uint32_t string, const char *text);

/* -EBADMSG with a sentence. */
int cache_damaged(struct jail_error *err);
