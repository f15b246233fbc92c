/* What a rule's "match" may hold: POSIX ERE (IEEE Std 1003.1, Base Definitions, 9.4), less what is undefined
 * there and what would take the memory of a login. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "lib/policy/match.h"
#include "lib/wire/policy_json_parts.h"

/* Repetitions are expanded when the expression is compiled, and glibc's regcomp(3) then takes time with the
 * square of what is there, memory likewise, and stack: (a?a?...a?){1024} in 250 bytes ends the process. So it
 * is the expanded expression that is limited. */
enum { PIECES_MAX = 512, DEPTH_MAX = 256 };

/* How much an expression expands to, in characters, operators and groups. */
struct extent {
	unsigned long total;		/* of the group that is open */
	unsigned long last;		/* of what a repetition here would repeat */
	unsigned long outer[DEPTH_MAX]; /* totals of the groups around it */
	size_t open;
};

/* Past the bracket expression that starts at text, or NULL when it has no end. */
static const char *bracket_skip(const char *text)
{
	text++;
	if (*text == '^')
		text++;
	if (*text == ']') /* first in the list it is itself */
		text++;
	while (*text && *text != ']') {
		if (*text == '[' && text[1] && strchr(":.=", text[1])) {
			char end[3] = {text[1], ']', '\0'};
			const char *stop = strstr(text + 2, end);

			if (!stop)
				return NULL;
			text = stop + 2;
		} else {
			text++;
		}
	}
	return *text ? text + 1 : NULL;
}

static const char *escape_complaint(char escaped)
{
	if (escaped >= '1' && escaped <= '9')
		return "back-references (\\1 ... \\9) are not allowed: write it without them";
	if (!escaped || !strchr(".[]\\()*+?{}|^$-", escaped))
		return "a backslash stands only before one of . [ ] \\ ( ) * + ? { } | ^ $ -";
	return NULL;
}

/* {m}, {m,} or {m,n} at text: moves *end behind it and gives the larger number, at most one over the limit.
 * 0 when it is none (regcomp(3) then says what is wrong). */
static unsigned long repetition(const char *text, const char **end)
{
	char *p;
	unsigned long low = strtoul(text + 1, &p, 10), high = low;

	if (*p == ',')
		high = strtoul(p + 1, &p, 10);
	if (*p != '}')
		return 0;
	*end = p + 1;
	if (high < low)
		high = low;
	return high > PIECES_MAX ? PIECES_MAX + 1 : high + (high == 0);
}

/* A character, an operator or a bracket expression, which operators add to what they are behind. */
static void add_piece(struct extent *extent, bool operator)
{
	extent->total++;
	extent->last = operator? extent->last + 1 : 1;
}

static const char *scan_group(struct extent *extent, char parenthesis)
{
	if (parenthesis == '(') {
		if (extent->open == DEPTH_MAX)
			return "the groups are nested too deep";
		extent->outer[extent->open++] = extent->total;
		extent->total = extent->last = 0;
		return NULL;
	}
	/* Undefined in POSIX; glibc takes it for itself, others for the end of a group. */
	if (extent->open == 0)
		return "a ) has no ( before it; write \\) for the character itself";
	extent->last = extent->total + 1;
	extent->total = extent->outer[--extent->open] + extent->last;
	return NULL;
}

/* One piece at *text; moves *text behind it. Returns what is wrong with it, or NULL. */
static const char *scan_piece(struct extent *extent, const char **text)
{
	const char *p = *text, *complaint = NULL;
	unsigned long times;

	*text = p + 1;
	switch (*p) {
	case '[':
		*text = bracket_skip(p);
		if (!*text)
			return "a [ has no ] that closes it";
		add_piece(extent, false);
		break;
	case '\\':
		complaint = escape_complaint(p[1]);
		*text = p + 2;
		add_piece(extent, false);
		break;
	case '(':
	case ')':
		complaint = scan_group(extent, *p);
		break;
	case '{':
		times = repetition(p, text);
		if (times > 1) {
			extent->total += extent->last * (times - 1);
			extent->last *= times;
		}
		break;
	default:
		add_piece(extent, strchr("*+?", *p) != NULL);
		break;
	}
	if (!complaint && extent->total > PIECES_MAX)
		return "the repetitions {m,n} are too many: written out they are more than 512 pieces";
	return complaint;
}

static const char *scan(const char *text)
{
	struct extent extent = {0};

	while (*text) {
		const char *complaint = scan_piece(&extent, &text);

		if (complaint)
			return complaint;
	}
	return extent.open ? "a ( has no ) that closes it" : NULL;
}

int jail_expression_check(const char *text, struct jail_error *err)
{
	jail_automatch struct jail_match match = {.compiled = false};
	const char *complaint;

	if (!*text)
		return jail_error_set(err, EINVAL,
				      "the expression is empty: write one, or leave out the rule");
	complaint = scan(text);
	if (complaint)
		return jail_error_set(err, EINVAL, "in the expression \"%.300s\" %s", text, complaint);
	return jail_match_compile(text, &match, err);
}
