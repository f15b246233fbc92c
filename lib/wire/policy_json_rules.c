#include <stdlib.h>
#include <string.h>
#include "lib/policy/hostlist.h"
#include "lib/wire/policy_json_parts.h"

enum { NAME_BYTES_MAX = 256 };

static const struct kind {
	const char *name;
	enum jail_rule_kind kind;
} kinds[] = {
	{"users", JAIL_RULE_USERS},
	{"groups", JAIL_RULE_GROUPS},
	{"match", JAIL_RULE_MATCH},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static bool name_good(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_BYTES_MAX || name[0] == '-' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f || *name == '/' || *name == ':')
			return false;
	return true;
}

static void check_user(struct jail_reader *reader, const struct jail_place *place, const char *text)
{
	if (!name_good(text))
		jail_reader_error(reader, place, "user-name",
				  "\"%s\" is no user name: 1 to 256 bytes without / : or space, not starting "
				  "with -, not . or ..",
				  text);
	else if (strpbrk(text, "*?[]"))
		jail_reader_error(reader, place, "user-name",
				  "users are exact names: write {\"match\": \"...\"} or {\"groups\": [...]} "
				  "instead of the pattern \"%s\"",
				  text);
}

static void check_group(struct jail_reader *reader, const struct jail_place *place, const char *text)
{
	if (!name_good(text))
		jail_reader_error(reader, place, "group-name",
				  "\"%s\" is no group name or glob: 1 to 256 bytes without / : or space, not "
				  "starting with -, not . or ..",
				  text);
}

static void check_node(struct jail_reader *reader, const struct jail_place *place, const char *text)
{
	struct jail_error err;

	if (jail_hostlist_check(text, &err) < 0)
		jail_reader_error(reader, place, "hostlist", "%s", err.message);
}

static void read_match(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		       struct jail_rule *rule)
{
	const char *text = jail_read_text(reader, place, item);
	struct jail_error err;

	if (!text)
		return;
	if (jail_expression_check(text, &err) < 0)
		jail_reader_error(reader, place, "match", "%s", err.message);
	rule->names = calloc(1, sizeof *rule->names);
	if (!rule->names) {
		reader->exhausted = true;
		return;
	}
	rule->names[0] = jail_read_copy(reader, text);
	rule->n_names = rule->names[0] != NULL;
}

static const struct kind *find_kind(struct jail_reader *reader, const struct jail_place *place,
				    const cJSON *object)
{
	const struct kind *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < N_KINDS; i++) {
		if (!cJSON_GetObjectItemCaseSensitive(object, kinds[i].name))
			continue;
		found = &kinds[i];
		n++;
	}
	if (n == 1)
		return found;
	jail_reader_error(reader, place, "rule-kind",
			  n ? "a rule has one of users, groups and match: make a rule of its own of each"
			    : "the rule does not say whom it is for: give it users, groups or match");
	return NULL;
}

static void read_reference(struct jail_reader *reader, const struct jail_place *parent, const cJSON *object,
			   const struct jail_policy *policy, struct jail_rule *rule)
{
	const struct jail_place *place = JAIL_MEMBER(parent, "jail");
	const cJSON *item = jail_read_member(reader, parent, object, "jail", true);

	rule->jail = JAIL_EXEMPT;
	if (!item || cJSON_IsNull(item) || !policy->jails) /* without jails that is said elsewhere */
		return;
	if (!cJSON_IsString(item)) {
		jail_reader_error(reader, place, "type",
				  "write the name of a jail in quotes, or null for \"not confined\"");
		return;
	}
	for (size_t i = 0; i < policy->n_jails; i++) {
		if (policy->jails[i].name && strcmp(policy->jails[i].name, item->valuestring) == 0) {
			rule->jail = (ssize_t)i;
			return;
		}
	}
	jail_reader_error(reader, place, "unknown-jail",
			  "there is no jail \"%s\" in \"jails\": name one that is there, or null",
			  item->valuestring);
}

static void read_rule(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
		      const struct jail_policy *policy, struct jail_rule *rule)
{
	static const char *const fields[] = {"users", "groups", "match", "nodes", "jail", "comment", NULL};
	const struct kind *kind;

	rule->jail = JAIL_EXEMPT;
	if (!jail_read_object(reader, place, object, fields))
		return;
	kind = find_kind(reader, place, object);
	if (kind) {
		const struct jail_place *here = JAIL_MEMBER(place, kind->name);
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, kind->name);

		rule->kind = kind->kind;
		if (kind->kind == JAIL_RULE_MATCH)
			read_match(reader, here, item, rule);
		else
			jail_read_strings(reader, here, item,
					  kind->kind == JAIL_RULE_USERS ? check_user : check_group,
					  &rule->names, &rule->n_names);
	}
	jail_read_strings(reader, JAIL_MEMBER(place, "nodes"),
			  jail_read_member(reader, place, object, "nodes", false), check_node, &rule->nodes,
			  &rule->n_nodes);
	read_reference(reader, place, object, policy, rule);
	jail_read_text(reader, JAIL_MEMBER(place, "comment"),
		       jail_read_member(reader, place, object, "comment", false));
}

void jail_read_rules(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		     struct jail_policy *policy)
{
	size_t n;

	if (!item)
		return;
	if (!cJSON_IsArray(item)) {
		jail_reader_error(reader, place, "type", "write an array here, [{...}, {...}]");
		return;
	}
	n = (size_t)cJSON_GetArraySize(item);
	policy->rules = calloc(n + 1, sizeof *policy->rules);
	if (!policy->rules) {
		reader->exhausted = true;
		return;
	}
	for (const cJSON *rule = item->child; rule; rule = rule->next, policy->n_rules++)
		read_rule(reader, JAIL_ITEM(place, policy->n_rules), rule, policy,
			  &policy->rules[policy->n_rules]);
}
