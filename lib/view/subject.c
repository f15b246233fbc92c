#include "lib/view/subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/view/namespace.h"

int jail_subject_open(struct jail_subject *subject, const char *cache, struct jail_error *err)
{
	int r = jail_cache_open(cache, &subject->cache, err);
	if (r == 0)
		return 0;
	return jail_error_prefix(err,
				 "no usable policy on this node, so only root and members of %s are let in "
				 "until jail-agent --sync has written one",
				 subject->breakglass);
}

void jail_subject_release(struct jail_subject *subject)
{
	jail_cache_close(&subject->cache);
}

int jail_subject_look_up(struct jail_subject *subject, bool process_groups, const gid_t *job_gids,
			 size_t n_job_gids, struct jail_error *err)
{
	struct jail_identity identity;
	struct jail_cache_jail *jail = &subject->jail;
	int r = 0;

	if (jail_cache_has_group_rules(subject->cache)) {
		r = jail_account_groups(subject->account, process_groups, err);
		if (r == 0 && job_gids)
			r = jail_account_add_groups(subject->account, job_gids, n_job_gids, err);
	}
	if (r < 0)
		return r;
	jail_account_identity(subject->account, &identity);
	r = jail_cache_lookup(subject->cache, &identity, &subject->verdict, err);
	if (r < 0 || !jail_subject_is_confined(subject))
		return r;
	r = jail_cache_jail(subject->cache, (size_t)subject->verdict.jail, jail, err);
	if (r == 0 && jail->confine != JAIL_CONFINE_CHROOT && jail->confine != JAIL_CONFINE_NAMESPACE)
		r = jail_error_set(err, EPROTONOSUPPORT,
				   "jail %s confines in a way that this module does not know; install the "
				   "pam_jail of the same version as jail-agent",
				   jail->name);
	return r;
}

bool jail_subject_is_confined(const struct jail_subject *subject)
{
	return subject->verdict.matched && subject->verdict.jail != JAIL_EXEMPT;
}

/* The primary group's name is what the agent knew when it mounted: NSS is spared one more question. */
static int get_member(const struct jail_subject *subject, struct jail_member *ret, struct jail_error *err)
{
	const struct jail_account *account = subject->account;
	struct jail_cache_member known;
	ssize_t jail;
	size_t i;

	*ret = (struct jail_member){
		.user = account->user, .group = account->group, .home = account->home, .uid = account->uid};
	if (ret->group || !(subject->jail.uses & JAIL_TEMPLATE_G))
		return 0;
	int r = jail_cache_member_find(subject->cache, ret->user, &i, err);
	if (r == 0)
		r = jail_cache_member(subject->cache, i, &known, &jail, err);
	if (r == 0)
		ret->group = known.group;
	return r == -ENOENT ? 0 : r; /* the expansion says what is missing */
}

/* Chroot: the root that the agent keeps. Namespace: what is to be mounted, by the policy alone. */
static int find_door(struct jail_subject *subject, const struct jail_member *member, struct jail_view *view,
		     struct jail_door *ret, struct jail_error *err)
{
	size_t jail = (size_t)subject->verdict.jail;

	if (subject->jail.confine == JAIL_CONFINE_CHROOT)
		return jail_enter_open(subject->cache, jail, member, &ret->root, err);
	jail_cache_places(subject->cache, &ret->places);
	/* By this directory a process inside is known, and the module asks before it has the cache. */
	if (strcmp(ret->places.run, subject->run) != 0)
		return jail_error_set(
			err, EINVAL,
			"jail-agent's run directory is \"%s\", but this module's is %s: write run=%s "
			"on its lines",
			ret->places.run, subject->run, ret->places.run);
	int r = jail_namespace_view_build(subject->cache, jail, member, view, err);
	if (r == 0)
		ret->view = view;
	return r;
}

int jail_subject_door(struct jail_subject *subject, struct jail_view *view, struct jail_door *ret,
		      struct jail_error *err)
{
	struct jail_door door = {.root = -1, .owner = subject->account->uid, .home = subject->account->home};
	struct jail_member member;

	int r = get_member(subject, &member, err);
	if (r == 0)
		r = find_door(subject, &member, view, &door, err);
	if (r < 0)
		return jail_error_prefix(err, "jail %s can't be entered (jail-agent --check tells more)",
					 subject->jail.name);
	*ret = door;
	return 0;
}

int jail_subject_view(const struct jail_subject *subject, struct jail_view *ret, struct jail_error *err)
{
	struct jail_member member;
	int r = get_member(subject, &member, err);
	return r < 0 ? r
		     : jail_view_build(subject->cache, (size_t)subject->verdict.jail, &member, 1, "/", ret,
				       err);
}

int jail_subject_is_at_home(const struct jail_subject *subject, int host, struct jail_error *err)
{
	struct jail_places_of_node places;
	struct jail_member member;
	jail_autoclose int root = -1;

	int r = get_member(subject, &member, err);
	if (r < 0)
		return r;
	if (subject->jail.confine == JAIL_CONFINE_NAMESPACE) {
		jail_cache_places(subject->cache, &places);
		r = jail_enter_is_namespace_of(host, &places, subject->jail.name);
	} else {
		r = jail_enter_open_root(host, &subject->jail, &member, &root, err);
		if (r < 0)
			return r;
		r = jail_enter_is_inside(root);
	}
	return r < 0 ? jail_error_sys(err, -r, "cannot tell which view this process is in") : r;
}

void jail_subject_describe(const struct jail_subject *subject, const struct jail_door *door, char *ret,
			   size_t size)
{
	(void)snprintf(ret, size, "%s enters jail %s at %s (policy %llu, rule %u%s)", subject->account->user,
		       subject->jail.name, door->view ? "a namespace of its own" : subject->jail.root,
		       (unsigned long long)jail_cache_version(subject->cache),
		       (unsigned)subject->verdict.rule,
		       subject->verdict.last_known ? ", by the membership that was last resolved" : "");
}
