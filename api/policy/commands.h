/* jail-policy: a verb a file, listed in the table of main.c, and the little that the verbs share. */
#pragma once

#include <stddef.h>
#include <time.h>
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/wire/problem.h"

enum {
	JAIL_EXIT_OK = 0,
	JAIL_EXIT_FAILED = 1,
	JAIL_EXIT_DIFFERENT = 2, /* diff only */
	JAIL_EXIT_USAGE = 64,	 /* EX_USAGE of sysexits.h */
};

/* Each takes its own words (argv[0] is "jail-policy VERB", fit for getopt_long(3)'s messages) and returns an
 * exit code. --help is answered before they are called. */
int jail_cmd_keygen(int argc, char **argv);
int jail_cmd_trust(int argc, char **argv);
int jail_cmd_lint(int argc, char **argv);
int jail_cmd_sign(int argc, char **argv);
int jail_cmd_verify(int argc, char **argv);
int jail_cmd_publish(int argc, char **argv);
int jail_cmd_diff(int argc, char **argv);
int jail_cmd_explain(int argc, char **argv);

/* Prints the sentence (NULL: none, getopt_long has said it) and the usage line of the verb name ("sign") to
 * stderr. Is JAIL_EXIT_USAGE. */
#define jail_usage(...) (jail_usage_print(__VA_ARGS__), JAIL_EXIT_USAGE)
void jail_usage_print(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "jail-policy: MESSAGE" to stderr. Returns JAIL_EXIT_FAILED. */
int jail_fail(const struct jail_error *err);

/* Reads a file that the administrator named: symlinks and pipes are fine, "-" is standard input.
 * Errors: errno of open and read; -EFBIG over max bytes; -EISDIR; -ENOMEM. */
int jail_input_read(const char *path, size_t max, struct jail_buffer *ret, struct jail_error *err);

/* One line a problem: FILE:LINE:COLUMN: POINTER: message [rule], warnings with "warning: " before the
 * message; errors and warnings in the order of the list. */
void jail_print_problems(const char *file, const struct jail_problems *problems);

/* Loads what a command's argument names; the error says which file. */
struct jail_envelope;
struct jail_trust;
struct jail_private_key;
struct jail_public_key;
int jail_load_envelope(const char *path, struct jail_buffer *ret_text, struct jail_envelope *ret,
		       struct jail_error *err);
int jail_load_trust(const char *path, struct jail_trust *ret, struct jail_error *err);
/* Also warns on stderr when others than the owner may read the file. */
int jail_load_private_key(const char *path, struct jail_private_key **ret, struct jail_error *err);
int jail_load_public_key(const char *path, struct jail_public_key *ret, struct jail_error *err);

/* "2027-02-23T00:00:00Z" into text. Returns text. */
const char *jail_time_text(time_t time, char text[static 32]);

/* Warns on stderr when a policy that expires then is past it. */
void jail_warn_expired(time_t expires);
