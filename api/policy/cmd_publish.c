#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "api/policy/commands.h"
#include "api/policy/published.h"
#include "lib/base/cleanup.h"
#include "lib/wire/policy_json.h"
#include "lib/wire/trust.h"

/* An envelope and what it says, with or without somebody's trust. */
struct document {
	struct jail_buffer text;
	struct jail_envelope envelope;
	struct jail_policy policy;
	uint8_t sha256[32];
};

static void document_release(struct document *document)
{
	jail_buffer_release(&document->text);
	jail_envelope_release(&document->envelope);
	jail_policy_release(&document->policy);
}

#define DOCUMENT_INIT ((struct document){.text = JAIL_BUFFER_INIT, .envelope = {.payload = JAIL_BUFFER_INIT}})
#define auto_document __attribute__((cleanup(document_release)))

/* Type and lint: what holds without a trust file. */
static int read_policy(struct document *document, struct jail_error *err)
{
	const struct jail_buffer *payload = &document->envelope.payload;
	int r;

	if (strcmp(document->envelope.type, JAIL_PAYLOAD_TYPE) != 0)
		return jail_error_set(err, EBADMSG,
				      "the envelope holds \"%.100s\", expected \"" JAIL_PAYLOAD_TYPE "\"",
				      document->envelope.type);
	r = jail_policy_parse_strict(payload->data, payload->len, &document->policy, err);
	if (r < 0)
		return jail_error_prefix(err, "the policy in the envelope");
	jail_sha256(payload->data, payload->len, document->sha256);
	return 0;
}

static int load_new(const char *path, struct document *ret, struct jail_error *err)
{
	int r = jail_load_envelope(path, &ret->text, &ret->envelope, err);

	if (r < 0)
		return r;
	r = read_policy(ret, err);
	return r < 0 ? jail_error_prefix(err, "%s", path) : 0;
}

/* What DIR serves now; ret->policy.version is 0 when there is nothing that counts. With a trust file, what no
 * node would accept does not count: a damaged or forged file must not keep a good policy from being
 * published. */
static int load_current(const struct jail_published *published, const struct jail_trust *trust,
			struct document *ret, struct jail_error *err)
{
	auto_document struct document current = DOCUMENT_INIT;
	jail_autopolicy struct jail_policy policy = {0};
	struct jail_error why;
	uint8_t sha256[32];
	int r;

	if (!published->exists)
		return 0;
	r = jail_published_read(published, &current.text, err);
	if (r < 0)
		return r;
	r = jail_envelope_parse(current.text.data, current.text.len, &current.envelope, &why);
	if (r == 0)
		r = read_policy(&current, &why);
	if (r < 0 && !trust)
		return jail_error_set(
			err, -r,
			"what is published now in %s cannot be read, so nothing can be compared with it: "
			"give --trust, or move it away: %s",
			published->path, why.message);
	/* Of another cluster: left to compare(), for which no signature is needed. */
	if (r == 0 && trust && strcmp(current.policy.cluster, trust->cluster) == 0)
		r = jail_envelope_accept(&current.envelope, trust, NULL, 0, JAIL_ACCEPT_EXPIRED, &policy,
					 sha256, &why);
	if (r < 0) {
		fprintf(stderr,
			"jail-policy: warning: no node would accept what is published now in %s: %s\n",
			published->path, why.message);
		return 0;
	}
	*ret = current;
	current = DOCUMENT_INIT;
	return 0;
}

static int compare(const struct document *new, const struct document *current, struct jail_error *err)
{
	uint64_t version = new->policy.version, now = current->policy.version;

	if (now == 0)
		return 0;
	if (strcmp(new->policy.cluster, current->policy.cluster) != 0)
		return jail_error_set(err, EXDEV,
				      "the policy is for cluster \"%s\", published there is one for \"%s\"",
				      new->policy.cluster, current->policy.cluster);
	if (version < now)
		return jail_error_set(
			err, ESTALE,
			"version %" PRIu64 " is older than %" PRIu64
			", which is published: nodes would refuse it; sign it anew with a higher "
			"version",
			version, now);
	if (version == now && memcmp(new->sha256, current->sha256, sizeof new->sha256) != 0)
		return jail_error_set(err, EEXIST,
				      "version %" PRIu64
				      " is published with other content: a change needs a higher version",
				      version);
	return 0;
}

/* As a node would that has what is published now. */
static int check_trust(const struct document *new, const struct document *current,
		       const struct jail_trust *trust, struct jail_error *err)
{
	jail_autopolicy struct jail_policy policy = {0};
	struct jail_floor floor = {.version = current->policy.version};
	uint8_t sha256[32];
	int r;

	memcpy(floor.sha256, current->sha256, sizeof floor.sha256);
	r = jail_envelope_accept(&new->envelope, trust, &floor, time(NULL), 0, &policy, sha256, err);
	return r < 0 ? jail_error_prefix(err, "a node would refuse this") : 0;
}

static int write_and_tell(const struct jail_published *published, const struct document *new,
			  const struct document *current, struct jail_error *err)
{
	char expires[32];
	int r;

	if (new->text.len == current->text.len &&
	    memcmp(new->text.data, current->text.data, new->text.len) == 0) {
		printf("%s: version %" PRIu64 " is published already\n", published->path,
		       new->policy.version);
		return 0;
	}
	r = jail_published_write(published, &new->text, err);
	if (r < 0)
		return r;
	printf("%s: version %" PRIu64 " of cluster %s, expires %s\n", published->path, new->policy.version,
	       new->policy.cluster, jail_time_text(new->policy.expires, expires));
	jail_warn_expired(new->policy.expires);
	return 0;
}

static int publish(const char *path, const char *directory, const char *trust_path, struct jail_error *err)
{
	auto_document struct document new = DOCUMENT_INIT, current = DOCUMENT_INIT;
	jail_autopublished struct jail_published published = JAIL_PUBLISHED_INIT;
	jail_autotrust struct jail_trust trust = {0};
	int r = load_new(path, &new, err);

	if (r == 0 && trust_path)
		r = jail_load_trust(trust_path, &trust, err);
	if (r == 0)
		r = jail_published_open(directory, &published, err);
	if (r == 0)
		r = load_current(&published, trust_path ? &trust : NULL, &current, err);
	if (r == 0)
		r = compare(&new, &current, err);
	if (r == 0 && trust_path)
		r = check_trust(&new, &current, &trust, err);
	return r < 0 ? r : write_and_tell(&published, &new, &current, err);
}

int jail_cmd_publish(int argc, char **argv)
{
	static const struct option options[] = {
		{"to", required_argument, NULL, 'd'},
		{"trust", required_argument, NULL, 't'},
		{0},
	};
	const char *directory = NULL, *trust = NULL;
	struct jail_error err;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			directory = optarg;
		else if (c == 't')
			trust = optarg;
		else
			return jail_usage("publish", NULL);
	}
	if (argc - optind != 1)
		return jail_usage("publish", argc > optind ? "expected one ENVELOPE" : "ENVELOPE is missing");
	if (!directory || !*directory)
		return jail_usage("publish", "--to DIR is missing");
	return publish(argv[optind], directory, trust, &err) < 0 ? jail_fail(&err) : JAIL_EXIT_OK;
}
