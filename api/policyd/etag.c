#include "api/policyd/etag.h"

#include <string.h>

static const char *skip(const char *p, const char *what)
{
	return p + strspn(p, what);
}

bool policyd_etag_listed(const char *list, const char *etag)
{
	size_t len = strlen(etag);
	const char *p = skip(list, " \t");

	if (*p == '*')
		return *skip(p + 1, " \t") == '\0';
	/* Empty elements are allowed in lists (RFC 9110, 5.6.1). */
	for (p = skip(p, " \t,"); *p; p = skip(p, " \t,")) {
		if (strncmp(p, "W/", 2) == 0) /* weak comparison: the mark does not count */
			p += 2;
		/* A comma may stand inside the quotes, so they are what ends a tag. */
		const char *end = *p == '"' ? strchr(p + 1, '"') : NULL;
		if (!end)
			return false;
		end++;
		if ((size_t)(end - p) == len && memcmp(p, etag, len) == 0)
			return true;
		p = skip(end, " \t");
		if (*p && *p != ',')
			return false;
	}
	return false;
}
