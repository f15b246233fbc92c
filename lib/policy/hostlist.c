#include "lib/policy/hostlist.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { EXPRESSION_MAX = 1024, DIGITS_MAX = 9, HOST_MAX = 255 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
	       c == '.';
}

struct range {
	unsigned long low, high;
	size_t width; /* digits of low */
};

/* Reads up to DIGITS_MAX digits. Returns how many there are, which may be more. */
static size_t read_number(const char *p, unsigned long *ret)
{
	size_t n = 0;
	unsigned long value = 0;
	for (; is_digit(p[n]); n++) {
		if (n < DIGITS_MAX)
			value = value * 10 + (unsigned long)(p[n] - '0');
	}
	*ret = value;
	return n;
}

/* Reads "7" or "001-128" at *p and moves *p behind it. NULL, or what is wrong. */
static const char *read_range(const char **p, struct range *ret)
{
	ret->width = read_number(*p, &ret->low);
	if (ret->width == 0)
		return "a number is missing in brackets";
	if (ret->width > DIGITS_MAX)
		return "a number has more than 9 digits";
	*p += ret->width;
	ret->high = ret->low;
	if (**p != '-')
		return NULL;
	(*p)++;
	size_t n = read_number(*p, &ret->high);
	if (n == 0)
		return "a range has no end";
	if (n > DIGITS_MAX)
		return "a number has more than 9 digits";
	if (ret->high < ret->low)
		return "a range runs downwards";
	*p += n;
	return NULL;
}

/* Checks "[...]" at *p and moves *p behind it. */
static const char *check_brackets(const char **p)
{
	do {
		struct range range;
		(*p)++; /* the bracket or comma */
		const char *wrong = read_range(p, &range);
		if (wrong)
			return wrong;
	} while (**p == ',');
	if (**p == '\0')
		return "a bracket is not closed";
	if (**p != ']')
		return "brackets hold numbers and ranges only";
	(*p)++;
	return NULL;
}

int jail_hostlist_check(const char *expression, struct jail_error *err)
{
	if (strlen(expression) > EXPRESSION_MAX)
		return jail_error_set(err, EINVAL, "the host list is longer than %d bytes", EXPRESSION_MAX);
	const char *wrong = NULL;
	const char *p = expression;
	size_t len = 0; /* of the expression since the last comma */
	while (!wrong) {
		if (*p == '[') {
			wrong = check_brackets(&p);
			len++;
		} else if (*p == '\0' || *p == ',') {
			if (len == 0)
				wrong = "a host name is missing";
			else if (*p == '\0')
				return 0;
			else
				p++;
			len = 0;
		} else if (*p == ']')
			wrong = "a bracket is not opened";
		else if (!is_host_char(*p))
			wrong = "no host name has this character";
		else {
			p++;
			len++;
		}
	}
	return jail_error_set(err, EINVAL, "host list \"%.200s\", character %zu: %s", expression,
			      (size_t)(p - expression) + 1, wrong);
}

/* Whether the n digits at p are a number of the brackets that begin at list, written as SLURM would. */
static bool in_brackets(const char *list, const char *p, size_t n)
{
	unsigned long value = 0;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (unsigned long)(p[i] - '0');
	do {
		struct range range;
		list++;
		if (read_range(&list, &range))
			return false;
		bool written = n == range.width || (n > range.width && p[0] != '0');
		if (written && value >= range.low && value <= range.high)
			return true;
	} while (*list == ',');
	return false;
}

/* The brackets at list against every place of host that has been reached. */
static void step_brackets(const char *list, const char *host, size_t len, const bool *reached, bool *next)
{
	for (size_t i = 0; i < len; i++) {
		for (size_t n = 1; reached[i] && n <= DIGITS_MAX && is_digit(host[i + n - 1]); n++) {
			if (in_brackets(list, host + i, n))
				next[i + n] = true;
		}
	}
}

/* Walks all places of host that the expression can have reached at once: brackets next to digits are
 * ambiguous, and trying one after the other would be exponential. Moves *p to the end of the expression. */
static bool matches_one(const char **p, const char *host, size_t len)
{
	bool reached[HOST_MAX + 1] = {true};

	while (**p != '\0' && **p != ',') {
		bool next[HOST_MAX + 1] = {false};
		if (**p == '[') {
			step_brackets(*p, host, len, reached, next);
			const char *end = strchr(*p, ']');
			if (!end)
				return false;
			*p = end;
		} else {
			for (size_t i = 0; i < len; i++)
				next[i + 1] = reached[i] && host[i] == **p;
		}
		(*p)++;
		memcpy(reached, next, sizeof reached);
	}
	return reached[len];
}

bool jail_hostlist_matches(const char *expression, const char *host)
{
	size_t len = strlen(host);
	if (len == 0 || len > HOST_MAX)
		return false;
	for (const char *p = expression;; p++) {
		if (matches_one(&p, host, len))
			return true;
		if (*p != ',')
			return false;
	}
}
