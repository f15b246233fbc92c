#include "api/policyd/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "api/policyd/document.h"
#include "api/policyd/etag.h"
#include "api/policyd/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"

/* A request is a line and a few headers, and an answer is seldom more than a few kilobytes. One address may
 * hold half of all connections: it can be a whole cluster behind a proxy, and still not shut others out. */
enum {
	CONNECTIONS = 512,
	CONNECTIONS_PER_ADDRESS = 256,
	CONNECTION_MEMORY = 16 << 10, /* bounds the request line with all headers */
	IDLE_SECONDS = 15,
};

struct policyd_server {
	const char *dir;
	struct MHD_Daemon *daemon;
	struct policyd_document policy; /* the daemon's thread's alone */
	atomic_uint busy;		/* requests that have begun and not ended */
};

struct exchange {
	struct policyd_server *server;
	struct MHD_Connection *connection;
	struct policyd_request *request;
	bool head, reads; /* HEAD; HEAD or GET */
};

static enum MHD_Result answer(const struct exchange *exchange, unsigned status, size_t size,
			      struct MHD_Response *response)
{
	exchange->request->status = status;
	exchange->request->bytes = exchange->head ? 0 : size;
	return MHD_queue_response(exchange->connection, status, response);
}

/* A sentence, with a line end, for people and probes. */
static enum MHD_Result answer_text(const struct exchange *exchange, unsigned status, const char *text,
				   const char *allow)
{
	char line[JAIL_ERROR_MESSAGE_MAX + 2];
	int len = snprintf(line, sizeof line, "%s\n", text);
	struct MHD_Response *response =
		MHD_create_response_from_buffer((size_t)len, line, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (response &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8") ==
		    MHD_YES &&
	    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache") == MHD_YES &&
	    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES &&
	    (!allow || MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow) == MHD_YES))
		result = answer(exchange, status, (size_t)len, response);
	if (response)
		MHD_destroy_response(response);
	return result;
}

struct wanted {
	const char *etag;
	bool listed;
};

/* If-None-Match may come in several fields, which together are one list (RFC 9110, 5.3). */
static enum MHD_Result look_at_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct wanted *wanted = cls;

	(void)kind;
	if (value && strcasecmp(key, MHD_HTTP_HEADER_IF_NONE_MATCH) == 0)
		wanted->listed = wanted->listed || policyd_etag_listed(value, wanted->etag);
	return MHD_YES;
}

static enum MHD_Result answer_policy(const struct exchange *exchange)
{
	struct policyd_document *document = &exchange->server->policy;
	struct jail_error err;
	int r = policyd_document_refresh(document, exchange->server->dir, &err);

	if (r == -ENOENT)
		return answer_text(exchange, MHD_HTTP_NOT_FOUND, err.message, NULL);
	if (r < 0) {
		jail_log_err("%s", err.message);
		return answer_text(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, err.message, NULL);
	}
	struct wanted wanted = {.etag = document->etag};
	(void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, look_at_header, &wanted);
	/* With 304 libmicrohttpd sends the headers alone. The same response, so that Content-Length is that
	 * of the 200: RFC 9110, 8.6, allows no other, and an empty response would say 0. */
	if (wanted.listed)
		return answer(exchange, MHD_HTTP_NOT_MODIFIED, 0, document->response);
	return answer(exchange, MHD_HTTP_OK, document->size, document->response);
}

static enum MHD_Result answer_health(const struct exchange *exchange)
{
	struct jail_error err;

	if (policyd_document_refresh(&exchange->server->policy, exchange->server->dir, &err) < 0)
		return answer_text(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, err.message, NULL);
	return answer_text(exchange, MHD_HTTP_OK, "ok", NULL);
}

/* All there is. Paths are compared as they come, without unescaping: what is not spelled like this is
 * something else, so there is nothing to climb out of. */
static const struct route {
	const char *path;
	enum MHD_Result (*answer)(const struct exchange *exchange);
} routes[] = {
	{"/v1/policy.json", answer_policy},
	{"/healthz", answer_health},
};

