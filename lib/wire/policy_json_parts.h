/* The parts of a policy, each read into its place in struct jail_policy. Internal to lib/wire. */
#pragma once

#include "lib/policy/model.h"
#include "lib/wire/policy_json_fields.h"

enum { JAIL_JAILS_MAX = 1024, JAIL_MOUNTS_MAX = 4096 };

/* Every jail, mount and rule of the text gets its place, so that indices are those of the text; what could
 * not be read leaves zeros (a mount without verb or target, a jail without root, a rule without names). */
void jail_read_jails(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		     struct jail_policy *policy);
void jail_read_mount(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		     struct jail_mount *mount);
/* After the jails: rules refer to them. */
void jail_read_rules(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		     struct jail_policy *policy);

/* RFC 3339 in UTC and whole seconds, "2026-11-23T10:00:00Z": seconds since the epoch. False: it is none. */
bool jail_time_parse(const char *text, time_t *ret);
/* "512M": bytes, below 2^63. False: it is no size. */
bool jail_size_parse(const char *text, uint64_t *ret);
/* Whether a rule's "match" may be this: 0, or -EINVAL with what to change. */
int jail_expression_check(const char *text, struct jail_error *err);
