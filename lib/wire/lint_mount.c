/* What a jail's mounts may be put on, and what they may show. */
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/policy/places.h"
#include "lib/policy/template.h"
#include "lib/wire/lint.h"

/* Directories in which users own things on any system; below the system's directories a bind from there would
 * be a user's setuid programs, libraries or accounts. The agent looks at the owners besides. */
static const char *const user_directories[] = {
	"/home",    "/tmp",	 "/var/tmp",   "/dev/shm", "/dev/mqueue", "/run/user", "/run/lock",
	"/run/shm", "/var/lock", "/var/crash", "/scratch", "/work",	  "/var/mail", NULL};
static const char *const state[] = {"/var/lib/clusterjail", NULL};
static const char marker[] = "/.clusterjail"; /* JAIL_MARKER_TARGET of lib/view/view.h */

enum {
	AROUND = JAIL_PATH_AT | JAIL_PATH_BELOW | JAIL_PATH_ABOVE,
	WITHIN = JAIL_PATH_AT | JAIL_PATH_BELOW,
};

struct entry {
	const char *target;
	size_t index;
};

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->target, y->target);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static const char *source_of(const struct jail_mount *mount)
{
	return mount->from ? mount->from : mount->target;
}

static bool in_user_directory(const char *source)
{
	return jail_path_uses(source) != 0 || jail_path_find(source, user_directories, WITHIN) != NULL;
}

/* The directory that makes mount's target one where the system's programs would believe what they find. */
static const char *dangerous_for(const struct jail_mount *mount)
{
	const char *directory = jail_path_find(mount->target, jail_system_directories, AROUND);

	if (!directory)
		directory = jail_path_find(mount->target, jail_kernel_directories,
					   JAIL_PATH_AT | JAIL_PATH_ABOVE);
	if (directory || jail_service_is_open(mount->target))
		return directory;
	/* A daemon need not be root (/run/munge): where the host has it, the view may have it. */
	return mount->verb == JAIL_VERB_BIND && !mount->from
		       ? NULL
		       : jail_path_find(mount->target, jail_service_directories, AROUND);
}

static void lint_dangerous(struct jail_lint *lint, const struct jail_jail *jail, size_t index)
{
	const struct jail_mount *mount = &jail->mounts[index];
	const char *directory = dangerous_for(mount);
	char pointer[JAIL_POINTER_MAX];

	if (!directory)
		return;
	if (mount->verb == JAIL_VERB_TMPFS || mount->verb == JAIL_VERB_PRIVATE)
		JAIL_LINT_ERROR(lint, "dangerous-target",
				jail_lint_mount_pointer(pointer, jail, index, jail_verb_name(mount->verb)),
				"%s %s %s, which is the system's, and users could write to a %s there: "
				"write hide, or a bind from a directory of root's",
				mount->target, jail_path_words(mount->target, directory), directory,
				mount->verb == JAIL_VERB_TMPFS ? "tmpfs" : "directory of their own");
	else if (mount->verb == JAIL_VERB_BIND && in_user_directory(source_of(mount)))
		JAIL_LINT_ERROR(lint, "dangerous-target",
				jail_lint_mount_pointer(pointer, jail, index, mount->from ? "from" : "bind"),
				"%s %s %s, which is the system's, and a user could own %s: bind from a "
				"directory that only root writes to",
				mount->target, jail_path_words(mount->target, directory), directory,
				source_of(mount));
}

static void lint_proc(struct jail_lint *lint, const struct jail_jail *jail, size_t index)
{
	const char *target = jail->mounts[index].target;
	char pointer[JAIL_POINTER_MAX];

	if (strcmp(target, "/proc") != 0 && (jail_path_find(target, jail_system_directories, AROUND) ||
					     jail_path_find(target, jail_kernel_directories, AROUND)))
		JAIL_LINT_ERROR(lint, "proc-target", jail_lint_mount_pointer(pointer, jail, index, "proc"),
				"a procfs does not belong at %s: put it at /proc", target);
}

