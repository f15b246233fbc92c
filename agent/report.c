#include "agent/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/log.h"

static void tell(const struct jail_report *report, enum jail_log_level level, const char *text)
{
	if (!report->quiet)
		jail_log(level, "%s", text);
}

static void add_warning(struct jail_report *report, const char *text)
{
	char **slot;

	for (size_t i = 0; i < report->n_warnings; i++)
		if (strcmp(report->warnings[i], text) == 0)
			return;
	slot = JAIL_ARRAY_PUSH(report->warnings, report->n_warnings);
	if (slot && (*slot = strdup(text)))
		report->n_warnings++;
}

/* The first error is the report's; a failure takes the place of an endpoint that did not answer. */
static void set_error(struct jail_report *report, const char *code, const char *text, bool failure)
{
	char *new_code, *new_message;

	if (report->message && (report->failed || !failure)) {
		add_warning(report, text);
		return;
	}
	new_code = strdup(code);
	new_message = strdup(text);
	if (!new_code || !new_message) {
		free(new_code);
		free(new_message);
		return;
	}
	if (report->message)
		add_warning(report, report->message);
	free(report->code);
	free(report->message);
	report->code = new_code;
	report->message = new_message;
}

#define FORMAT(text, format)                                                                                 \
	do {                                                                                                 \
		va_list args_;                                                                               \
		va_start(args_, format);                                                                     \
		vsnprintf((text), sizeof(text), (format), args_);                                            \
		va_end(args_);                                                                               \
	} while (0)

void jail_report_warn(struct jail_report *report, const char *format, ...)
{
	char text[2048];

	FORMAT(text, format);
	tell(report, JAIL_LOG_WARNING, text);
	add_warning(report, text);
}

void jail_report_fail(struct jail_report *report, const char *code, const char *format, ...)
{
	char text[2048];

	FORMAT(text, format);
	tell(report, JAIL_LOG_ERR, text);
	set_error(report, code, text, true);
	report->failed = true;
}

void jail_report_keep(struct jail_report *report, const char *code, const char *format, ...)
{
	char text[2048];

	FORMAT(text, format);
	tell(report, JAIL_LOG_ERR, text);
	set_error(report, code, text, false);
	report->kept = true;
}

static void release_jails(struct jail_report *report)
{
	for (size_t i = 0; i < report->n_jails; i++) {
		free(report->jails[i].name);
		free(report->jails[i].root);
	}
	free(report->jails);
	report->jails = NULL;
	report->n_jails = 0;
	report->users = 0;
}

static int add_views(struct jail_report *report, const struct jail_views *views)
{
	for (size_t i = 0; i < views->n_views; i++) {
		struct jail_report_jail *jail = JAIL_ARRAY_PUSH(report->jails, report->n_jails);

		if (!jail)
			return -ENOMEM;
		report->n_jails++;
		jail->name = strdup(views->views[i].jail);
		jail->root = strdup(views->views[i].root);
		if (!jail->name || !jail->root)
			return -ENOMEM;
	}
	for (size_t i = 0; i < views->n_users; i++)
		report->jails[views->users[i].view].users++;
	report->users = views->n_users;
	return 0;
}

int jail_report_policy(struct jail_report *report, const struct jail_cache *cache,
		       const struct jail_views *views)
{
	char *cluster = strdup(jail_cache_cluster(cache));

	if (!cluster)
		return -ENOMEM;
	free(report->cluster);
	report->cluster = cluster;
	report->version = jail_cache_version(cache);
	memcpy(report->policy_sha256, jail_cache_policy_sha256(cache), sizeof report->policy_sha256);
	report->expires = jail_cache_expires(cache);
	report->expired = time(NULL) >= report->expires;
	if (report->origin == JAIL_ORIGIN_NONE)
		report->origin = JAIL_ORIGIN_CACHE;
	release_jails(report);
	return views ? add_views(report, views) : 0;
}

void jail_report_release(struct jail_report *report)
{
	release_jails(report);
	for (size_t i = 0; i < report->n_warnings; i++)
		free(report->warnings[i]);
	free(report->warnings);
	free(report->node);
	free(report->cluster);
	free(report->code);
	free(report->message);
	*report = (struct jail_report){0};
}

void jail_time_text(time_t time, char ret[static 32])
{
	struct tm tm;

	ret[0] = '\0';
	if (time != 0 && gmtime_r(&time, &tm))
		strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

const char *jail_origin_name(enum jail_origin origin)
{
	switch (origin) {
	case JAIL_ORIGIN_NETWORK:
		return "network";
	case JAIL_ORIGIN_CACHE:
		return "cache";
	case JAIL_ORIGIN_NONE:
		break;
	}
	return "none";
}
