#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "agent/chrootfile.h"
#include "agent/commands.h"
#include "agent/enforce.h"
#include "agent/outside.h"
#include "agent/status_file.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"
#include "lib/wire/key.h"

/* Whether chroot.conf is as it should be, without a word about lines in it that the last sync spoke of. */
static bool chroot_conf_drifts(const struct jail_config *config, const struct jail_views *views)
{
	jail_autoreport struct jail_report quiet = {.quiet = true};
	jail_autobuffer struct jail_buffer differences = JAIL_BUFFER_INIT;
	jail_autofree struct jail_chroot_user *users = NULL;
	size_t n_users;

	if (jail_chroot_users(config, views, &quiet, &users, &n_users) < 0)
		return true;
	jail_chroot_files_check(config, users, n_users, &differences, &quiet);
	return quiet.failed || differences.len > 0;
}

/* What holds now, whatever the last sync wrote: the views of the cache that is in place. */
static void look_now(const struct jail_config *config, struct jail_report *report)
{
	const struct jail_node node = jail_node_of(config);
	jail_autocache struct jail_cache *cache = NULL;
	jail_autoviews struct jail_views views = {0};
	jail_autoobservation struct jail_observation observation = {0};
	struct jail_error error;

	if (geteuid() != 0) {
		jail_log_notice("only root can see what is mounted: this is what the last sync wrote");
		return;
	}
	report->observed = false;
	report->drift = true;
	if (jail_cache_open(config->cache, &cache, &error) < 0 ||
	    jail_views_build(cache, config->marker, &views, &error) < 0 ||
	    jail_observe(&node, &views, &observation, &error) < 0) {
		jail_report_warn(report, "%s", error.message);
		return;
	}
	if (jail_report_policy(report, cache, &views) < 0)
		return;
	jail_report_observed(report, &views, &observation);
	report->quiet = true; /* the table holds it */
	jail_outside_warn(config, &views, report);
	report->drift = !jail_plan_is_empty(&observation.plan) || chroot_conf_drifts(config, &views);
}

static const char *state_of(const struct jail_report *report)
{
	if (report->version == 0)
		return "NO POLICY";
	if (report->failed)
		return "FAILED";
	if (report->drift)
		return "DRIFT: jail-agent --check says what differs";
	return report->message ? "enforcing last-known-good" : "in sync";
}

static void print_row(const char *name, const char *value)
{
	printf("%-14s%s\n", name, *value ? value : "-");
}

static void print_time(const char *name, time_t time, const char *more)
{
	char text[32], row[64];

	jail_time_text(time, text);
	snprintf(row, sizeof row, "%s%s", text, *text ? more : "");
	print_row(name, row);
}

static void print_policy(const struct jail_report *report)
{
	char sum[65], row[128];

	jail_hex(report->policy_sha256, 32, sum);
	snprintf(row, sizeof row, "version %" PRIu64 ", sha256 %s", report->version, sum);
	print_row("policy", row);
	print_row("source", jail_origin_name(report->origin));
	print_time("expires", report->expires, report->expired ? " (EXPIRED, still enforced)" : "");
}

static void print_table(const struct jail_report *report)
{
	char sum[65];

	print_row("node", report->node);
	print_row("cluster", report->cluster ? report->cluster : "");
	print_row("state", state_of(report));
	if (report->version)
		print_policy(report);
	print_time("last contact", report->last_contact, "");
	print_time("last success", report->last_success, "");
	jail_hex(report->view_sha256, 32, sum);
	print_row("view", report->observed ? sum : "");
	for (size_t i = 0; i < report->n_jails; i++)
		printf("%-14s%s  %s  %zu user%s\n", i ? "" : "jails", report->jails[i].name,
		       report->jails[i].root, report->jails[i].users, report->jails[i].users == 1 ? "" : "s");
	if (report->message)
		printf("%-14s%s (%s)\n", "error", report->message, report->code);
	for (size_t i = 0; i < report->n_warnings; i++)
		print_row(i ? "" : "warnings", report->warnings[i]);
}

int jail_cmd_status(const struct jail_config *config, const struct jail_options *options)
{
	jail_autoreport struct jail_report report = {0};
	jail_autobuffer struct jail_buffer json = JAIL_BUFFER_INIT;
	struct jail_error error;

	if (jail_status_load(config, &report, &error) < 0) {
		report.node = strdup(config->node);
		report.drift = true;
		jail_report_warn(&report, "no sync has left its report: %s", error.message);
	}
	look_now(config, &report);
	if (!options->json) {
		print_table(&report);
		return JAIL_EXIT_OK;
	}
	if (jail_report_write(&report, &json) < 0)
		return JAIL_EXIT_FAILED;
	fwrite(json.data, 1, json.len, stdout);
	return JAIL_EXIT_OK;
}
