/* A published file in memory, with what HTTP says of it: read again when the file on disk is another one.
 *
 * Bytes and headers live in one response, which is replaced as a whole: an answer that has begun goes on with
 * the old bytes under the old headers. For one thread. */
#pragma once

#include <microhttpd.h>
#include "api/policyd/source.h"

enum { POLICYD_ETAG_SIZE = 67 }; /* hex SHA-256, quotes, NUL */

struct policyd_document {
	const char *name;	  /* below the published directory */
	const char *content_type; /* of RFC 9110, 8.3 */

	bool loaded; /* all that follows is filled */
	struct policyd_stamp stamp;
	size_t size;
	char etag[POLICYD_ETAG_SIZE]; /* strong */
	struct MHD_Response *response;
};

/* Brings it up to date with the file below dir. On failure nothing is loaded any more: what was withdrawn is
 * not served. Errors: those of policyd_source_open and policyd_source_read. */
int policyd_document_refresh(struct policyd_document *document, const char *dir, struct jail_error *err);
void policyd_document_release(struct policyd_document *document);
