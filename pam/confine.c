#include "pam/confine.h"

#include <errno.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/view/subject.h"
#include "pam/saved.h"

/* Everything known about one session. */
struct session {
	pam_handle_t *pamh;
	const struct options *options;
	struct jail_subject subject;
};

/* slurmstepd has the groups that slurmctld or slurmd resolved for the job. */
static bool is_step(pam_handle_t *pamh)
{
	const void *service = NULL;
	return pam_get_item(pamh, PAM_SERVICE, &service) == PAM_SUCCESS && service &&
	       strcmp(service, "slurm") == 0;
}

static int look_up(struct session *s, const char *cache, struct jail_error *err)
{
	int r = jail_subject_open(&s->subject, cache, err);
	return r < 0 ? r : jail_subject_look_up(&s->subject, is_step(s->pamh), NULL, 0, err);
}

/* From the host: the ordinary way. */
static int confine_outside(struct session *s, struct jail_error *err)
{
	struct jail_subject *subject = &s->subject;
	int r = look_up(s, s->options->cache, err);
	if (r < 0)
		return r;
	if (!jail_subject_is_confined(subject)) {
		if (s->options->debug)
			pam_syslog(s->pamh, LOG_DEBUG, "%s is not confined (policy %llu)",
				   subject->account->user,
				   (unsigned long long)jail_cache_version(subject->cache));
		return 0;
	}
	struct jail_door door = {.root = -1};
	jail_autoview struct jail_view view = {0};
	char said[JAIL_ERROR_MESSAGE_MAX];
	r = jail_subject_door(subject, &view, &door, err);
	jail_autoclose int root = door.root;
	if (r < 0)
		return r;
	/* Said before it happens: inside, the way to the log may be missing. */
	jail_subject_describe(subject, &door, said, sizeof said);
	pam_syslog(s->pamh, LOG_INFO, "%s", said);
	r = saved_enter(s->pamh, &door, err);
	return r < 0 ? jail_error_prefix(err, "jail %s can't be entered", subject->jail.name) : 0;
}

/* From inside a view (su, sudo): nobody gets out of it, and nobody gets into another one. */
static int confine_inside(struct session *s, struct jail_error *err)
{
	struct jail_subject *subject = &s->subject;
	jail_autoclose int host = -1;
	char path[PATH_MAX];

	/* Whoever runs here already may run here. Asked first, since it needs neither /proc nor the cache. */
	if (getuid() == subject->account->uid)
		return 0;
	int r = jail_enter_host_root(s->options->run, &host, err);
	if (r < 0)
		return r;
	/* The cache that this view shows may be another file, or none: the host's is meant. */
	if (snprintf(path, sizeof path, "/proc/1/root%s", s->options->cache) >= (int)sizeof path)
		return jail_error_sys(err, ENAMETOOLONG, "cannot open %s", s->options->cache);
	r = look_up(s, path, err);
	if (r < 0 || !jail_subject_is_confined(subject))
		return r;
	r = jail_subject_is_at_home(subject, host, err);
	if (r < 0)
		return r;
	if (r == 0)
		return jail_error_set(err, EXDEV,
				      "%s belongs into jail %s, and this process is in another view",
				      subject->account->user, subject->jail.name);
	return 0;
}

int confine(pam_handle_t *pamh, const struct options *options, struct jail_account *account,
	    struct jail_error *err)
{
	struct session s = {
		.pamh = pamh,
		.options = options,
		.subject = {.account = account, .run = options->run, .breakglass = options->breakglass},
	};

	int inside = jail_enter_inside_any(options->run);
	if (inside < 0)
		return jail_error_sys(err, -inside, "cannot tell whether this process is in a view");
	int r = inside ? confine_inside(&s, err) : confine_outside(&s, err);
	jail_subject_release(&s.subject);
	return r;
}
