#include "agent/safety.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int jail_safety_check(const struct jail_config *config, struct jail_error *err)
{
	char own[PATH_MAX] = "", first[PATH_MAX] = "";

	if (geteuid() != 0)
		return jail_error_set(err, EPERM, "jail-agent changes mounts: run it as root");
	if (config->any_namespace)
		return 0;
	if (readlink("/proc/self/ns/mnt", own, sizeof own - 1) < 0 ||
	    readlink("/proc/1/ns/mnt", first, sizeof first - 1) < 0)
		return jail_error_sys(err, errno, "cannot tell this mount namespace from that of PID 1");
	if (strcmp(own, first) != 0)
		return jail_error_set(
			err, EPERM,
			"jail-agent runs in a mount namespace of its own, where its mounts would reach no "
			"session: take ProtectSystem=, ProtectHome=, PrivateTmp= and the like out of its "
			"unit, or set host_namespace = any in [safety]");
	return 0;
}
