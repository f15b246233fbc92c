#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/policy/members_parts.h"

/* From here on listing all accounts once costs less than asking for each: files are read from the start for
 * every question. */
enum { LIST_FROM = 64 };

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_users(const void *a, const void *b)
{
	return strcmp(((const struct nss_user *)a)->name, ((const struct nss_user *)b)->name);
}

static int want(struct resolver *resolver, const char *name)
{
	const char **slot = JAIL_ARRAY_PUSH(resolver->wanted, resolver->n_wanted);
	if (!slot)
		return -ENOMEM;
	*slot = name;
	resolver->n_wanted++;
	return 0;
}

static void sort_wanted(struct resolver *resolver)
{
	size_t n = 0;
	if (resolver->n_wanted > 0)
		qsort((void *)resolver->wanted, resolver->n_wanted, sizeof *resolver->wanted, compare_names);
	for (size_t i = 0; i < resolver->n_wanted; i++) {
		if (n == 0 || strcmp(resolver->wanted[n - 1], resolver->wanted[i]) != 0)
			resolver->wanted[n++] = resolver->wanted[i];
	}
	resolver->n_wanted = n;
}

ssize_t resolver_wanted(const struct resolver *resolver, const char *name)
{
	if (resolver->n_wanted == 0)
		return -1;
	const char *const *found = bsearch((const void *)&name, (const void *)resolver->wanted,
					   resolver->n_wanted, sizeof *resolver->wanted, compare_names);
	return found ? found - (const char *const *)resolver->wanted : -1;
}

const struct nss_user *resolver_user(const struct resolver *resolver, const char *name)
{
	struct nss_user key = {.name = (char *)name};
	if (resolver->n_users == 0)
		return NULL;
	return bsearch(&key, resolver->users, resolver->n_users, sizeof key, compare_users);
}

int resolver_matches(const struct resolver *resolver, const char *name)
{
	int r = 0;
	for (size_t i = 0; i < resolver->n_matches && r == 0; i++)
		if (resolver->matches[i].lists)
			r = jail_match_whole(&resolver->matches[i].match, name);
	return r;
}

/* Wants name if some expression matches it. */
static int want_match(struct resolver *resolver, const char *name)
{
	int r = resolver_matches(resolver, name);
	return r > 0 ? want(resolver, name) : r;
}

/* Members of the last sync whom an expression matches: by what it was, NSS need not list them now. */
static int want_previous_matches(struct resolver *resolver)
{
	int r = 0;
	size_t n = resolver->previous ? jail_cache_n_members(resolver->previous) : 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct jail_cache_member member;
		ssize_t jail;
		r = jail_cache_member(resolver->previous, i, &member, &jail, NULL);
		if (r == 0)
			r = want_match(resolver, member.user);
	}
	return r;
}

/* Everybody whose name is known without listing accounts. */
static int want_known(struct resolver *resolver)
{
	int r = 0;
	for (size_t i = 0; i < resolver->policy->n_rules; i++) {
		const struct jail_rule *rule = &resolver->policy->rules[i];
		if (rule->kind != JAIL_RULE_USERS || !jail_rule_is_for(rule, resolver->node))
			continue;
		for (size_t j = 0; j < rule->n_names && r == 0; j++)
			r = want(resolver, rule->names[j]);
	}
	for (size_t i = 0; i < resolver->n_groups; i++) {
		for (size_t j = 0; j < resolver->groups[i].n_users && r == 0; j++)
			r = want(resolver, resolver->groups[i].users[j]);
	}
	return r < 0 ? r : want_previous_matches(resolver);
}

/* Calls take for every group that was found now, with what the last sync knew of it. */
static int each_known_group(struct resolver *resolver,
			    int (*take)(struct resolver *resolver, struct jail_cache_group *group,
					const struct jail_cache_known *known))
{
	int r = 0;
	size_t n = resolver->previous ? jail_cache_n_known(resolver->previous) : 0;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct jail_cache_known known;
		r = jail_cache_known(resolver->previous, i, &known, NULL);
		for (size_t j = 0; j < resolver->n_groups && r == 0; j++) {
			struct jail_cache_group *group = &resolver->groups[j];
			if (resolver->confirmed[j] && strcmp(group->name, known.name) == 0)
				r = take(resolver, group, &known);
		}
	}
	return r;
}

static int want_users(struct resolver *resolver, struct jail_cache_group *group,
		      const struct jail_cache_known *known)
{
	int r = 0;
	(void)group;
	for (size_t i = 0; i < known->n_users && r == 0; i++) {
		const char *user = NULL;
		uint32_t since = 0;
		r = jail_cache_known_user(resolver->previous, known, i, &user, &since, NULL);
		if (r == 0)
			r = want(resolver, user);
	}
	return r;
}

static int add_user(struct resolver *resolver, const char *name, const char *home, uid_t uid, gid_t gid)
{
	autonssuser struct nss_user user = {
		.name = strdup(name), .home = strdup(home ? home : ""), .uid = uid, .gid = gid};
	struct nss_user *slot =
		user.name && user.home ? JAIL_ARRAY_PUSH(resolver->users, resolver->n_users) : NULL;
	if (!slot)
		return -ENOMEM;
	*slot = (struct nss_user){
		.name = JAIL_STEAL_PTR(user.name),
		.home = JAIL_STEAL_PTR(user.home),
		.uid = uid,
		.gid = gid,
	};
	resolver->n_users++;
	return 0;
}

