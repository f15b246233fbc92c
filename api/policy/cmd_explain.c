#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/policy/commands.h"
#include "api/policy/describe.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/policy/cache.h"

struct question {
	const char *file, *user, *node;
	char *groups_text; /* cut into groups in place */
	const char **groups;
	size_t n_groups;
};

static void release_question(struct question *question)
{
	free(question->groups_text);
	free((void *)question->groups);
}

static int out_of_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot explain");
}

static int cut_groups(struct question *question, const char *list)
{
	char *rest;

	free(question->groups_text);
	question->groups_text = strdup(list);
	if (!question->groups_text)
		return -ENOMEM;
	question->n_groups = 0;
	rest = question->groups_text;
	for (char *group = strsep(&rest, ","); group; group = strsep(&rest, ",")) {
		const char **room;

		if (!*group)
			continue;
		room = JAIL_ARRAY_PUSH(question->groups, question->n_groups);
		if (!room)
			return -ENOMEM;
		*room = group;
		question->n_groups++;
	}
	return 0;
}

/* 0, or an exit code. */
static int read_question(int argc, char **argv, struct question *question)
{
	static const struct option options[] = {{"user", required_argument, NULL, 'u'},
						{"groups", required_argument, NULL, 'g'},
						{"node", required_argument, NULL, 'n'},
						{0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u') {
			question->user = optarg;
		} else if (option == 'n') {
			question->node = optarg;
		} else if (option == 'g') {
			struct jail_error err;

			if (cut_groups(question, optarg) < 0) {
				out_of_memory(&err);
				return jail_fail(&err);
			}
		} else {
			return jail_usage("explain", NULL);
		}
	}
	if (optind != argc - 1)
		return jail_usage("explain", "name one policy");
	if (!question->user || !*question->user)
		return jail_usage("explain", "say whom with --user");
	question->file = argv[optind];
	return 0;
}

/* What %g and %h are is known where the user has an account: here perhaps not. */
static void find_member(const char *user, struct jail_member *member)
{
	const struct passwd *pw = getpwnam(user);
	const struct group *gr = pw ? getgrgid(pw->pw_gid) : NULL;

	*member = (struct jail_member){.user = user};
	if (!pw)
		return;
	member->home = pw->pw_dir;
	member->uid = pw->pw_uid;
	if (gr)
		member->group = gr->gr_name;
}

/* Expands text, or copies it as it is when this machine cannot tell a part of it. */
static int expand(const char *text, const struct jail_member *member, bool *unknown, char **ret,
		  struct jail_error *err)
{
	int uses = jail_template_check(text, err);

	if (uses < 0)
		return uses;
	if (((uses & JAIL_TEMPLATE_G) && !member->group) || ((uses & JAIL_TEMPLATE_H) && !member->home)) {
		*unknown = true;
		*ret = strdup(text);
		return *ret ? 0 : out_of_memory(err);
	}
	return jail_template_expand(text, member, ret, err);
}

static int print_mount(const struct jail_mount *mount, const struct jail_member *member, bool *unknown,
		       struct jail_error *err)
{
	jail_autobuffer struct jail_buffer line = JAIL_BUFFER_INIT;
	jail_autofree char *target = NULL, *from = NULL;
	int r = expand(mount->target, member, unknown, &target, err);

	if (r == 0 && mount->from)
		r = expand(mount->from, member, unknown, &from, err);
	if (r < 0)
		return r;
	if (jail_describe_mount(mount, target, from, &line) < 0)
		return out_of_memory(err);
	printf("  %s\n", line.data);
	return 0;
}

static int print_jail(const struct jail_cache *cache, size_t index, const char *user, struct jail_error *err)
{
	struct jail_cache_jail jail;
	struct jail_member member;
	jail_autobuffer struct jail_buffer where = JAIL_BUFFER_INIT;
	jail_autofree char *root = NULL;
	bool unknown = false;
	int r = jail_cache_jail(cache, index, &jail, err);

	if (r < 0)
		return r;
	find_member(user, &member);
	if (jail.confine == JAIL_CONFINE_CHROOT)
		r = expand(jail.root, &member, &unknown, &root, err);
	if (r < 0)
		return r;
	if (jail_describe_confinement(jail.confine, root, &where) < 0)
		return out_of_memory(err);
	printf("jail %s: %s%s\n", jail.name, where.data, jail.shared ? ", shared by its members" : "");
	for (size_t i = 0; i < jail.n_mounts; i++) {
		struct jail_mount mount;

		r = jail_cache_mount(cache, &jail, i, &mount, err);
		if (r == 0)
			r = print_mount(&mount, &member, &unknown, err);
		if (r < 0)
			return r;
	}
	if (unknown)
		printf("%%g and %%h stand for the primary group and the home of %s, which this machine does "
		       "not "
		       "know\n",
		       user);
	return 0;
}

static void print_unasked(const struct jail_policy *policy, const struct question *question)
{
	bool groups = false, nodes = false;

	for (size_t i = 0; i < policy->n_rules; i++) {
		groups = groups || policy->rules[i].kind == JAIL_RULE_GROUPS;
		nodes = nodes || policy->rules[i].n_nodes;
	}
	if (groups && question->n_groups == 0)
		printf("note: without --groups no rule by groups matches\n");
	if (nodes && !question->node)
		printf("note: without --node only rules for every node match\n");
}

static int answer(const struct jail_policy *policy, const struct question *question, struct jail_error *err)
{
	const struct jail_cache_facts facts = {.node = question->node ? question->node : ""};
	const struct jail_identity identity = {
		.user = question->user, .groups = question->groups, .n_groups = question->n_groups};
	jail_autobuffer struct jail_buffer compiled = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer line = JAIL_BUFFER_INIT;
	jail_autocache struct jail_cache *cache = NULL;
	struct jail_verdict verdict = {0};
	int r = jail_cache_compile(policy, &facts, &compiled, err);

	if (r == 0)
		r = jail_cache_open_memory(compiled.data, compiled.len, &cache, err);
	if (r == 0)
		r = jail_cache_lookup(cache, &identity, &verdict, err);
	if (r < 0)
		return r;
	print_unasked(policy, question);
	if (strcmp(question->user, "root") == 0) {
		printf("root is not confined: uid 0 never is\n");
		return 0;
	}
	if (!verdict.matched) {
		printf("%s is not confined: none of %zu rules matches\n", question->user, policy->n_rules);
		return 0;
	}
	if (jail_describe_rule(policy, &policy->rules[verdict.rule], 5, &line) < 0)
		return out_of_memory(err);
	printf("%s is %s by rule %u (/rules/%u): %s\n", question->user,
	       verdict.jail == JAIL_EXEMPT ? "not confined" : "confined", verdict.rule, verdict.rule,
	       line.data);
	return verdict.jail == JAIL_EXEMPT ? 0 : print_jail(cache, (size_t)verdict.jail, question->user, err);
}

int jail_cmd_explain(int argc, char **argv)
{
	__attribute__((cleanup(release_question))) struct question question = {0};
	jail_autopolicy struct jail_policy policy = {0};
	bool envelope = false;
	struct jail_error err;
	int code = read_question(argc, argv, &question);

	if (code || !question.user)
		return code;
	if (jail_load_policy(question.file, &policy, &envelope, &err) < 0)
		return jail_fail(&err);
	if (envelope)
		printf("note: %s is an envelope; its signatures were not verified\n", question.file);
	if (answer(&policy, &question, &err) < 0)
		return jail_fail(&err);
	return JAIL_EXIT_OK;
}
