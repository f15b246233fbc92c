#include "agent/obtain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "agent/fetch.h"
#include "agent/open_envelope.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

/* nginx's ETag is mtime and size, so two publications of equal length in one second are one to it. */
enum { WHOLE_SECONDS = 24 * 60 * 60 };

struct obtain {
	const struct jail_config *config;
	struct jail_report *report;
	struct jail_trust trust;
	struct jail_accepted accepted;
	struct jail_known *known;
};

static void load_accepted(struct obtain *o)
{
	struct jail_error error;
	int r = jail_accepted_read(o->config->accepted, &o->accepted, &error);

	if (r < 0 && r != -ENOENT)
		jail_report_warn(o->report, "%s; the version floor is that of last-known-good alone",
				 error.message);
	/* Versions of another cluster say nothing about this one's. */
	if (r == 0 && strcmp(o->accepted.cluster, o->trust.cluster) != 0)
		jail_accepted_release(&o->accepted);
}

static struct jail_floor floor_of(const struct obtain *o)
{
	struct jail_floor floor = {.version = o->accepted.version};

	memcpy(floor.sha256, o->accepted.sha256, sizeof floor.sha256);
	if (o->known->present && o->known->policy.version > floor.version) {
		floor.version = o->known->policy.version;
		memcpy(floor.sha256, o->known->sha256, sizeof floor.sha256);
	}
	return floor;
}

static void load_known(struct obtain *o)
{
	const struct jail_floor floor = floor_of(o);
	struct jail_error error;
	int r = jail_known_load(o->config, &o->trust, &floor, o->known, &error);

	if (r < 0 && r != -ENOENT)
		jail_report_warn(o->report, "last-known-good cannot be used: %s", error.message);
}

/* Says what was not taken, and what holds instead. */
static void keep(struct obtain *o, const char *code, const char *what, const char *why)
{
	if (o->known->present)
		jail_report_keep(o->report, code, "%s%s; kept: version %" PRIu64 " as last accepted", what,
				 why, o->known->policy.version);
	else
		jail_report_keep(o->report, code, "%s%s; there is no policy yet", what, why);
}

static const char *refusal_code(int r)
{
	switch (r) {
	case -EXDEV:
		return "other-cluster";
	case -ESTALE:
		return "older-version";
	case -EEXIST:
		return "same-version";
	case -EINVAL:
		return "invalid-policy";
	case -ETIME:
		return "expired-policy";
	case -EBADMSG:
		return "not-trusted";
	default:
		return "not-readable";
	}
}

/* Envelope first: killed in between, the floor is the envelope's own version (agent/state.h). */
static void store(struct obtain *o, struct jail_known *fresh, struct jail_answer *answer)
{
	struct jail_accepted accepted = {.version = fresh->policy.version,
					 .cluster = o->trust.cluster,
					 .url = o->config->url,
					 .etag = answer->etag,
					 .last_modified = answer->last_modified};
	struct jail_error error;
	bool changed = false;
	int r = jail_file_update(AT_FDCWD, o->config->envelope, answer->body.data, answer->body.len, 0644,
				 &changed, &error);

	memcpy(accepted.sha256, fresh->sha256, sizeof accepted.sha256);
	memcpy(accepted.envelope_sha256, fresh->envelope_sha256, sizeof accepted.envelope_sha256);
	if (r == 0)
		r = jail_accepted_write(o->config->accepted, &accepted, &error);
	if (r < 0)
		jail_report_fail(o->report, "state", "version %" PRIu64 " is good, but cannot be kept: %s",
				 fresh->policy.version, error.message);
	o->report->changed |= changed;
}

