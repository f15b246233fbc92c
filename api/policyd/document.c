#include "api/policyd/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/cleanup.h"
#include "lib/wire/key.h"

void policyd_document_release(struct policyd_document *document)
{
	if (document->response)
		MHD_destroy_response(document->response);
	*document = (struct policyd_document){.name = document->name, .content_type = document->content_type};
}

/* RFC 9110, 5.6.7; not strftime, whose names are the locale's. */
static void http_date(time_t time, char ret[static 32])
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;

	ret[0] = '\0';
	if (gmtime_r(&time, &tm) && tm.tm_year >= 0 && tm.tm_year < 8000)
		snprintf(ret, 32, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
			 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool add_headers(struct MHD_Response *response, const struct policyd_document *document)
{
	const char *headers[][2] = {
		{MHD_HTTP_HEADER_CONTENT_TYPE, document->content_type},
		{MHD_HTTP_HEADER_ETAG, document->etag},
		{MHD_HTTP_HEADER_LAST_MODIFIED, NULL},
		{MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"}, /* kept, but asked for every time */
		{"X-Content-Type-Options", "nosniff"},
	};
	char date[32];

	http_date(document->stamp.modified.tv_sec, date);
	headers[2][1] = date;
	for (size_t i = 0; response && i < sizeof headers / sizeof headers[0]; i++)
		if (*headers[i][1] &&
		    MHD_add_response_header(response, headers[i][0], headers[i][1]) != MHD_YES)
			return false;
	return response != NULL;
}

/* A response that owns the bytes of body, which is empty afterwards. */
static struct MHD_Response *response_of(struct jail_buffer *body)
{
	struct MHD_Response *response;

	if (body->capacity == 0)
		return MHD_create_response_from_buffer(0, body->data, MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer_with_free_callback(body->len, body->data, free);
	if (response)
		*body = JAIL_BUFFER_INIT;
	return response;
}

static int load(struct policyd_document *document, const struct policyd_stamp *stamp, const char *etag,
		struct jail_buffer *body, struct jail_error *err)
{
	struct policyd_document new = {.name = document->name,
				       .content_type = document->content_type,
				       .loaded = true,
				       .stamp = *stamp,
				       .size = body->len};

	memcpy(new.etag, etag, sizeof new.etag);
	new.response = response_of(body);
	if (!add_headers(new.response, &new)) {
		policyd_document_release(&new);
		return jail_error_sys(err, ENOMEM, "cannot answer with %s", document->name);
	}
	policyd_document_release(document);
	*document = new;
	return 0;
}

static int refresh(struct policyd_document *document, const char *dir, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer body = JAIL_BUFFER_INIT;
	jail_autoclose int fd = -1;
	struct policyd_stamp stamp;
	char etag[POLICYD_ETAG_SIZE];
	uint8_t sha256[32];
	int r = policyd_source_open(dir, document->name, &fd, &stamp, err);

	if (r < 0)
		return r;
	if (document->loaded && !document->stamp.recent && policyd_stamp_same(&stamp, &document->stamp))
		return 0;
	r = policyd_source_read(fd, &stamp, &body, err);
	if (r < 0)
		return jail_error_prefix(err, "%s", document->name);
	jail_sha256(body.data, body.len, sha256);
	etag[0] = '"';
	jail_hex(sha256, sizeof sha256, etag + 1);
	memcpy(etag + POLICYD_ETAG_SIZE - 2, "\"", 2);
	return load(document, &stamp, etag, &body, err);
}

int policyd_document_refresh(struct policyd_document *document, const char *dir, struct jail_error *err)
{
	int r = refresh(document, dir, err);

	if (r < 0)
		policyd_document_release(document);
	return r;
}
