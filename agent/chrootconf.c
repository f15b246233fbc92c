#include "agent/chrootconf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/chrootconf_check.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

enum { LINE_MAX_BYTES = 1022, COMPARISONS_MAX = 2000000 };

static const char begin_line[] =
	JAIL_CHROOT_BEGIN ": kept by jail-agent, which overwrites what stands in here\n";
static const char end_line[] = JAIL_CHROOT_END "\n";

struct line {
	const char *text;
	size_t len; /* without the newline */
};

/* The line at *next, which is moved behind it. */
static bool take_line(const char **next, const char *end, struct line *ret)
{
	const char *newline;

	if (*next == end)
		return false;
	newline = memchr(*next, '\n', (size_t)(end - *next));
	ret->text = *next;
	ret->len = (size_t)((newline ? newline : end) - *next);
	*next = newline ? newline + 1 : end;
	return true;
}

/* Whether line begins with mark, and a word ends there. */
static bool is_mark(const struct line *line, const char *mark)
{
	size_t n = strlen(mark);

	return line->len >= n && memcmp(line->text, mark, n) == 0 &&
	       (line->len == n || strchr(" \t\r:", line->text[n]));
}

/* Splits text: what is the administrator's goes to rest, lines inside blocks to inside. */
static int split(const char *path, const char *text, size_t len, struct jail_buffer *rest,
		 struct jail_buffer *inside, size_t *ret_blocks, struct jail_error *err)
{
	const char *next = text, *end = text + len;
	size_t number = 0, begun = 0, blocks = 0;
	struct line line;
	int r = 0;

	while (r == 0 && take_line(&next, end, &line)) {
		bool is_begin = is_mark(&line, JAIL_CHROOT_BEGIN), is_end = is_mark(&line, JAIL_CHROOT_END);

		number++;
		if (memchr(line.text, '\0', line.len))
			return jail_error_set(err, EBADMSG,
					      "%s:%zu: a NUL byte: this is no text; kept as it is", path,
					      number);
		if (is_begin && begun)
			return jail_error_set(
				err, EBADMSG,
				"%s:%zu: the managed block that begins in line %zu has no end: restore its "
				"line \"" JAIL_CHROOT_END "\"; kept as it is",
				path, number, begun);
		if (is_end && !begun)
			return jail_error_set(
				err, EBADMSG,
				"%s:%zu: the end of a managed block that does not begin: remove this line, "
				"or restore \"" JAIL_CHROOT_BEGIN "\"; kept as it is",
				path, number);
		if (is_begin) {
			begun = number;
			blocks++;
		} else if (is_end)
			begun = 0;
		else
			r = jail_buffer_append(begun ? inside : rest, line.text, (size_t)(next - line.text));
	}
	if (r < 0)
		return jail_error_sys(err, ENOMEM, "cannot read %s", path);
	if (begun)
		return jail_error_set(
			err, EBADMSG,
			"%s:%zu: the managed block has no end: restore its line \"" JAIL_CHROOT_END
			"\"; kept as it is",
			path, begun);
	*ret_blocks = blocks;
	return 0;
}

/* What the format can't say must not be said wrongly: such a user is left out, and noted. */
static bool can_say(const struct jail_chroot_user *user)
{
	return !strpbrk(user->user, " \t\r\n#") && *user->user != '@' && !strpbrk(user->root, " \t\r\n#%") &&
	       strlen(user->user) + strlen(user->root) + 1 <= LINE_MAX_BYTES;
}

static int put_block(const char *path, const struct jail_chroot_user *users, size_t n_users,
		     struct jail_chroot_conf *conf)
{
	int r = jail_buffer_puts(&conf->text, begin_line);

	for (size_t i = 0; r == 0 && i < n_users; i++) {
		if (can_say(&users[i]))
			r = jail_buffer_printf(&conf->text, "%s %s\n", users[i].user, users[i].root);
		else
			r = jail_chroot_note(
				conf, "%s: no line can say \"%s %s\": pam_chroot.so will not know this user",
				path, users[i].user, users[i].root);
	}
	return r < 0 ? r : jail_buffer_puts(&conf->text, end_line);
}

