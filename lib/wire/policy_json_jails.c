#include <stdlib.h>
#include <string.h>
#include "lib/policy/template.h"
#include "lib/wire/policy_json_parts.h"

static bool jail_name_good(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return name[0] >= 'a' && name[0] <= 'z' && len <= 32 && name[len] == '\0';
}

static void read_confine(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
			 struct jail_jail *jail)
{
	const cJSON *item = jail_read_member(reader, place, object, "confine", true);
	const char *text = jail_read_text(reader, JAIL_MEMBER(place, "confine"), item);

	if (!text)
		return;
	jail->confine = JAIL_CONFINE_CHROOT;
	if (strcmp(text, "namespace") == 0)
		jail->confine = JAIL_CONFINE_NAMESPACE;
	else if (strcmp(text, "chroot") != 0)
		jail_reader_error(reader, JAIL_MEMBER(place, "confine"), "confine",
				  "\"%s\" is no kind of confinement: write \"chroot\" or \"namespace\"",
				  text);
}

/* %u as one whole component: what a root is, and which others it lies below, is then plain to see. */
static bool user_is_whole(const char *root)
{
	for (const char *at = strchr(root, '%'); at; at = strchr(at + 2, '%'))
		if (at[1] == 'u' && (at[-1] != '/' || (at[2] != '/' && at[2] != '\0')))
			return false;
	return true;
}

static void read_root(struct jail_reader *reader, const struct jail_place *parent, const cJSON *object,
		      struct jail_jail *jail)
{
	const struct jail_place *place = JAIL_MEMBER(parent, "root");
	const cJSON *item = jail_read_member(reader, parent, object, "root", true);
	const char *text = jail_read_text(reader, place, item);
	struct jail_error err;
	int uses;

	if (!text)
		return;
	uses = jail_template_check(text, &err);
	if (uses < 0 || text[0] != '/' || text[1] == '\0')
		jail_reader_error(
			reader, place, "root-path",
			"\"%s\" is no absolute path in normal form: write one like "
			"\"/var/lib/clusterjail/roots/NAME\" or \"/var/lib/clusterjail/roots/NAME/%%u\"",
			text);
	else if (uses & ~JAIL_TEMPLATE_U || !user_is_whole(text))
		jail_reader_error(reader, place, "root-template",
				  "a root may hold %%u only, and only between slashes: write it like "
				  "\"/var/lib/clusterjail/roots/NAME/%%u\"");
	else
		jail->root = jail_read_copy(reader, text);
}

static void read_chroot(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
			struct jail_jail *jail)
{
	read_root(reader, place, object, jail);
	jail->shared = jail_read_bool(reader, JAIL_MEMBER(place, "shared"),
				      jail_read_member(reader, place, object, "shared", false));
}

/* Fields that a namespace jail has not got: its sessions see the host's own root. */
static void refuse_chroot(struct jail_reader *reader, const struct jail_place *place, const cJSON *object)
{
	static const char *const names[] = {"root", "shared"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (cJSON_GetObjectItemCaseSensitive(object, names[i]))
			jail_reader_error(reader, JAIL_MEMBER(place, names[i]), "unknown-field",
					  "a namespace jail has no \"%s\", each session sees the host's own "
					  "root: leave it out",
					  names[i]);
}

static void read_mounts(struct jail_reader *reader, const struct jail_place *parent, const cJSON *object,
			struct jail_jail *jail)
{
	const struct jail_place *place = JAIL_MEMBER(parent, "mounts");
	const cJSON *item = jail_read_member(reader, parent, object, "mounts", true);
	size_t n = jail_read_array(reader, place, item);

	if (n == 0)
		return;
	if (n > JAIL_MOUNTS_MAX) {
		jail_reader_error(reader, place, "too-many", "%zu mounts are too many: at most %d", n,
				  JAIL_MOUNTS_MAX);
		return;
	}
	jail->mounts = calloc(n, sizeof *jail->mounts);
	if (!jail->mounts) {
		reader->exhausted = true;
		return;
	}
	for (const cJSON *mount = item->child; mount; mount = mount->next, jail->n_mounts++)
		jail_read_mount(reader, JAIL_ITEM(place, jail->n_mounts), mount,
				&jail->mounts[jail->n_mounts]);
}

static void read_jail(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
		      struct jail_jail *jail)
{
	static const char *const fields[] = {"confine", "root", "shared", "mounts", "comment", NULL};

	if (!jail_name_good(place->key))
		jail_reader_error(reader, place, "jail-name",
				  "\"%s\" is no name for a jail: 1 to 32 of a-z 0-9 _ -, a letter first",
				  place->key);
	jail->name = jail_read_copy(reader, place->key);
	if (!jail_read_object(reader, place, object, fields))
		return;
	read_confine(reader, place, object, jail);
	if (jail->confine == JAIL_CONFINE_NAMESPACE)
		refuse_chroot(reader, place, object);
	else
		read_chroot(reader, place, object, jail);
	read_mounts(reader, place, object, jail);
	jail_read_text(reader, JAIL_MEMBER(place, "comment"),
		       jail_read_member(reader, place, object, "comment", false));
}

void jail_read_jails(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		     struct jail_policy *policy)
{
	size_t n;

	if (!item)
		return;
	if (!cJSON_IsObject(item)) {
		jail_reader_error(reader, place, "type", "write an object here, {\"NAME\": {...}}");
		return;
	}
	n = (size_t)cJSON_GetArraySize(item);
	if (n > JAIL_JAILS_MAX) {
		jail_reader_error(reader, place, "too-many", "%zu jails are too many: at most %d", n,
				  JAIL_JAILS_MAX);
		return;
	}
	policy->jails = calloc(n + 1, sizeof *policy->jails);
	if (!policy->jails) {
		reader->exhausted = true;
		return;
	}
	for (const cJSON *jail = item->child; jail; jail = jail->next)
		read_jail(reader, JAIL_MEMBER(place, jail->string), jail, &policy->jails[policy->n_jails++]);
}