/* One account of the list: who is wanted, matches, or has a primary group that counts. */
static int take_listed(struct resolver *resolver, const struct passwd *pw)
{
	int matches = resolver_matches(resolver, pw->pw_name);
	if (matches < 0)
		return matches;
	bool keep = matches || resolver_wanted(resolver, pw->pw_name) >= 0;
	for (size_t i = 0; i < resolver->n_groups; i++)
		keep = keep || resolver->groups[i].gid == pw->pw_gid;
	return keep ? add_user(resolver, pw->pw_name, pw->pw_dir, pw->pw_uid, pw->pw_gid) : 0;
}

static int list_users(struct resolver *resolver)
{
	char words[128];
	int r = 0;
	setpwent();
	while (r == 0) {
		errno = 0;
		const struct passwd *pw = getpwent(); /* NOLINT(concurrency-mt-unsafe) */
		if (!pw) {
			if (errno != 0 && errno != ENOENT && errno != ESRCH)
				r = resolver_warn(resolver, "NSS could not list all accounts: %s",
						  resolver_words(errno, words));
			break;
		}
		r = take_listed(resolver, pw);
	}
	endpwent();
	return r;
}

/* Sorted by name; of a name that two services have, the first counts, as for getpwnam. */
static void sort_users(struct resolver *resolver)
{
	size_t n = 0;
	if (resolver->n_users > 0)
		qsort(resolver->users, resolver->n_users, sizeof *resolver->users, compare_users);
	for (size_t i = 0; i < resolver->n_users; i++) {
		if (n == 0 || strcmp(resolver->users[n - 1].name, resolver->users[i].name) != 0)
			resolver->users[n++] = resolver->users[i];
		else
			nss_user_release(&resolver->users[i]);
	}
	resolver->n_users = n;
}

/* Asks for those whom the list did not have: name services need not list. */
static int ask_for_wanted(struct resolver *resolver)
{
	const char *first = NULL;
	size_t errors = 0;
	int code = 0;
	size_t listed = resolver->n_users;

	for (size_t i = 0; i < resolver->n_wanted; i++) {
		const char *name = resolver->wanted[i];
		struct nss_user key = {.name = (char *)name};
		if (listed > 0 && bsearch(&key, resolver->users, listed, sizeof key, compare_users))
			continue;
		autonssuser struct nss_user user = {0};
		int found = nss_user_by_name(name, &user);
		if (found < 0 && errors++ == 0) {
			first = name;
			code = -found;
		}
		if (found == -ENOMEM || (found > 0 && strcmp(user.name, name) == 0 &&
					 add_user(resolver, user.name, user.home, user.uid, user.gid) < 0))
			return -ENOMEM;
	}
	char words[128];
	return errors == 0 ? 0
			   : resolver_warn(resolver,
					   "NSS gives an error for %zu accounts, the first of them %s: %s",
					   errors, first, resolver_words(code, words));
}

static int add_primary_members(struct resolver *resolver)
{
	int r = 0;
	for (size_t i = 0; i < resolver->n_users; i++) {
		for (size_t j = 0; j < resolver->n_groups && r == 0; j++) {
			if (resolver->users[i].gid == resolver->groups[j].gid)
				r = nss_group_add_user(&resolver->groups[j], resolver->users[i].name);
		}
	}
	return r;
}

static void sort_group(struct jail_cache_group *group)
{
	size_t n = 0;
	if (group->n_users > 0)
		qsort((void *)group->users, group->n_users, sizeof *group->users, compare_names);
	for (size_t i = 0; i < group->n_users; i++) {
		if (n == 0 || strcmp(group->users[n - 1], group->users[i]) != 0)
			group->users[n++] = group->users[i];
		else
			free(group->users[i]);
	}
	group->n_users = n;
}

/* The names of groups have moved: makes wanted anew, as everybody whom a rule could hold. */
static int want_candidates(struct resolver *resolver)
{
	resolver->n_wanted = 0;
	int r = want_known(resolver);
	for (size_t i = 0; i < resolver->n_users && r == 0; i++)
		r = want_match(resolver, resolver->users[i].name);
	sort_wanted(resolver);
	return r;
}

int resolver_find_users(struct resolver *resolver)
{
	int r = want_known(resolver);
	if (r == 0)
		r = each_known_group(resolver, want_users);
	sort_wanted(resolver);
	if (r == 0 && (resolver->n_groups > 0 || resolver->n_listing > 0 || resolver->n_wanted >= LIST_FROM))
		r = list_users(resolver);
	sort_users(resolver);
	if (r == 0)
		r = ask_for_wanted(resolver);
	sort_users(resolver);
	if (r == 0)
		r = add_primary_members(resolver);
	for (size_t i = 0; i < resolver->n_groups; i++)
		sort_group(&resolver->groups[i]);
	if (r == 0)
		r = each_known_group(resolver, resolver_keep_missed);
	return r < 0 ? r : want_candidates(resolver);
}
