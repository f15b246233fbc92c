#include "pam/confine.h"

#include <errno.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/view/enter.h"
#include "lib/view/namespace.h"
#include "pam/saved.h"

/* Everything known about one session. */
struct session {
	pam_handle_t *pamh;
	const struct options *options;
	struct jail_account *account;
	struct jail_cache *cache;
	struct jail_verdict verdict;
	struct jail_cache_jail jail; /* where verdict.jail is one */
};

static bool is_step(pam_handle_t *pamh)
{
	const void *service = NULL;
	return pam_get_item(pamh, PAM_SERVICE, &service) == PAM_SUCCESS && service &&
	       strcmp(service, "slurm") == 0;
}

static int open_cache(struct session *s, const char *path, struct jail_error *err)
{
	int r = jail_cache_open(path, &s->cache, err);
	if (r == 0)
		return 0;
	return jail_error_prefix(err,
				 "no usable policy on this node, so only root and members of %s are let in "
				 "until jail-agent --sync has written one",
				 s->options->breakglass);
}

static int look_up(struct session *s, struct jail_error *err)
{
	struct jail_identity identity;

	if (jail_cache_has_group_rules(s->cache)) {
		/* slurmstepd has the groups that slurmctld or slurmd resolved for the job. */
		int r = jail_account_groups(s->account, is_step(s->pamh), err);
		if (r < 0)
			return r;
	}
	jail_account_identity(s->account, &identity);
	int r = jail_cache_lookup(s->cache, &identity, &s->verdict, err);
	if (r < 0 || !s->verdict.matched || s->verdict.jail == JAIL_EXEMPT)
		return r;
	r = jail_cache_jail(s->cache, (size_t)s->verdict.jail, &s->jail, err);
	if (r == 0 && s->jail.confine != JAIL_CONFINE_CHROOT && s->jail.confine != JAIL_CONFINE_NAMESPACE)
		r = jail_error_set(err, EPROTONOSUPPORT,
				   "jail %s confines in a way that this module does not know; install the "
				   "pam_jail of the same version as jail-agent",
				   s->jail.name);
	return r;
}

static bool is_confined(const struct session *s)
{
	return s->verdict.matched && s->verdict.jail != JAIL_EXEMPT;
}

/* The primary group's name is what the agent knew when it mounted: NSS is spared one more question. */
static int describe_member(const struct session *s, struct jail_member *ret, struct jail_error *err)
{
	struct jail_cache_member known;
	ssize_t jail;
	size_t i;

	*ret = (struct jail_member){.user = s->account->user,
				    .group = s->account->group,
				    .home = s->account->home,
				    .uid = s->account->uid};
	if (ret->group || !(s->jail.uses & JAIL_TEMPLATE_G))
		return 0;
	int r = jail_cache_member_find(s->cache, ret->user, &i, err);
	if (r == 0)
		r = jail_cache_member(s->cache, i, &known, &jail, err);
	if (r == 0)
		ret->group = known.group;
	return r == -ENOENT ? 0 : r; /* the expansion says what is missing */
}

/* Chroot: the root that the agent keeps. Namespace: what is to be mounted, by the policy alone. */
static int find_door(struct session *s, const struct jail_member *member, struct jail_view *view,
		     struct jail_door *ret, struct jail_error *err)
{
	size_t jail = (size_t)s->verdict.jail;

	if (s->jail.confine == JAIL_CONFINE_CHROOT)
		return jail_enter_open(s->cache, jail, member, &ret->root, err);
	jail_cache_places(s->cache, &ret->places);
	/* By this directory a process inside is known, and the module asks before it has the cache. */
	if (strcmp(ret->places.run, s->options->run) != 0)
		return jail_error_set(
			err, EINVAL,
			"jail-agent's run directory is \"%s\", but this module's is %s: write run=%s "
			"on its lines",
			ret->places.run, s->options->run, ret->places.run);
	int r = jail_namespace_view_build(s->cache, jail, member, view, err);
	if (r == 0)
		ret->view = view;
	return r;
}

