/* Every sshd that runs or is installed: does it use PAM? */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "agent/audit_node.h"
#include "agent/sshd_conf.h"
#include "lib/base/cleanup.h"

#define REMEDY "write \"UsePAM yes\" there, and reload it"

/* The configuration file that the options name, and whether they set UsePAM themselves (the first wins). */
static const char *config_of(const struct jail_names *options, bool *ret_sets)
{
	const char *config = JAIL_SSHD_CONF;

	*ret_sets = false;
	for (size_t i = 0; i + 1 < options->n; i += 2) {
		const char *value = options->names[i + 1];

		if (strcmp(options->names[i], "-f") == 0)
			config = value;
		else if (strncasecmp(value + strspn(value, " \t"), "UsePAM", 6) == 0)
			*ret_sets = true;
	}
	return config;
}

static int tell(const struct jail_audited *node, pid_t pid, const struct jail_names *options,
		struct jail_audit *audit, struct jail_error *err)
{
	jail_autofree char *path = NULL, *cmdline = NULL;
	unsigned line = 1;
	bool sets;
	const char *config = config_of(options, &sets), *place = config;
	int r;

	if (sets) {
		if (asprintf(&cmdline, "/proc/%d/cmdline", pid) < 0) {
			cmdline = NULL;
			return -ENOMEM;
		}
		return jail_audit_openf(
			audit, cmdline, 0, "start it without, with \"UsePAM yes\"",
			"sshd was started with an option UsePAM that is not yes: its sessions "
			"are not confined");
	}
	r = jail_sshd_find(&node->tree, config, "UsePAM", &path, &line, err);
	if (r < 0)
		return r;
	if (r > 0)
		place = path;
	else
		return jail_audit_openf(audit, place, 1, REMEDY,
					"UsePAM is not set, and sshd's default is no: its sessions are not "
					"confined");
	return jail_audit_openf(audit, place, line, REMEDY,
				"sshd does not use PAM here: its sessions are not confined");
}

static int check(const struct jail_audited *node, pid_t pid, const struct jail_names *options,
		 struct jail_audit *audit, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer answer = JAIL_BUFFER_INIT;
	struct jail_error error;
	bool sets;
	const char *config = config_of(options, &sets);
	char value[64];
	int r = node->ask_sshd(node->context, options, &answer, &error);

	if (r == -ENOENT && pid == 0)
		return 0;
	if (r < 0)
		r = jail_audit_warn(audit,
				    "%s: cannot tell whether sshd uses PAM: %s; correct it so that \"sshd -T "
				    "-f %s\" works",
				    config, error.message, config);
	else if (!jail_sshd_answer(answer.data, "usepam", value))
		r = jail_audit_openf(audit, config, 0, "install one that has it",
				     "this sshd was built without PAM: its sessions are not confined");
	else if (strcmp(value, "yes") != 0)
		r = tell(node, pid, options, audit, err);
	return r == -ENOMEM ? jail_error_sys(err, ENOMEM, "cannot look at sshd") : r;
}

int jail_audit_sshd(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	const struct jail_names none = {0};
	int r = check(node, 0, &none, audit, err);

	for (size_t i = 0; r == 0 && i < node->n_daemons; i++) {
		jail_autonames struct jail_names options = {0};

		if (strcmp(node->daemons[i].name, "sshd") != 0)
			continue;
		r = jail_sshd_options(&node->daemons[i].argv, &options);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot look at sshd");
		if (options.n > 0)
			r = check(node, node->daemons[i].pid, &options, audit, err);
	}
	return r;
}
