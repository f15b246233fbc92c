#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "agent/commands.h"
#include "lib/base/log.h"

enum { JSON = 1, OFFLINE = 2, DETAILED = 4 };

static const struct verb {
	const char *name;
	int (*run)(const struct jail_config *config, const struct jail_options *options);
	const char *argument;
	unsigned options; /* that go with it */
	const char *help;
} verbs[] = {
	{"sync", jail_cmd_sync, NULL, JSON | OFFLINE | DETAILED,
	 "fetch the policy and make this node as it says"},
	{"check", jail_cmd_check, NULL, JSON,
	 "say what differs from the policy; changes nothing, asks no network"},
	{"audit", jail_cmd_audit, NULL, JSON,
	 "say which doors lead past the policy, and who came through; changes nothing"},
	{"status", jail_cmd_status, NULL, JSON, "say what this node enforces"},
	{"explain", jail_cmd_explain, "USER", JSON, "say which rule holds for USER, and what they see"},
	{"teardown", jail_cmd_teardown, NULL, JSON,
	 "take every mount and root away again; keeps policy and cache"},
};

enum { N_VERBS = sizeof verbs / sizeof verbs[0] };

enum { OPT_VERB = 0x100, OPT_CONFIG = 0x200, OPT_JSON, OPT_OFFLINE, OPT_DETAILED, OPT_HELP, OPT_VERSION };

static void help(FILE *to)
{
	fprintf(to, "usage: jail-agent VERB [OPTION]...\n"
		    "Keeps this node as the signed policy says.\n\n");
	for (size_t i = 0; i < N_VERBS; i++) {
		char name[32];

		snprintf(name, sizeof name, "--%s %s", verbs[i].name,
			 verbs[i].argument ? verbs[i].argument : "");
		fprintf(to, "  %-20s %s\n", name, verbs[i].help);
	}
	fprintf(to,
		"\n"
		"  --offline            with --sync: last-known-good only, no network\n"
		"  --detailed-exitcode  with --sync: exit code 2 when something was changed\n"
		"  --json               machine-readable output\n"
		"  --config FILE        instead of " JAIL_CONFIG_DEFAULT "\n"
		"  --help, --version\n\n"
		"Exit codes, the first that applies: 1 failed, 3 last-known-good is enforced because the\n"
		"endpoint is out of reach or its policy was refused, 2 something differs (--check), is\n"
		"open (--audit) or was changed (--detailed-exitcode), 0 in sync, 64 usage. See also\n"
		"jail-agent(8).\n");
}

static int usage(const char *what)
{
	if (what)
		fprintf(stderr, "jail-agent: %s\n", what);
	fprintf(stderr, "Try 'jail-agent --help'.\n");
	return JAIL_EXIT_USAGE;
}

struct line {
	const struct verb *verb;
	const char *config;
	struct jail_options options;
	unsigned given; /* of JSON, OFFLINE, DETAILED */
	bool help, version;
};

static int take_option(int code, struct line *line)
{
	if (code >= OPT_VERB && code < OPT_VERB + N_VERBS) {
		if (line->verb)
			return usage("more than one verb");
		line->verb = &verbs[code - OPT_VERB];
		line->options.user = optarg;
		return 0;
	}
	switch (code) {
	case OPT_CONFIG:
		line->config = optarg;
		return 0;
	case OPT_JSON:
		line->given |= JSON;
		return 0;
	case OPT_OFFLINE:
		line->given |= OFFLINE;
		return 0;
	case OPT_DETAILED:
		line->given |= DETAILED;
		return 0;
	case OPT_HELP:
		line->help = true;
		return 0;
	case OPT_VERSION:
		line->version = true;
		return 0;
	default:
		return usage(NULL);
	}
}

static int parse_line(int argc, char **argv, struct line *ret)
{
	static const struct option fixed[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"json", no_argument, NULL, OPT_JSON},
		{"offline", no_argument, NULL, OPT_OFFLINE},
		{"detailed-exitcode", no_argument, NULL, OPT_DETAILED},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, OPT_VERSION},
	};
	enum { N_FIXED = sizeof fixed / sizeof fixed[0] };
	struct option options[N_FIXED + N_VERBS + 1] = {{0}};
	int code, r = 0;

	memcpy(options, fixed, sizeof fixed);
	for (int i = 0; i < N_VERBS; i++)
		options[N_FIXED + i] =
			(struct option){verbs[i].name, verbs[i].argument ? required_argument : no_argument,
					NULL, OPT_VERB + i};
	while (r == 0 && (code = getopt_long(argc, argv, "+h", options, NULL)) != -1)
		r = take_option(code == 'h' ? OPT_HELP : code, ret);
	if (r == 0 && !ret->help && !ret->version && optind < argc)
		r = usage("there are no arguments but options");
	if (r == 0 && !ret->help && !ret->version && !ret->verb)
		r = usage("say what to do: --sync, --check, --audit, --status, --explain USER or --teardown");
	if (r == 0 && ret->verb && (ret->given & ~ret->verb->options))
		r = usage("that option does not go with this verb");
	ret->options.json = ret->given & JSON;
	ret->options.offline = ret->given & OFFLINE;
	ret->options.detailed = ret->given & DETAILED;
	return r;
}

/* A descriptor that is closed at the start would be handed to the next file that is opened. */
static void open_standard(void)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(JAIL_EXIT_FAILED);
}

static int run(const struct line *line)
{
	jail_autoconfig struct jail_config config = {0};
	struct jail_error error;

	if (jail_config_read(line->config, &config, &error) < 0) {
		jail_log_err("%s", error.message);
		return JAIL_EXIT_FAILED;
	}
	return line->verb->run(&config, &line->options);
}

int main(int argc, char **argv)
{
	struct line line = {.config = JAIL_CONFIG_DEFAULT};
	int code;

	open_standard();
	/* Whoever reads the messages may leave; what was begun is finished all the same. */
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	jail_log_init("jail-agent");
	code = parse_line(argc, argv, &line);
	if (code != 0)
		return code;
	if (line.help)
		help(stdout);
	else if (line.version)
		printf("jail-agent %s\n", CLUSTERJAIL_VERSION);
	else
		code = run(&line);
	/* A report cut short by a full disk must not look like a good one. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("jail-agent: standard output");
		return JAIL_EXIT_FAILED;
	}
	return code;
}
