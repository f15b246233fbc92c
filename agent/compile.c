#include "agent/compile.h"

#include <errno.h>
#include "agent/outside.h"

static struct jail_cache *open_previous(const struct jail_config *config, struct jail_report *report)
{
	struct jail_cache *cache = NULL;
	struct jail_error error;
	int r = jail_cache_open(config->cache, &cache, &error);

	if (r < 0 && r != -ENOENT)
		jail_report_warn(report, "the present cache is of no use and will be replaced: %s",
				 error.message);
	return cache;
}

static int compile(const struct jail_config *config, const struct jail_policy *policy,
		   const uint8_t sha256[32], struct jail_report *report, struct jail_buffer *ret,
		   struct jail_error *err)
{
	jail_autocache struct jail_cache *previous = open_previous(config, report);
	jail_automembers struct jail_members members = {0};
	const struct jail_moment moment = jail_moment_now();
	int r = jail_members_resolve(policy, config->node, previous, &moment, &members, err);
	struct jail_cache_facts facts;

	if (r < 0)
		return r;
	for (size_t i = 0; i < members.n_warnings; i++)
		jail_report_warn(report, "%s", members.warnings[i]);
	facts = jail_members_facts(&members, config->node, sha256);
	facts.places = (struct jail_places_of_node){
		.run = config->run,
		.roots = config->roots,
		.marker = config->marker,
		.private_disk = config->private_disk,
		.private_memory = config->private_memory,
	};
	return jail_cache_compile(policy, &facts, ret, err);
}

static int fill(const struct jail_config *config, const struct jail_policy *policy, const uint8_t sha256[32],
		struct jail_report *report, struct jail_compiled *compiled, struct jail_error *err)
{
	struct jail_error error;
	int r = compile(config, policy, sha256, report, &compiled->bytes, err);

	if (r == 0)
		r = jail_cache_open_memory(compiled->bytes.data, compiled->bytes.len, &compiled->cache, err);
	if (r < 0)
		return r;
	if (jail_views_build(compiled->cache, config->marker, &compiled->views, &error) == 0)
		compiled->has_views = true;
	else
		jail_report_fail(report, "views", "%s; mounts are left as they are", error.message);
	for (size_t i = 0; i < compiled->views.n_warnings; i++)
		jail_report_warn(report, "%s", compiled->views.warnings[i]);
	jail_outside_warn(config, &compiled->views, report);
	if (jail_report_policy(report, compiled->cache, compiled->has_views ? &compiled->views : NULL) < 0)
		return jail_error_sys(err, ENOMEM, "cannot compile the policy");
	return 0;
}

int jail_compile(const struct jail_config *config, const struct jail_policy *policy, const uint8_t sha256[32],
		 struct jail_report *report, struct jail_compiled *ret, struct jail_error *err)
{
	struct jail_compiled compiled = JAIL_COMPILED_INIT;
	int r = fill(config, policy, sha256, report, &compiled, err);

	if (r < 0)
		jail_compiled_release(&compiled);
	else
		*ret = compiled;
	return r;
}

void jail_compiled_release(struct jail_compiled *compiled)
{
	jail_views_release(&compiled->views);
	jail_cache_close(&compiled->cache);
	jail_buffer_release(&compiled->bytes);
	*compiled = JAIL_COMPILED_INIT;
}
