/* Programs that let users in, or serve their files, without asking PAM for a session. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "agent/audit_node.h"
#include "lib/base/cleanup.h"

#define WANTS "/etc/systemd/system"
#define INETD "/etc/inetd.conf"

static const struct listener {
	const char *program;
	const char *units;  /* fnmatch(3) */
	const char *option; /* without which the program is none; NULL: it is */
	const char *needs;  /* a file without which the unit does not start: Debian's rsync is enabled so */
} listeners[] = {
	{"dropbear", "dropbear*", NULL, NULL},
	{"tinysshd*", "tinysshd*", NULL, NULL},
	{"lshd", "lsh*", NULL, NULL},
	{"*telnetd", "telnet*", NULL, NULL},
	{"in.rshd", "rsh*", NULL, NULL},
	{"in.rlogind", "rlogin*", NULL, NULL},
	{"in.rexecd", "rexec*", NULL, NULL},
	{"rsync", "rsync*", "--daemon", "/etc/rsyncd.conf"},
	{"vsftpd", "vsftpd*", NULL, NULL},
	{"proftpd", "proftpd*", NULL, NULL},
	{"pure-ftpd*", "pure-ftpd*", NULL, NULL},
	{"in.ftpd", "ftp*", NULL, NULL},
};
enum { N_LISTENERS = sizeof listeners / sizeof listeners[0] };

static int tell(struct jail_audit *audit, const char *path, unsigned line, const char *name)
{
	return jail_audit_openf(audit, path, line, "stop and disable it",
				"%s lets users in, or serves their files, without pam_jail.so", name);
}

static const struct listener *find_program(const char *program, const struct jail_names *argv)
{
	for (size_t i = 0; i < N_LISTENERS; i++) {
		if (fnmatch(listeners[i].program, program, 0) != 0)
			continue;
		if (!listeners[i].option || (argv && jail_names_has(argv, listeners[i].option)))
			return &listeners[i];
	}
	return NULL;
}

bool jail_audit_is_daemon(const char *program)
{
	if (strcmp(program, "sshd") == 0 || strcmp(program, "slurmd") == 0)
		return true;
	for (size_t i = 0; i < N_LISTENERS; i++)
		if (fnmatch(listeners[i].program, program, 0) == 0)
			return true;
	return false;
}

static int check_daemons(const struct jail_audited *node, struct jail_audit *audit)
{
	for (size_t i = 0; i < node->n_daemons; i++) {
		const struct jail_daemon *daemon = &node->daemons[i];
		char path[64];

		if (!find_program(daemon->name, &daemon->argv))
			continue;
		(void)snprintf(path, sizeof path, "/proc/%d/exe", daemon->pid);
		if (tell(audit, path, 0, daemon->name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static const struct listener *find_unit(const struct jail_audited *node, const char *unit)
{
	struct stat st;

	for (size_t i = 0; i < N_LISTENERS; i++)
		if (fnmatch(listeners[i].units, unit, 0) == 0 &&
		    (!listeners[i].needs || jail_tree_stat(&node->tree, listeners[i].needs, &st) == 0))
			return &listeners[i];
	return NULL;
}

/* Enabled units are links in TARGET.wants. */
static int check_units(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	jail_autonames struct jail_names targets = {0};
	int r = jail_tree_list(&node->tree, WANTS, &targets, err);

	for (size_t i = 0; r == 0 && i < targets.n; i++) {
		jail_autonames struct jail_names units = {0};
		char path[1024];

		if (fnmatch("*.wants", targets.names[i], 0) != 0 &&
		    fnmatch("*.requires", targets.names[i], 0) != 0)
			continue;
		(void)snprintf(path, sizeof path, WANTS "/%s", targets.names[i]);
		r = jail_tree_list(&node->tree, path, &units, err);
		for (size_t k = 0; r == 0 && k < units.n; k++) {
			if (!find_unit(node, units.names[k]))
				continue;
			(void)snprintf(path, sizeof path, WANTS "/%s/%s", targets.names[i], units.names[k]);
			r = tell(audit, path, 0, units.names[k]);
		}
	}
	return r;
}

/* SERVICE TYPE PROTOCOL WAIT USER PROGRAM ARGUMENTS; tcpd stands before the real program. */
static int check_inetd(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	unsigned number = 0;
	char *rest;
	int r = jail_tree_read(&node->tree, INETD, &text, err);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	rest = text.len > 0 ? text.data : NULL;
	for (char *line; r == 0 && (line = strsep(&rest, "\n"));) {
		jail_autonames struct jail_names words = {0};
		const struct listener *found = NULL;

		number++;
		for (char *word; r == 0 && line && *line != '#' && (word = strsep(&line, " \t"));)
			r = *word ? jail_names_add(&words, word) : 0;
		for (size_t i = 5; !found && i < words.n && i < 8; i++) {
			const char *slash = strrchr(words.names[i], '/');

			found = find_program(slash ? slash + 1 : words.names[i], &words);
		}
		if (r == 0 && found)
			r = tell(audit, INETD, number, words.names[0]);
	}
	return r;
}

/* Whether the file of an xinetd service says that it is disabled, and what it runs. */
static int check_xinetd_file(const struct jail_audited *node, const char *path, struct jail_audit *audit,
			     struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	const char *server = NULL;
	unsigned number = 0, line_of_server = 0;
	bool disabled = false;
	char *rest;
	int r = jail_tree_read(&node->tree, path, &text, err);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	rest = text.len > 0 ? text.data : NULL;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *key = strtok(line, " \t="), *value = strtok(NULL, " \t=+");

		number++;
		if (!key || !value)
			continue;
		if (strcmp(key, "disable") == 0)
			disabled = strcmp(value, "no") != 0;
		if (strcmp(key, "server") == 0) {
			server = strrchr(value, '/') ? strrchr(value, '/') + 1 : value;
			line_of_server = number;
		}
	}
	if (!server || disabled || (!find_program(server, NULL) && strcmp(server, "rsync") != 0))
		return 0;
	return tell(audit, path, line_of_server, server);
}

int jail_audit_listeners(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	jail_autonames struct jail_names files = {0};
	int r = check_daemons(node, audit);

	if (r == 0)
		r = check_units(node, audit, err);
	if (r == 0)
		r = check_inetd(node, audit, err);
	if (r == 0)
		r = jail_tree_glob(&node->tree, "/etc/xinetd.d/*", &files, err);
	for (size_t i = 0; r == 0 && i < files.n; i++)
		r = check_xinetd_file(node, files.names[i], audit, err);
	return r == -ENOMEM ? jail_error_sys(err, ENOMEM, "cannot look at what listens") : r;
}
