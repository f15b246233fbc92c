#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"
#include "lib/wire/lint.h"
#include "lib/wire/policy_json.h"
#include "lib/wire/policy_json_parts.h"
#include "lib/wire/trust.h"

static const uint64_t version_max = (UINT64_C(1) << 53) - 1; /* what JSON's numbers carry exactly */

static void release_json(cJSON **document)
{
	cJSON_Delete(*document);
}

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot read the policy");
}

/* The scan's "LINE:COLUMN: what" becomes a problem that has its place already. */
static int note_scan(struct jail_problems *problems, const struct jail_error *scan)
{
	size_t line = 0, column = 0;
	int skip = 0;

	if (sscanf(scan->message, "%zu:%zu: %n", &line, &column, &skip) != 2)
		skip = 0;
	if (jail_problems_add(problems, false, "json", "", "%s", scan->message + skip) < 0)
		return -ENOMEM;
	problems->list[problems->n - 1].line = line;
	problems->list[problems->n - 1].column = column;
	return 0;
}

/* Whether the text is of the one format that is known. Of another one nothing else can be said. */
static bool read_format(struct jail_reader *reader, const struct jail_place *place, const cJSON *document)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(document, "format");

	if (!item)
		jail_reader_error(reader, place, "missing-field",
				  "\"format\" is missing: the first field is \"format\": %d",
				  JAIL_POLICY_FORMAT);
	else if (!cJSON_IsNumber(item))
		jail_reader_error(reader, JAIL_MEMBER(place, "format"), "type", "write a number: %d",
				  JAIL_POLICY_FORMAT);
	else if (item->valuedouble != JAIL_POLICY_FORMAT)
		jail_reader_error(
			reader, JAIL_MEMBER(place, "format"), "format",
			"format %.0f is not known to this version, which reads format %d: update it, "
			"or write the policy in that format",
			item->valuedouble, JAIL_POLICY_FORMAT);
	else
		return true;
	return false;
}

static void read_cluster(struct jail_reader *reader, const struct jail_place *parent, const cJSON *document,
			 struct jail_policy *policy)
{
	const struct jail_place *place = JAIL_MEMBER(parent, "cluster");
	const char *text =
		jail_read_text(reader, place, jail_read_member(reader, parent, document, "cluster", true));

	if (!text)
		return;
	if (!jail_trust_cluster_ok(text))
		jail_reader_error(reader, place, "cluster-name",
				  "\"%s\" is no cluster name: 1 to 63 of a-z 0-9 . _ -, a letter or digit "
				  "first and last",
				  text);
	policy->cluster = jail_read_copy(reader, text);
}

static void read_version(struct jail_reader *reader, const struct jail_place *parent, const cJSON *document,
			 struct jail_policy *policy)
{
	const struct jail_place *place = JAIL_MEMBER(parent, "version");
	const cJSON *item = jail_read_member(reader, parent, document, "version", true);

	if (!item)
		return;
	if (!cJSON_IsNumber(item))
		jail_reader_error(reader, place, "type", "write a whole number, without quotes");
	else if (item->valuedouble < 1 || item->valuedouble > (double)version_max)
		jail_reader_error(
			reader, place, "version",
			"a version is a number from 1 to 9007199254740991, higher than the last one");
	else
		policy->version = (uint64_t)item->valuedouble;
}

static void read_time(struct jail_reader *reader, const struct jail_place *parent, const cJSON *document,
		      const char *name, time_t *ret)
{
	const struct jail_place *place = JAIL_MEMBER(parent, name);
	const char *text =
		jail_read_text(reader, place, jail_read_member(reader, parent, document, name, true));

	if (text && !jail_time_parse(text, ret))
		jail_reader_error(reader, place, "time",
				  "\"%s\" is no time: write it in UTC, as \"2026-11-23T10:00:00Z\"", text);
}

static void read_document(struct jail_reader *reader, const cJSON *document, struct jail_policy *policy)
{
	static const char *const fields[] = {"format", "cluster", "version", "issued", "expires",
					     "jails",  "rules",	  "comment", NULL};
	const struct jail_place *top = &(struct jail_place){0};

	if (cJSON_IsObject(document) && !read_format(reader, top, document))
		return;
	if (!jail_read_object(reader, top, document, fields))
		return;
	read_cluster(reader, top, document, policy);
	read_version(reader, top, document, policy);
	read_time(reader, top, document, "issued", &policy->issued);
	read_time(reader, top, document, "expires", &policy->expires);
	jail_read_jails(reader, JAIL_MEMBER(top, "jails"),
			jail_read_member(reader, top, document, "jails", true), policy);
	jail_read_rules(reader, JAIL_MEMBER(top, "rules"),
			jail_read_member(reader, top, document, "rules", true), policy);
	jail_read_text(reader, JAIL_MEMBER(top, "comment"),
		       jail_read_member(reader, top, document, "comment", false));
}

int jail_policy_parse(const char *text, size_t len, struct jail_policy *ret, struct jail_problems *problems,
		      struct jail_error *err)
{
	__attribute__((cleanup(release_json))) cJSON *document = NULL;
	jail_autopolicy struct jail_policy policy = {0};
	struct jail_reader reader = {.problems = problems};
	struct jail_error scan;

	if (jail_json_scan(text, len, &JAIL_JSON_LIMITS_POLICY, &scan) < 0) {
		if (note_scan(problems, &scan) < 0)
			return no_memory(err);
		*ret = policy;
		return 0;
	}
	document = cJSON_ParseWithLength(text, len);
	if (!document)
		return no_memory(err);
	read_document(&reader, document, &policy);
	if (reader.exhausted || jail_lint(&policy, problems) < 0)
		return no_memory(err);
	jail_problems_locate(problems, text, len);
	if (problems->n_errors)
		jail_policy_release(&policy);
	*ret = policy;
	policy = (struct jail_policy){0};
	return 0;
}

int jail_policy_parse_strict(const char *text, size_t len, struct jail_policy *ret, struct jail_error *err)
{
	jail_autoproblems struct jail_problems problems = {0};
	struct jail_policy policy;
	int r = jail_policy_parse(text, len, &policy, &problems, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < problems.n; i++) {
		const struct jail_problem *problem = &problems.list[i];

		if (!problem->warning)
			return jail_error_set(err, EINVAL, "%zu:%zu: %s%s%s (%s)", problem->line,
					      problem->column, problem->pointer,
					      *problem->pointer ? ": " : "", problem->message, problem->rule);
	}
	*ret = policy;
	return 0;
}
