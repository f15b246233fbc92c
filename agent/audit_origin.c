#include "agent/audit_origin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/base/cleanup.h"

/* The path in the hierarchy of systemd: unified, or the named one of version 1. */
static char *systemd_path(const char *cgroup)
{
	for (const char *line = cgroup; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *controllers = strchr(line, ':'), *path;

		path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path || path > line + strcspn(line, "\n"))
			continue;
		if (path == controllers + 1 || strncmp(controllers, ":name=systemd:", 14) == 0)
			return strndup(path + 1, strcspn(path + 1, "\n"));
	}
	return strdup("");
}

/* What stands between name and the next slash, line or dot: "job_" in ".../job_42/step_0". */
static int between(const char *text, const char *name, char ret[static 32])
{
	const char *found = strstr(text, name);
	size_t n;

	if (!found)
		return 0;
	found += strlen(name);
	n = strcspn(found, "/.\n");
	if (n == 0 || n >= 32)
		return 0;
	memcpy(ret, found, n);
	ret[n] = '\0';
	return 1;
}

static int from_session(const struct jail_tree *tree, const char *session, char **ret)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	const char *service;
	char path[128];

	(void)snprintf(path, sizeof path, "/run/systemd/sessions/%s", session);
	(void)jail_tree_read(tree, path, &text, NULL);
	service = strstr(text.data, "\nSERVICE=");
	if (!service)
		return asprintf(ret, "session %s", session);
	service += strlen("\nSERVICE=");
	return asprintf(ret, "%.*s (session %s)", (int)strcspn(service, "\n"), service, session);
}

static int from_unit(const char *path, char **ret)
{
	const char *end = path + strlen(path);

	for (const char *p = path; (p = strchr(p, '/')); p++) {
		size_t n = strcspn(p + 1, "/");

		if ((n > 8 && strncmp(p + 1 + n - 8, ".service", 8) == 0) ||
		    (n > 6 && strncmp(p + 1 + n - 6, ".scope", 6) == 0))
			return asprintf(ret, "%.*s", (int)n, p + 1);
	}
	if (end - path > 1)
		return asprintf(ret, "control group %s", path);
	return asprintf(ret, "a door that left no trace");
}

int jail_audit_origin(const struct jail_tree *tree, const char *cgroup, char **ret)
{
	jail_autofree char *path = systemd_path(cgroup);
	char job[32], step[32], name[32];
	char *origin = NULL;
	int n;

	if (!path)
		return -ENOMEM;
	/* Version 1 has SLURM's directories in other hierarchies, which is why all lines are looked at. */
	if (between(cgroup, "/job_", job))
		n = between(cgroup, "/step_", step) ? asprintf(&origin, "SLURM (job %s, step %s)", job, step)
						    : asprintf(&origin, "SLURM (job %s)", job);
	else if (between(path, "/session-", name))
		n = from_session(tree, name, &origin);
	else if (between(path, "/user@", name))
		n = asprintf(&origin, "their systemd manager (user@%s)", name);
	else
		n = from_unit(path, &origin);
	if (n < 0)
		return -ENOMEM;
	*ret = origin;
	return 0;
}
