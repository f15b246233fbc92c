#include "api/policyd/options.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] = "usage: jail-policyd --dir DIR --listen ADDR:PORT [--user NAME]\n";
static const char help[] =
	"Serves the policy that `jail-policy publish` put into a directory, over HTTP.\n"
	"\n"
	"  --dir DIR           what was published to: DIR/v1/policy.json is served\n"
	"  --listen ADDR:PORT  IPv4:PORT, [IPv6]:PORT, or :PORT for all addresses\n"
	"  --user NAME         whom to become when started by root (" POLICYD_USER ")\n"
	"\n"
	"See also jail-policyd(8). Exit codes: 0 stopped by a signal, 1 failed, 64 usage.\n";

static bool refuse(const char *problem, int *ret_exit)
{
	if (problem)
		fprintf(stderr, "jail-policyd: %s\n", problem);
	fputs(usage, stderr);
	*ret_exit = POLICYD_EXIT_USAGE;
	return false;
}

static bool inform(const char *first, const char *second, int *ret_exit)
{
	/* An answer that nobody got, for a full disk, is none. */
	*ret_exit = fputs(first, stdout) < 0 || fputs(second, stdout) < 0 || fflush(stdout) != 0
			    ? POLICYD_EXIT_FAILED
			    : POLICYD_EXIT_OK;
	return false;
}

bool policyd_options_parse(int argc, char **argv, struct policyd_options *ret, int *ret_exit)
{
	static const struct option known[] = {
		{"dir", required_argument, NULL, 'd'},	{"listen", required_argument, NULL, 'l'},
		{"user", required_argument, NULL, 'u'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},	{0},
	};
	struct policyd_options options = {0};
	int c;

	while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (c) {
		case 'd':
			options.dir = optarg;
			break;
		case 'l':
			options.listen = optarg;
			break;
		case 'u':
			options.user = optarg;
			break;
		case 'h':
			return inform(usage, help, ret_exit);
		case 'V':
			return inform("jail-policyd " CLUSTERJAIL_VERSION, "\n", ret_exit);
		default: /* getopt_long has said it */
			return refuse(NULL, ret_exit);
		}
	}
	if (optind < argc)
		return refuse("arguments without an option are not expected", ret_exit);
	if (!options.dir || !*options.dir)
		return refuse("--dir DIR is missing", ret_exit);
	if (!options.listen)
		return refuse("--listen ADDR:PORT is missing", ret_exit);
	*ret = options;
	return true;
}