/* A source inside a root would show one jail's files in another, or itself in itself. */
static void lint_source(struct jail_lint *lint, const struct jail_jail *jail, size_t index)
{
	const struct jail_policy *policy = lint->policy;
	const struct jail_mount *mount = &jail->mounts[index];
	const char *source = source_of(mount);
	char pointer[JAIL_POINTER_MAX];

	jail_lint_mount_pointer(pointer, jail, index, mount->from ? "from" : "bind");
	if (jail_path_find(source, state, WITHIN)) {
		JAIL_LINT_ERROR(lint, "source-place", pointer,
				"%s is where the agent keeps its state and the jails: bind something else",
				source);
		return;
	}
	for (size_t i = 0; i < policy->n_jails; i++) {
		const char *root = policy->jails[i].root;

		if (!root || jail_lint_root_in_system(root) || jail_path_uses(source) ||
		    !(jail_path_relation(source, root) & WITHIN))
			continue;
		JAIL_LINT_ERROR(lint, "source-place", pointer,
				"%s is in the root of jail \"%s\" (%s): bind from the host's directories",
				source, policy->jails[i].name, root);
		return;
	}
}

/* What only namespace jails can do. */
static void lint_kind(struct jail_lint *lint, const struct jail_jail *jail, size_t index)
{
	const struct jail_mount *mount = &jail->mounts[index];
	char pointer[JAIL_POINTER_MAX];

	if (jail->confine == JAIL_CONFINE_NAMESPACE)
		return;
	if (mount->verb == JAIL_VERB_PRIVATE)
		JAIL_LINT_ERROR(lint, "namespace-only",
				jail_lint_mount_pointer(pointer, jail, index, "private"),
				"the mounts of a root are the same for all who are in it, and %s would be "
				"each user's own: write tmpfs, or make the jail \"confine\": \"namespace\"",
				mount->target);
	else if (mount->verb == JAIL_VERB_HIDE && mount->optional)
		JAIL_LINT_ERROR(lint, "namespace-only",
				jail_lint_mount_pointer(pointer, jail, index, "optional"),
				"in a root no hide is skipped, the agent makes what it needs: leave "
				"\"optional\" out, or make the jail \"confine\": \"namespace\"");
}

static void lint_mount(struct jail_lint *lint, const struct jail_jail *jail, size_t index)
{
	const struct jail_mount *mount = &jail->mounts[index];
	char pointer[JAIL_POINTER_MAX];

	if (jail_path_is_below(mount->target, marker))
		JAIL_LINT_ERROR(lint, "reserved-target",
				jail_lint_mount_pointer(pointer, jail, index, jail_verb_name(mount->verb)),
				"%s is the agent's mark in every view: take another name", marker);
	lint_kind(lint, jail, index);
	lint_dangerous(lint, jail, index);
	if (mount->verb == JAIL_VERB_PROC)
		lint_proc(lint, jail, index);
	if (mount->verb == JAIL_VERB_BIND)
		lint_source(lint, jail, index);
}

/* The mount whose target is the first len bytes of target, or NULL. */
static const struct jail_mount *find_target(const struct jail_jail *jail, const struct entry *sorted,
					    size_t n, const char *target, size_t len)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;
		int order = strncmp(sorted[middle].target, target, len);

		if (order == 0)
			order = sorted[middle].target[len] != '\0';
		if (order == 0)
			return &jail->mounts[sorted[middle].index];
		if (order < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return NULL;
}

static void lint_ancestor(struct jail_lint *lint, const struct jail_jail *jail, size_t index,
			  const struct jail_mount *ancestor)
{
	const struct jail_mount *mount = &jail->mounts[index];
	unsigned lost = ancestor->options & ~(mount->verb == JAIL_VERB_BIND ? mount->options : ~0U);
	char pointer[JAIL_POINTER_MAX], text[32];

	if (ancestor->verb != JAIL_VERB_BIND && ancestor->verb != JAIL_VERB_PRIVATE)
		return;
	jail_lint_mount_pointer(pointer, jail, index, jail_verb_name(mount->verb));
	if (ancestor->verb == JAIL_VERB_PRIVATE || jail_path_uses(ancestor->target) ||
	    jail_path_uses(ancestor->from))
		JAIL_LINT_ERROR(lint, "below-user-directory", pointer,
				"%s lies in %s, whose content is the user's own: nothing is mounted where a "
				"user can swap the directories. Give it a target elsewhere",
				mount->target, ancestor->target);
	else if (lost)
		JAIL_LINT_WARNING(lint, "options-nested", pointer,
				  "the options of %s do not reach %s, which is a mount of its own: give it "
				  "\"%s\" too if it should have them",
				  ancestor->target, mount->target, jail_options_text(lost, text));
}

