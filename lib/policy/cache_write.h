/* The halves of the compiler; private to lib/policy. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/policy/cache.h"
#include "lib/policy/cache_layout.h"

struct cache_writer {
	const struct jail_policy *policy;
	const struct jail_cache_facts *facts;
	struct jail_buffer sections[CACHE_N_SECTIONS];
	uint64_t counts[CACHE_N_SECTIONS];
	uint32_t cluster, node, places[CACHE_N_PLACES]; /* strings */
};

/* Adds text to the strings; NULL and "" are string 0. 0, -ENOMEM, or -E2BIG over 4 GiB. */
int cache_add_string(struct cache_writer *writer, const char *text, uint32_t *ret);
/* Adds one record of size bytes to a section. 0, -ENOMEM, or -E2BIG. */
int cache_add(struct cache_writer *writer, enum cache_section section, const void *record, size_t size);

/* CACHE_RULES, and the tables by which a name finds its first rule: CACHE_USERS to CACHE_GIDS. Errors: as
 * jail_cache_compile. */
int cache_write_rules(struct cache_writer *writer, struct jail_error *err);
