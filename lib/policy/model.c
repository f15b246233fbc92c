#include "lib/policy/model.h"

#include <stdlib.h>
#include <string.h>
#include "lib/policy/hostlist.h"
#include "lib/policy/match.h"

static void release_strings(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free((void *)strings);
}

static void release_jail(struct jail_jail *jail)
{
	for (size_t i = 0; i < jail->n_mounts; i++) {
		free(jail->mounts[i].target);
		free(jail->mounts[i].from);
	}
	free(jail->mounts);
	free(jail->name);
	free(jail->root);
}

void jail_policy_release(struct jail_policy *policy)
{
	for (size_t i = 0; i < policy->n_jails; i++)
		release_jail(&policy->jails[i]);
	for (size_t i = 0; i < policy->n_rules; i++) {
		release_strings(policy->rules[i].names, policy->rules[i].n_names);
		release_strings(policy->rules[i].nodes, policy->rules[i].n_nodes);
	}
	free(policy->jails);
	free(policy->rules);
	free(policy->cluster);
	*policy = (struct jail_policy){0};
}

bool jail_rule_is_for(const struct jail_rule *rule, const char *node)
{
	for (size_t i = 0; i < rule->n_nodes; i++) {
		if (jail_hostlist_matches(rule->nodes[i], node))
			return true;
	}
	return rule->n_nodes == 0;
}

bool jail_rule_names_group(const struct jail_rule *rule, const char *group)
{
	for (size_t i = 0; rule->kind == JAIL_RULE_GROUPS && i < rule->n_names; i++) {
		const char *name = rule->names[i];
		if (jail_glob_is_pattern(name) ? jail_glob_matches(name, group) : strcmp(name, group) == 0)
			return true;
	}
	return false;
}

const char *jail_verb_name(enum jail_verb verb)
{
	switch (verb) {
	case JAIL_VERB_BIND:
		return "bind";
	case JAIL_VERB_HIDE:
		return "hide";
	case JAIL_VERB_TMPFS:
		return "tmpfs";
	case JAIL_VERB_PROC:
		return "proc";
	case JAIL_VERB_PRIVATE:
		return "private";
	}
	return "unknown";
}

const char *jail_options_text(unsigned options, char text[static 32])
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{JAIL_OPT_RO, "ro"},
		{JAIL_OPT_NOSUID, "nosuid"},
		{JAIL_OPT_NODEV, "nodev"},
		{JAIL_OPT_NOEXEC, "noexec"},
	};
	char *p = text;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!(options & names[i].bit))
			continue;
		if (p > text)
			*p++ = ',';
		p = stpcpy(p, names[i].name);
	}
	*p = '\0';
	return text;
}

const char *jail_hidepid_name(enum jail_hidepid hidepid)
{
	switch (hidepid) {
	case JAIL_HIDEPID_OFF:
		return "off";
	case JAIL_HIDEPID_NOACCESS:
		return "noaccess";
	case JAIL_HIDEPID_INVISIBLE:
		return "invisible";
	case JAIL_HIDEPID_PTRACEABLE:
		return "ptraceable";
	}
	return "unknown";
}
