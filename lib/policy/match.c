#include "lib/policy/match.h"

#include <errno.h>
#include <fnmatch.h>
#include <locale.h>
#include <string.h>

enum { EXPRESSION_MAX = 256 };

/* The thread's locale while it is "C". glibc keeps that one ready: nothing is allocated. */
struct c_locale {
	locale_t c, before;
};

static struct c_locale enter_c_locale(void)
{
	struct c_locale state = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
	state.before = state.c ? uselocale(state.c) : (locale_t)0;
	return state;
}

static void leave_c_locale(struct c_locale state)
{
	if (!state.c)
		return;
	(void)uselocale(state.before);
	freelocale(state.c);
}

bool jail_glob_is_pattern(const char *name)
{
	return name[strcspn(name, "*?[")] != '\0';
}

bool jail_glob_matches(const char *glob, const char *name)
{
	struct c_locale locale = enter_c_locale();
	bool matches = fnmatch(glob, name, FNM_NOESCAPE) == 0;
	leave_c_locale(locale);
	return matches;
}

/* Past a bracket expression, in which a backslash is an ordinary character. p is at the '['. */
static const char *skip_brackets(const char *p)
{
	p++;
	if (*p == '^')
		p++;
	if (*p == ']')
		p++;
	while (*p && *p != ']') {
		/* [:alpha:], [.hyphen.], [=e=]: their end is two characters. */
		if (p[0] == '[' && p[1] && strchr(":.=", p[1])) {
			char end[] = {p[1], ']', '\0'};
			const char *closed = strstr(p + 2, end);
			if (closed)
				p = closed + 1;
		}
		p++;
	}
	return *p ? p + 1 : p;
}

static bool has_back_reference(const char *p)
{
	while (*p) {
		if (*p == '[') {
			p = skip_brackets(p);
		} else if (*p == '\\' && p[1]) {
			if (p[1] >= '1' && p[1] <= '9')
				return true;
			p += 2;
		} else {
			p++;
		}
	}
	return false;
}

int jail_match_compile(const char *expression, struct jail_match *ret, struct jail_error *err)
{
	if (strlen(expression) > EXPRESSION_MAX)
		return jail_error_set(err, EINVAL, "the expression is longer than %d bytes", EXPRESSION_MAX);
	if (has_back_reference(expression))
		return jail_error_set(err, EINVAL, "the expression \"%s\" has a back-reference", expression);
	struct jail_match match;
	struct c_locale locale = enter_c_locale();
	int code = regcomp(&match.regex, expression, REG_EXTENDED);
	leave_c_locale(locale);
	if (code != 0) {
		char words[128];
		(void)regerror(code, &match.regex, words, sizeof words);
		return jail_error_set(err, code == REG_ESPACE ? ENOMEM : EINVAL,
				      "the expression \"%s\" is not valid: %s", expression, words);
	}
	match.compiled = true;
	*ret = match;
	return 0;
}

/* regexec(3) finds the longest of the matches that begin first: the whole name, if that matches at all. */
int jail_match_whole(const struct jail_match *match, const char *name)
{
	regmatch_t found = {.rm_so = -1, .rm_eo = -1};
	struct c_locale locale = enter_c_locale();
	int code = regexec(&match->regex, name, 1, &found, 0);
	leave_c_locale(locale);
	/* It builds its automaton as it goes and can run out of memory: that is no "no". */
	if (code != 0 && code != REG_NOMATCH)
		return -ENOMEM;
	return code == 0 && found.rm_so == 0 && (size_t)found.rm_eo == strlen(name);
}

void jail_match_release(struct jail_match *match)
{
	if (match->compiled)
		regfree(&match->regex);
	match->compiled = false;
}
