#include "agent/audit_pam.h"

#include <errno.h>
#include <string.h>
#include "agent/pam_walk.h"
#include "lib/base/cleanup.h"

#define LINES                                                                                                \
	"\"session [success=1 default=ignore] pam_succeed_if.so quiet uid = 0\" and "                        \
	"\"session required pam_jail.so\""

/* Services that are a door even where nobody wrote a file for them: libpam takes "other" then. */
static const struct {
	const char *service;
	const char *program; /* without which there is no such service */
} doors[] = {
	{"sshd", "/usr/sbin/sshd"}, {"login", "/bin/login"},
	{"su", "/bin/su"},	    {"su-l", "/bin/su"},
	{"sudo", "/usr/bin/sudo"},  {"sudo-i", "/usr/bin/sudo"},
	{"cron", "/usr/sbin/cron"}, {"crond", "/usr/sbin/crond"},
	{"atd", "/usr/sbin/atd"},   {"systemd-user", "/lib/systemd/systemd"},
};
enum { N_DOORS = sizeof doors / sizeof doors[0] };

static bool is_door(const char *service)
{
	for (size_t i = 0; i < N_DOORS; i++)
		if (strcmp(doors[i].service, service) == 0)
			return true;
	return false;
}

static bool is_debians(const char *path)
{
	return strcmp(path, JAIL_PAM_ETC "/common-session") == 0 ||
	       strcmp(path, JAIL_PAM_ETC "/common-session-noninteractive") == 0;
}

static int tell_step(struct jail_audit *audit, const char *who, const struct jail_pam_step *step,
		     const char *what, const char *todo)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;

	if (jail_buffer_printf(&text, "\"%s\" %s", step->text, what) < 0)
		return -ENOMEM;
	return jail_audit_open(audit, step->path, step->line, who, text.data, todo);
}

static int tell(struct jail_audit *audit, const char *who, enum jail_pam_outcome outcome,
		const struct jail_pam_step *step)
{
	switch (outcome) {
	case JAIL_PAM_LACKING:
		return jail_audit_open(audit, step->path, step->line, who,
				       "there is no pam_jail.so in the sessions of",
				       is_debians(step->path) ? "run \"pam-auth-update --enable clusterjail\""
							      : "add below it " LINES);
	case JAIL_PAM_JUMPED:
		return tell_step(audit, who, step, "jumps over pam_jail.so in the sessions of",
				 "let nothing but \"pam_succeed_if.so quiet uid = 0\" jump over it");
	case JAIL_PAM_ENDED:
		return tell_step(audit, who, step, "ends the stack before pam_jail.so in the sessions of",
				 "move it below pam_jail.so, or make it optional");
	case JAIL_PAM_PASSED:
		return tell_step(audit, who, step,
				 "lets in, when pam_jail.so refuses or is missing, sessions of",
				 "write \"session required pam_jail.so\"");
	case JAIL_PAM_RESET:
		return tell_step(audit, who, step,
				 "makes libpam forget that pam_jail.so refused a session of",
				 "take \"reset\" out of it");
	case JAIL_PAM_TOO_MANY:
		return tell_step(audit, who, step, "begins a stack with too many jumps to follow, that of",
				 "make it simpler");
	case JAIL_PAM_CLOSED:
	case JAIL_PAM_EMPTY:
		break;
	}
	return 0;
}

static int read_and_walk(const struct jail_tree *tree, const char *service, struct jail_audit *audit,
			 struct jail_pam_stack *stack, enum jail_pam_outcome *ret, size_t *ret_step,
			 struct jail_error *err)
{
	int r = jail_pam_stack_read(tree, service, JAIL_PAM_SESSION, stack, err);

	if (r < 0)
		return r;
	if (stack->problem)
		r = jail_audit_warn(audit, "%s", stack->problem);
	if (r == 0)
		r = jail_pam_walk(stack, ret, ret_step);
	return r < 0 ? jail_error_sys(err, ENOMEM, "cannot follow the session stack of %s", service) : 0;
}

int jail_audit_pam_service(const struct jail_tree *tree, const char *service, struct jail_audit *audit,
			   struct jail_error *err)
{
	jail_autopamstack struct jail_pam_stack own = {0}, other = {0};
	const struct jail_pam_stack *stack = &own;
	enum jail_pam_outcome outcome = JAIL_PAM_CLOSED;
	size_t step = 0;
	int r = read_and_walk(tree, service, audit, &own, &outcome, &step, err);

	/* libpam takes the lines of "other" for a type that the service has none of. */
	if (r == 0 && outcome == JAIL_PAM_EMPTY && strcmp(service, "other") != 0) {
		stack = &other;
		r = read_and_walk(tree, "other", audit, &other, &outcome, &step, err);
	}
	if (r < 0 || outcome == JAIL_PAM_CLOSED || outcome == JAIL_PAM_EMPTY)
		return r;
	if (tell(audit, strcmp(service, "other") == 0 ? "services without a file of their own" : service,
		 outcome, &stack->steps[step]) < 0)
		return jail_error_sys(err, ENOMEM, "cannot report the session stack of %s", service);
	return 0;
}

static int collect_includes(const struct jail_tree *tree, const struct jail_names *services,
			    struct jail_names *ret, struct jail_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < services->n; i++)
		r = jail_pam_includes(tree, services->names[i], ret, err);
	jail_names_sort(ret);
	return r;
}

/* Doors whose program is here and that nobody wrote a file for. */
static int check_fileless(const struct jail_tree *tree, const struct jail_names *services,
			  struct jail_audit *audit, struct jail_error *err)
{
	struct stat st;
	int r = 0;

	for (size_t i = 0; r == 0 && i < N_DOORS; i++) {
		if (jail_names_has(services, doors[i].service) ||
		    jail_tree_stat(tree, doors[i].program, &st) < 0)
			continue;
		r = jail_audit_pam_service(tree, doors[i].service, audit, err);
	}
	return r;
}

int jail_audit_pam(const struct jail_tree *tree, struct jail_audit *audit, struct jail_error *err)
{
	jail_autonames struct jail_names services = {0}, included = {0};
	int r = jail_pam_services(tree, &services, err);

	if (r == 0)
		r = collect_includes(tree, &services, &included, err);
	for (size_t i = 0; r == 0 && i < services.n; i++) {
		const char *service = services.names[i];

		if (strcmp(service, "slurm") == 0 || jail_pam_opens_none(service) ||
		    jail_pam_is_no_service(service))
			continue;
		/* A file that others include is a part, unless it is a door itself (su, by su-l). */
		if (jail_names_has(&included, service) && !is_door(service))
			continue;
		r = jail_audit_pam_service(tree, service, audit, err);
	}
	return r < 0 ? r : check_fileless(tree, &services, audit, err);
}
