#include "agent/fetch_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "agent/frames.h"
#include "lib/base/cleanup.h"
#include "lib/wire/json.h"

enum { HEADERS_MAX = 1 << 16, VALIDATOR_MAX = 256, CONNECT_SECONDS = 10, SLOW_SECONDS = 15, SLOW_BYTES = 10 };

struct transfer {
	struct jail_buffer body;
	size_t headers; /* bytes */
	bool over;	/* a limit was passed */
	char etag[VALIDATOR_MAX], last_modified[VALIDATOR_MAX];
};

/* MAXFILESIZE does not bind chunked and close-delimited bodies before curl 8.4: bytes are counted here. */
static size_t take_body(char *data, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;
	const size_t max = JAIL_JSON_LIMITS_ENVELOPE.bytes;

	n *= size;
	if (n > max - transfer->body.len) {
		transfer->over = true;
		return 0;
	}
	return jail_buffer_append(&transfer->body, data, n) < 0 ? 0 : n;
}

/* Keeps the value of a header if it is name, short, and printable ASCII: it goes into a file and back out. */
static void take_validator(const char *line, size_t len, const char *name, char ret[static VALIDATOR_MAX])
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0)
		return;
	ret[0] = '\0';
	line += n;
	len -= n;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' '))
		len--;
	if (len >= VALIDATOR_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return;
	memcpy(ret, line, len);
	ret[len] = '\0';
}

static size_t take_header(char *data, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;

	n *= size;
	transfer->headers += n;
	if (transfer->headers > HEADERS_MAX) {
		transfer->over = true;
		return 0;
	}
	/* Another answer begins, after "100 Continue" for example. */
	if (n >= 5 && strncmp(data, "HTTP/", 5) == 0)
		transfer->etag[0] = transfer->last_modified[0] = '\0';
	take_validator(data, n, "ETag:", transfer->etag);
	take_validator(data, n, "Last-Modified:", transfer->last_modified);
	return n;
}

static long at_most(unsigned seconds, long most)
{
	return (long)seconds < most ? (long)seconds : most;
}

static void set_options(CURL *curl, const struct jail_request *request, struct transfer *transfer,
			struct curl_slist *headers)
{
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)request->timeout);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, at_most(request->timeout, CONNECT_SECONDS));
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, at_most(request->timeout, SLOW_SECONDS));
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "jail-agent/" CLUSTERJAIL_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	/* CURLOPT_ACCEPT_ENCODING stays unset: 194 KB of gzip are 200 MB. */
}

static int send_answer(const struct jail_request *request, const struct transfer *transfer, long status,
		       int out, struct jail_error *err)
{
	int r = 0;

	if (status == 304 && (request->etag || request->last_modified)) {
		r = jail_frame_put(out, JAIL_TAG_NOT_MODIFIED, "", 0);
		return r < 0 ? jail_error_sys(err, -r, "cannot hand the answer back") : 0;
	}
	if (status >= 300 && status < 400 && status != 304)
		return jail_error_set(err, EPROTO,
				      "%s answered with a redirect (%ld), which is not followed: set url in "
				      "[policy] to where the policy is",
				      request->url, status);
	if (status != 200)
		return jail_error_set(err, EPROTO, "%s answered with status %ld instead of 200", request->url,
				      status);
	r = jail_frame_put(out, JAIL_TAG_BODY, transfer->body.data, transfer->body.len);
	if (r == 0 && *transfer->etag)
		r = jail_frame_put(out, JAIL_TAG_ETAG, transfer->etag, strlen(transfer->etag));
	if (r == 0 && *transfer->last_modified)
		r = jail_frame_put(out, JAIL_TAG_LAST_MODIFIED, transfer->last_modified,
				   strlen(transfer->last_modified));
	return r < 0 ? jail_error_sys(err, -r, "cannot hand the answer back") : 0;
}

static int add_header(struct curl_slist **headers, const char *name, const char *value)
{
	jail_autofree char *line = NULL;
	struct curl_slist *longer;

	if (!value)
		return 0;
	if (asprintf(&line, "%s: %s", name, value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	longer = curl_slist_append(*headers, line);
	if (!longer)
		return -ENOMEM;
	*headers = longer;
	return 0;
}

static int failed(CURL *curl, const struct jail_request *request, const struct transfer *transfer,
		  CURLcode code, const char *details, struct jail_error *err)
{
	const char *why = *details ? details : curl_easy_strerror(code);
	long status = 0, number = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
	if (transfer->over)
		return jail_error_set(err, EFBIG,
				      "%s sends more than the %zu bytes that an envelope may have",
				      request->url, JAIL_JSON_LIMITS_ENVELOPE.bytes);
	if (status != 0)
		return jail_error_set(err, EPROTO, "the answer of %s broke off: %s", request->url, why);
	/* curl says "Couldn't connect to server" and keeps the reason to itself. */
	if (code == CURLE_COULDNT_CONNECT && number > 0)
		return jail_error_set(err, EHOSTUNREACH, "cannot reach %s: %s (%s)", request->url, why,
				      strerror((int)number));
	return jail_error_set(err, EHOSTUNREACH, "cannot reach %s: %s", request->url, why);
}

/* Runs in a process that ends right after it: what libcurl holds is left to the exit. */
int jail_fetch_http(const void *argument, int out, struct jail_error *err)
{
	const struct jail_request *request = argument;
	struct transfer transfer = {.body = JAIL_BUFFER_INIT};
	char details[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	long status = 0;
	CURLcode code;
	CURL *curl;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(curl = curl_easy_init()))
		return jail_error_set(err, ENOMEM, "cannot start libcurl");
	if (add_header(&headers, "If-None-Match", request->etag) < 0 ||
	    add_header(&headers, "If-Modified-Since", request->last_modified) < 0)
		return jail_error_sys(err, ENOMEM, "cannot fetch %s", request->url);
	set_options(curl, request, &transfer, headers);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, details);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return failed(curl, request, &transfer, code, details, err);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return send_answer(request, &transfer, status, out, err);
}
