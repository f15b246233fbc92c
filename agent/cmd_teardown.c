#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/chrootfile.h"
#include "agent/commands.h"
#include "agent/enforce.h"
#include "agent/lock.h"
#include "agent/managers.h"
#include "agent/safety.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"

static void remove_file(const char *path, struct jail_report *report)
{
	if (unlink(path) < 0 && errno != ENOENT)
		jail_report_fail(report, "run", "cannot remove %s: %s", path, strerror(errno));
}

static void tell_kept(const struct jail_config *config, struct jail_report *report)
{
	const char *const places[] = {config->private_disk, config->private_memory};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (jail_private_holds(places[i]))
			jail_report_warn(report, "what users kept in private directories stays in %s, by uid",
					 places[i]);
}

static int print_json(const struct jail_report *report, const struct jail_applied *applied)
{
	jail_autobuffer struct jail_buffer json = JAIL_BUFFER_INIT;

	if (jail_buffer_printf(&json, "{\n  \"torn_down\": %s,\n  \"unmounted\": %zu",
			       report->failed ? "false" : "true", applied->unmounts) < 0 ||
	    jail_report_put_warnings(&json, report) < 0 || jail_report_put_message(&json, report) < 0 ||
	    jail_buffer_puts(&json, "\n}\n") < 0)
		return -1;
	fwrite(json.data, 1, json.len, stdout);
	return 0;
}

/* Policy and cache stay: as long as pam_jail is in the PAM stack, a confined user without a tree is refused,
 * while without a cache everybody would be. The lock stays too: whoever waits for it holds this file open. */
int jail_cmd_teardown(const struct jail_config *config, const struct jail_options *options)
{
	const struct jail_node node = jail_node_of(config);
	jail_autoreport struct jail_report report = {.node = strdup(config->node)};
	struct jail_applied applied = {0};
	jail_autoclose int lock = -1;
	struct jail_error error;
	int r;

	if (jail_safety_check(config, &error) < 0) {
		jail_log_err("%s", error.message);
		return JAIL_EXIT_FAILED;
	}
	/* Without a run directory no agent can be at work. */
	r = jail_lock_take(config->lock, false, JAIL_LOCK_SECONDS, &lock, &error);
	if (r < 0 && r != -ENOENT) {
		jail_log_err("%s", error.message);
		return JAIL_EXIT_FAILED;
	}
	if (jail_teardown(&node, &applied, &error) < 0)
		jail_report_fail(&report, "teardown",
				 "%s; nothing below it was removed, run --teardown again", error.message);
	for (size_t i = 0; i < applied.n_messages; i++)
		jail_report_fail(&report, "teardown", "%s", applied.messages[i]);
	tell_kept(config, &report);
	jail_managers_end_stranded(&report);
	jail_chroot_files_remove(config, &report);
	remove_file(config->status, &report);
	remove_file(config->whole, &report);
	if (!report.failed)
		jail_log_info("took %zu mounts away; policy and cache are kept", applied.unmounts);
	if (options->json && print_json(&report, &applied) < 0)
		report.failed = true;
	jail_applied_release(&applied);
	return report.failed ? JAIL_EXIT_FAILED : JAIL_EXIT_OK;
}