static int differ(struct jail_chroot_conf *conf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int differ(struct jail_chroot_conf *conf, const char *format, ...)
{
	char **slot = JAIL_ARRAY_PUSH(conf->differences, conf->n_differences);
	va_list args;
	int r;

	if (!slot)
		return -ENOMEM;
	va_start(args, format);
	r = vasprintf(slot, format, args);
	va_end(args);
	if (r < 0) {
		*slot = NULL;
		return -ENOMEM;
	}
	conf->n_differences++;
	return 0;
}

/* Marks the user whose line this is in seen; a line that is nobody's is too much. */
static int compare_line(const char *path, const struct line *line, const struct jail_chroot_user *users,
			size_t n_users, bool *seen, struct jail_chroot_conf *conf)
{
	jail_autofree char *copy = strndup(line->text, line->len);
	const struct jail_chroot_user *user = NULL;
	char *space = copy ? strchr(copy, ' ') : NULL;

	if (!copy)
		return -ENOMEM;
	if (space) {
		*space = '\0';
		user = jail_chroot_find(users, n_users, copy);
		*space = ' ';
	}
	if (user && can_say(user) && strcmp(space + 1, user->root) == 0 && !seen[user - users]) {
		seen[user - users] = true;
		return 0;
	}
	return differ(conf, "%s: line \"%s\" does not belong in the managed block", path, copy);
}

/* Says how the block's present lines differ from those that it should have. */
static int compare(const char *path, const struct jail_buffer *inside, size_t blocks,
		   const struct jail_chroot_user *users, size_t n_users, struct jail_chroot_conf *conf)
{
	jail_autofree bool *seen = calloc(n_users + 1, sizeof *seen);
	const char *next = inside->data;
	struct line line;
	int r = seen ? 0 : -ENOMEM;

	while (r == 0 && take_line(&next, inside->data + inside->len, &line))
		r = compare_line(path, &line, users, n_users, seen, conf);
	for (size_t i = 0; r == 0 && i < n_users; i++)
		if (!seen[i] && can_say(&users[i]))
			r = differ(conf, "%s: line \"%s %s\" is missing", path, users[i].user, users[i].root);
	if (r == 0 && conf->n_differences == 0)
		r = differ(conf, "%s: the managed block is %s", path,
			   blocks ? "not as it should be, or not at the top" : "missing");
	return r;
}

static int check_rest(const char *path, const struct jail_buffer *rest, size_t number,
		      const struct jail_chroot_user *users, size_t n_users, struct jail_chroot_conf *conf)
{
	const char *next = rest->data;
	size_t budget = COMPARISONS_MAX;
	struct line line;
	int r = 0;

	while (r == 0 && take_line(&next, rest->data + rest->len, &line))
		r = jail_chroot_check_line(path, line.text, line.len, ++number, users, n_users, &budget,
					   conf);
	if (r == 0 && budget == 0)
		r = jail_chroot_note(conf, "%s: too many lines to try all of them as expressions", path);
	return r;
}

static size_t count_lines(const struct jail_buffer *text)
{
	size_t n = 0;

	for (const char *p = text->data; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

int jail_chroot_conf_make(const char *path, const char *text, size_t len,
			  const struct jail_chroot_user *users, size_t n_users, struct jail_chroot_conf *ret,
			  struct jail_error *err)
{
	jail_autochrootconf struct jail_chroot_conf conf = JAIL_CHROOT_CONF_INIT;
	jail_autobuffer struct jail_buffer rest = JAIL_BUFFER_INIT, inside = JAIL_BUFFER_INIT;
	size_t blocks = 0, number;
	int r = split(path, text, len, &rest, &inside, &blocks, err);

	if (r < 0)
		return r;
	conf.block = n_users > 0 || blocks > 0;
	if (conf.block)
		r = put_block(path, users, n_users, &conf);
	number = count_lines(&conf.text);
	if (r == 0)
		r = jail_buffer_append(&conf.text, rest.data, rest.len);
	if (r == 0)
		r = check_rest(path, &rest, number, users, n_users, &conf);
	if (r == 0 && (conf.text.len != len || memcmp(conf.text.data, text, len) != 0))
		r = compare(path, &inside, blocks, users, n_users, &conf);
	if (r < 0)
		return jail_error_sys(err, ENOMEM, "cannot make %s", path);
	*ret = conf;
	conf = JAIL_CHROOT_CONF_INIT;
	return 0;
}

int jail_chroot_conf_strip(const char *path, const char *text, size_t len, struct jail_buffer *ret,
			   struct jail_error *err)
{
	jail_autobuffer struct jail_buffer inside = JAIL_BUFFER_INIT;
	size_t blocks;

	return split(path, text, len, ret, &inside, &blocks, err);
}

static void release_list(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void jail_chroot_conf_release(struct jail_chroot_conf *conf)
{
	jail_buffer_release(&conf->text);
	release_list(conf->notes, conf->n_notes);
	release_list(conf->differences, conf->n_differences);
	*conf = JAIL_CHROOT_CONF_INIT;
}