/* From the host: the ordinary way. */
static int confine_outside(struct session *s, struct jail_error *err)
{
	int r = open_cache(s, s->options->cache, err);
	if (r == 0)
		r = look_up(s, err);
	if (r < 0)
		return r;
	if (!is_confined(s)) {
		if (s->options->debug)
			pam_syslog(s->pamh, LOG_DEBUG, "%s is not confined (policy %llu)", s->account->user,
				   (unsigned long long)jail_cache_version(s->cache));
		return 0;
	}
	struct jail_member member;
	struct jail_door door = {.root = -1, .owner = s->account->uid, .home = s->account->home};
	jail_autoview struct jail_view view = {0};
	r = describe_member(s, &member, err);
	if (r == 0)
		r = find_door(s, &member, &view, &door, err);
	jail_autoclose int root = door.root;
	if (r < 0)
		return jail_error_prefix(err, "jail %s can't be entered (jail-agent --check tells more)",
					 s->jail.name);
	/* Said before it happens: inside, the way to the log may be missing. */
	pam_syslog(s->pamh, LOG_INFO, "%s enters jail %s at %s (policy %llu, rule %u%s)", s->account->user,
		   s->jail.name, door.view ? "a namespace of its own" : s->jail.root,
		   (unsigned long long)jail_cache_version(s->cache), (unsigned)s->verdict.rule,
		   s->verdict.last_known ? ", by the membership that was last resolved" : "");
	r = saved_enter(s->pamh, &door, err);
	return r < 0 ? jail_error_prefix(err, "jail %s can't be entered", s->jail.name) : 0;
}

/* Whether this process is in the view that the user belongs into. 1, 0 or negative errno. */
static int is_at_home(struct session *s, int host, const struct jail_member *member, struct jail_error *err)
{
	struct jail_places_of_node places;
	jail_autoclose int root = -1;
	int r;

	if (s->jail.confine == JAIL_CONFINE_NAMESPACE) {
		jail_cache_places(s->cache, &places);
		r = jail_enter_is_namespace_of(host, &places, s->jail.name);
	} else {
		r = jail_enter_open_root(host, &s->jail, member, &root, err);
		if (r < 0)
			return r;
		r = jail_enter_is_inside(root);
	}
	return r < 0 ? jail_error_sys(err, -r, "cannot tell which view this process is in") : r;
}

/* From inside a view (su, sudo): nobody gets out of it, and nobody gets into another one. */
static int confine_inside(struct session *s, struct jail_error *err)
{
	jail_autoclose int host = -1;
	char path[PATH_MAX];

	/* Whoever runs here already may run here. Asked first, since it needs neither /proc nor the cache. */
	if (getuid() == s->account->uid)
		return 0;
	int r = jail_enter_host_root(s->options->run, &host, err);
	if (r < 0)
		return r;
	/* The cache that this view shows may be another file, or none: the host's is meant. */
	if (snprintf(path, sizeof path, "/proc/1/root%s", s->options->cache) >= (int)sizeof path)
		return jail_error_sys(err, ENAMETOOLONG, "cannot open %s", s->options->cache);
	r = open_cache(s, path, err);
	if (r == 0)
		r = look_up(s, err);
	if (r < 0 || !is_confined(s))
		return r;
	struct jail_member member;
	r = describe_member(s, &member, err);
	if (r == 0)
		r = is_at_home(s, host, &member, err);
	if (r < 0)
		return r;
	if (r == 0)
		return jail_error_set(err, EXDEV,
				      "%s belongs into jail %s, and this process is in another view",
				      s->account->user, s->jail.name);
	return 0;
}

int confine(pam_handle_t *pamh, const struct options *options, struct jail_account *account,
	    struct jail_error *err)
{
	struct session s = {.pamh = pamh, .options = options, .account = account};

	int inside = jail_enter_inside_any(options->run);
	if (inside < 0)
		return jail_error_sys(err, -inside, "cannot tell whether this process is in a view");
	int r = inside ? confine_inside(&s, err) : confine_outside(&s, err);
	jail_cache_close(&s.cache);
	return r;
}
