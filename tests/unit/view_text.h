/* Views as text, for tests: one line a view, entry or user.
 *
 *	view JAIL ROOT
 *	bind TARGET [SOURCE] [options=ro,nosuid] [optional] [personal] [owner=UID]
 *	hide TARGET
 *	tmpfs TARGET [size=BYTES] [mode=OCTAL]
 *	proc TARGET [hidepid=N]
 *	user NAME
 *
 * Entries and users belong to the view above them. The marker is added by itself. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/view/order.h"
#include "lib/view/view.h"
#include "lib/view/view_build.h"

static inline unsigned view_text_options(char *text)
{
	unsigned options = 0;
	for (char *name; (name = strsep(&text, ",")) != NULL;)
		options |= strcmp(name, "ro") == 0	 ? JAIL_OPT_RO
			   : strcmp(name, "nosuid") == 0 ? JAIL_OPT_NOSUID
			   : strcmp(name, "nodev") == 0	 ? JAIL_OPT_NODEV
			   : strcmp(name, "noexec") == 0 ? JAIL_OPT_NOEXEC
							 : 0;
	return options;
}

static inline void view_text_word(struct jail_entry *entry, char *word)
{
	if (strncmp(word, "options=", 8) == 0)
		entry->options |= view_text_options(word + 8);
	else if (strcmp(word, "optional") == 0)
		entry->optional = true;
	else if (strcmp(word, "personal") == 0)
		entry->personal = true;
	else if (strncmp(word, "owner=", 6) == 0) {
		entry->owned = true;
		entry->owner = (uid_t)atoi(word + 6);
	} else if (strncmp(word, "size=", 5) == 0)
		entry->size = strtoull(word + 5, NULL, 10);
	else if (strncmp(word, "mode=", 5) == 0)
		entry->mode = (mode_t)strtoul(word + 5, NULL, 8);
	else if (strncmp(word, "hidepid=", 8) == 0)
		entry->hidepid = (enum jail_hidepid)atoi(word + 8);
	else if (entry->kind == JAIL_ENTRY_BIND && word[0] == '/') {
		free(entry->source);
		entry->source = strdup(word);
	} else {
		(void)fprintf(stderr, "views: what is \"%s\"?\n", word);
		abort();
	}
}

static inline void view_text_entry(struct jail_view *view, const char *verb, char *rest)
{
	static const struct {
		const char *verb;
		struct jail_entry entry;
	} verbs[] = {
		{"bind", {.kind = JAIL_ENTRY_BIND}},
		{"hide", {.kind = JAIL_ENTRY_HIDE, .options = 15}},
		{"tmpfs",
		 {.kind = JAIL_ENTRY_TMPFS, .options = JAIL_OPT_NOSUID | JAIL_OPT_NODEV, .mode = 01777}},
		{"proc",
		 {.kind = JAIL_ENTRY_PROC,
		  .options = JAIL_OPT_NOSUID | JAIL_OPT_NODEV | JAIL_OPT_NOEXEC,
		  .hidepid = JAIL_HIDEPID_INVISIBLE}},
	};
	struct jail_entry *entry = view ? JAIL_ARRAY_PUSH(view->entries, view->n_entries) : NULL;
	for (size_t i = 0; entry && i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verb, verbs[i].verb) == 0)
			*entry = verbs[i].entry;
	if (!view || !entry || !entry->kind)
		abort();
	view->n_entries++;
	entry->target = strdup(strsep(&rest, " "));
	if (entry->kind == JAIL_ENTRY_BIND)
		entry->source = strdup(entry->target);
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		if (*word)
			view_text_word(entry, word);
}

static inline int view_text_compare_views(const void *a, const void *b)
{
	return jail_order_compare(((const struct jail_view *)a)->root, ((const struct jail_view *)b)->root);
}

/* Aborts on what it does not understand: the text is the test's own. */
static inline void view_text_parse(const char *text, const char *marker_dir, struct jail_views *ret)
{
	char *copy = strdup(text);
	char *rest = copy;
	*ret = (struct jail_views){0};
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			continue;
		char *verb = strsep(&line, " ");
		struct jail_view *view = ret->n_views ? &ret->views[ret->n_views - 1] : NULL;
		if (strcmp(verb, "view") == 0) {
			view = JAIL_ARRAY_PUSH(ret->views, ret->n_views);
			ret->n_views++;
			view->jail = strdup(strsep(&line, " "));
			view->root = strdup(line);
		} else if (strcmp(verb, "user") == 0) {
			struct jail_view_user *user = JAIL_ARRAY_PUSH(ret->users, ret->n_users);
			*user = (struct jail_view_user){strdup(line), ret->n_views - 1};
			ret->n_users++;
		} else
			view_text_entry(view, verb, line);
	}
	for (size_t v = 0; v < ret->n_views; v++) {
		struct jail_error err;
		if (jail_view_finish_chroot(&ret->views[v], marker_dir, &err) < 0) {
			(void)fprintf(stderr, "views: %s\n", err.message);
			abort();
		}
	}
	/* Users are numbered by the order of the text, so the text has views in order. */
	for (size_t v = 1; v < ret->n_views; v++)
		if (view_text_compare_views(&ret->views[v - 1], &ret->views[v]) >= 0) {
			(void)fprintf(stderr, "views: %s stands before %s\n", ret->views[v - 1].root,
				      ret->views[v].root);
			abort();
		}
	free(copy);
}
