#include "lib/view/scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/policy/places.h"
#include "lib/view/order.h"

/* Errors that say "no answer", not "not there": what is mounted already is kept. */
static bool is_silence(int code)
{
	static const int codes[] = {EIO,	 ESTALE,   ETIMEDOUT, EHOSTDOWN,   EHOSTUNREACH, ENETDOWN,
				    ENETUNREACH, ENOTCONN, ENOMEM,    ENFILE,	   EMFILE,	 EAGAIN,
				    EINTR,	 ENOLINK,  EREMOTEIO, EKEYREVOKED, EKEYEXPIRED};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (code == codes[i])
			return true;
	return false;
}

/* Targets at or above the directories that programs trust blindly (DESIGN.md, "Views"). */
static bool is_system(const char *target)
{
	static const char *const trees[] = {"/etc", "/usr", "/bin", "/sbin"};
	static const char *const tops[] = {"/run", "/proc", "/sys", "/dev"};

	for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
		if (jail_order_rest(target, trees[i]))
			return true;
	for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
		if (strcmp(target, tops[i]) == 0)
			return true;
	return strncmp(target, "/lib", 4) == 0;
}

/* Targets in or above the directories of services that programs trust as blindly. */
static bool is_service(const char *target)
{
	for (const char *const *directory = jail_service_directories; *directory; directory++)
		if (jail_order_rest(target, *directory) || jail_order_rest(*directory, target))
			return !jail_service_is_open(target);
	return false;
}

bool jail_entry_may_stand(const struct jail_entry *entry, const struct jail_fact *fact)
{
	if (fact->trusted)
		return true;
	return !is_system(entry->target) &&
	       (!is_service(entry->target) || strcmp(entry->source, entry->target) == 0 ||
		(fact->path && strcmp(fact->path, entry->target) == 0));
}

bool jail_entry_breaks(const struct jail_entry *entry)
{
	return !entry->optional && !(entry->personal && entry->kind == JAIL_ENTRY_BIND);
}

static int add_problem(struct jail_plan *plan, size_t view, size_t entry, int code, bool breaks,
		       char *message)
{
	struct jail_problem_entry *problem =
		message ? JAIL_ARRAY_PUSH(plan->problems, plan->n_problems) : NULL;
	if (!problem) {
		free(message);
		return -ENOMEM;
	}
	*problem = (struct jail_problem_entry){view, entry, code, breaks, message};
	plan->n_problems++;
	return 0;
}

/* Whether something is mounted on an entry's target. 1, 0 or -ENOMEM. */
static int stands(const struct jail_scene *scene, size_t v, size_t e)
{
	const struct jail_view *view = &scene->views->views[v];
	char *path = jail_order_join(view->root, view->entries[e].target);
	if (!path)
		return -ENOMEM;
	bool mounted = jail_mount_table_on(scene->table, path) != NULL;
	free(path);
	return mounted;
}

static int judge(struct jail_scene *scene, struct jail_plan *plan, size_t v, size_t e)
{
	const struct jail_entry *entry = &scene->views->views[v].entries[e];
	const struct jail_fact *fact = &scene->facts[v][e];
	enum jail_state *state = &scene->states[v][e];
	char *message = NULL;
	int code = fact->code;

	*state = fact->link ? JAIL_STATE_LINK : JAIL_STATE_LIVE;
	if (entry->kind == JAIL_ENTRY_MARKER)
		return 0; /* whether its source is there yet or not */
	if (code == 0 && entry->kind == JAIL_ENTRY_BIND) {
		if (!jail_entry_may_stand(entry, fact)) {
			code = EPERM;
			if (asprintf(&message,
				     "%s may not stand at %s: somebody other than root can change it",
				     entry->source, entry->target) < 0)
				return -ENOMEM;
		} else if (!fact->link && !jail_mount_table_by_id(scene->table, fact->mount_id)) {
			code = EAGAIN;
			if (asprintf(&message, "%s: its mount changed while it was looked at",
				     entry->source) < 0)
				return -ENOMEM;
		}
	}
	/* Lint refuses such a target as it is written; a home (%h) is known here only. */
	if (code == 0 && entry->kind == JAIL_ENTRY_TMPFS &&
	    (is_system(entry->target) || is_service(entry->target))) {
		code = EPERM;
		if (asprintf(&message, "a tmpfs may not stand at %s: users could write to it",
			     entry->target) < 0)
			return -ENOMEM;
	}
	if (code == 0)
		return 0;
	*state = is_silence(code) ? JAIL_STATE_UNKNOWN : JAIL_STATE_ABSENT;
	if (code == ENOENT && entry->optional)
		return 0;
	/* No answer takes nothing away: the view is as whole as it was. */
	int standing = *state == JAIL_STATE_UNKNOWN ? stands(scene, v, e) : 0;
	bool breaks = jail_entry_breaks(entry) && standing == 0;
	scene->broken[v] = scene->broken[v] || breaks;
	if (standing >= 0 && !message)
		message = strdup(fact->message ? fact->message : strerror(code));
	return add_problem(plan, v, e, code, breaks, message);
}

