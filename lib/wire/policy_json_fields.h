/* Reading one field after another of a document, noting what is wrong and going on. Internal to lib/wire. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/error.h"
#include "lib/wire/problem.h"

/* A place in the document as a chain of stack frames, so that a pointer's text is made only for a problem. */
struct jail_place {
	const struct jail_place *up; /* NULL: this is the whole document */
	const char *key;	     /* name of the member, or NULL: index counts */
	size_t index;
};

#define JAIL_MEMBER(parent, name) (&(struct jail_place){.up = (parent), .key = (name)})
#define JAIL_ITEM(parent, number) (&(struct jail_place){.up = (parent), .index = (number)})

struct jail_reader {
	struct jail_problems *problems;
	bool exhausted; /* memory ran out on the way: the result is of no use */
};

/* Notes an error at place. */
void jail_reader_error(struct jail_reader *reader, const struct jail_place *place, const char *rule,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Notes every member of object (any value that is not one: "type") whose name is not in the list, which ends
 * with NULL. False when it is no object. */
bool jail_read_object(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
		      const char *const *known);
/* The member called name, exactly; NULL when there is none, noted as "missing-field" when required. */
const cJSON *jail_read_member(struct jail_reader *reader, const struct jail_place *place, const cJSON *object,
			      const char *name, bool required);

/* Values. NULL or false: of another type, and noted as "type". item may be NULL (absent): NULL or false,
 * nothing noted. */
const char *jail_read_text(struct jail_reader *reader, const struct jail_place *place, const cJSON *item);
bool jail_read_bool(struct jail_reader *reader, const struct jail_place *place, const cJSON *item);
/* Length of an array; one with nothing in it is noted as "empty-list". */
size_t jail_read_array(struct jail_reader *reader, const struct jail_place *place, const cJSON *item);

/* A copy that the caller frees, or NULL with exhausted set. */
char *jail_read_copy(struct jail_reader *reader, const char *text);

/* Checks one string of a list; notes what is wrong with it. */
typedef void jail_check(struct jail_reader *reader, const struct jail_place *place, const char *text);

/* Reads an array of different strings, each checked. Items that are no strings are left out (and noted);
 * one that was there before is noted as "duplicate". *ret_list is the caller's, with its strings. */
void jail_read_strings(struct jail_reader *reader, const struct jail_place *place, const cJSON *item,
		       jail_check *check, char ***ret_list, size_t *ret_n);
