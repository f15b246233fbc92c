#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "api/policy/commands.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *help;
} commands[] = {
	{"keygen", jail_cmd_keygen, "--out NAME", "make a signing key: NAME.key (secret) and NAME.pub"},
	{"trust", jail_cmd_trust,
	 "init --cluster C --key A.pub [--key B.pub]... [--threshold N] -o TRUST.json",
	 "write the trust file of a cluster's nodes"},
	{"lint", jail_cmd_lint, "POLICY.json", "check a policy and say what is wrong, and where"},
	{"sign", jail_cmd_sign, "POLICY.json --key A.key [--key B.key]... -o ENVELOPE",
	 "check a policy and sign its exact bytes"},
	{"verify", jail_cmd_verify, "ENVELOPE --trust TRUST.json", "check an envelope as a node would"},
	{"publish", jail_cmd_publish, "ENVELOPE --to DIR [--trust TRUST.json]",
	 "put an envelope at DIR/v1/policy.json, atomically"},
	{"diff", jail_cmd_diff, "OLD NEW", "say what changes between two policies, and for whom"},
	{"explain", jail_cmd_explain, "POLICY --user U [--groups G,H] [--node N]",
	 "say which rule holds for a user, and what they see"},
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void help(FILE *to)
{
	fprintf(to, "usage: jail-policy COMMAND ...\n"
		    "Writes, checks, signs and publishes the policy of a cluster's jails.\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\n'jail-policy COMMAND --help' shows the arguments of one; see also jail-policy(1).\n"
		    "Exit codes: 0 done, 1 failed or refused (diff: 2 different), 64 usage.\n");
}

void jail_usage_print(const char *name, const char *format, ...)
{
	const struct command *command = find(name);

	if (format) {
		va_list args;

		fprintf(stderr, "jail-policy %s: ", name);
		va_start(args, format);
		vfprintf(stderr, format, args);
		va_end(args);
		fputc('\n', stderr);
	}
	fprintf(stderr, "usage: jail-policy %s %s\n", name, command ? command->arguments : "...");
}

static int wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return 1;
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	char name[64];

	if (wants_help(argc, argv)) {
		printf("usage: jail-policy %s %s\n%s\n", command->name, command->arguments, command->help);
		return JAIL_EXIT_OK;
	}
	snprintf(name, sizeof name, "jail-policy %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	const struct command *command;
	int code;

	if (argc < 2) {
		help(stderr);
		return JAIL_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(stdout);
		code = JAIL_EXIT_OK;
	} else if (strcmp(argv[1], "--version") == 0) {
		printf("jail-policy %s\n", CLUSTERJAIL_VERSION);
		code = JAIL_EXIT_OK;
	} else {
		command = find(argv[1]);
		if (!command) {
			fprintf(stderr, "jail-policy: there is no command \"%s\"\n\n", argv[1]);
			help(stderr);
			return JAIL_EXIT_USAGE;
		}
		code = run(command, argc - 1, argv + 1);
	}
	/* A report cut short by a full disk must not look like a good one. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("jail-policy: standard output");
		return code ? code : JAIL_EXIT_FAILED;
	}
	return code;
}
