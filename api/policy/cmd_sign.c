#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "api/policy/commands.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/wire/json.h"
#include "lib/wire/policy_json.h"
#include "lib/wire/trust.h"

struct request {
	const char *policy;
	const char *keys[JAIL_ENVELOPE_SIGNATURES_MAX];
	size_t n_keys;
	const char *output;
};

static int parse_arguments(int argc, char **argv, struct request *ret)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'},
		{"output", required_argument, NULL, 'o'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (c == 'k' && ret->n_keys == JAIL_ENVELOPE_SIGNATURES_MAX)
			return jail_usage("sign", "no more than %d keys", JAIL_ENVELOPE_SIGNATURES_MAX);
		if (c == 'k')
			ret->keys[ret->n_keys++] = optarg;
		else if (c == 'o')
			ret->output = optarg;
		else
			return jail_usage("sign", NULL);
	}
	if (argc - optind != 1)
		return jail_usage("sign",
				  argc > optind ? "expected one POLICY.json" : "POLICY.json is missing");
	if (ret->n_keys == 0)
		return jail_usage("sign", "--key NAME.key is missing");
	if (!ret->output)
		return jail_usage("sign", "-o ENVELOPE is missing");
	ret->policy = argv[optind];
	return 0;
}

static bool same_file(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* An envelope over the policy or a key, from a slip of the hand, would be a loss. */
static int check_output(const struct request *request)
{
	if (same_file(request->policy, request->output))
		return jail_usage("sign", "-o %s is the policy itself", request->output);
	for (size_t i = 0; i < request->n_keys; i++)
		if (same_file(request->keys[i], request->output))
			return jail_usage("sign", "-o %s is a key", request->output);
	return 0;
}

/* Reads and lints the policy into *ret and its exact bytes into *ret_text. -EINVAL after printing why. */
static int load_policy(const char *path, struct jail_buffer *ret_text, struct jail_policy *ret,
		       struct jail_error *err)
{
	jail_autoproblems struct jail_problems problems = {0};
	int r = jail_input_read(path, JAIL_JSON_LIMITS_POLICY.bytes, ret_text, err);

	if (r == 0)
		r = jail_policy_parse(ret_text->data, ret_text->len, ret, &problems, err);
	if (r < 0)
		return r;
	jail_print_problems(path, &problems);
	if (problems.n_errors == 0)
		return 0;
	return jail_error_set(err, EINVAL, "%s has %zu error%s and was not signed", path, problems.n_errors,
			      problems.n_errors == 1 ? "" : "s");
}

static int sign_and_write(const struct request *request, struct jail_envelope *envelope,
			  struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r;

	for (size_t i = 0; i < request->n_keys; i++) {
		jail_autokey struct jail_private_key *key = NULL;

		r = jail_load_private_key(request->keys[i], &key, err);
		if (r == 0)
			r = jail_envelope_sign(envelope, key, err);
		if (r < 0)
			return r;
	}
	r = jail_envelope_write(envelope, &text, err);
	if (r < 0)
		return r;
	return jail_file_replace(AT_FDCWD, request->output, text.data, text.len, 0644, err);
}

static void report(const struct jail_envelope *envelope, const struct jail_policy *policy)
{
	uint8_t sha256[32];
	char hex[65], expires[32];

	jail_sha256(envelope->payload.data, envelope->payload.len, sha256);
	jail_hex(sha256, sizeof sha256, hex);
	printf("cluster  %s\nversion  %" PRIu64 "\nsha256   %s\nexpires  %s\n", policy->cluster,
	       policy->version, hex, jail_time_text(policy->expires, expires));
	for (size_t i = 0; i < envelope->n_signatures; i++)
		printf("signed   %s\n", envelope->signatures[i].keyid);
	jail_warn_expired(policy->expires);
}

static int sign(const struct request *request, struct jail_error *err)
{
	jail_autoenvelope struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	jail_autopolicy struct jail_policy policy = {0};
	int r = load_policy(request->policy, &envelope.payload, &policy, err);

	if (r < 0)
		return r;
	r = jail_envelope_set_type(&envelope, JAIL_PAYLOAD_TYPE, err);
	if (r == 0)
		r = sign_and_write(request, &envelope, err);
	if (r < 0)
		return r;
	report(&envelope, &policy);
	return 0;
}

int jail_cmd_sign(int argc, char **argv)
{
	struct request request = {0};
	struct jail_error err;
	int r = parse_arguments(argc, argv, &request);

	if (r == 0)
		r = check_output(&request);
	if (r)
		return r;
	return sign(&request, &err) < 0 ? jail_fail(&err) : JAIL_EXIT_OK;
}
