#include "lib/policy/members.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/policy/members_parts.h"

const char *resolver_words(int code, char words[static 128])
{
	return strerror_r(code, words, 128);
}

int resolver_warn(struct resolver *resolver, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	char *copy = n < 0 ? NULL : strdup(text);
	char **slot = copy ? JAIL_ARRAY_PUSH(resolver->out.warnings, resolver->out.n_warnings) : NULL;
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = copy;
	resolver->out.n_warnings++;
	return 0;
}

static int compile_matches(struct resolver *resolver, struct jail_error *err)
{
	for (size_t i = 0; i < resolver->policy->n_rules; i++) {
		const struct jail_rule *rule = &resolver->policy->rules[i];
		if (rule->kind != JAIL_RULE_MATCH || !jail_rule_is_for(rule, resolver->node))
			continue;
		for (size_t j = 0; j < rule->n_names; j++) {
			struct match_rule *slot = JAIL_ARRAY_PUSH(resolver->matches, resolver->n_matches);
			if (!slot)
				return jail_error_sys(err, ENOMEM, "cannot resolve members");
			slot->rule = i;
			slot->lists = rule->jail != JAIL_EXEMPT &&
				      resolver->policy->jails[rule->jail].confine == JAIL_CONFINE_CHROOT;
			resolver->n_listing += slot->lists;
			int r = jail_match_compile(rule->names[j], &slot->match, err);
			if (r < 0) {
				(void)jail_error_prefix(err, "/rules/%zu/match", i);
				return r;
			}
			resolver->n_matches++;
		}
	}
	return 0;
}

static void release_resolver(struct resolver *resolver)
{
	for (size_t i = 0; i < resolver->n_matches; i++)
		jail_match_release(&resolver->matches[i].match);
	for (size_t i = 0; i < resolver->n_groups; i++)
		nss_group_release(&resolver->groups[i]);
	for (size_t i = 0; i < resolver->n_users; i++)
		nss_user_release(&resolver->users[i]);
	free(resolver->matches);
	free(resolver->groups);
	free(resolver->confirmed);
	free((void *)resolver->wanted);
	free(resolver->users);
	free(resolver->gone);
	jail_members_release(&resolver->out);
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp(((const struct jail_cache_group *)a)->name, ((const struct jail_cache_group *)b)->name);
}

static int resolve(struct resolver *resolver, struct jail_error *err)
{
	int r = compile_matches(resolver, err);
	if (r < 0)
		return r;
	r = resolver_find_groups(resolver);
	if (r == 0)
		r = resolver_find_users(resolver);
	if (r == 0)
		r = resolver_find_homes(resolver);
	if (r == 0)
		r = resolver_find_members(resolver);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot resolve members");
	if (resolver->n_groups > 0)
		qsort(resolver->groups, resolver->n_groups, sizeof *resolver->groups, compare_groups);
	resolver->out.groups = resolver->groups;
	resolver->out.n_groups = resolver->n_groups;
	resolver->groups = NULL;
	resolver->n_groups = 0;
	return 0;
}

struct jail_moment jail_moment_now(void)
{
	struct timespec up = {0};
	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	return (struct jail_moment){.now = time(NULL), .uptime = (uint64_t)up.tv_sec};
}

static int try_resolve(const struct resolver *question, const char *warning, struct jail_members *ret,
		       struct jail_error *err)
{
	struct resolver resolver = *question;
	int r = warning ? resolver_warn(&resolver, "%s", warning) : 0;
	if (r == 0)
		r = resolve(&resolver, err);
	if (r == 0) {
		*ret = resolver.out;
		resolver.out = (struct jail_members){0};
	}
	release_resolver(&resolver);
	return r;
}

int jail_members_resolve(const struct jail_policy *policy, const char *node,
			 const struct jail_cache *previous, const struct jail_moment *moment,
			 struct jail_members *ret, struct jail_error *err)
{
	struct resolver question = {.policy = policy, .node = node, .previous = previous, .moment = *moment};
	struct jail_error why;
	int r = try_resolve(&question, NULL, ret, &why);
	question.previous = NULL;
	if (r == -EBADMSG && previous)
		r = try_resolve(
			&question,
			"the last compiled policy is damaged: whom NSS cannot confirm now is not known", ret,
			&why);
	if (r < 0 && err)
		*err = why;
	return r;
}

void jail_members_release(struct jail_members *members)
{
	for (size_t i = 0; i < members->n_members; i++) {
		free(members->members[i].user);
		free(members->members[i].group);
		free(members->members[i].home);
	}
	for (size_t i = 0; i < members->n_groups; i++)
		nss_group_release(&members->groups[i]);
	for (size_t i = 0; i < members->n_warnings; i++)
		free(members->warnings[i]);
	free(members->members);
	free(members->groups);
	free((void *)members->warnings);
	*members = (struct jail_members){0};
}

struct jail_cache_facts jail_members_facts(const struct jail_members *members, const char *node,
					   const uint8_t *policy_sha256)
{
	return (struct jail_cache_facts){
		.node = node,
		.policy_sha256 = policy_sha256,
		.members = members->members,
		.n_members = members->n_members,
		.groups = members->groups,
		.n_groups = members->n_groups,
	};
}
