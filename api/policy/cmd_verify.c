#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include "api/policy/commands.h"
#include "lib/base/cleanup.h"
#include "lib/wire/trust.h"

static int verify(const char *envelope_path, const char *trust_path, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoenvelope struct jail_envelope envelope = {.payload = JAIL_BUFFER_INIT};
	jail_autotrust struct jail_trust trust = {0};
	jail_autopolicy struct jail_policy policy = {0};
	bool good[JAIL_TRUST_KEYS_MAX] = {false};
	char hex[65], expires[32];
	uint8_t sha256[32];
	int r = jail_load_trust(trust_path, &trust, err);

	if (r == 0)
		r = jail_load_envelope(envelope_path, &text, &envelope, err);
	if (r < 0)
		return r;
	r = jail_envelope_accept(&envelope, &trust, NULL, time(NULL), 0, &policy, sha256, err);
	if (r == 0)
		r = jail_envelope_signers(&envelope, &trust, good, err);
	if (r < 0)
		return jail_error_prefix(err, "%s", envelope_path);
	jail_hex(sha256, sizeof sha256, hex);
	printf("cluster  %s\nversion  %" PRIu64 "\nsha256   %s\nexpires  %s\n", policy.cluster,
	       policy.version, hex, jail_time_text(policy.expires, expires));
	for (size_t i = 0; i < trust.n_keys; i++)
		if (good[i])
			printf("signed   %s\n", trust.keys[i].keyid);
	printf("good: %d of the %zu trusted keys signed, %u must\n", r, trust.n_keys, trust.threshold);
	return 0;
}

int jail_cmd_verify(int argc, char **argv)
{
	static const struct option options[] = {{"trust", required_argument, NULL, 't'}, {0}};
	const char *trust = NULL;
	struct jail_error err;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 't')
			return jail_usage("verify", NULL);
		trust = optarg;
	}
	if (argc - optind != 1)
		return jail_usage("verify", argc > optind ? "expected one ENVELOPE" : "ENVELOPE is missing");
	if (!trust)
		return jail_usage("verify", "--trust TRUST.json is missing");
	return verify(argv[optind], trust, &err) < 0 ? jail_fail(&err) : JAIL_EXIT_OK;
}
