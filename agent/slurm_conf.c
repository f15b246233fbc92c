#include "agent/slurm_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "lib/base/cleanup.h"

enum { DEPTH_MAX = 16 };

struct reader {
	const struct jail_tree *tree;
	struct jail_slurm_setting *settings;
	size_t n;
	const char *top; /* relative includes begin at its directory */
	unsigned depth;
	struct jail_error *err;
};

static int read_conf(struct reader *reader, const char *path);

/* A comment begins at '#' that no backslash stands before. */
static void strip(char *line)
{
	char *end = line;

	while (*end && (*end != '#' || (end > line && end[-1] == '\\')))
		end++;
	while (end > line && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
}

struct lines {
	char *rest;
	unsigned first, number; /* of the line that was given out, and of those behind it */
};

/* The next line that says something, with those that a backslash continues. NULL at the end. */
static char *next_line(struct lines *lines)
{
	char *start, *end;

	do {
		start = strsep(&lines->rest, "\n");
		if (!start)
			return NULL;
		strip(start);
		lines->first = ++lines->number;
	} while (!*start);
	for (end = start + strlen(start); end > start && end[-1] == '\\'; end = start + strlen(start)) {
		char *more = strsep(&lines->rest, "\n");

		end[-1] = ' ';
		if (!more)
			break;
		lines->number++;
		strip(more);
		memmove(end, more, strlen(more) + 1);
	}
	return start;
}

static char *beside(const char *top, const char *name)
{
	const char *slash = strrchr(top, '/');
	char *path;

	if (*name == '/')
		return strdup(name);
	return asprintf(&path, "%.*s/%s", (int)(slash - top), top, name) < 0 ? NULL : path;
}

static int set(struct reader *reader, const char *path, unsigned number, const char *key, const char *value)
{
	for (size_t i = 0; i < reader->n; i++) {
		struct jail_slurm_setting *setting = &reader->settings[i];

		if (strcasecmp(setting->key, key) != 0)
			continue;
		free(setting->value);
		free(setting->path);
		setting->value = strdup(value);
		setting->path = strdup(path);
		setting->line = number;
		if (!setting->value || !setting->path)
			return jail_error_sys(reader->err, ENOMEM, "cannot read %s", path);
	}
	return 0;
}

static int take_include(struct reader *reader, const char *name)
{
	jail_autofree char *path = beside(reader->top, name);
	int r = path ? read_conf(reader, path) : -ENOMEM;

	if (r == -ENOMEM)
		return jail_error_sys(reader->err, ENOMEM, "cannot read %s", reader->top);
	return 0;
}

/* KEY=VALUE, several on a line, values between quotes where they have blanks. */
static int take_line(struct reader *reader, const char *path, unsigned number, char *line)
{
	char *p = line + strspn(line, " \t");
	int r = 0;

	if (strncasecmp(p, "include", 7) == 0 && (p[7] == ' ' || p[7] == '\t'))
		return take_include(reader, p + 7 + strspn(p + 7, " \t"));
	while (r == 0 && *p) {
		char *key = p, *value;

		p += strcspn(p, "= \t");
		if (!*p)
			break;
		*p++ = '\0';
		p += strspn(p, "= \t");
		value = p;
		if (*value == '"') {
			value = ++p;
			p += strcspn(p, "\"");
		} else {
			p += strcspn(p, " \t");
		}
		if (*p)
			*p++ = '\0';
		p += strspn(p, " \t");
		r = set(reader, path, number, key, value);
	}
	return r;
}

static int read_conf(struct reader *reader, const char *path)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	struct lines lines = {0};
	int r;

	if (reader->depth >= DEPTH_MAX)
		return 0;
	r = jail_tree_read(reader->tree, path, &text, reader->err);
	if (r < 0)
		return r;
	reader->depth++;
	lines.rest = text.len > 0 ? text.data : NULL;
	for (char *line; r == 0 && (line = next_line(&lines));)
		r = take_line(reader, path, lines.first, line);
	reader->depth--;
	return r;
}

int jail_slurm_read(const struct jail_tree *tree, const char *path, struct jail_slurm_setting *settings,
		    size_t n, struct jail_error *err)
{
	struct reader reader = {.tree = tree, .settings = settings, .n = n, .top = path, .err = err};

	return read_conf(&reader, path);
}

void jail_slurm_release(struct jail_slurm_setting *settings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(settings[i].value);
		free(settings[i].path);
		settings[i].value = settings[i].path = NULL;
	}
}

bool jail_slurm_is_yes(const char *value)
{
	static const char *const words[] = {"yes", "up", "true", "1"};

	for (size_t i = 0; value && i < sizeof words / sizeof words[0]; i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

struct spank_search {
	const struct jail_tree *tree;
	const char *top, *name;
	struct jail_spank_line *found;
	unsigned depth;
	struct jail_error *err;
};

static int search_plugstack(struct spank_search *search, const char *path);

static int search_included(struct spank_search *search, const char *pattern)
{
	jail_autonames struct jail_names paths = {0};
	jail_autofree char *full = beside(search->top, pattern);
	int r = full ? jail_tree_glob(search->tree, full, &paths, search->err) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < paths.n; i++)
		r = search_plugstack(search, paths.names[i]);
	return r == -ENOMEM ? r : 0;
}

static int take_plugin(struct spank_search *search, const char *path, unsigned number, bool required,
		       const char *plugin)
{
	const char *slash = strrchr(plugin, '/');

	if (strcmp(slash ? slash + 1 : plugin, search->name) != 0 ||
	    (search->found->path && (search->found->required || !required)))
		return 0;
	free(search->found->path);
	*search->found = (struct jail_spank_line){required, strdup(path), number};
	return search->found->path ? 0 : -ENOMEM;
}

static int search_plugstack(struct spank_search *search, const char *path)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	struct lines lines = {0};
	int r;

	if (search->depth >= DEPTH_MAX)
		return 0;
	r = jail_tree_read(search->tree, path, &text, search->err);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	search->depth++;
	lines.rest = text.len > 0 ? text.data : NULL;
	for (char *line; r == 0 && (line = next_line(&lines));) {
		char *verb = strtok(line, " \t"), *what = strtok(NULL, " \t");

		if (!verb || !what)
			continue;
		if (strcasecmp(verb, "include") == 0)
			r = search_included(search, what);
		else if (strcasecmp(verb, "required") == 0 || strcasecmp(verb, "optional") == 0)
			r = take_plugin(search, path, lines.first, strcasecmp(verb, "required") == 0, what);
	}
	search->depth--;
	return r;
}

int jail_spank_find(const struct jail_tree *tree, const char *path, const char *name,
		    struct jail_spank_line *ret, struct jail_error *err)
{
	struct spank_search search = {.tree = tree, .top = path, .name = name, .found = ret, .err = err};
	int r;

	*ret = (struct jail_spank_line){0};
	r = search_plugstack(&search, path);
	if (r == 0)
		return 0;
	free(ret->path);
	ret->path = NULL;
	return jail_error_sys(err, -r, "cannot read %s", path);
}
