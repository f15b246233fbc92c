#include <stdlib.h>
#include <string.h>
#include "lib/wire/policy_json_parts.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; shape++, text++)
		if (*shape == '0' ? !is_digit(*text) : *text != *shape)
			return false;
	return *text == '\0';
}

static int number_at(const char *text, size_t digits)
{
	int value = 0;

	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

bool jail_time_parse(const char *text, time_t *ret)
{
	struct tm tm = {0}, real;
	time_t seconds;

	if (!has_shape(text, "0000-00-00T00:00:00Z"))
		return false;
	tm.tm_year = number_at(text, 4) - 1900;
	tm.tm_mon = number_at(text + 5, 2) - 1;
	tm.tm_mday = number_at(text + 8, 2);
	tm.tm_hour = number_at(text + 11, 2);
	tm.tm_min = number_at(text + 14, 2);
	tm.tm_sec = number_at(text + 17, 2);
	real = tm;
	/* timegm(3) makes 2 March of 30 February: a date that comes back changed is none. */
	seconds = timegm(&real);
	if (real.tm_year != tm.tm_year || real.tm_mon != tm.tm_mon || real.tm_mday != tm.tm_mday ||
	    real.tm_hour != tm.tm_hour || real.tm_min != tm.tm_min || real.tm_sec != tm.tm_sec)
		return false;
	*ret = seconds;
	return true;
}

bool jail_size_parse(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	uint64_t value = 0;
	const char *unit;

	if (*text < '1' || *text > '9')
		return false;
	for (; is_digit(*text); text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (value > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (*text) {
		unsigned shift;

		unit = strchr(units, *text);
		if (!unit || text[1])
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
		if (value > (uint64_t)INT64_MAX >> shift)
			return false;
		value <<= shift;
	}
	*ret = value;
	return true;
}
