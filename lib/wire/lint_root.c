/* Where a jail's root may be: never where the system, the agent or a user keeps anything. */
#include <stddef.h>
#include <string.h>
#include "lib/base/path.h"
#include "lib/wire/lint.h"

enum { AROUND = JAIL_PATH_AT | JAIL_PATH_BELOW | JAIL_PATH_ABOVE };

/* At, below and above these. */
static const char *const taken[] = {"/etc",  "/usr",	 "/bin",     "/sbin",	  "/lib*",
				    "/boot", "/proc",	 "/sys",     "/dev",	  "/run",
				    "/tmp",  "/var/tmp", "/var/run", "/var/lock", NULL};

/* These themselves: they hold other things as well. */
static const char *const busy[] = {"/home",
				   "/var/lib",
				   "/var/lib/clusterjail",
				   "/var/lib/clusterjail/roots",
				   "/root",
				   "/opt",
				   "/srv",
				   "/mnt",
				   "/media",
				   "/var/cache",
				   "/var/log",
				   "/var/spool",
				   "/var/mail",
				   NULL};

static const char state[] = "/var/lib/clusterjail";
static const char roots[] = "/var/lib/clusterjail/roots";
static const char advice[] = "write one like /var/lib/clusterjail/roots/";

bool jail_lint_root_in_system(const char *root)
{
	return jail_path_find(root, taken, AROUND) != NULL;
}

static void lint_place(struct jail_lint *lint, const struct jail_jail *jail)
{
	static const char *const homes = "/home/%u";
	const char *directory = jail_path_find(jail->root, taken, AROUND);
	char pointer[JAIL_POINTER_MAX];
	size_t len = strlen(homes);

	jail_lint_jail_pointer(pointer, jail, "root");
	if (directory) {
		JAIL_LINT_ERROR(lint, "root-place", pointer, "%s %s %s, which belongs to the system: %s%s",
				jail->root, jail_path_words(jail->root, directory), directory, advice,
				jail->name);
		return;
	}
	directory = jail_path_find(jail->root, busy, JAIL_PATH_AT);
	if (directory)
		JAIL_LINT_ERROR(lint, "root-place", pointer,
				"%s holds more than a jail: take a directory of its own, %s%s", jail->root,
				advice, jail->name);
	else if (jail_path_relation(jail->root, state) == JAIL_PATH_BELOW &&
		 !jail_path_is_below(jail->root, roots))
		JAIL_LINT_ERROR(lint, "root-place", pointer, "%s is where the agent keeps its state: %s%s",
				jail->root, advice, jail->name);
	else if (strncmp(jail->root, homes, len) == 0 && (jail->root[len] == '/' || !jail->root[len]))
		JAIL_LINT_ERROR(lint, "root-place", pointer,
				"%s is in the user's own home, and a root must be root's: %s%s/%%u",
				jail->root, advice, jail->name);
}

static void lint_overlap(struct jail_lint *lint, const struct jail_jail *jail, const struct jail_jail *other)
{
	char pointer[JAIL_POINTER_MAX];

	if (!jail_path_relation(jail->root, other->root))
		return;
	jail_lint_jail_pointer(pointer, jail, "root");
	JAIL_LINT_ERROR(lint, "root-overlap", pointer,
			"%s %s the root of jail \"%s\" (%s): give each jail a directory of its own",
			jail->root, jail_path_words(jail->root, other->root), other->name, other->root);
}

void jail_lint_roots(struct jail_lint *lint)
{
	const struct jail_policy *policy = lint->policy;

	for (size_t i = 0; i < policy->n_jails; i++) {
		if (!policy->jails[i].root)
			continue;
		lint_place(lint, &policy->jails[i]);
		for (size_t j = 0; j < i; j++)
			if (policy->jails[j].root)
				lint_overlap(lint, &policy->jails[i], &policy->jails[j]);
	}
}
