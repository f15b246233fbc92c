#include <stdlib.h>
#include <string.h>
#include "lib/policy/template.h"
#include "lib/wire/policy_json_parts.h"

enum { MODE_DEFAULT = 01777 };

static const struct verb {
	const char *name;
	enum jail_verb verb;
	const char *fields; /* in words, for messages */
	const char *const *own;
} verbs[] = {
	{"bind", JAIL_VERB_BIND, "from, options and optional",
	 (const char *const[]){"from", "options", "optional", NULL}},
	{"hide", JAIL_VERB_HIDE, "optional", (const char *const[]){"optional", NULL}},
	{"tmpfs", JAIL_VERB_TMPFS, "size and mode", (const char *const[]){"size", "mode", NULL}},
	{"proc", JAIL_VERB_PROC, "hidepid", (const char *const[]){"hidepid", NULL}},
	{"private", JAIL_VERB_PRIVATE, "backing, mode and optional",
	 (const char *const[]){"backing", "mode", "optional", NULL}},
};
enum { N_VERBS = sizeof verbs / sizeof verbs[0] };

static const char *const fields[] = {"bind",	 "hide", "tmpfs", "proc",    "private", "from", "options",
				     "optional", "size", "mode",  "hidepid", "backing", NULL};

/* The one verb of the mount; NULL when there is none, or more. */
static const struct verb *find_verb(struct jail_reader *reader, const struct jail_place *place,
				    const cJSON *object)
{
	const struct verb *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < N_VERBS; i++) {
		if (!cJSON_GetObjectItemCaseSensitive(object, verbs[i].name))
			continue;
		found = &verbs[i];
		n++;
	}
	if (n == 1)
		return found;
	jail_reader_error(reader, place, "verb",
			  n ? "a mount does one thing: make a mount of its own of each verb"
			    : "the mount says not what it does: name one of bind, hide, tmpfs, proc, "
			      "private");
	return NULL;
}

static void check_fields(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
			 const struct verb *verb)
{
	for (size_t i = N_VERBS; fields[i]; i++) {
		bool own = false;

		for (size_t j = 0; verb->own[j]; j++)
			own = own || strcmp(verb->own[j], fields[i]) == 0;
		if (!own && cJSON_GetObjectItemCaseSensitive(object, fields[i]))
			jail_reader_error(reader, JAIL_MEMBER(place, fields[i]), "verb-field",
					  "%s takes %s, not \"%s\": leave it out", verb->name, verb->fields,
					  fields[i]);
	}
}

static char *read_path(struct jail_reader *reader, const struct jail_place *parent, const cJSON *object,
		       const char *name)
{
	const struct jail_place *place = JAIL_MEMBER(parent, name);
	const char *text = jail_read_text(reader, place, cJSON_GetObjectItemCaseSensitive(object, name));
	struct jail_error err;

	if (!text)
		return NULL;
	if (strcmp(text, "/") == 0) {
		jail_reader_error(reader, place, "path-root",
				  "/ itself can be neither source nor target: name the directories in it");
		return NULL;
	}
	if (jail_template_check(text, &err) < 0) {
		jail_reader_error(reader, place, "path", "%s", err.message);
		return NULL;
	}
	return jail_read_copy(reader, text);
}

static void check_option(struct jail_reader *reader, const struct jail_place *place, const char *text)
{
	static const char *const known[] = {"ro", "nosuid", "nodev", "noexec"};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(text, known[i]) == 0)
			return;
	jail_reader_error(reader, place, "option",
			  "\"%s\" is no option of a bind: the options are ro, nosuid, nodev, noexec", text);
}

static void read_bind(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
		      struct jail_mount *mount)
{
	char **options = NULL;
	size_t n = 0;

	mount->from = read_path(reader, place, object, "from");
	jail_read_strings(reader, JAIL_MEMBER(place, "options"),
			  jail_read_member(reader, place, object, "options", false), check_option, &options,
			  &n);
	for (size_t i = 0; i < n; i++) {
		mount->options |= strcmp(options[i], "ro") == 0	      ? JAIL_OPT_RO
				  : strcmp(options[i], "nosuid") == 0 ? JAIL_OPT_NOSUID
				  : strcmp(options[i], "nodev") == 0  ? JAIL_OPT_NODEV
								      : JAIL_OPT_NOEXEC;
		free(options[i]);
	}
	free(options);
}

