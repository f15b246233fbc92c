/* The lines of a PAM configuration as libpam reads them (pam.conf(5), pam.d(5)). Pure. */
#pragma once

#include <stdbool.h>
#include "lib/base/buffer.h"

enum jail_pam_type {
	JAIL_PAM_BROKEN, /* no type that there is: libpam makes it a line that fails */
	JAIL_PAM_AUTH,
	JAIL_PAM_ACCOUNT,
	JAIL_PAM_PASSWORD,
	JAIL_PAM_SESSION,
	JAIL_PAM_INCLUDE, /* Debian's @include: every type of another file */
};

struct jail_pam_line {
	unsigned number;	 /* of its first line, from 1 */
	struct jail_buffer text; /* all of it, continuation lines joined, blanks squeezed */
	struct jail_buffer words;
	enum jail_pam_type type;
	/* In words. NULL: not there. control is without its brackets. */
	char *service, *control, *module, *arguments;
};
#define JAIL_PAM_LINE_INIT ((struct jail_pam_line){.text = JAIL_BUFFER_INIT, .words = JAIL_BUFFER_INIT})

/* Where a reader of lines is. */
struct jail_pam_cursor {
	const char *rest;
	unsigned number; /* of lines behind it */
};

/* The next line that says something. with_service: as in pam.conf, each line begins with one.
 * Returns 1, 0 at the end, -ENOMEM. */
int jail_pam_next(struct jail_pam_cursor *cursor, bool with_service, struct jail_pam_line *line);
void jail_pam_line_release(struct jail_pam_line *line);
#define jail_autopamline __attribute__((cleanup(jail_pam_line_release)))

/* The next word of *rest, as libpam cuts them: up to a blank, or what stands between [ and ]. NULL: none. */
char *jail_pam_word(char **rest);
