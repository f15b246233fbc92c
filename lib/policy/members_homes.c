#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "lib/base/array.h"
#include "lib/base/ask.h"
#include "lib/base/cleanup.h"
#include "lib/policy/members_parts.h"

bool resolver_previous_member(const struct resolver *resolver, const char *user,
			      struct jail_cache_member *ret)
{
	size_t i = 0;
	ssize_t jail = 0;
	return resolver->previous && jail_cache_member_find(resolver->previous, user, &i, NULL) == 0 &&
	       jail_cache_member(resolver->previous, i, ret, &jail, NULL) == 0;
}

static void touch(const char *path)
{
	struct stat st;
	(void)lstat(path, &st);
}

static bool is_gone(const char *path)
{
	struct stat st;
	return lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* A name service that is away is often away together with the server of the homes: that one is asked in a way
 * that does not hold the agent, and silence says nothing about a home. */
int resolver_find_homes(struct resolver *resolver)
{
	jail_autofree struct jail_ask *asks = NULL;
	jail_autofree size_t *whose = NULL;
	struct jail_error why;
	size_t n = 0;

	resolver->gone = calloc(resolver->n_wanted + 1, sizeof *resolver->gone);
	if (!resolver->gone)
		return -ENOMEM;
	for (size_t i = 0; i < resolver->n_wanted; i++) {
		struct jail_cache_member before;
		if (resolver_user(resolver, resolver->wanted[i]) ||
		    !resolver_previous_member(resolver, resolver->wanted[i], &before))
			continue;
		struct jail_ask *ask = JAIL_ARRAY_PUSH(asks, n);
		size_t *slot = ask ? JAIL_ARRAY_PUSH(whose, n) : NULL;
		if (!slot)
			return -ENOMEM;
		*ask = (struct jail_ask){.path = before.home, .group = jail_ask_directory(before.home)};
		*slot = i;
		n++;
	}
	if (n == 0 || jail_ask(asks, n, touch, &why) < 0)
		return 0; /* without an answer nobody's home is gone */
	for (size_t i = 0; i < n; i++)
		resolver->gone[whose[i]] = !asks[i].silent && is_gone(asks[i].path);
	return 0;
}
