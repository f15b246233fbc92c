#include <errno.h>
#include <stdio.h>
#include "api/policy/commands.h"
#include "api/policy/describe.h"
#include "lib/base/cleanup.h"
#include "lib/wire/dsse.h"
#include "lib/wire/json.h"
#include "lib/wire/policy_json.h"

enum { MODE_DEFAULT = 01777 };

int jail_load_policy(const char *path, struct jail_policy *ret, bool *ret_envelope, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoproblems struct jail_problems problems = {0};
	struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	struct jail_policy policy;
	bool wrapped;
	int r = jail_input_read(path, JAIL_JSON_LIMITS_ENVELOPE.bytes, &text, err);

	if (r < 0)
		return r;
	wrapped = jail_envelope_parse(text.data, text.len, &envelope, NULL) == 0;
	if (wrapped) {
		jail_buffer_release(&text);
		text = envelope.payload;
		envelope.payload = JAIL_BUFFER_INIT;
		jail_envelope_release(&envelope);
	}
	r = jail_policy_parse(text.data, text.len, &policy, &problems, err);
	if (r < 0)
		return jail_error_prefix(err, "%s", path);
	if (problems.n_errors) {
		jail_print_problems(path, &problems);
		jail_policy_release(&policy);
		return jail_error_set(err, EINVAL, "%s is no good policy: %zu error%s", path,
				      problems.n_errors, problems.n_errors == 1 ? "" : "s");
	}
	*ret = policy;
	*ret_envelope = wrapped;
	return 0;
}

/* The largest unit that divides it: "2G". */
static int put_size(uint64_t size, struct jail_buffer *ret)
{
	static const char *const units[] = {"", "K", "M", "G", "T"};
	size_t unit = 0;

	while (unit + 1 < sizeof units / sizeof units[0] && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	return jail_buffer_printf(ret, ", size %llu%s", (unsigned long long)size, units[unit]);
}

int jail_describe_mount(const struct jail_mount *mount, const char *target, const char *from,
			struct jail_buffer *ret)
{
	char options[32];
	int r = jail_buffer_printf(ret, "%s %s", jail_verb_name(mount->verb), target);

	if (r == 0 && from)
		r = jail_buffer_printf(ret, " from %s", from);
	if (r == 0 && mount->options)
		r = jail_buffer_printf(ret, " (%s)", jail_options_text(mount->options, options));
	if (r == 0 && mount->optional)
		r = jail_buffer_puts(ret, ", if it is there");
	if (r == 0 && mount->verb == JAIL_VERB_TMPFS && mount->size)
		r = put_size(mount->size, ret);
	if (r == 0 && mount->verb == JAIL_VERB_PRIVATE)
		r = jail_buffer_printf(ret, ", %s", mount->in_memory ? "in memory" : "on disk");
	if (r == 0 && (mount->verb == JAIL_VERB_TMPFS || mount->verb == JAIL_VERB_PRIVATE) &&
	    mount->mode != MODE_DEFAULT)
		r = jail_buffer_printf(ret, ", mode %04o", (unsigned)mount->mode);
	if (r == 0 && mount->verb == JAIL_VERB_PROC)
		r = jail_buffer_printf(ret, ", hidepid %s", jail_hidepid_name(mount->hidepid));
	return r;
}

int jail_describe_confinement(enum jail_confine confine, const char *root, struct jail_buffer *ret)
{
	switch (confine) {
	case JAIL_CONFINE_CHROOT:
		return jail_buffer_printf(ret, "chroot to %s", root);
	case JAIL_CONFINE_NAMESPACE:
		break;
	}
	return jail_buffer_puts(ret, "the host, in a mount namespace of each session's own");
}

const char *jail_rule_kind_name(enum jail_rule_kind kind)
{
	return kind == JAIL_RULE_USERS ? "users" : kind == JAIL_RULE_GROUPS ? "groups" : "match";
}

int jail_describe_place(const struct jail_policy *policy, ssize_t jail, struct jail_buffer *ret)
{
	if (jail == JAIL_EXEMPT)
		return jail_buffer_puts(ret, "not confined");
	return jail_buffer_printf(ret, "jail %s", policy->jails[jail].name);
}

int jail_describe_rule(const struct jail_policy *policy, const struct jail_rule *rule, size_t names_max,
		       struct jail_buffer *ret)
{
	int r = jail_buffer_puts(ret, jail_rule_kind_name(rule->kind));

	for (size_t i = 0; r == 0 && i < rule->n_names && i < names_max; i++)
		r = jail_buffer_printf(ret, "%s%s", i ? ", " : " ", rule->names[i]);
	if (r == 0 && rule->n_names > names_max)
		r = jail_buffer_printf(ret, " and %zu more", rule->n_names - names_max);
	for (size_t i = 0; r == 0 && i < rule->n_nodes; i++)
		r = jail_buffer_printf(ret, "%s%s", i ? "," : " on ", rule->nodes[i]);
	if (r == 0)
		r = jail_buffer_puts(ret, ": ");
	return r < 0 ? r : jail_describe_place(policy, rule->jail, ret);
}