int jail_scene_init(struct jail_scene *scene, struct jail_plan *plan)
{
	const struct jail_views *views = scene->views;

	scene->states = calloc(views->n_views + 1, sizeof *scene->states);
	scene->broken = calloc(views->n_views + 1, sizeof *scene->broken);
	if (!scene->states || !scene->broken)
		return -ENOMEM;
	for (size_t v = 0; v < views->n_views; v++) {
		const struct jail_view *view = &views->views[v];
		scene->states[v] = calloc(view->n_entries + 1, sizeof **scene->states);
		if (!scene->states[v])
			return -ENOMEM;
		for (size_t e = 0; e < view->n_entries; e++) {
			int r = judge(scene, plan, v, e);
			if (r < 0)
				return r;
		}
		if (!scene->broken[v])
			continue;
		for (size_t e = 0; e < view->n_entries; e++)
			if (view->entries[e].kind == JAIL_ENTRY_MARKER)
				scene->states[v][e] = JAIL_STATE_ABSENT;
	}
	return 0;
}

void jail_scene_release(struct jail_scene *scene)
{
	for (size_t v = 0; scene->states && v < scene->views->n_views; v++)
		free(scene->states[v]);
	free((void *)scene->states);
	free(scene->broken);
}

size_t jail_scene_first(const struct jail_view *view, const char *path)
{
	size_t low = 0;
	size_t high = view->n_entries;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (jail_order_compare(view->entries[middle].target, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t jail_scene_governor(const struct jail_scene *scene, size_t v, const char *path)
{
	const struct jail_view *view = &scene->views->views[v];
	char prefix[4096];
	size_t len = strlen(path);

	if (len >= sizeof prefix)
		return SIZE_MAX;
	memcpy(prefix, path, len + 1);
	while (len > 0) {
		size_t e = jail_scene_first(view, prefix);
		if (e < view->n_entries && strcmp(view->entries[e].target, prefix) == 0 &&
		    (scene->states[v][e] == JAIL_STATE_LIVE || scene->states[v][e] == JAIL_STATE_UNKNOWN))
			return e;
		while (len > 0 && prefix[--len] != '/')
			;
		prefix[len] = '\0';
	}
	return SIZE_MAX;
}

bool jail_scene_wants(const struct jail_scene *scene, size_t v, const char *path, bool strictly)
{
	const struct jail_view *view = &scene->views->views[v];
	for (size_t e = jail_scene_first(view, path); e < view->n_entries; e++) {
		const char *rest = jail_order_rest(view->entries[e].target, path);
		if (!rest)
			return false;
		if (scene->states[v][e] != JAIL_STATE_ABSENT && !(strictly && rest[0] == '\0'))
			return true;
	}
	return false;
}

size_t jail_scene_view_of(const struct jail_views *views, const char *path)
{
	/* No root lies in another, so the last one that is not after path is the only candidate. */
	size_t low = 0;
	size_t high = views->n_views;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (jail_order_compare(views->views[middle].root, path) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && jail_order_rest(path, views->views[low - 1].root) ? low - 1 : SIZE_MAX;
}
