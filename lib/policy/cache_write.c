#include "lib/policy/cache_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"

int cache_add_string(struct cache_writer *writer, const char *text, uint32_t *ret)
{
	struct jail_buffer *strings = &writer->sections[CACHE_STRINGS];
	if (!text || *text == '\0') {
		*ret = 0;
		return 0;
	}
	size_t len = strlen(text) + 1;
	if (len > UINT32_MAX - strings->len)
		return -E2BIG;
	uint32_t at = (uint32_t)strings->len;
	int r = jail_buffer_append(strings, text, len);
	if (r < 0)
		return r;
	writer->counts[CACHE_STRINGS] = strings->len;
	*ret = at;
	return 0;
}

int cache_add(struct cache_writer *writer, enum cache_section section, const void *record, size_t size)
{
	if (writer->counts[section] == UINT32_MAX)
		return -E2BIG;
	int r = jail_buffer_append(&writer->sections[section], record, size);
	if (r == 0)
		writer->counts[section]++;
	return r;
}

static int write_mount(struct cache_writer *writer, const struct jail_mount *mount, uint32_t *uses)
{
	struct cache_mount record = {
		.verb = mount->verb,
		.options = mount->options,
		.optional = mount->optional,
		.in_memory = mount->in_memory,
		.hidepid = mount->hidepid,
		.mode = mount->mode,
		.size_low = (uint32_t)mount->size,
		.size_high = (uint32_t)(mount->size >> 32),
	};
	const char *templates[] = {mount->target, mount->from};
	uint32_t *strings[] = {&record.target, &record.from};

	for (size_t i = 0; i < 2; i++) {
		if (!templates[i])
			continue;
		int used = jail_template_check(templates[i], NULL);
		if (used < 0)
			return used;
		*uses |= (uint32_t)used;
		int r = cache_add_string(writer, templates[i], strings[i]);
		if (r < 0)
			return r;
	}
	return cache_add(writer, CACHE_MOUNTS, &record, sizeof record);
}

static bool is_used(const struct cache_writer *writer, size_t jail)
{
	for (size_t i = 0; i < writer->policy->n_rules; i++) {
		const struct jail_rule *rule = &writer->policy->rules[i];
		if (rule->jail == (ssize_t)jail && jail_rule_is_for(rule, writer->facts->node))
			return true;
	}
	return false;
}

static int write_jail(struct cache_writer *writer, size_t number)
{
	const struct jail_jail *jail = &writer->policy->jails[number];
	struct cache_jail record = {
		.confine = jail->confine,
		.shared = jail->shared,
		.used = is_used(writer, number),
		.first_mount = (uint32_t)writer->counts[CACHE_MOUNTS],
		.n_mounts = (uint32_t)jail->n_mounts,
	};
	int r = cache_add_string(writer, jail->name, &record.name);
	if (r == 0 && jail->root) {
		int used = jail_template_check(jail->root, NULL);
		record.uses = used < 0 ? 0 : (uint32_t)used;
		r = used < 0 ? used : cache_add_string(writer, jail->root, &record.root);
	}
	for (size_t i = 0; i < jail->n_mounts && r == 0; i++)
		r = write_mount(writer, &jail->mounts[i], &record.uses);
	return r < 0 ? r : cache_add(writer, CACHE_JAILS, &record, sizeof record);
}

static int compare_members(const void *a, const void *b)
{
	const struct jail_cache_member *const *x = a;
	const struct jail_cache_member *const *y = b;
	return strcmp((*x)->user, (*y)->user);
}

static int write_members(struct cache_writer *writer)
{
	const struct jail_cache_facts *facts = writer->facts;
	jail_autofree const struct jail_cache_member **sorted =
		calloc(facts->n_members + 1, sizeof(struct jail_cache_member *));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < facts->n_members; i++)
		sorted[i] = &facts->members[i];
	qsort((void *)sorted, facts->n_members, sizeof *sorted, compare_members);
	int r = 0;
	for (size_t i = 0; i < facts->n_members && r == 0; i++) {
		const struct jail_cache_member *member = sorted[i];
		if (member->rule >= writer->policy->n_rules)
			return -EINVAL;
		struct cache_member record = {.uid = member->uid, .rule = member->rule};
		r = cache_add_string(writer, member->user, &record.user);
		if (r == 0)
			r = cache_add_string(writer, member->group, &record.group);
		if (r == 0)
			r = cache_add_string(writer, member->home, &record.home);
		if (r == 0)
			r = cache_add(writer, CACHE_MEMBERS, &record, sizeof record);
	}
	return r;
}

static int compare_groups(const void *a, const void *b)
{
	const struct jail_cache_group *const *x = a;
	const struct jail_cache_group *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static int write_known_group(struct cache_writer *writer, const struct jail_cache_group *group)
{
	struct cache_known record = {
		.gid = group->gid,
		.first_user = (uint32_t)writer->counts[CACHE_KNOWN_USERS],
		.n_users = (uint32_t)group->n_users,
	};
	int r = cache_add_string(writer, group->name, &record.name);
	for (size_t i = 0; i < group->n_users && r == 0; i++) {
		struct cache_known_user user = {.since = group->since ? group->since[i] : 0};
		r = cache_add_string(writer, group->users[i], &user.user);
		if (r == 0)
			r = cache_add(writer, CACHE_KNOWN_USERS, &user, sizeof user);
	}
	return r < 0 ? r : cache_add(writer, CACHE_KNOWN, &record, sizeof record);
}

static int write_known(struct cache_writer *writer)
{
	const struct jail_cache_facts *facts = writer->facts;
	jail_autofree const struct jail_cache_group **sorted =
		calloc(facts->n_groups + 1, sizeof(struct jail_cache_group *));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < facts->n_groups; i++)
		sorted[i] = &facts->groups[i];
	qsort((void *)sorted, facts->n_groups, sizeof *sorted, compare_groups);
	int r = 0;
	for (size_t i = 0; i < facts->n_groups && r == 0; i++)
		r = write_known_group(writer, sorted[i]);
	return r;
}

