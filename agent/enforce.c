#include "agent/enforce.h"

#include <fcntl.h>
#include "agent/chrootfile.h"
#include "agent/compile.h"
#include "agent/managers.h"
#include "agent/sessions.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/view/sync.h"
#include "lib/wire/key.h"

struct jail_node jail_node_of(const struct jail_config *config)
{
	return (struct jail_node){.roots_dir = config->roots,
				  .marker_dir = config->marker,
				  .private_memory = config->private_memory,
				  .manifest = config->made};
}

void jail_report_observed(struct jail_report *report, const struct jail_views *views,
			  const struct jail_observation *observation)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_error error;

	report->observed = jail_observation_text(views, observation, &text, &error) == 0;
	if (report->observed)
		jail_sha256(text.data, text.len, report->view_sha256);
	else
		jail_report_fail(report, "view", "%s", error.message);
}

/* Each action, before it is carried out: what a change did stands in the journal. */
static void log_plan(const struct jail_views *views, const struct jail_action *actions, size_t n)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;

	for (size_t i = 0; i < n; i++) {
		text.len = 0;
		if (jail_action_text(&actions[i], views, &text) == 0)
			jail_log_info("%s", text.data);
	}
}

static void tell_applied(struct jail_applied *applied, struct jail_report *report)
{
	report->changed |= applied->mounts + applied->unmounts + applied->others > 0;
	for (size_t i = 0; i < applied->n_messages; i++)
		jail_report_fail(report, "view", "%s", applied->messages[i]);
	if (applied->failures > 0 && applied->n_messages == 0)
		jail_report_fail(report, "view", "%zu actions failed", applied->failures);
	jail_applied_release(applied);
}

static void tell_problems(const struct jail_views *views, const struct jail_plan *plan,
			  struct jail_report *report)
{
	for (size_t i = 0; i < plan->n_problems; i++) {
		const struct jail_problem_entry *problem = &plan->problems[i];
		const struct jail_view *view = &views->views[problem->view];
		const struct jail_entry *entry = &view->entries[problem->entry];

		if (entry->optional)
			jail_report_warn(report, "%s in jail %s: %s", entry->target, view->jail,
					 problem->message);
		else
			jail_report_fail(report, "source",
					 "%s in jail %s: %s; nobody can enter %s without it", entry->target,
					 view->jail, problem->message, view->root);
	}
}

/* Since Linux 3.19 a mount point may be removed that is one in another mount namespace only, and its mounts
 * go with it there; a server's clients do the same. */
static void tell_shared_roots(const struct jail_views *views, const struct jail_mount_table *table,
			      struct jail_report *report)
{
	for (size_t i = 0; i < views->n_views; i++) {
		const struct jail_view *view = &views->views[i];
		const struct jail_mount_line *line = jail_mount_table_at(table, view->root);

		if (line && jail_mount_is_shared_fs(line))
			jail_report_warn(report,
					 "the root %s of jail %s lies on %s, which other nodes may mount "
					 "too: what one "
					 "node removes there takes the mounts of the others away; give the "
					 "jail a root "
					 "on a disk or in memory of the node's own",
					 view->root, view->jail, line->fstype);
	}
}

static int observe(const struct jail_node *node, const struct jail_views *views, struct jail_observation *ret,
		   struct jail_report *report)
{
	struct jail_error error;
	int r;

	r = jail_observe(node, views, ret, &error);
	if (r < 0)
		jail_report_fail(report, "view", "cannot tell what is mounted: %s", error.message);
	return r;
}

static void grant(const struct jail_node *node, const struct jail_views *views,
		  const struct jail_observation *observation, struct jail_report *report)
{
	struct jail_applied applied = {0};
	struct jail_error error;

	log_plan(views, observation->plan.grant, observation->plan.n_grant);
	if (jail_apply_grant(node, views, observation, &applied, &error) < 0)
		jail_report_fail(report, "view", "%s", error.message);
	tell_applied(&applied, report);
}

static void take_away(const struct jail_node *node, const struct jail_views *views,
		      const struct jail_observation *observation, struct jail_report *report)
{
	struct jail_applied applied = {0};
	struct jail_error error;

	log_plan(views, observation->plan.revoke, observation->plan.n_revoke);
	if (jail_apply_revoke(node, views, observation, &applied, &error) < 0)
		jail_report_fail(report, "view", "%s", error.message);
	tell_applied(&applied, report);
}

static bool replace_cache(const struct jail_config *config, const struct jail_compiled *compiled,
			  struct jail_report *report)
{
	struct jail_error error;
	bool changed = false;

	if (jail_file_update(AT_FDCWD, config->cache, compiled->bytes.data, compiled->bytes.len, 0644,
			     &changed, &error) < 0) {
		jail_report_fail(report, "cache", "%s; sessions go by the cache as it was", error.message);
		return false;
	}
	if (changed)
		jail_log_info("replaced %s", config->cache);
	report->changed |= changed;
	return true;
}

static void update_chroot_conf(const struct jail_config *config, const struct jail_compiled *compiled,
			       struct jail_report *report)
{
	jail_autofree struct jail_chroot_user *users = NULL;
	size_t n_users;

	if (jail_chroot_users(config, &compiled->views, report, &users, &n_users) < 0)
		jail_report_fail(report, "chroot-conf", "out of memory");
	else
		jail_chroot_files_update(config, users, n_users, report);
}

/* Without views the cache is replaced all the same: whom it newly confines is refused, not on the host. */
void jail_enforce(const struct jail_config *config, const struct jail_known *policy,
		  struct jail_report *report)
{
	const struct jail_node node = jail_node_of(config);
	jail_autocompiled struct jail_compiled compiled = JAIL_COMPILED_INIT;
	jail_autoobservation struct jail_observation observation = {0};
	const struct jail_views *views = &compiled.views;
	struct jail_error error;
	bool looked, again = false;

	if (jail_compile(config, &policy->policy, policy->sha256, report, &compiled, &error) < 0) {
		jail_report_fail(report, "compile", "%s; everything is left as it was", error.message);
		return;
	}
	looked = compiled.has_views && observe(&node, views, &observation, report) == 0;
	if (looked && observation.plan.n_grant > 0) {
		grant(&node, views, &observation, report);
		again = true;
	}
	if (!replace_cache(config, &compiled, report) || !looked)
		return;
	update_chroot_conf(config, &compiled, report);
	jail_sessions_follow(compiled.cache, report);
	if (again)
		looked = observe(&node, views, &observation, report) == 0;
	if (looked && observation.plan.n_revoke > 0) {
		take_away(&node, views, &observation, report);
		jail_managers_end_stranded(report);
		looked = observe(&node, views, &observation, report) == 0;
	}
	if (!looked)
		return;
	tell_problems(views, &observation.plan, report);
	tell_shared_roots(views, &observation.table, report);
	report->drift = !jail_plan_is_empty(&observation.plan);
	jail_report_observed(report, views, &observation);
}
