/* What a run found out: grows while it goes, decides the exit code, and is what status.json says
 * (schema/status.schema.json). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/policy/cache.h"
#include "lib/view/view.h"

enum jail_origin { JAIL_ORIGIN_NONE, JAIL_ORIGIN_NETWORK, JAIL_ORIGIN_CACHE };

struct jail_report_jail {
	char *name, *root;
	size_t users;
};

struct jail_report {
	char *node;
	char *cluster;	  /* NULL: no policy yet */
	uint64_t version; /* 0: no policy; then policy_sha256 and expires say nothing */
	uint8_t policy_sha256[32];
	bool observed; /* view_sha256 is there */
	uint8_t view_sha256[32];
	enum jail_origin origin;
	time_t last_contact, last_success, expires; /* seconds since the epoch; 0: never */
	bool expired, drift, failed;
	char *code, *message; /* of the error; NULL: none */
	char **warnings;
	size_t n_warnings;
	size_t users;
	struct jail_report_jail *jails;
	size_t n_jails;

	bool quiet; /* do not log what is added */

	/* For the exit code only. */
	bool kept;    /* last-known-good is enforced, because the endpoint's policy could not be had or was
			 refused */
	bool changed; /* something was changed */
};

/* Each also logs its sentence. A second failure is kept as a warning; out of memory keeps what is there. */
void jail_report_warn(struct jail_report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* code: a stable word for scripts. The run failed; it goes on with what it can still do. */
void jail_report_fail(struct jail_report *report, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The endpoint's policy is not taken; what was accepted before stays. */
void jail_report_keep(struct jail_report *report, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes over what the cache and its views say: cluster, version, sum, expiry, jails, users. views may be
 * NULL.
 */
int jail_report_policy(struct jail_report *report, const struct jail_cache *cache,
		       const struct jail_views *views);
void jail_report_release(struct jail_report *report);
#define jail_autoreport __attribute__((cleanup(jail_report_release)))

/* As JSON: the text that status.json holds. */
int jail_report_write(const struct jail_report *report, struct jail_buffer *ret);
/* Reads what jail_report_write wrote. -EBADMSG: something else; -ENOMEM. */
int jail_report_read(const char *text, size_t len, struct jail_report *ret, struct jail_error *err);

/* Of an object that was begun: ',' and "warnings", a list of sentences; or "error", a sentence or null. */
int jail_report_put_warnings(struct jail_buffer *b, const struct jail_report *report);
int jail_report_put_message(struct jail_buffer *b, const struct jail_report *report);

/* "2026-11-24T10:05:00Z", or "" for 0. */
void jail_time_text(time_t time, char ret[static 32]);
const char *jail_origin_name(enum jail_origin origin);
/* Appends text as a JSON string, with '?' for bytes that are no UTF-8. */
int jail_put_text(struct jail_buffer *buffer, const char *text);
