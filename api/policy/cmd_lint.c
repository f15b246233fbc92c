#include <getopt.h>
#include <stdio.h>
#include "api/policy/commands.h"
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"
#include "lib/wire/policy_json.h"

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static int report(const char *file, const struct jail_policy *policy, const struct jail_problems *problems)
{
	size_t shown = 0;

	jail_print_problems(file, problems);
	if (problems->n_errors == 0) {
		printf("%s: good: cluster %s, version %llu, %zu jail%s, %zu rule%s\n", file, policy->cluster,
		       (unsigned long long)policy->version, policy->n_jails, plural(policy->n_jails),
		       policy->n_rules, plural(policy->n_rules));
		return JAIL_EXIT_OK;
	}
	for (size_t i = 0; i < problems->n; i++)
		shown += !problems->list[i].warning;
	if (shown < problems->n_errors)
		fprintf(stderr, "%s: and %zu more errors\n", file, problems->n_errors - shown);
	return JAIL_EXIT_FAILED;
}

int jail_cmd_lint(int argc, char **argv)
{
	static const struct option options[] = {{0}};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoproblems struct jail_problems problems = {0};
	jail_autopolicy struct jail_policy policy = {0};
	struct jail_error err;
	const char *file;

	if (getopt_long(argc, argv, "", options, NULL) != -1)
		return jail_usage("lint", NULL);
	if (optind != argc - 1)
		return jail_usage("lint", "name one policy");
	file = argv[optind];
	if (jail_input_read(file, JAIL_JSON_LIMITS_POLICY.bytes, &text, &err) < 0)
		return jail_fail(&err);
	if (jail_policy_parse(text.data, text.len, &policy, &problems, &err) < 0) {
		jail_error_prefix(&err, "%s", file);
		return jail_fail(&err);
	}
	return report(file, &policy, &problems);
}
