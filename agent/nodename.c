#include "agent/nodename.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

bool jail_node_name_ok(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= 255 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

char *jail_node_name(void)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (gethostname(name, sizeof name - 1) < 0)
		return NULL;
	name[strcspn(name, ".")] = '\0';
	return *name ? strdup(name) : NULL;
}
