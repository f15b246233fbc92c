#include "agent/sshd_conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "lib/base/cleanup.h"

enum { DEPTH_MAX = 16 }; /* sshd's SERVCONF_MAX_DEPTH */

struct search {
	const struct jail_tree *tree;
	const char *keyword;
	char *path;
	unsigned line, depth;
	struct jail_error *err;
};

static int search_file(struct search *search, const char *path);

/* The next word of *rest: between blanks, '=' behind a keyword counting as one, or between quotes. */
static char *word(char **rest, const char *blanks)
{
	char *start = *rest + strspn(*rest, blanks), *end;

	if (!*start || *start == '#')
		return NULL;
	if (*start == '"') {
		start++;
		end = start + strcspn(start, "\"");
	} else {
		end = start + strcspn(start, blanks);
	}
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static int follow(struct search *search, char *rest)
{
	int r = 0;

	for (char *pattern; r == 0 && (pattern = word(&rest, " \t\r"));) {
		jail_autonames struct jail_names paths = {0};
		jail_autofree char *full = NULL;

		if (asprintf(&full, "%s%s", *pattern == '/' ? "" : "/etc/ssh/", pattern) < 0) {
			full = NULL;
			return jail_error_sys(search->err, ENOMEM, "cannot follow Include %s", pattern);
		}
		r = jail_tree_glob(search->tree, full, &paths, search->err);
		for (size_t i = 0; r == 0 && i < paths.n; i++)
			r = search_file(search, paths.names[i]);
	}
	return r;
}

/* 1 found, 2 no more of this file concerns us, 0 go on. */
static int search_line(struct search *search, const char *path, unsigned number, char *line)
{
	char *rest = line, *key = word(&rest, " \t\r=");

	if (!key)
		return 0;
	if (strcasecmp(key, "Match") == 0)
		return 2;
	if (strcasecmp(key, "Include") == 0)
		return follow(search, rest);
	if (strcasecmp(key, search->keyword) != 0)
		return 0;
	search->path = strdup(path);
	search->line = number;
	return search->path ? 1 : jail_error_sys(search->err, ENOMEM, "cannot read %s", path);
}

/* 1 found, 0, or negative errno. A file that can't be read has no lines: sshd would not start with it. */
static int search_file(struct search *search, const char *path)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	unsigned number = 0;
	char *rest;
	int r = 0;

	if (search->depth >= DEPTH_MAX)
		return 0;
	r = jail_tree_read(search->tree, path, &text, search->err);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	search->depth++;
	rest = text.data;
	for (char *line; r == 0 && text.len > 0 && (line = strsep(&rest, "\n"));)
		r = search_line(search, path, ++number, line);
	search->depth--;
	return r == 2 ? 0 : r;
}

int jail_sshd_find(const struct jail_tree *tree, const char *path, const char *keyword, char **ret_path,
		   unsigned *ret_line, struct jail_error *err)
{
	struct search search = {.tree = tree, .keyword = keyword, .err = err};
	int r = search_file(&search, path);

	if (r > 0) {
		*ret_path = search.path;
		*ret_line = search.line;
	}
	return r;
}

static bool is_listener(const struct jail_names *argv)
{
	for (size_t i = 0; i < argv->n; i++)
		if (strstr(argv->names[i], "[listener]"))
			return true;
	return false;
}

/* A title is one string, or several where it overwrote the arguments in part. Those of sessions name users,
 * who are no options. */
static int split_title(const struct jail_names *argv, struct jail_names *ret)
{
	for (size_t i = 0; is_listener(argv) && i < argv->n; i++) {
		jail_autofree char *copy = strdup(argv->names[i]);
		char *rest = copy;

		if (!copy)
			return -ENOMEM;
		for (char *word; (word = strsep(&rest, " "));) {
			if (strcmp(word, "[listener]") == 0)
				return 0;
			if (*word && jail_names_add(ret, word) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* The letters of sshd(8) that take an argument. */
static const char with_argument[] = "CEbcfghkopu";

static int take_option(const struct jail_names *words, size_t *i, struct jail_names *ret)
{
	for (const char *p = words->names[*i] + 1; *p; p++) {
		const char *argument = p + 1;
		char flag[3] = {'-', *p, '\0'};

		if (!strchr(with_argument, *p))
			continue;
		if (!*argument)
			argument = ++*i < words->n ? words->names[*i] : NULL;
		if (!argument || (*p != 'f' && *p != 'o'))
			return 0;
		return jail_names_add(ret, flag) < 0 ? -ENOMEM : jail_names_add(ret, argument);
	}
	return 0;
}

int jail_sshd_options(const struct jail_names *argv, struct jail_names *ret)
{
	jail_autonames struct jail_names words = {0};
	const struct jail_names *from = argv;
	int r = 0;

	if (argv->n > 0 && strncmp(argv->names[0], "sshd: ", 6) == 0) {
		r = split_title(argv, &words);
		from = &words;
	}
	for (size_t i = 1; r == 0 && i < from->n; i++)
		if (from->names[i][0] == '-' && from->names[i][1])
			r = take_option(from, &i, ret);
	return r;
}

bool jail_sshd_answer(const char *answer, const char *keyword, char value[static 64])
{
	size_t len = strlen(keyword);

	for (const char *line = answer; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n;

		if (strncmp(line, keyword, len) != 0 || line[len] != ' ')
			continue;
		line += len + 1;
		n = strcspn(line, " \n");
		if (n >= 64)
			return false;
		memcpy(value, line, n);
		value[n] = '\0';
		return true;
	}
	return false;
}
