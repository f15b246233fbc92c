#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/policy/commands.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/wire/json.h"
#include "lib/wire/trust.h"

struct request {
	const char *cluster;
	const char *keys[JAIL_TRUST_KEYS_MAX];
	size_t n_keys;
	const char *threshold;
	const char *output;
};

static int parse_arguments(int argc, char **argv, struct request *ret)
{
	static const struct option options[] = {
		{"cluster", required_argument, NULL, 'c'},
		{"key", required_argument, NULL, 'k'},
		{"threshold", required_argument, NULL, 't'},
		{"output", required_argument, NULL, 'o'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->cluster = optarg;
			break;
		case 'k':
			if (ret->n_keys == JAIL_TRUST_KEYS_MAX)
				return jail_usage("trust", "no more than %d keys", JAIL_TRUST_KEYS_MAX);
			ret->keys[ret->n_keys++] = optarg;
			break;
		case 't':
			ret->threshold = optarg;
			break;
		case 'o':
			ret->output = optarg;
			break;
		default:
			return jail_usage("trust", NULL);
		}
	}
	if (optind < argc)
		return jail_usage("trust", "unexpected argument \"%s\"", argv[optind]);
	if (!ret->cluster)
		return jail_usage("trust", "--cluster C is missing");
	if (ret->n_keys == 0)
		return jail_usage("trust", "--key NAME.pub is missing");
	if (!ret->output)
		return jail_usage("trust", "-o TRUST.json is missing");
	return 0;
}

static int parse_threshold(const struct request *request, unsigned *ret)
{
	char *end = NULL;
	unsigned long n = 1;

	if (request->threshold) {
		errno = 0;
		n = strtoul(request->threshold, &end, 10);
		if (request->threshold[0] < '0' || request->threshold[0] > '9' || *end || errno)
			return jail_usage("trust", "--threshold %s is not a number", request->threshold);
	}
	if (n < 1 || n > request->n_keys)
		return jail_usage(
			"trust",
			"--threshold %lu, and %zu key%s given: expected 1 to %zu, or no policy could "
			"ever be accepted",
			n, request->n_keys, request->n_keys == 1 ? "" : "s", request->n_keys);
	*ret = (unsigned)n;
	return 0;
}

static int load_keys(const struct request *request, struct jail_trust *trust, struct jail_error *err)
{
	trust->keys = calloc(request->n_keys, sizeof *trust->keys);
	if (!trust->keys)
		return jail_error_sys(err, ENOMEM, "cannot hold the keys");
	for (size_t i = 0; i < request->n_keys; i++) {
		int r = jail_load_public_key(request->keys[i], &trust->keys[i], err);

		if (r < 0)
			return r;
		for (size_t j = 0; j < i; j++)
			if (memcmp(trust->keys[i].raw, trust->keys[j].raw, JAIL_KEY_SIZE) == 0)
				return jail_error_set(err, EINVAL,
						      "%s and %s are the same key: one key counts once",
						      request->keys[j], request->keys[i]);
		trust->n_keys++;
	}
	return 0;
}

/* Whom a cluster trusts is not replaced by the way: only the same file may be there already. */
static int write_new(const char *path, const struct jail_buffer *text, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer old = JAIL_BUFFER_INIT;
	int r = jail_file_read(AT_FDCWD, path, JAIL_JSON_LIMITS_SMALL.bytes, &old, err);

	if (r == -ENOENT)
		return jail_file_replace(AT_FDCWD, path, text->data, text->len, 0644, err);
	if (r < 0)
		return r;
	if (old.len == text->len && memcmp(old.data, text->data, text->len) == 0)
		return 0;
	return jail_error_set(err, EEXIST,
			      "%s exists already and trusts something else: it was kept; move it away "
			      "to replace it",
			      path);
}

static int write_trust(const struct request *request, struct jail_trust *trust, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r;

	trust->cluster = strdup(request->cluster);
	if (!trust->cluster)
		return jail_error_sys(err, ENOMEM, "cannot hold the trust file");
	r = load_keys(request, trust, err);
	if (r == 0)
		r = jail_trust_write(trust, &text, err);
	return r < 0 ? r : write_new(request->output, &text, err);
}

int jail_cmd_trust(int argc, char **argv)
{
	jail_autotrust struct jail_trust trust = {0};
	struct request request = {0};
	struct jail_error err;
	int r;

	if (argc < 2 || strcmp(argv[1], "init") != 0)
		return jail_usage("trust", "expected \"init\"%s%s", argc < 2 ? "" : ", found ",
				  argc < 2 ? "" : argv[1]);
	argv[1] = argv[0];
	r = parse_arguments(argc - 1, argv + 1, &request);
	if (r == 0)
		r = parse_threshold(&request, &trust.threshold);
	if (r)
		return r;
	if (!jail_trust_cluster_ok(request.cluster))
		return jail_usage(
			"trust",
			"\"%s\" cannot be a cluster's name: it has 1 to 63 lower-case letters, digits, "
			"'.', '_' or '-' and begins and ends with a letter or digit",
			request.cluster);
	if (write_trust(&request, &trust, &err) < 0)
		return jail_fail(&err);
	printf("%s: cluster %s, %u of %zu key%s must sign\n", request.output, trust.cluster, trust.threshold,
	       trust.n_keys, trust.n_keys == 1 ? "" : "s");
	return JAIL_EXIT_OK;
}