static void read_mode(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
		      struct jail_mount *mount)
{
	const char *mode = jail_read_text(reader, JAIL_MEMBER(place, "mode"),
					  jail_read_member(reader, place, object, "mode", false));
	size_t digits = mode ? strspn(mode, "01234567") : 0;

	mount->mode = MODE_DEFAULT;
	if (!mode)
		return;
	if (mode[digits] || (digits != 3 && (digits != 4 || mode[0] > '1')))
		jail_reader_error(reader, JAIL_MEMBER(place, "mode"), "mode",
				  "\"%s\" is no mode: write three octal digits, or four with a 0 or 1 first, "
				  "like \"0755\" or \"1777\"",
				  mode);
	else
		mount->mode = (mode_t)strtoul(mode, NULL, 8);
}

static void read_tmpfs(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
		       struct jail_mount *mount)
{
	const char *size = jail_read_text(reader, JAIL_MEMBER(place, "size"),
					  jail_read_member(reader, place, object, "size", false));

	if (size && !jail_size_parse(size, &mount->size))
		jail_reader_error(reader, JAIL_MEMBER(place, "size"), "size",
				  "\"%s\" is no size: write bytes or a number with K, M, G or T, like \"2G\"",
				  size);
	read_mode(reader, place, object, mount);
}

static void read_private(struct jail_reader *reader, const struct jail_place *parent, const cJSON *object,
			 struct jail_mount *mount)
{
	const struct jail_place *place = JAIL_MEMBER(parent, "backing");
	const char *text =
		jail_read_text(reader, place, jail_read_member(reader, parent, object, "backing", false));

	mount->in_memory = text && strcmp(text, "memory") == 0;
	if (text && !mount->in_memory && strcmp(text, "disk") != 0)
		jail_reader_error(reader, place, "backing",
				  "\"%s\" is no backing of a private directory: write disk or memory", text);
	read_mode(reader, parent, object, mount);
}

static void read_proc(struct jail_reader *reader, const struct jail_place *parent, const cJSON *object,
		      struct jail_mount *mount)
{
	static const enum jail_hidepid known[] = {JAIL_HIDEPID_OFF, JAIL_HIDEPID_NOACCESS,
						  JAIL_HIDEPID_INVISIBLE, JAIL_HIDEPID_PTRACEABLE};
	const struct jail_place *place = JAIL_MEMBER(parent, "hidepid");
	const char *text =
		jail_read_text(reader, place, jail_read_member(reader, parent, object, "hidepid", false));

	mount->hidepid = JAIL_HIDEPID_INVISIBLE;
	if (!text)
		return;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(text, jail_hidepid_name(known[i])) == 0) {
			mount->hidepid = known[i];
			return;
		}
	}
	jail_reader_error(reader, place, "hidepid",
			  "\"%s\" is no hidepid: write off, noaccess, invisible or ptraceable (proc(5))",
			  text);
}

void jail_read_mount(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		     struct jail_mount *mount)
{
	const struct verb *verb;

	if (!jail_read_object(reader, place, item, fields))
		return;
	verb = find_verb(reader, place, item);
	if (!verb)
		return;
	check_fields(reader, place, item, verb);
	mount->verb = verb->verb;
	mount->target = read_path(reader, place, item, verb->name);
	mount->optional = jail_read_bool(reader, JAIL_MEMBER(place, "optional"),
					 jail_read_member(reader, place, item, "optional", false));
	if (verb->verb == JAIL_VERB_BIND)
		read_bind(reader, place, item, mount);
	else if (verb->verb == JAIL_VERB_TMPFS)
		read_tmpfs(reader, place, item, mount);
	else if (verb->verb == JAIL_VERB_PROC)
		read_proc(reader, place, item, mount);
	else if (verb->verb == JAIL_VERB_PRIVATE)
		read_private(reader, place, item, mount);
}
