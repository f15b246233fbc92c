#include "agent/audit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

static void door_release(struct jail_door *door)
{
	free(door->path);
	free(door->who);
	free(door->what);
	free(door->todo);
}

static void stray_release(struct jail_stray *stray)
{
	free(stray->command);
	free(stray->user);
	free(stray->jail);
	free(stray->door);
}

static bool is_same(const struct jail_door *door, const char *path, unsigned line, const char *what,
		    const char *todo)
{
	return door->line == line && strcmp(door->path, path) == 0 && strcmp(door->what, what) == 0 &&
	       strcmp(door->todo, todo) == 0;
}

static int add_who(struct jail_door *door, const char *who)
{
	char *both;

	if (!who || !door->who)
		return 0;
	if (asprintf(&both, "%s, %s", door->who, who) < 0)
		return -ENOMEM;
	free(door->who);
	door->who = both;
	return 0;
}

int jail_audit_open(struct jail_audit *audit, const char *path, unsigned line, const char *who,
		    const char *what, const char *todo)
{
	struct jail_door *door;

	for (size_t i = 0; i < audit->n_doors; i++)
		if (is_same(&audit->doors[i], path, line, what, todo))
			return add_who(&audit->doors[i], who);
	door = JAIL_ARRAY_PUSH(audit->doors, audit->n_doors);
	if (!door)
		return -ENOMEM;
	*door = (struct jail_door){
		.path = strdup(path),
		.line = line,
		.what = strdup(what),
		.who = who ? strdup(who) : NULL,
		.todo = strdup(todo),
	};
	if (!door->path || (who && !door->who) || !door->what || !door->todo) {
		door_release(door);
		return -ENOMEM;
	}
	audit->n_doors++;
	return 0;
}

int jail_audit_openf(struct jail_audit *audit, const char *path, unsigned line, const char *todo,
		     const char *what, ...)
{
	jail_autofree char *text = NULL;
	va_list args;
	int n;

	va_start(args, what);
	n = vasprintf(&text, what, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return jail_audit_open(audit, path, line, NULL, text, todo);
}

int jail_audit_warn(struct jail_audit *audit, const char *format, ...)
{
	char *text, **slot;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	for (size_t i = 0; i < audit->n_warnings; i++) {
		if (strcmp(audit->warnings[i], text) == 0) {
			free(text);
			return 0;
		}
	}
	slot = JAIL_ARRAY_PUSH(audit->warnings, audit->n_warnings);
	if (!slot) {
		free(text);
		return -ENOMEM;
	}
	*slot = text;
	audit->n_warnings++;
	return 0;
}

int jail_audit_stray(struct jail_audit *audit, struct jail_stray *stray)
{
	struct jail_stray *slot = JAIL_ARRAY_PUSH(audit->strays, audit->n_strays);

	if (!slot || !stray->command || !stray->user || !stray->jail || !stray->door) {
		stray_release(stray);
		return -ENOMEM;
	}
	*slot = *stray;
	audit->n_strays++;
	return 0;
}

int jail_door_text(const struct jail_door *door, struct jail_buffer *ret)
{
	int r = jail_buffer_puts(ret, door->what);

	return r == 0 && door->who ? jail_buffer_printf(ret, " %s", door->who) : r;
}

void jail_audit_release(struct jail_audit *audit)
{
	for (size_t i = 0; i < audit->n_doors; i++)
		door_release(&audit->doors[i]);
	for (size_t i = 0; i < audit->n_strays; i++)
		stray_release(&audit->strays[i]);
	for (size_t i = 0; i < audit->n_warnings; i++)
		free(audit->warnings[i]);
	free(audit->doors);
	free(audit->strays);
	free(audit->warnings);
	*audit = (struct jail_audit){0};
}
