#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/policy/describe.h"
#include "api/policy/diff.h"
#include "lib/base/cleanup.h"

/* Pointers to mounts or jails, sorted by what names them, so that both policies can be walked at once. */
static int mount_compare(const void *a, const void *b)
{
	const struct jail_mount *const *x = a, *const *y = b;

	return strcmp((*x)->target, (*y)->target);
}

static int jail_compare(const void *a, const void *b)
{
	const struct jail_jail *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static const struct jail_mount **sorted_mounts(const struct jail_jail *jail)
{
	const struct jail_mount **list = calloc(jail->n_mounts + 1, sizeof *list);

	for (size_t i = 0; list && i < jail->n_mounts; i++)
		list[i] = &jail->mounts[i];
	if (list)
		qsort((void *)list, jail->n_mounts, sizeof *list, mount_compare);
	return list;
}

static const struct jail_jail **sorted_jails(const struct jail_policy *policy)
{
	const struct jail_jail **list = calloc(policy->n_jails + 1, sizeof *list);

	for (size_t i = 0; list && i < policy->n_jails; i++)
		list[i] = &policy->jails[i];
	if (list)
		qsort((void *)list, policy->n_jails, sizeof *list, jail_compare);
	return list;
}

/* One mount that is in both, or in one (the other is NULL). */
static ssize_t diff_mount(const char *jail, const struct jail_mount *before, const struct jail_mount *after)
{
	jail_autobuffer struct jail_buffer was = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer is = JAIL_BUFFER_INIT;

	if (before && jail_describe_mount(before, before->target, before->from, &was) < 0)
		return -ENOMEM;
	if (after && jail_describe_mount(after, after->target, after->from, &is) < 0)
		return -ENOMEM;
	if (strcmp(was.data, is.data) == 0)
		return 0;
	if (!before)
		printf("jail %s: new mount: %s\n", jail, is.data);
	else if (!after)
		printf("jail %s: mount gone: %s\n", jail, was.data);
	else
		printf("jail %s: mount changed: %s; it was: %s\n", jail, is.data, was.data);
	return 1;
}

static ssize_t diff_mounts(const struct jail_jail *before, const struct jail_jail *after)
{
	jail_autofree const struct jail_mount **was = sorted_mounts(before);
	jail_autofree const struct jail_mount **is = sorted_mounts(after);
	size_t i = 0, j = 0;
	ssize_t n = 0;

	if (!was || !is)
		return -ENOMEM;
	while (i < before->n_mounts || j < after->n_mounts) {
		int order = i == before->n_mounts  ? 1
			    : j == after->n_mounts ? -1
						   : strcmp(was[i]->target, is[j]->target);
		ssize_t r = diff_mount(after->name, order <= 0 ? was[i] : NULL, order >= 0 ? is[j] : NULL);

		if (r < 0)
			return r;
		n += r;
		i += order <= 0;
		j += order >= 0;
	}
	return n;
}

static ssize_t print_jail(const struct jail_jail *jail, const char *what)
{
	jail_autobuffer struct jail_buffer where = JAIL_BUFFER_INIT;

	if (jail_describe_confinement(jail->confine, jail->root, &where) < 0)
		return -ENOMEM;
	printf("jail %s: %s (%s, %zu mounts)\n", jail->name, what, where.data, jail->n_mounts);
	return 1;
}

/* One kind of confinement became the other. */
static ssize_t diff_confine(const struct jail_jail *before, const struct jail_jail *after)
{
	jail_autobuffer struct jail_buffer was = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer is = JAIL_BUFFER_INIT;

	if (jail_describe_confinement(before->confine, before->root, &was) < 0 ||
	    jail_describe_confinement(after->confine, after->root, &is) < 0)
		return -ENOMEM;
	printf("jail %s: confinement changed: %s; it was: %s\n", after->name, is.data, was.data);
	return 1;
}

static ssize_t diff_jail(const struct jail_jail *before, const struct jail_jail *after)
{
	ssize_t n = 0, mounts;

	if (before->confine != after->confine) {
		n = diff_confine(before, after);
		if (n < 0)
			return n;
	} else if (before->root && strcmp(before->root, after->root) != 0) {
		printf("jail %s: root changed: %s; it was: %s\n", after->name, after->root, before->root);
		n++;
	}
	if (before->shared != after->shared) {
		printf("jail %s: %s\n", after->name,
		       after->shared ? "now shared by its members" : "no longer shared by its members");
		n++;
	}
	mounts = diff_mounts(before, after);
	return mounts < 0 ? mounts : n + mounts;
}

ssize_t jail_diff_jails(const struct jail_policy *before, const struct jail_policy *after)
{
	jail_autofree const struct jail_jail **was = sorted_jails(before);
	jail_autofree const struct jail_jail **is = sorted_jails(after);
	size_t i = 0, j = 0;
	ssize_t n = 0;

	if (!was || !is)
		return -ENOMEM;
	while (i < before->n_jails || j < after->n_jails) {
		int order = i == before->n_jails  ? 1
			    : j == after->n_jails ? -1
						  : strcmp(was[i]->name, is[j]->name);
		ssize_t r = order < 0	? print_jail(was[i], "gone")
			    : order > 0 ? print_jail(is[j], "new")
					: diff_jail(was[i], is[j]);

		if (r < 0)
			return r;
		n += r;
		i += order <= 0;
		j += order >= 0;
	}
	return n;
}
