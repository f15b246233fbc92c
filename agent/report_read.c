#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/hex.h"
#include "agent/report.h"
#include "lib/base/array.h"
#include "lib/wire/json.h"

static void delete_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static const cJSON *member(const cJSON *json, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(json, name);
}

static int take_text(const cJSON *json, const char *name, char **ret)
{
	const char *text = cJSON_GetStringValue(member(json, name));

	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static time_t take_time(const cJSON *json, const char *name)
{
	const char *text = cJSON_GetStringValue(member(json, name));
	struct tm tm = {0};
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

	return end && *end == '\0' ? timegm(&tm) : 0;
}

static uint64_t take_number(const cJSON *json, const char *name)
{
	const cJSON *number = member(json, name);

	return cJSON_IsNumber(number) && number->valuedouble >= 1 ? (uint64_t)number->valuedouble : 0;
}

static bool take_sum(const cJSON *json, const char *name, uint8_t ret[static 32])
{
	const char *text = cJSON_GetStringValue(member(json, name));

	return text && jail_hex_parse(text, ret, 32);
}

static enum jail_origin take_origin(const cJSON *json)
{
	const char *text = cJSON_GetStringValue(member(json, "source"));

	if (text && strcmp(text, "network") == 0)
		return JAIL_ORIGIN_NETWORK;
	return text && strcmp(text, "cache") == 0 ? JAIL_ORIGIN_CACHE : JAIL_ORIGIN_NONE;
}

static int take_warnings(const cJSON *json, struct jail_report *report)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, member(json, "warnings"))
	{
		char **slot = JAIL_ARRAY_PUSH(report->warnings, report->n_warnings);

		if (!cJSON_IsString(item))
			return -EBADMSG;
		if (!slot || !(*slot = strdup(item->valuestring)))
			return -ENOMEM;
		report->n_warnings++;
	}
	return 0;
}

static int take_jails(const cJSON *json, struct jail_report *report)
{
	const cJSON *item;
	int r = 0;

	cJSON_ArrayForEach(item, member(json, "jails"))
	{
		struct jail_report_jail *jail = JAIL_ARRAY_PUSH(report->jails, report->n_jails);

		if (!jail)
			return -ENOMEM;
		report->n_jails++;
		if ((r = take_text(item, "name", &jail->name)) < 0 ||
		    (r = take_text(item, "root", &jail->root)) < 0)
			return r;
		if (!jail->name || !jail->root)
			return -EBADMSG;
		jail->users = take_number(item, "users");
	}
	return 0;
}

static bool is_word(const char *text, const char *more, size_t max)
{
	size_t len = strlen(text);

	if (len < 1 || len > max || text[0] < 'a' || text[0] > 'z')
		return false;
	for (; *text; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= '0' && *text <= '9') &&
		    !strchr(more, *text))
			return false;
	return true;
}

/* What the fields have to do with each other; each alone is looked at by is_as_written. */
static bool is_consistent(const struct jail_report *report)
{
	bool policy = report->version != 0;

	if (policy ? report->origin == JAIL_ORIGIN_NONE || !report->cluster || !report->expires
		   : report->n_jails > 0)
		return false;
	if (report->failed && !report->message)
		return false;
	if (report->message && (!*report->message || !is_word(report->code, "-", SIZE_MAX)))
		return false;
	for (size_t i = 0; i < report->n_warnings; i++)
		if (!*report->warnings[i])
			return false;
	for (size_t i = 0; i < report->n_jails; i++)
		if (!is_word(report->jails[i].name, "_-", 32) || report->jails[i].root[0] != '/')
			return false;
	return *report->node != '\0';
}

/* A field that is missing, of another type, or not known here was lost on the way: it is not this agent's. */
static int is_as_written(const cJSON *json, const struct jail_report *report)
{
	__attribute__((cleanup(delete_json))) cJSON *again = NULL;
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_report_write(report, &text);

	if (r < 0)
		return r;
	again = cJSON_ParseWithLength(text.data, text.len);
	return again ? cJSON_Compare(json, again, true) : -ENOMEM;
}

int jail_report_read(const char *text, size_t len, struct jail_report *ret, struct jail_error *err)
{
	__attribute__((cleanup(delete_json))) cJSON *json = NULL;
	jail_autoreport struct jail_report report = {0};
	const cJSON *error;
	int r = jail_json_scan(text, len, &JAIL_JSON_LIMITS_POLICY, err);

	if (r < 0)
		return r;
	json = cJSON_ParseWithLength(text, len);
	error = member(json, "error");
	report.version = take_number(json, "policy_version");
	report.observed = take_sum(json, "view_sha256", report.view_sha256);
	report.origin = take_origin(json);
	report.last_contact = take_time(json, "last_contact");
	report.last_success = take_time(json, "last_success");
	report.expires = take_time(json, "expires");
	report.expired = cJSON_IsTrue(member(json, "expired"));
	report.drift = cJSON_IsTrue(member(json, "drift"));
	report.failed = cJSON_IsTrue(member(json, "failed"));
	report.users = take_number(json, "users");
	if (!take_sum(json, "policy_sha256", report.policy_sha256))
		report.version = 0;
	if ((r = take_text(json, "node", &report.node)) < 0 ||
	    (r = take_text(json, "cluster", &report.cluster)) < 0 ||
	    (r = take_text(error, "code", &report.code)) < 0 ||
	    (r = take_text(error, "message", &report.message)) < 0 ||
	    (r = take_warnings(json, &report)) < 0 || (r = take_jails(json, &report)) < 0)
		return jail_error_sys(err, -r, "cannot read the report");
	if (!report.node || !report.code != !report.message || !is_consistent(&report))
		return jail_error_set(err, EBADMSG, "this is no status report");
	r = is_as_written(json, &report);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot read the report");
	if (r == 0)
		return jail_error_set(err, EBADMSG, "this is no status report as this jail-agent writes it");
	*ret = report;
	report = (struct jail_report){0};
	return 0;
}