static bool has_group_rules(const struct cache_writer *writer)
{
	for (size_t i = 0; i < writer->policy->n_rules; i++) {
		const struct jail_rule *rule = &writer->policy->rules[i];
		if (rule->kind == JAIL_RULE_GROUPS && jail_rule_is_for(rule, writer->facts->node))
			return true;
	}
	return false;
}

static int write_places(struct cache_writer *writer, struct jail_error *err)
{
	const struct jail_places_of_node *places = &writer->facts->places;
	const char *const paths[CACHE_N_PLACES] = {
		[CACHE_RUN] = places->run,
		[CACHE_ROOTS] = places->roots,
		[CACHE_MARKER] = places->marker,
		[CACHE_PRIVATE_DISK] = places->private_disk,
		[CACHE_PRIVATE_MEMORY] = places->private_memory,
	};

	for (size_t i = 0; i < CACHE_N_PLACES; i++) {
		if (!paths[i] || *paths[i] == '\0')
			continue;
		if (!jail_path_is_normal(paths[i]))
			return jail_error_set(err, EINVAL, "\"%s\" is no absolute path in normal form",
					      paths[i]);
		int r = cache_add_string(writer, paths[i], &writer->places[i]);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot compile the policy");
	}
	return 0;
}

static size_t pad(size_t len)
{
	return (CACHE_ALIGN - len % CACHE_ALIGN) % CACHE_ALIGN;
}

static int assemble(struct cache_writer *writer, struct jail_buffer *ret)
{
	static const char zeros[CACHE_ALIGN];
	struct cache_header header = {
		.magic = CACHE_MAGIC,
		.endian = CACHE_ENDIAN,
		.format = CACHE_FORMAT,
		.version = writer->policy->version,
		.expires = writer->policy->expires,
		.cluster = writer->cluster,
		.node = writer->node,
		.has_group_rules = has_group_rules(writer),
	};
	memcpy(header.places, writer->places, sizeof header.places);
	if (writer->facts->policy_sha256)
		memcpy(header.policy_sha256, writer->facts->policy_sha256, sizeof header.policy_sha256);
	uint64_t at = sizeof header;
	for (size_t i = 0; i < CACHE_N_SECTIONS; i++) {
		header.sections[i] = (struct cache_place){.offset = at, .count = writer->counts[i]};
		at += writer->sections[i].len + pad(writer->sections[i].len);
	}
	if (at > UINT32_MAX)
		return -E2BIG;
	header.size = at;
	header.checksum = cache_checksum(&header, offsetof(struct cache_header, checksum));
	jail_autobuffer struct jail_buffer out = JAIL_BUFFER_INIT;
	int r = jail_buffer_reserve(&out, at);
	if (r == 0)
		r = jail_buffer_append(&out, &header, sizeof header);
	for (size_t i = 0; i < CACHE_N_SECTIONS && r == 0; i++) {
		r = jail_buffer_append(&out, writer->sections[i].data, writer->sections[i].len);
		if (r == 0)
			r = jail_buffer_append(&out, zeros, pad(writer->sections[i].len));
	}
	if (r < 0)
		return r;
	jail_buffer_release(ret);
	*ret = out;
	out = JAIL_BUFFER_INIT;
	return 0;
}

static int write_all(struct cache_writer *writer, struct jail_buffer *ret, struct jail_error *err)
{
	/* String 0. */
	int r = jail_buffer_append(&writer->sections[CACHE_STRINGS], "", 1);
	writer->counts[CACHE_STRINGS] = 1;
	if (r == 0)
		r = cache_add_string(writer, writer->policy->cluster, &writer->cluster);
	if (r == 0)
		r = cache_add_string(writer, writer->facts->node, &writer->node);
	if (r == 0) {
		r = write_places(writer, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < writer->policy->n_jails && r == 0; i++)
		r = write_jail(writer, i);
	if (r == 0) {
		r = cache_write_rules(writer, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = write_members(writer);
	if (r == 0)
		r = write_known(writer);
	if (r == 0)
		r = assemble(writer, ret);
	return r < 0 ? jail_error_sys(err, -r, "cannot compile the policy") : 0;
}

int jail_cache_compile(const struct jail_policy *policy, const struct jail_cache_facts *facts,
		       struct jail_buffer *ret, struct jail_error *err)
{
	struct cache_writer writer = {.policy = policy, .facts = facts};
	for (size_t i = 0; i < CACHE_N_SECTIONS; i++)
		writer.sections[i] = JAIL_BUFFER_INIT;
	int r = write_all(&writer, ret, err);
	for (size_t i = 0; i < CACHE_N_SECTIONS; i++)
		jail_buffer_release(&writer.sections[i]);
	return r;
}
