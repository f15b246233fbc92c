#include "agent/pam_line.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What a line says: without its comment, and without the blanks at both ends. */
static const char *trim(const char *line, size_t len, size_t *ret_len, bool *ret_comment)
{
	const char *hash = memchr(line, '#', len);

	*ret_comment = hash != NULL;
	if (hash)
		len = (size_t)(hash - line);
	while (len > 0 && is_blank(*line)) {
		line++;
		len--;
	}
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	*ret_len = len;
	return line;
}

static int append_squeezed(struct jail_buffer *b, const char *text, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++) {
		if (!is_blank(text[i]))
			r = jail_buffer_append(b, &text[i], 1);
		else if (b->len > 0 && b->data[b->len - 1] != ' ')
			r = jail_buffer_append(b, " ", 1);
	}
	return r;
}

/* One logical line: a backslash at the end continues it, and lines that say nothing in between do not end it.
 * Returns 1, 0 at the end, -ENOMEM. */
static int assemble(struct jail_pam_cursor *cursor, struct jail_pam_line *line)
{
	bool more = true;
	int r = 0;

	line->number = 0;
	while (r == 0 && more && *cursor->rest) {
		const char *start = cursor->rest;
		size_t len = strcspn(start, "\n");
		bool comment;

		cursor->rest += len + (start[len] == '\n');
		cursor->number++;
		start = trim(start, len, &len, &comment);
		if (len == 0)
			continue;
		if (line->number == 0)
			line->number = cursor->number;
		more = !comment && start[len - 1] == '\\';
		r = append_squeezed(&line->text, start, more ? len - 1 : len);
		if (r == 0 && more && line->text.len > 0 && line->text.data[line->text.len - 1] != ' ')
			r = jail_buffer_append(&line->text, " ", 1);
	}
	return r < 0 ? r : line->number > 0;
}

char *jail_pam_word(char **rest)
{
	char *word = *rest, *end;

	while (is_blank(*word))
		word++;
	if (*word == '[') {
		char *to = ++word;

		for (end = word; *end && *end != ']'; end++, to++) {
			if (end[0] == '\\' && end[1] == ']')
				end++;
			*to = *end;
		}
		if (*end)
			end++;
		*to = '\0';
	} else {
		if (!*word)
			return NULL;
		for (end = word; *end && !is_blank(*end); end++)
			;
		if (*end)
			*end++ = '\0';
	}
	*rest = end;
	return word;
}

static enum jail_pam_type type_of(const char *word)
{
	static const char *const names[] = {
		[JAIL_PAM_AUTH] = "auth",	  [JAIL_PAM_ACCOUNT] = "account",
		[JAIL_PAM_PASSWORD] = "password", [JAIL_PAM_SESSION] = "session",
		[JAIL_PAM_INCLUDE] = "@include",
	};

	if (!word)
		return JAIL_PAM_BROKEN;
	if (*word == '-')
		word++;
	for (size_t i = JAIL_PAM_AUTH; i < sizeof names / sizeof names[0]; i++)
		if (strcasecmp(word, names[i]) == 0)
			return (enum jail_pam_type)i;
	return JAIL_PAM_BROKEN;
}

int jail_pam_next(struct jail_pam_cursor *cursor, bool with_service, struct jail_pam_line *line)
{
	char *rest;
	int r;

	jail_pam_line_release(line);
	r = assemble(cursor, line);
	if (r <= 0)
		return r;
	if (jail_buffer_append(&line->words, line->text.data, line->text.len) < 0)
		return -ENOMEM;
	rest = line->words.data;
	line->service = with_service ? jail_pam_word(&rest) : NULL;
	line->type = type_of(jail_pam_word(&rest));
	line->control = line->type == JAIL_PAM_INCLUDE ? NULL : jail_pam_word(&rest);
	line->module = jail_pam_word(&rest);
	while (is_blank(*rest))
		rest++;
	line->arguments = *rest ? rest : NULL;
	return 1;
}

void jail_pam_line_release(struct jail_pam_line *line)
{
	jail_buffer_release(&line->text);
	jail_buffer_release(&line->words);
	*line = JAIL_PAM_LINE_INIT;
}
