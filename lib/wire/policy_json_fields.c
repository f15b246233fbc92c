#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/buffer.h"
#include "lib/base/cleanup.h"
#include "lib/wire/policy_json_fields.h"

static int pointer_write(struct jail_buffer *buffer, const struct jail_place *place)
{
	int r;

	if (!place->up)
		return 0;
	r = pointer_write(buffer, place->up);
	if (r < 0)
		return r;
	if (!place->key)
		return jail_buffer_printf(buffer, "/%zu", place->index);
	r = jail_buffer_puts(buffer, "/");
	for (const char *c = place->key; r == 0 && *c; c++) {
		if (*c == '~' || *c == '/') /* RFC 6901, section 3 */
			r = jail_buffer_puts(buffer, *c == '~' ? "~0" : "~1");
		else
			r = jail_buffer_append(buffer, c, 1);
	}
	return r;
}

void jail_reader_error(struct jail_reader *reader, const struct jail_place *place, const char *rule,
		       const char *format, ...)
{
	jail_autobuffer struct jail_buffer pointer = JAIL_BUFFER_INIT;
	jail_autofree char *message = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&message, format, args);
	va_end(args);
	if (r < 0) {
		message = NULL;
		reader->exhausted = true;
		return;
	}
	if (pointer_write(&pointer, place) < 0 ||
	    jail_problems_add(reader->problems, false, rule, pointer.data, "%s", message) < 0)
		reader->exhausted = true;
}

static const char *type_name(const cJSON *item)
{
	if (cJSON_IsObject(item))
		return "an object";
	if (cJSON_IsArray(item))
		return "an array";
	if (cJSON_IsString(item))
		return "a string";
	if (cJSON_IsNumber(item))
		return "a number";
	return cJSON_IsNull(item) ? "null" : "true or false";
}

static void wrong_type(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		       const char *wanted)
{
	jail_reader_error(reader, place, "type", "this is %s: write %s", type_name(item), wanted);
}

static bool is_known(const char *name, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}

static void unknown_field(struct jail_reader *reader, const struct jail_place *place, const char *name,
			  const char *const *known)
{
	jail_autobuffer struct jail_buffer list = JAIL_BUFFER_INIT;

	for (size_t i = 0; known[i]; i++)
		if (jail_buffer_printf(&list, "%s%s", i ? ", " : "", known[i]) < 0)
			reader->exhausted = true;
	jail_reader_error(reader, JAIL_MEMBER(place, name), "unknown-field",
			  "there is no field \"%s\" here: the fields are %s", name, list.data);
}

bool jail_read_object(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
		      const char *const *known)
{
	if (!cJSON_IsObject(object)) {
		wrong_type(reader, place, object, "an object, {...}");
		return false;
	}
	for (const cJSON *member = object->child; member; member = member->next)
		if (!is_known(member->string, known))
			unknown_field(reader, place, member->string, known);
	return true;
}

const cJSON *jail_read_member(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
			      const char *name, bool required)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!member && required)
		jail_reader_error(reader, place, "missing-field", "\"%s\" is missing here", name);
	return member;
}

const char *jail_read_text(struct jail_reader *reader, const struct jail_place *place, const cJSON *item)
{
	if (item && !cJSON_IsString(item))
		wrong_type(reader, place, item, "a string in quotes");
	return cJSON_GetStringValue(item);
}

bool jail_read_bool(struct jail_reader *reader, const struct jail_place *place, const cJSON *item)
{
	if (item && !cJSON_IsBool(item))
		wrong_type(reader, place, item, "true or false, without quotes");
	return cJSON_IsTrue(item);
}

size_t jail_read_array(struct jail_reader *reader, const struct jail_place *place, const cJSON *item)
{
	if (!item)
		return 0;
	if (!cJSON_IsArray(item)) {
		wrong_type(reader, place, item, "an array, [...]");
		return 0;
	}
	if (!item->child)
		jail_reader_error(reader, place, "empty-list", "the list is empty: name at least one");
	return (size_t)cJSON_GetArraySize(item);
}

char *jail_read_copy(struct jail_reader *reader, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		reader->exhausted = true;
	return copy;
}

struct numbered {
	const char *text;
	size_t index;
};

static int numbered_compare(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Sorted, since a rule may name a hundred thousand users. */
static void note_duplicates(struct jail_reader *reader, const struct jail_place *place, struct numbered *list,
			    size_t n)
{
	qsort(list, n, sizeof *list, numbered_compare);
	for (size_t i = 1; i < n; i++)
		if (strcmp(list[i].text, list[i - 1].text) == 0)
			jail_reader_error(reader, JAIL_ITEM(place, list[i].index), "duplicate",
					  "\"%s\" is in this list already: write it once", list[i].text);
}

void jail_read_strings(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		       jail_check *check, char ***ret_list, size_t *ret_n)
{
	jail_autofree struct numbered *sorted = NULL;
	size_t n = jail_read_array(reader, place, item), kept = 0, index = 0;
	char **list;

	if (n == 0)
		return;
	list = calloc(n, sizeof *list);
	sorted = calloc(n, sizeof *sorted);
	if (!list || !sorted) {
		free(list);
		reader->exhausted = true;
		return;
	}
	for (const cJSON *entry = item->child; entry; entry = entry->next, index++) {
		const struct jail_place *here = JAIL_ITEM(place, index);
		const char *text = jail_read_text(reader, here, entry);

		if (!text)
			continue;
		check(reader, here, text);
		list[kept] = jail_read_copy(reader, text);
		if (!list[kept])
			break;
		sorted[kept] = (struct numbered){list[kept], index};
		kept++;
	}
	note_duplicates(reader, place, sorted, kept);
	*ret_list = list;
	*ret_n = kept;
}
