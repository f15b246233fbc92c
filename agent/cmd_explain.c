#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "agent/commands.h"
#include "agent/explain.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"
#include "lib/view/namespace.h"

/* As the PAM module decides: uid 0, break-glass, then the cache. */
static int decide(const struct jail_config *config, struct jail_explanation *e, struct jail_error *err)
{
	struct jail_identity identity;
	int r = jail_account_get(e->user, &e->account, err);

	if (r == 0)
		r = jail_account_groups(&e->account, false, err);
	if (r == 0)
		r = jail_cache_open(config->cache, &e->cache, err);
	if (r < 0)
		return r;
	if (e->account.uid == 0) {
		e->why = "uid 0 is never confined";
		return 0;
	}
	r = jail_breakglass_member("/etc/group", config->breakglass, e->account.user, e->account.gid, err);
	if (r < 0)
		return r;
	if (r == 1) {
		e->why = "a member of the break-glass group is never confined";
		return 0;
	}
	jail_account_identity(&e->account, &identity);
	r = jail_cache_lookup(e->cache, &identity, &e->verdict, err);
	if (r < 0)
		return r;
	e->confined = e->verdict.matched && e->verdict.jail != JAIL_EXEMPT;
	e->why = !e->verdict.matched ? "no rule matches" : !e->confined ? "the rule exempts" : NULL;
	return e->confined ? jail_cache_jail(e->cache, (size_t)e->verdict.jail, &e->jail, err) : 0;
}

/* What they see: the whole view of their root, where others may be, else what would be made for them. */
static int find_view(const struct jail_config *config, struct jail_explanation *e, struct jail_error *err)
{
	const struct jail_member member = {e->account.user, e->account.group, e->account.home,
					   e->account.uid};
	int r;

	if (e->jail.confine == JAIL_CONFINE_NAMESPACE) {
		r = jail_namespace_view_build(e->cache, (size_t)e->verdict.jail, &member, &e->own, err);
		e->view = &e->own;
		return r;
	}
	r = jail_views_build(e->cache, config->marker, &e->views, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < e->views.n_users; i++)
		if (strcmp(e->views.users[i].user, e->account.user) == 0)
			e->view = &e->views.views[e->views.users[i].view];
	/* The rule may hold by another jail than that of the last sync: NSS knows more by now. */
	if (e->view && strcmp(e->view->jail, e->jail.name) == 0)
		return 0;
	r = jail_view_build(e->cache, (size_t)e->verdict.jail, &member, 1, config->marker, &e->own, err);
	if (r == 0)
		e->view = &e->own;
	return r;
}

/* A namespace view is made when a session opens: so one is opened here, and left. */
static bool try_namespace(struct jail_explanation *e)
{
	struct jail_door door = {
		.root = -1, .view = e->view, .owner = e->account.uid, .home = e->account.home};
	struct jail_entered entered = JAIL_ENTERED_INIT;

	jail_cache_places(e->cache, &door.places);
	if (jail_enter(&door, &entered, &e->not_mounted) < 0 ||
	    jail_enter_leave(&entered, &e->not_mounted) < 0)
		return false;
	jail_enter_forget(&entered);
	return true;
}

static void look(struct jail_explanation *e)
{
	const struct jail_member member = {e->account.user, e->account.group, e->account.home,
					   e->account.uid};
	jail_autoclose int root = -1;

	if (e->jail.confine == JAIL_CONFINE_NAMESPACE) {
		e->mounted = try_namespace(e);
		return;
	}
	e->mounted = jail_enter_open(e->cache, (size_t)e->verdict.jail, &member, &root, &e->not_mounted) == 0;
}

int jail_cmd_explain(const struct jail_config *config, const struct jail_options *options)
{
	jail_autoexplanation struct jail_explanation e = {.user = options->user};
	struct jail_error error;
	int r = decide(config, &e, &error);

	if (r == 0 && e.confined)
		r = find_view(config, &e, &error);
	if (r < 0) {
		jail_log_err("%s", error.message);
		return JAIL_EXIT_FAILED;
	}
	if (e.confined)
		look(&e);
	if (!options->json) {
		jail_explanation_print(&e);
		return JAIL_EXIT_OK;
	}
	return jail_explanation_print_json(&e) < 0 ? JAIL_EXIT_FAILED : JAIL_EXIT_OK;
}
