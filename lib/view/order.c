#include "lib/view/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int jail_order_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	/* '/' sorts before every other byte, the end before that. */
	int x = *a == '/' ? 1 : *a ? 2 + (unsigned char)*a : 0;
	int y = *b == '/' ? 1 : *b ? 2 + (unsigned char)*b : 0;
	return x - y;
}

const char *jail_order_rest(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	if (n == 1)
		return path[1] ? path : "";
	if (strncmp(path, dir, n) != 0 || (path[n] != '\0' && path[n] != '/'))
		return NULL;
	return path + n;
}

char *jail_order_join(const char *dir, const char *rest)
{
	char *path = NULL;
	if (dir[0] == '/' && dir[1] == '\0')
		return strdup(rest[0] ? rest : "/");
	return asprintf(&path, "%s%s", dir, rest) < 0 ? NULL : path;
}
