/* One line of mountinfo into one record. The strings stay where they are: fields are cut and unescaped in
 * place, so that a thousand mounts cost one allocation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/policy/model.h"
#include "lib/view/mountinfo.h"
#include "lib/view/mountinfo_index.h"
#include "lib/view/octal.h"

/* Cuts the next field off *p. NULL at the end of the line. */
static char *next_field(char **p)
{
	char *field = strsep(p, " ");
	return field && *field ? field : NULL;
}

static bool parse_number(const char *text, char end, unsigned *ret, const char **ret_end)
{
	char *stop;
	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &stop, 10);
	if (errno != 0 || value > 0x7fffffff || *stop != end)
		return false;
	*ret = (unsigned)value;
	if (ret_end)
		*ret_end = stop + 1;
	return true;
}

static unsigned parse_options(char *text)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
		{"ro", JAIL_OPT_RO},
		{"nosuid", JAIL_OPT_NOSUID},
		{"nodev", JAIL_OPT_NODEV},
		{"noexec", JAIL_OPT_NOEXEC},
	};
	unsigned options = 0;
	for (char *name; (name = strsep(&text, ",")) != NULL;)
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (strcmp(name, names[i].name) == 0)
				options |= names[i].bit;
	return options;
}

/* Optional fields up to the lone "-". Unknown ones are for later kernels. */
static bool parse_optional(char **p, struct jail_mount_line *line)
{
	for (char *field; (field = next_field(p)) != NULL;) {
		if (strcmp(field, "-") == 0)
			return true;
		if (strncmp(field, "shared:", 7) == 0 && !parse_number(field + 7, '\0', &line->shared, NULL))
			return false;
		if (strncmp(field, "master:", 7) == 0 && !parse_number(field + 7, '\0', &line->master, NULL))
			return false;
		if (strcmp(field, "unbindable") == 0)
			line->unbindable = true;
	}
	return false;
}

static bool parse_line(char *text, struct jail_mount_line *line)
{
	char *p = text;
	unsigned id;
	unsigned parent;
	const char *minor;

	if (!parse_number(next_field(&p), '\0', &id, NULL) ||
	    !parse_number(next_field(&p), '\0', &parent, NULL) ||
	    !parse_number(next_field(&p), ':', &line->major, &minor) ||
	    !parse_number(minor, '\0', &line->minor, NULL))
		return false;
	line->id = (int)id;
	line->parent = (int)parent;
	line->root = next_field(&p);
	line->mount_point = next_field(&p);
	char *options = next_field(&p);
	if (!line->root || !line->mount_point || line->mount_point[0] != '/' || !options)
		return false;
	line->options = parse_options(options);
	if (!parse_optional(&p, line))
		return false;
	line->fstype = next_field(&p);
	/* An empty source is an empty field (some kernels and file systems do that). */
	line->source = strsep(&p, " ");
	line->super_options = strsep(&p, " ");
	if (!line->fstype || !line->source || !line->super_options)
		return false;
	jail_octal_unescape(line->root);
	jail_octal_unescape(line->mount_point);
	jail_octal_unescape(line->fstype);
	jail_octal_unescape(line->source);
	return true;
}

int jail_mount_table_parse(const char *text, size_t len, struct jail_mount_table *ret, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};

	table.text = malloc(len + 1);
	if (!table.text)
		return jail_error_sys(err, ENOMEM, "cannot read the mount table");
	memcpy(table.text, text, len);
	table.text[len] = '\0';
	if (memchr(text, '\0', len))
		return jail_error_set(err, EBADMSG, "the mount table has a NUL byte");

	char *rest = table.text;
	for (size_t number = 1; rest && *rest; number++) {
		char *line_text = strsep(&rest, "\n");
		struct jail_mount_line *line = JAIL_ARRAY_PUSH(table.lines, table.n_lines);
		if (!line)
			return jail_error_sys(err, ENOMEM, "cannot read the mount table");
		table.n_lines++;
		if (!parse_line(line_text, line))
			return jail_error_set(err, EBADMSG, "mountinfo line %zu is not one", number);
	}
	int r = jail_mount_table_index(&table);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot read the mount table");
	*ret = table;
	table = (struct jail_mount_table){0};
	return 0;
}