static enum MHD_Result dispatch(const struct exchange *exchange, const char *url)
{
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (strcmp(url, routes[i].path) != 0)
			continue;
		if (!exchange->reads)
			return answer_text(exchange, MHD_HTTP_METHOD_NOT_ALLOWED,
					   "only GET and HEAD are allowed here", "GET, HEAD");
		return routes[i].answer(exchange);
	}
	return answer_text(exchange, MHD_HTTP_NOT_FOUND, "there is nothing here", NULL);
}

static bool has_body(struct MHD_Connection *connection)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Called when the headers are there, and again when the request is whole. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload_data,
			      size_t *upload_data_size, void **request)
{
	struct exchange exchange = {.server = cls, .connection = connection, .request = *request};
	bool first;

	(void)version;
	(void)upload_data;
	(void)upload_data_size;
	if (!exchange.request)
		return MHD_NO;
	first = exchange.request->method[0] == '\0';
	snprintf(exchange.request->method, sizeof exchange.request->method, "%s", method);
	exchange.head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	exchange.reads = exchange.head || strcmp(method, MHD_HTTP_METHOD_GET) == 0;
	/* An answer at the first call ends the connection, so that nobody's body is ever read; others may go
	 * on to ask on the same connection. */
	if (first && exchange.reads && !has_body(connection))
		return MHD_YES;
	return dispatch(&exchange, url);
}

/* The first that is heard of a request; what it returns is the request that the others get. */
static void *begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct policyd_server *server = cls;
	struct policyd_request *request = policyd_request_new(uri);

	(void)connection;
	if (request)
		server->busy++;
	return request;
}

static void complete(void *cls, struct MHD_Connection *connection, void **request,
		     enum MHD_RequestTerminationCode how)
{
	struct policyd_server *server = cls;
	const union MHD_ConnectionInfo *info;

	if (!*request)
		return;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	policyd_request_log(*request, info ? info->client_addr : NULL,
			    how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	free(*request);
	*request = NULL;
	server->busy--;
}

static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls;
	(void)connection;
	return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void log_library(void *cls, const char *format, va_list args)
{
	char text[512];

	(void)cls;
	if (vsnprintf(text, sizeof text, format, args) < 0)
		return;
	char *page = strstr(text, " ('<html>"); /* what the client was shown: adds nothing here */
	text[page ? (size_t)(page - text) : strcspn(text, "\r\n")] = '\0';
	jail_log_warning("libmicrohttpd: %s", text);
}

int policyd_server_start(const char *dir, int fd, struct policyd_server **ret, struct jail_error *err)
{
	jail_autoclose int listener = fd;
	struct policyd_server *server = calloc(1, sizeof *server);

	if (!server)
		return jail_error_sys(err, ENOMEM, "cannot start the HTTP server");
	server->dir = dir;
	server->policy =
		(struct policyd_document){.name = "v1/policy.json", .content_type = "application/json"};
	/* One thread serves all: everything it waits for is a socket. The logger has to be the first option.
	 */
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle,
		server, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
		MHD_OPTION_URI_LOG_CALLBACK, begin, server, MHD_OPTION_NOTIFY_COMPLETED, complete, server,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_ADDRESS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!server->daemon) {
		free(server);
		return jail_error_set(err, EINVAL, "the HTTP server does not start");
	}
	(void)JAIL_STEAL_FD(listener); /* MHD_stop_daemon closes it */
	*ret = server;
	return 0;
}

void policyd_server_stop(struct policyd_server *server, unsigned seconds)
{
	static const struct timespec moment = {.tv_nsec = 20000000L};
	jail_autoclose int listener = MHD_quiesce_daemon(server->daemon);

	/* Refused at once, not left in the backlog; closed only when the daemon's thread is gone. */
	(void)shutdown(listener, SHUT_RDWR);
	for (unsigned i = 0; i < seconds * 50 && server->busy > 0; i++)
		(void)nanosleep(&moment, NULL);
	MHD_stop_daemon(server->daemon);
	policyd_document_release(&server->policy);
	free(server);
}
