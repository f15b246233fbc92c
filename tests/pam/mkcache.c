/* Writes a compiled policy from a few words, so that the tests of the PAM module need no JSON and no keys.
 *
 *   mkcache OUT <<END
 *   jail NAME ROOT [shared]          the mounts that follow are its
 *   namespace NAME                   likewise
 *   bind TARGET [FROM|-] [optional]
 *   hide|tmpfs|proc|private TARGET [-] [optional]
 *   memory TARGET                    private, in memory
 *   places RUN ROOTS MARKER DISK MEMORY
 *   rule users|groups|match NAME[,NAME] JAIL|null
 *   member USER GROUP HOME UID RULE  as the agent last resolved it
 *   group NAME GID [USER,USER]       likewise
 *   END */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/policy/cache.h"

enum { WORDS_MAX = 8 };

struct input {
	struct jail_policy policy;
	struct jail_cache_member *members;
	size_t n_members;
	struct jail_cache_group *groups;
	size_t n_groups;
	struct jail_places_of_node places;
};

static void *checked(void *pointer)
{
	if (!pointer)
		err(1, "out of memory");
	return pointer;
}

static unsigned number(const char *text)
{
	char *end = NULL;
	unsigned long value = strtoul(text, &end, 10);
	if (!*text || *end || value > UINT32_MAX)
		errx(1, "%s is not a number", text);
	return (unsigned)value;
}

static void add_jail(struct jail_policy *policy, char **words, size_t n)
{
	struct jail_jail *jail = checked(JAIL_ARRAY_PUSH(policy->jails, policy->n_jails));
	policy->n_jails++;
	jail->name = checked(strdup(words[1]));
	jail->confine = JAIL_CONFINE_NAMESPACE;
	if (strcmp(words[0], "namespace") == 0)
		return;
	jail->root = checked(strdup(words[2]));
	jail->confine = JAIL_CONFINE_CHROOT;
	jail->shared = n > 3;
}

static void add_mount(struct jail_policy *policy, enum jail_verb verb, char **words, size_t n)
{
	if (policy->n_jails == 0)
		errx(1, "a mount before the first jail");
	struct jail_jail *jail = &policy->jails[policy->n_jails - 1];
	struct jail_mount *mount = checked(JAIL_ARRAY_PUSH(jail->mounts, jail->n_mounts));
	jail->n_mounts++;
	*mount = (struct jail_mount){.verb = verb, .mode = 01777, .hidepid = JAIL_HIDEPID_INVISIBLE};
	mount->target = checked(strdup(words[1]));
	if (n > 2 && strcmp(words[2], "-") != 0)
		mount->from = checked(strdup(words[2]));
	mount->optional = n > 3;
	mount->in_memory = strcmp(words[0], "memory") == 0;
}

static ssize_t find_jail(const struct jail_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_jails; i++) {
		if (strcmp(policy->jails[i].name, name) == 0)
			return (ssize_t)i;
	}
	if (strcmp(name, "null") != 0)
		errx(1, "no jail %s", name);
	return JAIL_EXEMPT;
}

static void split(char *rest, char ***names, size_t *n)
{
	for (char *name; (name = strsep(&rest, ","));) {
		char **slot = checked(JAIL_ARRAY_PUSH(*names, *n));
		++*n;
		*slot = checked(strdup(name));
	}
}

static void add_rule(struct jail_policy *policy, char **words)
{
	ssize_t jail = find_jail(policy, words[3]);
	struct jail_rule *rule = checked(JAIL_ARRAY_PUSH(policy->rules, policy->n_rules));
	policy->n_rules++;
	rule->kind = strcmp(words[1], "users") == 0    ? JAIL_RULE_USERS
		     : strcmp(words[1], "groups") == 0 ? JAIL_RULE_GROUPS
						       : JAIL_RULE_MATCH;
	rule->jail = jail;
	split(words[2], &rule->names, &rule->n_names);
}

static void add_fact(struct input *in, char **words, size_t n)
{
	if (n >= 3 && strcmp(words[0], "group") == 0) {
		struct jail_cache_group *group = checked(JAIL_ARRAY_PUSH(in->groups, in->n_groups));
		in->n_groups++;
		group->name = checked(strdup(words[1]));
		group->gid = number(words[2]);
		split(n > 3 ? words[3] : NULL, &group->users, &group->n_users);
	} else if (n == 6 && strcmp(words[0], "member") == 0) {
		struct jail_cache_member *member = checked(JAIL_ARRAY_PUSH(in->members, in->n_members));
		in->n_members++;
		*member = (struct jail_cache_member){
			.user = checked(strdup(words[1])),
			.group = checked(strdup(words[2])),
			.home = checked(strdup(words[3])),
			.uid = number(words[4]),
			.rule = number(words[5]),
		};
	} else if (n == 6 && strcmp(words[0], "places") == 0) {
		in->places = (struct jail_places_of_node){
			.run = checked(strdup(words[1])),
			.roots = checked(strdup(words[2])),
			.marker = checked(strdup(words[3])),
			.private_disk = checked(strdup(words[4])),
			.private_memory = checked(strdup(words[5])),
		};
	} else
		errx(1, "cannot read the line that begins with %s", words[0]);
}

static void add_line(struct input *in, char *line)
{
	static const struct {
		const char *word;
		enum jail_verb verb;
	} verbs[] = {
		{"bind", JAIL_VERB_BIND}, {"hide", JAIL_VERB_HIDE},	  {"tmpfs", JAIL_VERB_TMPFS},
		{"proc", JAIL_VERB_PROC}, {"private", JAIL_VERB_PRIVATE}, {"memory", JAIL_VERB_PRIVATE},
	};
	char *words[WORDS_MAX] = {NULL};
	size_t n = 0;
	for (char *word; n < WORDS_MAX && (word = strsep(&line, " \n"));) {
		if (*word)
			words[n++] = word;
	}
	if (n == 0)
		return;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (n >= 2 && strcmp(words[0], verbs[i].word) == 0) {
			add_mount(&in->policy, verbs[i].verb, words, n);
			return;
		}
	}
	if ((n >= 3 && strcmp(words[0], "jail") == 0) || (n == 2 && strcmp(words[0], "namespace") == 0))
		add_jail(&in->policy, words, n);
	else if (n == 4 && strcmp(words[0], "rule") == 0)
		add_rule(&in->policy, words);
	else
		add_fact(in, words, n);
}

int main(int argc, char **argv)
{
	/* Static: all of it lives until the end. */
	static struct input in = {.policy = {.version = 42, .issued = 1, .expires = 4000000000}};
	jail_autofree char *line = NULL;
	size_t capacity = 0;
	struct jail_error error;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;

	if (argc != 2)
		errx(64, "usage: mkcache OUT < LINES");
	in.policy.cluster = checked(strdup("test"));
	while (getline(&line, &capacity, stdin) > 0)
		add_line(&in, line);
	struct jail_cache_facts facts = {
		.node = "node1",
		.places = in.places,
		.members = in.members,
		.n_members = in.n_members,
		.groups = in.groups,
		.n_groups = in.n_groups,
	};
	int r = jail_cache_compile(&in.policy, &facts, &bytes, &error);
	if (r == 0)
		r = jail_file_replace(AT_FDCWD, argv[1], bytes.data, bytes.len, 0644, &error);
	if (r < 0)
		errx(1, "%s", error.message);
	return 0;
}
