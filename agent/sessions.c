#include "agent/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/base/ask.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/policy/account.h"
#include "lib/view/live.h"
#include "lib/view/namespace.h"

enum { CHILD_SECONDS = 10 };

/* One open view and what it should be. */
struct session {
	const struct jail_live *live;
	const struct jail_cache *cache;
	struct jail_places_of_node places;
	const struct jail_mount_table *host;
	struct jail_view view;
	struct jail_live_plan plan;
};

static void session_release(struct session *session)
{
	jail_view_release(&session->view);
	jail_live_plan_release(&session->plan);
}
#define autosession __attribute__((cleanup(session_release)))

/* The view that the user's next session would get. 1, or 0 with the reason in why: the policy has no such for
 * them; or negative errno. */
static int find_view(struct session *session, struct jail_error *err)
{
	jail_autoaccount struct jail_account account = {0};
	struct jail_identity identity;
	struct jail_verdict verdict;
	struct jail_cache_jail jail;
	const struct passwd *entry = getpwuid(session->live->uid);

	if (!entry)
		return jail_error_set(err, ENOENT, "uid %u has no account any more",
				      (unsigned)session->live->uid);
	int r = jail_account_get(entry->pw_name, &account, err);
	if (r == 0)
		r = jail_account_groups(&account, false, err);
	if (r < 0)
		return r;
	jail_account_identity(&account, &identity);
	r = jail_cache_lookup(session->cache, &identity, &verdict, err);
	if (r < 0)
		return r;
	if (!verdict.matched || verdict.jail == JAIL_EXEMPT)
		return 0;
	r = jail_cache_jail(session->cache, (size_t)verdict.jail, &jail, err);
	if (r < 0)
		return r;
	if (jail.confine != JAIL_CONFINE_NAMESPACE || strcmp(jail.name, session->live->jail) != 0)
		return 0;
	const struct jail_member member = {account.user, account.group, account.home, account.uid};
	r = jail_namespace_view_build(session->cache, (size_t)verdict.jail, &member, &session->view, err);
	return r < 0 ? r : 1;
}

static int find_changes(struct session *session, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};
	int r = jail_mount_table_read_of(session->live->pid, &table, err);

	return r < 0 ? r
		     : jail_live_plan_make(&session->view, &session->places, session->live->uid, &table,
					   session->host, &session->plan, err);
}

/* In the child: says on out what failed. No lock of the agent's stays with it, should it never end. */
static _Noreturn void change(const struct session *session, int out)
{
	enum { OUT = 3 };
	struct jail_error error = {0};

	if (out != OUT && dup2(out, OUT) < 0)
		_exit(1);
	jail_fds_close_from(OUT + 1);
	int r = jail_live_apply(session->live, &session->view, &session->places, &session->plan, &error);
	if (r < 0)
		(void)jail_write_all(OUT, error.message, strlen(error.message));
	_exit(r == 0 ? 0 : r == -ESTALE ? 2 : 1);
}

/* The child's message, and whether it ended in time. */
static int await(pid_t pid, int in, char *message, size_t size, int *ret_status)
{
	struct pollfd poll_in = {.fd = in, .events = POLLIN};
	ssize_t n = poll(&poll_in, 1, CHILD_SECONDS * 1000) > 0 ? read(in, message, size - 1) : -1;

	message[n > 0 ? n : 0] = '\0';
	if (n < 0) {
		/* Where it waits for a dead server even this does nothing: it ends when that answers. */
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, ret_status, WNOHANG);
		return -ETIMEDOUT;
	}
	return waitpid(pid, ret_status, 0) < 0 ? -errno : 0;
}

/* 0, 1 the session is gone, negative errno. */
static int apply(const struct session *session, struct jail_error *err)
{
	int ends[2];
	int status = 0;
	char message[JAIL_ERROR_MESSAGE_MAX];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return jail_error_sys(err, errno, "cannot change an open session");
	jail_autoclose int in = ends[0];
	pid_t pid = fork();
	if (pid == 0)
		change(session, ends[1]);
	(void)close(ends[1]);
	if (pid < 0)
		return jail_error_sys(err, errno, "cannot change an open session");
	int r = await(pid, in, message, sizeof message, &status);
	if (r < 0)
		return jail_error_sys(err, -r, "what is to be shown does not answer");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return 1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return jail_error_set(err, EIO, "%s", *message ? message : "the child that did it was killed");
}

static void log_plan(const struct session *session)
{
	const struct jail_live *live = session->live;

	for (size_t i = 0; i < session->view.n_entries; i++)
		if (session->plan.acts[i] == JAIL_LIVE_ADD)
			jail_log_info("open session of uid %u (process %d): mount %s", (unsigned)live->uid,
				      (int)live->pid, session->view.entries[i].target);
	for (size_t i = 0; i < session->plan.n_denied; i++)
		jail_log_info("open session of uid %u (process %d): unmount %s", (unsigned)live->uid,
			      (int)live->pid, session->plan.denied[i]);
	for (size_t i = 0; i < session->plan.n_granted; i++)
		jail_log_info("open session of uid %u (process %d): uncover %s", (unsigned)live->uid,
			      (int)live->pid, session->plan.granted[i]);
}

static void follow(struct session *session, struct jail_report *report)
{
	const struct jail_live *live = session->live;
	struct jail_error error;
	int r = find_view(session, &error);

	if (r == 0) {
		jail_report_warn(
			report,
			"the open session of uid %u (process %d) stays in the view of jail %s, which is no "
			"longer theirs: end it",
			(unsigned)live->uid, (int)live->pid, live->jail);
		return;
	}
	if (r > 0)
		r = find_changes(session, &error);
	if (r == 0 && jail_live_plan_is_empty(&session->plan))
		return;
	if (r == 0) {
		log_plan(session);
		r = apply(session, &error);
		report->changed |= r == 0;
	}
	if (r < 0 && r != -ENOENT && r != -ESRCH)
		jail_report_warn(
			report,
			"the open session of uid %u (process %d) keeps the view of jail %s as it was: %s",
			(unsigned)live->uid, (int)live->pid, live->jail, error.message);
}

void jail_sessions_follow(const struct jail_cache *cache, struct jail_report *report)
{
	jail_autolives struct jail_lives lives = {0};
	jail_automounttable struct jail_mount_table host = {0};
	struct jail_places_of_node places;
	struct jail_error error;

	jail_cache_places(cache, &places);
	if (jail_lives_find(&places, &lives, &error) < 0 ||
	    (lives.n > 0 && jail_mount_table_read(&host, &error) < 0)) {
		jail_report_warn(report, "open sessions keep the views that they have: %s", error.message);
		return;
	}
	for (size_t i = 0; i < lives.n; i++) {
		autosession struct session session = {
			.live = &lives.lives[i], .cache = cache, .places = places, .host = &host};
		follow(&session, report);
	}
}