static bool take(struct obtain *o, struct jail_answer *answer)
{
	const struct jail_floor floor = floor_of(o);
	jail_autoenvelope struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	jail_autoknown struct jail_known fresh = {.present = true};
	char what[1024];
	struct jail_error error;
	int r = jail_open_envelope(&answer->body, &envelope, &error);

	snprintf(what, sizeof what, "refused what %s serves: %s", o->config->url,
		 r == -EBADMSG ? "no envelope, " : "");
	if (r < 0) {
		keep(o, r == -EBADMSG ? "no-envelope" : "not-readable", what, error.message);
		return false;
	}
	r = jail_envelope_accept(&envelope, &o->trust, &floor, time(NULL), 0, &fresh.policy, fresh.sha256,
				 &error);
	if (r < 0) {
		keep(o, refusal_code(r), what, error.message);
		return false;
	}
	jail_sha256(answer->body.data, answer->body.len, fresh.envelope_sha256);
	store(o, &fresh, answer);
	jail_known_release(o->known);
	*o->known = fresh;
	fresh = (struct jail_known){0};
	return true;
}

/* Once a day everything is asked for, whatever the validators say. */
static bool whole_is_due(const struct jail_config *config)
{
	time_t now = time(NULL);
	struct stat st;

	return stat(config->whole, &st) < 0 || now - st.st_mtime >= WHOLE_SECONDS || st.st_mtime > now;
}

static void ask(struct obtain *o)
{
	const struct jail_accepted *accepted = &o->accepted;
	bool due = whole_is_due(o->config);
	bool conditional = !due && o->known->present && accepted->url &&
			   strcmp(accepted->url, o->config->url) == 0 &&
			   memcmp(accepted->envelope_sha256, o->known->envelope_sha256, 32) == 0;
	const struct jail_request request = {
		.url = o->config->url,
		.timeout = o->config->timeout,
		.etag = conditional ? accepted->etag : NULL,
		.last_modified = conditional ? accepted->last_modified : NULL,
	};
	jail_autoanswer struct jail_answer answer = JAIL_ANSWER_INIT;
	struct jail_error error;
	int r = jail_fetch(&request, &answer, &error);

	if (r < 0) {
		keep(o, r == -EHOSTUNREACH || r == -ETIMEDOUT ? "unreachable" : "bad-answer", "",
		     error.message);
		return;
	}
	if (!answer.not_modified && !take(o, &answer))
		return;
	o->report->origin = JAIL_ORIGIN_NETWORK;
	o->report->last_contact = time(NULL);
	if (due && jail_file_replace(AT_FDCWD, o->config->whole, "", 0, 0644, &error) < 0)
		jail_report_warn(o->report, "%s", error.message);
}

static void tell_expiry(struct obtain *o)
{
	char text[32];

	if (time(NULL) < o->known->policy.expires)
		return;
	jail_time_text(o->known->policy.expires, text);
	jail_report_warn(o->report,
			 "version %" PRIu64
			 " of the policy expired at %s and stays enforced: publish a new one",
			 o->known->policy.version, text);
}

bool jail_obtain(const struct jail_config *config, bool offline, struct jail_report *report,
		 struct jail_known *ret)
{
	struct obtain o = {.config = config, .report = report, .known = ret};
	struct jail_error error;

	if (jail_trust_load(config, &o.trust, &error) < 0) {
		jail_report_fail(report, "trust", "%s; nothing can be verified without it", error.message);
		return false;
	}
	load_accepted(&o);
	load_known(&o);
	if (!offline && !config->url)
		jail_report_fail(report, "config",
				 "agent.conf names no url in [policy]: write one, or use --offline");
	else if (!offline)
		ask(&o);
	if (ret->present)
		tell_expiry(&o);
	else if (report->message)
		report->failed = true;
	else
		jail_report_fail(report, "no-policy",
				 "there is no policy on this node yet: run jail-agent --sync "
				 "where the endpoint can be reached");
	if (ret->present && report->origin == JAIL_ORIGIN_NONE)
		report->origin = JAIL_ORIGIN_CACHE;
	jail_accepted_release(&o.accepted);
	jail_trust_release(&o.trust);
	return ret->present;
}