static void lint_nesting(struct jail_lint *lint, const struct jail_jail *jail, const struct entry *sorted,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *target = sorted[i].target;

		for (const char *slash = strchr(target + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
			const struct jail_mount *ancestor =
				find_target(jail, sorted, n, target, (size_t)(slash - target));

			if (ancestor)
				lint_ancestor(lint, jail, sorted[i].index, ancestor);
		}
	}
}

/* Who shares a root sees the same entries, so %u there needs a decision: a root each, or all see all. */
static void lint_sharing(struct jail_lint *lint, const struct jail_jail *jail)
{
	char pointer[JAIL_POINTER_MAX];

	if (jail->root && jail_path_uses(jail->root)) {
		if (jail->shared)
			JAIL_LINT_ERROR(
				lint, "shared-root", jail_lint_jail_pointer(pointer, jail, "shared"),
				"with %%u in the root each member has one of their own, and nothing is "
				"shared: leave out either");
		return;
	}
	for (size_t i = 0; i < jail->n_mounts; i++) {
		const struct jail_mount *mount = &jail->mounts[i];
		bool in_target = mount->target && jail_path_uses(mount->target);

		if (!in_target && !jail_path_uses(mount->from))
			continue;
		if (jail->shared)
			JAIL_LINT_WARNING(
				lint, "shared-entries", jail_lint_jail_pointer(pointer, jail, "shared"),
				"members see each other's entries, %s among them; with %%u in root each "
				"has a view of their own",
				mount->target);
		else if (jail->root)
			JAIL_LINT_ERROR(
				lint, "template-unshared",
				jail_lint_mount_pointer(pointer, jail, i,
							in_target ? jail_verb_name(mount->verb) : "from"),
				"%s differs from member to member, who all share the root %s: put %%u "
				"into the root, or say \"shared\": true",
				in_target ? mount->target : mount->from, jail->root);
		return;
	}
}

void jail_lint_mounts(struct jail_lint *lint, const struct jail_jail *jail)
{
	jail_autofree struct entry *sorted = calloc(jail->n_mounts + 1, sizeof *sorted);
	char pointer[JAIL_POINTER_MAX];
	size_t n = 0;

	if (!sorted) {
		lint->exhausted = true;
		return;
	}
	for (size_t i = 0; i < jail->n_mounts; i++) {
		if (!jail->mounts[i].target)
			continue;
		sorted[n++] = (struct entry){jail->mounts[i].target, i};
		lint_mount(lint, jail, i);
	}
	qsort(sorted, n, sizeof *sorted, entry_compare);
	for (size_t i = 1; i < n; i++)
		if (strcmp(sorted[i].target, sorted[i - 1].target) == 0)
			JAIL_LINT_ERROR(
				lint, "duplicate-target",
				jail_lint_mount_pointer(pointer, jail, sorted[i].index,
							jail_verb_name(jail->mounts[sorted[i].index].verb)),
				"%s has a mount already: leave one of them", sorted[i].target);
	lint_nesting(lint, jail, sorted, n);
	lint_sharing(lint, jail);
}

/* Whether the mount stands before something of the host's. A bind without from shows just that. */
static bool covers(const struct jail_mount *mount)
{
	return mount->verb == JAIL_VERB_HIDE || mount->verb == JAIL_VERB_PRIVATE ||
	       mount->verb == JAIL_VERB_TMPFS || mount->from;
}

void jail_lint_hiding(struct jail_lint *lint)
{
	char pointer[JAIL_POINTER_MAX];

	for (size_t i = 0; i < lint->policy->n_jails; i++) {
		const struct jail_jail *jail = &lint->policy->jails[i];
		bool covered = jail->confine != JAIL_CONFINE_NAMESPACE;

		for (size_t j = 0; j < jail->n_mounts && !covered; j++)
			covered = covers(&jail->mounts[j]);
		if (!covered)
			JAIL_LINT_WARNING(lint, "hides-nothing",
					  jail_lint_jail_pointer(pointer, jail, "mounts"),
					  "jail \"%s\" shows the host as it is: hide what its members should "
					  "not see, {\"hide\": \"/home\"} for one",
					  jail->name);
	}
}
