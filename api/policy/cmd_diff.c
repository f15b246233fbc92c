#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "api/policy/commands.h"
#include "api/policy/describe.h"
#include "api/policy/diff.h"

static size_t diff_time(const char *name, time_t before, time_t after)
{
	char was[32], is[32];

	if (before == after)
		return 0;
	printf("%s: %s; it was: %s\n", name, jail_time_text(after, is), jail_time_text(before, was));
	return 1;
}

static size_t diff_top(const struct jail_policy *before, const struct jail_policy *after)
{
	size_t n = 0;

	if (strcmp(before->cluster, after->cluster) != 0) {
		printf("cluster: %s; it was: %s (nodes of one refuse the other's)\n", after->cluster,
		       before->cluster);
		n++;
	}
	if (before->version != after->version) {
		printf("version: %llu; it was: %llu%s\n", (unsigned long long)after->version,
		       (unsigned long long)before->version,
		       after->version < before->version ? " (nodes refuse a lower version)" : "");
		n++;
	}
	return n + diff_time("issued", before->issued, after->issued) +
	       diff_time("expires", before->expires, after->expires);
}

static int compare(const struct jail_policy *before, const struct jail_policy *after)
{
	size_t n = diff_top(before, after);
	ssize_t (*const parts[])(const struct jail_policy *, const struct jail_policy *) = {
		jail_diff_jails, jail_diff_rules, jail_diff_people};
	struct jail_error err;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		ssize_t r = parts[i](before, after);

		if (r < 0) {
			jail_error_sys(&err, (int)-r, "cannot compare");
			return jail_fail(&err);
		}
		n += (size_t)r;
	}
	if (n && before->version == after->version && strcmp(before->cluster, after->cluster) == 0)
		printf("note: both have version %llu: nodes refuse another policy with a version they have\n",
		       (unsigned long long)after->version);
	return n ? JAIL_EXIT_DIFFERENT : JAIL_EXIT_OK;
}

int jail_cmd_diff(int argc, char **argv)
{
	static const struct option options[] = {{0}};
	jail_autopolicy struct jail_policy before = {0}, after = {0};
	bool before_envelope = false, after_envelope = false;
	struct jail_error err;

	if (getopt_long(argc, argv, "", options, NULL) != -1)
		return jail_usage("diff", NULL);
	if (optind != argc - 2)
		return jail_usage("diff", "name two policies");
	if (jail_load_policy(argv[optind], &before, &before_envelope, &err) < 0 ||
	    jail_load_policy(argv[optind + 1], &after, &after_envelope, &err) < 0)
		return jail_fail(&err);
	if (before_envelope)
		printf("note: %s is an envelope; its signatures were not verified\n", argv[optind]);
	if (after_envelope)
		printf("note: %s is an envelope; its signatures were not verified\n", argv[optind + 1]);
	return compare(&before, &after);
}
