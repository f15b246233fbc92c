#include "agent/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include "agent/fetch_http.h"
#include "agent/frames.h"
#include "agent/sandbox.h"
#include "lib/wire/json.h"

/* libcurl's threads reserve 128 MiB of address space each for their heap, without using it. */
enum { MEMORY = 768 << 20, GRACE_SECONDS = 5, OVERHEAD = 4096 };

static int unpack(const struct jail_buffer *frames, struct jail_answer *ret)
{
	struct jail_frame frame;
	bool answered = false;
	size_t offset = 0;
	int r;

	while ((r = jail_frame_next(frames, &offset, &frame)) > 0) {
		if (frame.tag == JAIL_TAG_NOT_MODIFIED)
			answered = ret->not_modified = true;
		else if (frame.tag == JAIL_TAG_BODY && !answered) {
			answered = true;
			r = jail_buffer_append(&ret->body, frame.data, frame.len);
		} else if (frame.tag == JAIL_TAG_ETAG && !ret->etag)
			r = jail_frame_text(&frame, &ret->etag);
		else if (frame.tag == JAIL_TAG_LAST_MODIFIED && !ret->last_modified)
			r = jail_frame_text(&frame, &ret->last_modified);
		else
			r = -EBADMSG;
		if (r < 0)
			return r;
	}
	return r < 0 || answered ? r : -EBADMSG;
}

int jail_fetch(const struct jail_request *request, struct jail_answer *ret, struct jail_error *err)
{
	const struct jail_sandbox sandbox = {
		.what = "fetching the policy",
		.output = JAIL_JSON_LIMITS_ENVELOPE.bytes + OVERHEAD,
		.seconds = request->timeout + GRACE_SECONDS,
		.memory = MEMORY,
		.network = true,
	};
	jail_autobuffer struct jail_buffer frames = JAIL_BUFFER_INIT;
	jail_autoanswer struct jail_answer answer = JAIL_ANSWER_INIT;
	int r = jail_sandbox_run(&sandbox, jail_fetch_http, request, &frames, err);

	if (r < 0)
		return r;
	r = unpack(&frames, &answer);
	if (r < 0)
		return jail_error_sys(err, r == -ENOMEM ? ENOMEM : EPROTO, "fetching the policy");
	*ret = answer;
	answer = JAIL_ANSWER_INIT;
	return 0;
}

void jail_answer_release(struct jail_answer *answer)
{
	jail_buffer_release(&answer->body);
	free(answer->etag);
	free(answer->last_modified);
	*answer = JAIL_ANSWER_INIT;
}
