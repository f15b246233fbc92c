#include "agent/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "agent/frames.h"
#include "agent/sandbox_child.h"
#include "lib/base/cleanup.h"

enum { TAG_ERROR = '!', CHUNK = 1 << 16 };

__attribute__((noreturn)) static void child(const struct jail_sandbox *sandbox,
					    const struct jail_sandbox_user *user, jail_sandbox_body *body,
					    const void *argument, int parent, int out)
{
	struct jail_error error = {0};
	int r = jail_sandbox_enter(sandbox, user, parent, out, &error);

	if (r >= 0) {
		out = r;
		r = body(argument, out, &error);
	}
	if (r < 0)
		r = jail_frame_put(out, TAG_ERROR, &error, sizeof error);
	/* Not exit(3): what was buffered and registered in the parent is the parent's. */
	_exit(r < 0 ? 1 : 0);
}

static long left_ms(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
}

static int collect(const struct jail_sandbox *sandbox, int in, struct jail_buffer *ret,
		   struct jail_error *err)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += sandbox->seconds;
	for (;;) {
		struct pollfd poll_in = {.fd = in, .events = POLLIN};
		long ms = left_ms(&end);
		ssize_t n;

		if (ms <= 0)
			return jail_error_set(err, ETIMEDOUT, "%s took longer than %u s", sandbox->what,
					      sandbox->seconds);
		if (poll(&poll_in, 1, (int)ms) <= 0)
			continue;
		if (jail_buffer_reserve(ret, CHUNK) < 0)
			return jail_error_sys(err, ENOMEM, "%s", sandbox->what);
		n = read(in, ret->data + ret->len, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return jail_error_sys(err, errno, "%s", sandbox->what);
		if (n == 0)
			return 0;
		ret->len += (size_t)n;
		ret->data[ret->len] = '\0';
		if (ret->len > sandbox->output)
			return jail_error_set(err, EFBIG, "%s gave more than %zu bytes", sandbox->what,
					      sandbox->output);
	}
}

/* The child's own error, if it told one: a frame that holds a struct jail_error. 1, 0 none, -EBADMSG. */
static int told_error(const struct jail_buffer *bytes, struct jail_error *ret)
{
	struct jail_frame frame;
	size_t offset = 0;
	int r;

	while ((r = jail_frame_next(bytes, &offset, &frame)) > 0) {
		if (frame.tag != TAG_ERROR)
			continue;
		if (frame.len != sizeof *ret)
			return -EBADMSG;
		memcpy(ret, frame.data, sizeof *ret);
		ret->message[sizeof ret->message - 1] = '\0';
		if (ret->code <= 0)
			ret->code = EPROTO;
		return 1;
	}
	return r;
}

static int reap(const struct jail_sandbox *sandbox, pid_t pid, struct jail_error *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return jail_error_sys(err, errno, "%s: cannot wait for the child", sandbox->what);
	if (WIFSIGNALED(status))
		return jail_error_set(err, EPROTO, "%s: the child without privileges died of signal %d (%s)",
				      sandbox->what, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return jail_error_set(err, EPROTO, "%s: the child without privileges failed without a word",
				      sandbox->what);
	return 0;
}

int jail_sandbox_run(const struct jail_sandbox *sandbox, jail_sandbox_body *body, const void *argument,
		     struct jail_buffer *ret, struct jail_error *err)
{
	const struct jail_sandbox_user user = jail_sandbox_find_user();
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	struct jail_error dead, told;
	int ends[2], r, reaped;
	pid_t self = getpid(), pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return jail_error_sys(err, errno, "%s: cannot make a pipe", sandbox->what);
	pid = fork();
	if (pid == 0)
		child(sandbox, &user, body, argument, self, ends[1]);
	if (pid < 0)
		r = jail_error_sys(err, errno, "%s: cannot fork", sandbox->what);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return r;
	}
	r = collect(sandbox, ends[0], &bytes, err);
	close(ends[0]);
	if (r < 0)
		kill(pid, SIGKILL);
	reaped = reap(sandbox, pid, &dead);
	if (r < 0)
		return r;
	r = told_error(&bytes, &told);
	if (r > 0)
		return jail_error_set(err, told.code, "%s", told.message);
	if (reaped < 0)
		return jail_error_set(err, dead.code, "%s", dead.message);
	if (r < 0)
		return jail_error_set(err, EPROTO, "%s: the child's answer is cut short", sandbox->what);
	*ret = bytes;
	bytes = JAIL_BUFFER_INIT;
	return 0;
}
