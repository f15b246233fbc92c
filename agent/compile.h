/* From a policy to what it means here: the compiled cache as bytes, opened, and the views that follow. */
#pragma once

#include "agent/config.h"
#include "agent/report.h"
#include "lib/policy/members.h"

struct jail_compiled {
	struct jail_buffer bytes; /* as policy.cache should be */
	struct jail_cache *cache; /* of bytes */
	struct jail_views views;
	bool has_views;
};
#define JAIL_COMPILED_INIT ((struct jail_compiled){.bytes = JAIL_BUFFER_INIT})

/* Resolves members with the help of the cache that is in place, compiles, and builds the views. What NSS
 * could not tell is a warning, and so are a member for whom no view can be built and a root that others can
 * reach; views that can't be built are a failure, and then has_views is false. Fills in what report says of
 * the policy. Errors: those of compiling. */
int jail_compile(const struct jail_config *config, const struct jail_policy *policy, const uint8_t sha256[32],
		 struct jail_report *report, struct jail_compiled *ret, struct jail_error *err);
void jail_compiled_release(struct jail_compiled *compiled);
#define jail_autocompiled __attribute__((cleanup(jail_compiled_release)))
