#include "lib/policy/places.h"

#include <stddef.h>
#include "lib/base/path.h"

const char *const jail_service_directories[] = {"/run",	      "/var/run",      "/var/lib",
						"/var/cache", "/var/db",       "/var/spool",
						"/var/yp",    "/var/kerberos", NULL};

bool jail_service_is_open(const char *path)
{
	static const char *const open[] = {"/run/user", "/run/lock", "/run/shm"};

	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		if (jail_path_is_below(path, open[i]))
			return true;
	return false;
}
