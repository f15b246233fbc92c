#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/policy/members_parts.h"

/* Somebody who was in the group, and whom NSS does not list in it now. */
struct missed {
	const char *user; /* the previous cache's */
	uint32_t since;	  /* 0: nothing can be told, because the account is not found either */
	uint32_t lets_go; /* when they are let go, if nothing changes */
};

struct missing {
	struct missed *list;
	size_t n;
	size_t n_gone; /* of these, whose account is found */
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_missed(const void *a, const void *b)
{
	return strcmp(((const struct missed *)a)->user, ((const struct missed *)b)->user);
}

static bool lists(const struct jail_cache_group *group, const char *user)
{
	return group->n_users > 0 && bsearch((const void *)&user, (const void *)group->users, group->n_users,
					     sizeof *group->users, compare_names);
}

static int find_missing(const struct resolver *resolver, const struct jail_cache_group *group,
			const struct jail_cache_known *known, struct missing *missing)
{
	const uint32_t now = (uint32_t)resolver->moment.now;
	for (size_t i = 0; i < known->n_users; i++) {
		struct missed missed;
		int r = jail_cache_known_user(resolver->previous, known, i, &missed.user, &missed.since,
					      NULL);
		if (r < 0)
			return r;
		if (lists(group, missed.user))
			continue;
		bool found = resolver_user(resolver, missed.user);
		if (!found)
			missed.since = 0;
		else if (missed.since == 0 || missed.since > now) /* or the clock went back */
			missed.since = now;
		struct missed *slot = JAIL_ARRAY_PUSH(missing->list, missing->n);
		if (!slot)
			return -ENOMEM;
		*slot = missed;
		missing->n++;
		missing->n_gone += found;
	}
	return 0;
}

/* Takes those off the list who have been missed long enough. Time in which the node was off does not count:
 * a name service may be later than the first sync. */
static void let_go(const struct resolver *resolver, struct missing *missing, uint32_t limit)
{
	const uint32_t now = (uint32_t)resolver->moment.now;
	size_t n = 0;
	for (size_t i = 0; i < missing->n; i++) {
		struct missed *missed = &missing->list[i];
		uint64_t lasted = now - missed->since;
		if (lasted > resolver->moment.uptime)
			lasted = resolver->moment.uptime;
		if (missed->since != 0 && lasted >= limit) {
			missing->n_gone--;
			continue;
		}
		missed->lets_go = now + limit - (uint32_t)lasted;
		missing->list[n++] = *missed;
	}
	missing->n = n;
}

static int warn(struct resolver *resolver, const struct jail_cache_group *group,
		const struct missing *missing, bool many)
{
	jail_autobuffer struct jail_buffer names = JAIL_BUFFER_INIT;
	uint32_t first = UINT32_MAX;
	size_t n = 0;
	char text[32];

	for (size_t i = 0; i < missing->n; i++) {
		const struct missed *missed = &missing->list[i];
		if (missed->since == 0)
			continue;
		if (missed->lets_go < first)
			first = missed->lets_go;
		if (++n <= 10 && jail_buffer_printf(&names, "%s%s", n > 1 ? ", " : "", missed->user) < 0)
			return -ENOMEM;
	}
	if (n == 0)
		return 0;
	const time_t when = (time_t)first;
	struct tm tm;
	if (!gmtime_r(&when, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return -EOVERFLOW;
	return resolver_warn(
		resolver,
		"group %s: NSS does not list %zu of its members any more (%s%s); they stay confined "
		"until %s%s",
		group->name, n, names.data, n > 10 ? ", ..." : "", text,
		many ? ", since a name service that is away looks the same: to let somebody go "
		       "before, name them under users in a rule that leads to null"
		     : "");
}

/* Adds them to the group, which stays sorted. */
static int keep(struct jail_cache_group *group, struct missing *missing)
{
	int r = 0;
	for (size_t i = 0; i < missing->n && r == 0; i++)
		r = nss_group_add_user(group, missing->list[i].user);
	if (r < 0)
		return r;
	qsort((void *)group->users, group->n_users, sizeof *group->users, compare_names);
	group->since = calloc(group->n_users, sizeof *group->since);
	if (!group->since)
		return -ENOMEM;
	qsort(missing->list, missing->n, sizeof *missing->list, compare_missed);
	for (size_t i = 0, j = 0; i < group->n_users && j < missing->n; i++)
		if (strcmp(group->users[i], missing->list[j].user) == 0)
			group->since[i] = missing->list[j++].since;
	return 0;
}

int resolver_keep_missed(struct resolver *resolver, struct jail_cache_group *group,
			 const struct jail_cache_known *known)
{
	struct missing missing = {0};
	int r = find_missing(resolver, group, known, &missing);
	const size_t all = group->n_users + missing.n;
	bool many = missing.n_gone == all || (missing.n_gone > 1 && missing.n_gone * 2 >= all);

	if (r == 0) {
		let_go(resolver, &missing, many ? JAIL_MISSED_MANY : JAIL_MISSED_FEW);
		r = warn(resolver, group, &missing, many);
	}
	if (r == 0 && missing.n > 0)
		r = keep(group, &missing);
	free(missing.list);
	return r;
}
