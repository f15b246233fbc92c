#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "agent/chrootfile.h"
#include "agent/commands.h"
#include "agent/compile.h"
#include "agent/enforce.h"
#include "agent/lock.h"
#include "agent/obtain.h"
#include "agent/safety.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

enum { CACHE_MAX = 1 << 30 };

static int check_cache(const struct jail_config *config, const struct jail_compiled *compiled,
		       struct jail_buffer *differences)
{
	jail_autobuffer struct jail_buffer present = JAIL_BUFFER_INIT;
	struct jail_error error;

	if (jail_file_read_trusted(AT_FDCWD, config->cache, CACHE_MAX, &present, &error) < 0)
		return jail_buffer_printf(differences, "cache: %s\n", error.message);
	if (present.len == compiled->bytes.len &&
	    memcmp(present.data, compiled->bytes.data, present.len) == 0)
		return 0;
	return jail_buffer_printf(
		differences, "cache: %s is not what the policy and the members of its groups come to now\n",
		config->cache);
}

static int check_mounts(const struct jail_config *config, const struct jail_compiled *compiled,
			struct jail_buffer *differences, struct jail_report *report)
{
	const struct jail_node node = jail_node_of(config);
	jail_autoobservation struct jail_observation observation = {0};
	struct jail_error error;

	if (jail_observe(&node, &compiled->views, &observation, &error) < 0) {
		jail_report_fail(report, "view", "cannot tell what is mounted: %s", error.message);
		return 0;
	}
	return jail_plan_text(&observation.plan, &compiled->views, differences);
}

static int check_chroot_conf(const struct jail_config *config, const struct jail_compiled *compiled,
			     struct jail_buffer *differences, struct jail_report *report)
{
	jail_autofree struct jail_chroot_user *users = NULL;
	size_t n_users;
	int r = jail_chroot_users(config, &compiled->views, report, &users, &n_users);

	if (r == 0)
		jail_chroot_files_check(config, users, n_users, differences, report);
	return r;
}

static void check(const struct jail_config *config, struct jail_buffer *differences,
		  struct jail_report *report)
{
	jail_autoknown struct jail_known policy = {0};
	jail_autocompiled struct jail_compiled compiled = JAIL_COMPILED_INIT;
	struct jail_error error;
	int r;

	if (!jail_obtain(config, true, report, &policy))
		return;
	if (jail_compile(config, &policy.policy, policy.sha256, report, &compiled, &error) < 0) {
		jail_report_fail(report, "compile", "%s", error.message);
		return;
	}
	r = check_cache(config, &compiled, differences);
	if (r == 0 && compiled.has_views)
		r = check_mounts(config, &compiled, differences, report);
	if (r == 0 && compiled.has_views)
		r = check_chroot_conf(config, &compiled, differences, report);
	if (r < 0)
		jail_report_fail(report, "memory", "out of memory");
}

static int put_lines(struct jail_buffer *json, const struct jail_buffer *lines)
{
	jail_autofree char *copy = strdup(lines->data);
	char *rest = copy;
	int r = copy ? jail_buffer_puts(json, "[") : -1;
	bool first = true;

	for (char *line; r == 0 && (line = strtok_r(rest, "\n", &rest)); first = false) {
		r = jail_buffer_puts(json, first ? "\n    " : ",\n    ");
		if (r == 0)
			r = jail_put_text(json, line);
	}
	return r < 0 ? r : jail_buffer_puts(json, first ? "]" : "\n  ]");
}

static int print_json(const struct jail_report *report, const struct jail_buffer *differences)
{
	jail_autobuffer struct jail_buffer json = JAIL_BUFFER_INIT;

	if (jail_buffer_printf(&json, "{\n  \"in_sync\": %s,\n  \"differences\": ",
			       differences->len == 0 && !report->failed ? "true" : "false") < 0 ||
	    put_lines(&json, differences) < 0 || jail_report_put_warnings(&json, report) < 0 ||
	    jail_report_put_message(&json, report) < 0 || jail_buffer_puts(&json, "\n}\n") < 0)
		return -1;
	fwrite(json.data, 1, json.len, stdout);
	return 0;
}

int jail_cmd_check(const struct jail_config *config, const struct jail_options *options)
{
	jail_autoreport struct jail_report report = {.node = strdup(config->node)};
	jail_autobuffer struct jail_buffer differences = JAIL_BUFFER_INIT;
	jail_autoclose int lock = -1;
	struct jail_error error;

	/* Shared, so that a sync at work is not taken for a difference. */
	if (jail_safety_check(config, &error) < 0 ||
	    jail_lock_take(config->lock, true, JAIL_LOCK_SECONDS, &lock, &error) < 0) {
		jail_log_err("%s", error.message);
		return JAIL_EXIT_FAILED;
	}
	check(config, &differences, &report);
	if (!options->json)
		fwrite(differences.data, 1, differences.len, stdout);
	else if (print_json(&report, &differences) < 0)
		return JAIL_EXIT_FAILED;
	if (report.failed)
		return JAIL_EXIT_FAILED;
	return differences.len > 0 ? JAIL_EXIT_DIFFERS : JAIL_EXIT_OK;
}
