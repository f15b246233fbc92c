#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "agent/commands.h"
#include "agent/enforce.h"
#include "agent/lock.h"
#include "agent/obtain.h"
#include "agent/safety.h"
#include "agent/status_file.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

static int make_dirs(const struct jail_config *config, struct jail_error *err)
{
	jail_autoclose int state = -1, run = -1;
	int r = jail_dir_make(config->state, 0755, &state, err);

	return r < 0 ? r : jail_dir_make(config->run, 0755, &run, err);
}

/* What an agent that was killed had begun to write. */
static void tidy(const struct jail_config *config, struct jail_report *report)
{
	const char *const files[] = {config->envelope, config->accepted, config->cache,
				     config->made,     config->status,	 config->whole};
	const size_t n = sizeof files / sizeof files[0];
	struct jail_error error;

	for (size_t i = 0; i < n + config->n_chroot_conf; i++)
		if (jail_file_tidy(i < n ? files[i] : config->chroot_conf[i - n], &error) < 0)
			jail_report_warn(report, "%s", error.message);
}

/* When the endpoint was last heard, and when a sync last ended well, outlive this one. */
static void carry_over(const struct jail_config *config, struct jail_report *report)
{
	jail_autoreport struct jail_report before = {0};
	struct jail_error error;

	if (jail_status_load(config, &before, &error) == 0) {
		report->last_contact = before.last_contact;
		report->last_success = before.last_success;
	}
}

static void tell(const struct jail_report *report)
{
	if (report->failed || report->kept)
		return;
	jail_log_info("version %" PRIu64 " is enforced: %zu user%s, %zu root%s; %s", report->version,
		      report->users, report->users == 1 ? "" : "s", report->n_jails,
		      report->n_jails == 1 ? "" : "s", report->changed ? "changed" : "nothing to do");
}

static int exit_code(const struct jail_report *report, const struct jail_options *options)
{
	if (report->failed)
		return JAIL_EXIT_FAILED;
	if (report->kept)
		return JAIL_EXIT_KEPT;
	return options->detailed && report->changed ? JAIL_EXIT_DIFFERS : JAIL_EXIT_OK;
}

static int print_json(const struct jail_report *report)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_report_write(report, &text);

	if (r == 0)
		fwrite(text.data, 1, text.len, stdout);
	return r;
}

int jail_cmd_sync(const struct jail_config *config, const struct jail_options *options)
{
	jail_autoreport struct jail_report report = {.node = strdup(config->node)};
	jail_autoknown struct jail_known policy = {0};
	jail_autoclose int lock = -1;
	struct jail_error error;

	if (jail_safety_check(config, &error) < 0 || make_dirs(config, &error) < 0 ||
	    jail_lock_take(config->lock, false, JAIL_LOCK_SECONDS, &lock, &error) < 0) {
		jail_log_err("%s", error.message);
		return JAIL_EXIT_FAILED;
	}
	tidy(config, &report);
	carry_over(config, &report);
	report.drift = true;
	if (jail_obtain(config, options->offline, &report, &policy))
		jail_enforce(config, &policy, &report);
	if (!report.failed)
		report.last_success = time(NULL);
	if (jail_status_save(config, &report, &error) < 0)
		jail_report_fail(&report, "status", "%s", error.message);
	tell(&report);
	if (options->json && print_json(&report) < 0)
		return JAIL_EXIT_FAILED;
	return exit_code(&report, options);
}
