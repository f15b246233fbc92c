#include "api/policyd/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/log.h"

struct policyd_request *policyd_request_new(const char *target)
{
	struct policyd_request *request = calloc(1, sizeof *request);

	if (!request)
		return NULL;
	(void)clock_gettime(CLOCK_MONOTONIC, &request->began);
	snprintf(request->target, sizeof request->target, "%s", target);
	return request;
}

/* A space would end the field early and a line end the line: whoever asks must not write log lines. */
static void clean(const char *text, size_t size, char *ret)
{
	size_t i = 0;

	for (; text[i] && i < size - 1; i++) {
		bool plain = text[i] > ' ' && text[i] < 0x7f;
		memcpy(ret + i, plain ? text + i : "?", 1);
	}
	ret[i] = '\0';
}

void policyd_request_log(const struct policyd_request *request, const struct sockaddr *client, bool complete)
{
	char host[POLICYD_ADDRESS_TEXT] = "?";
	char method[sizeof request->method], target[sizeof request->target];
	char status[16] = "refused";
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	double ms = (double)(now.tv_sec - request->began.tv_sec) * 1e3 +
		    (double)(now.tv_nsec - request->began.tv_nsec) / 1e6;
	clean(*request->method ? request->method : "?", sizeof method, method);
	clean(request->target, sizeof target, target);
	if (request->status)
		snprintf(status, sizeof status, "%u", request->status);
	if (client)
		policyd_address_host(client, host);
	jail_log_info("%s %s %s %zu bytes to %s in %.1f ms%s", method, target, status, request->bytes, host,
		      ms, complete ? "" : ", not completed");
}
