#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "agent/report.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"
#include "lib/wire/json_text.h"
#include "lib/wire/key.h"

int jail_put_text(struct jail_buffer *buffer, const char *text)
{
	size_t len = strlen(text);
	jail_autofree char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	for (char *p = copy, *end = copy + len; p < end;) {
		size_t n = jail_json_utf8_length(p, end);

		if (n == 0)
			*p = '?';
		p += n ? n : 1;
	}
	return jail_json_put_string(buffer, copy, len);
}

static int put_key(struct jail_buffer *b, const char *name)
{
	return jail_buffer_printf(b, "%s\n  \"%s\": ", b->len > 1 ? "," : "", name);
}

static int put_string(struct jail_buffer *b, const char *name, const char *text)
{
	int r = put_key(b, name);

	if (r < 0)
		return r;
	return text ? jail_put_text(b, text) : jail_buffer_puts(b, "null");
}

static int put_bool(struct jail_buffer *b, const char *name, bool value)
{
	int r = put_key(b, name);

	return r < 0 ? r : jail_buffer_puts(b, value ? "true" : "false");
}

static int put_time(struct jail_buffer *b, const char *name, time_t time)
{
	char text[32];

	jail_time_text(time, text);
	return put_string(b, name, *text ? text : NULL);
}

static int put_sum(struct jail_buffer *b, const char *name, bool there, const uint8_t sum[static 32])
{
	char text[65];

	jail_hex(sum, 32, text);
	return put_string(b, name, there ? text : NULL);
}

static int put_number(struct jail_buffer *b, const char *name, uint64_t number, bool there)
{
	int r = put_key(b, name);

	if (r < 0)
		return r;
	return there ? jail_buffer_printf(b, "%" PRIu64, number) : jail_buffer_puts(b, "null");
}

static int put_error(struct jail_buffer *b, const struct jail_report *report)
{
	int r = put_key(b, "error");

	if (r < 0)
		return r;
	if (!report->message)
		return jail_buffer_puts(b, "null");
	if ((r = jail_buffer_printf(b, "{\"code\": \"%s\", \"message\": ", report->code)) < 0 ||
	    (r = jail_put_text(b, report->message)) < 0)
		return r;
	return jail_buffer_puts(b, "}");
}

int jail_report_put_warnings(struct jail_buffer *b, const struct jail_report *report)
{
	int r = put_key(b, "warnings");

	for (size_t i = 0; r == 0 && i < report->n_warnings; i++) {
		r = jail_buffer_puts(b, i ? ",\n    " : "[\n    ");
		if (r == 0)
			r = jail_put_text(b, report->warnings[i]);
	}
	return r < 0 ? r : jail_buffer_puts(b, report->n_warnings ? "\n  ]" : "[]");
}

int jail_report_put_message(struct jail_buffer *b, const struct jail_report *report)
{
	return put_string(b, "error", report->message);
}

static int put_jails(struct jail_buffer *b, const struct jail_report *report)
{
	int r = put_key(b, "jails");

	for (size_t i = 0; r == 0 && i < report->n_jails; i++) {
		const struct jail_report_jail *jail = &report->jails[i];

		r = jail_buffer_puts(b, i ? ",\n    {\"name\": " : "[\n    {\"name\": ");
		if (r == 0)
			r = jail_put_text(b, jail->name);
		if (r == 0)
			r = jail_buffer_puts(b, ", \"root\": ");
		if (r == 0)
			r = jail_put_text(b, jail->root);
		if (r == 0)
			r = jail_buffer_printf(b, ", \"users\": %zu}", jail->users);
	}
	return r < 0 ? r : jail_buffer_puts(b, report->n_jails ? "\n  ]" : "[]");
}

int jail_report_write(const struct jail_report *report, struct jail_buffer *ret)
{
	jail_autobuffer struct jail_buffer b = JAIL_BUFFER_INIT;
	bool policy = report->version != 0;

	if (jail_buffer_puts(&b, "{") < 0 || put_number(&b, "format", 1, true) < 0 ||
	    put_string(&b, "node", report->node) < 0 || put_string(&b, "cluster", report->cluster) < 0 ||
	    put_number(&b, "policy_version", report->version, policy) < 0 ||
	    put_sum(&b, "policy_sha256", policy, report->policy_sha256) < 0 ||
	    put_sum(&b, "view_sha256", report->observed, report->view_sha256) < 0 ||
	    put_string(&b, "source", jail_origin_name(policy ? report->origin : JAIL_ORIGIN_NONE)) < 0 ||
	    put_time(&b, "last_contact", report->last_contact) < 0 ||
	    put_time(&b, "last_success", report->last_success) < 0 ||
	    put_time(&b, "expires", policy ? report->expires : 0) < 0 ||
	    put_bool(&b, "expired", report->expired) < 0 || put_bool(&b, "drift", report->drift) < 0 ||
	    put_bool(&b, "failed", report->failed) < 0 || put_error(&b, report) < 0 ||
	    jail_report_put_warnings(&b, report) < 0 || put_number(&b, "users", report->users, true) < 0 ||
	    put_jails(&b, report) < 0 || jail_buffer_puts(&b, "\n}\n") < 0)
		return -ENOMEM;
	jail_buffer_release(ret);
	*ret = b;
	b = JAIL_BUFFER_INIT;
	return 0;
}
