/* SLURM's door: does a step go through pam_jail.so, or through spank_jail.so? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "agent/audit_node.h"
#include "agent/audit_pam.h"
#include "agent/slurm_conf.h"
#include "lib/base/cleanup.h"

enum { USE_PAM, CONTAINER, NAMESPACE, PLUGSTACK, N_SETTINGS };

struct slurm {
	const char *conf;
	struct jail_slurm_setting settings[N_SETTINGS];
	struct jail_spank_line spank;
};

static void slurm_release(struct slurm *slurm)
{
	jail_slurm_release(slurm->settings, N_SETTINGS);
	free(slurm->spank.path);
}
#define autoslurm __attribute__((cleanup(slurm_release)))

static const struct jail_daemon *find_slurmd(const struct jail_audited *node)
{
	for (size_t i = 0; i < node->n_daemons; i++)
		if (strcmp(node->daemons[i].name, "slurmd") == 0)
			return &node->daemons[i];
	return NULL;
}

static bool is_installed(const struct jail_audited *node)
{
	static const char *const places[] = {"/usr/sbin/slurmd", "/usr/local/sbin/slurmd",
					     "/opt/slurm/sbin/slurmd"};
	struct stat st;

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (jail_tree_stat(&node->tree, places[i], &st) == 0)
			return true;
	return find_slurmd(node) != NULL;
}

/* The file that slurmd was started with, that the environment names, or one of the usual ones. */
static const char *find_conf(const struct jail_audited *node)
{
	static const char *const places[] = {"/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf",
					     "/run/slurm/conf/slurm.conf"};
	const struct jail_daemon *slurmd = find_slurmd(node);
	struct stat st;

	for (size_t i = 1; slurmd && i + 1 < slurmd->argv.n; i++)
		if (strcmp(slurmd->argv.names[i], "-f") == 0)
			return slurmd->argv.names[i + 1];
	if (node->slurm_conf && *node->slurm_conf == '/')
		return node->slurm_conf;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (jail_tree_stat(&node->tree, places[i], &st) == 0)
			return places[i];
	return NULL;
}

/* The path of a file in slurm.conf's directory. */
static int beside(const char *conf, const char *name, char **ret)
{
	const char *slash = strrchr(conf, '/');

	if (asprintf(ret, "%.*s/%s", (int)(slash - conf), conf, name) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int read_all(const struct jail_audited *node, struct slurm *slurm, struct jail_error *err)
{
	jail_autofree char *usual = NULL;
	const char *plugstack = NULL;
	int r = jail_slurm_read(&node->tree, slurm->conf, slurm->settings, N_SETTINGS, err);

	if (r == 0)
		r = beside(slurm->conf, "plugstack.conf", &usual);
	if (r < 0)
		return r;
	plugstack = slurm->settings[PLUGSTACK].value;
	return jail_spank_find(&node->tree, plugstack && *plugstack == '/' ? plugstack : usual,
			       "spank_jail.so", &slurm->spank, err);
}

/* With EntireStepInNS the step is in its namespace before PAM is asked, so nothing is undone. */
static int is_entire_step(const struct jail_audited *node, const struct slurm *slurm, struct jail_error *err)
{
	jail_autofree char *path = NULL;
	struct jail_slurm_setting setting[] = {{.key = "EntireStepInNS"}};
	int r = beside(slurm->conf, "job_container.conf", &path);

	if (r == 0)
		r = jail_slurm_read(&node->tree, path, setting, 1, err);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = jail_slurm_is_yes(setting[0].value);
	jail_slurm_release(setting, 1);
	return r;
}

static bool makes_namespace(const struct jail_slurm_setting *setting)
{
	return setting->value && (strcasestr(setting->value, "tmpfs") || strcasestr(setting->value, "linux"));
}

/* The plugin's setns(2) comes after PAM and takes the step back to the host's root. */
static int check_container(const struct jail_audited *node, const struct slurm *slurm,
			   struct jail_audit *audit, struct jail_error *err)
{
	const struct jail_slurm_setting *setting =
		&slurm->settings[makes_namespace(&slurm->settings[NAMESPACE]) ? NAMESPACE : CONTAINER];
	int r;

	if (!makes_namespace(setting))
		return 0;
	r = is_entire_step(node, slurm, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return jail_audit_openf(audit, setting->path, setting->line,
				"require spank_jail.so in plugstack.conf, or take the plugin out",
				"%s=%s takes steps out of the view that pam_jail.so put them into",
				setting->key, setting->value);
}

static int check_pam(const struct jail_audited *node, const struct slurm *slurm, struct jail_audit *audit,
		     struct jail_error *err)
{
	const struct jail_slurm_setting *use_pam = &slurm->settings[USE_PAM];
	int r;

	if (!use_pam->value)
		return jail_audit_openf(audit, slurm->conf, 1,
					"write \"UsePAM=1\" into it, and restart slurmd",
					"UsePAM is not set: steps of jobs are not confined");
	if (!jail_slurm_is_yes(use_pam->value))
		return jail_audit_openf(audit, use_pam->path, use_pam->line,
					"write \"UsePAM=1\", and restart slurmd",
					"UsePAM=%s: steps of jobs are not confined", use_pam->value);
	r = jail_audit_pam_service(&node->tree, "slurm", audit, err);
	return r < 0 ? r : check_container(node, slurm, audit, err);
}

/* pam_slurm_adopt may join the job's mount namespace, which leaves a view that was entered before. */
static int check_adopt(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	jail_autopamstack struct jail_pam_stack stack = {0};
	bool jailed = false;
	int r = jail_pam_stack_read(&node->tree, "sshd", JAIL_PAM_SESSION, &stack, err);

	for (size_t i = 0; r == 0 && i < stack.n; i++) {
		const struct jail_pam_step *step = &stack.steps[i];

		jailed = jailed || step->kind == JAIL_PAM_JAIL;
		if (jailed && strcmp(step->module, "pam_slurm_adopt.so") == 0)
			r = jail_audit_openf(
				audit, step->path, step->line,
				"move it above pam_jail.so, or into the account stack",
				"pam_slurm_adopt.so after pam_jail.so can take an ssh session out "
				"of its view");
	}
	return r;
}

static int check(const struct jail_audited *node, struct slurm *slurm, struct jail_audit *audit,
		 struct jail_error *err)
{
	struct jail_error error;
	int r = read_all(node, slurm, &error);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return jail_audit_warn(audit,
				       "cannot tell whether steps of jobs are confined: %s; make it readable",
				       error.message);
	if (slurm->spank.path && !slurm->spank.required) {
		r = jail_audit_openf(audit, slurm->spank.path, slurm->spank.line,
				     "write \"required\" in place of \"optional\"",
				     "steps go on when an optional spank_jail.so fails");
		if (r < 0)
			return r;
	}
	return slurm->spank.path ? 0 : check_pam(node, slurm, audit, err);
}

int jail_audit_slurm(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	autoslurm struct slurm slurm = {
		.conf = find_conf(node),
		.settings = {[USE_PAM] = {.key = "UsePAM"},
			     [CONTAINER] = {.key = "JobContainerType"},
			     [NAMESPACE] = {.key = "NamespaceType"},
			     [PLUGSTACK] = {.key = "PlugStackConfig"}},
	};
	int r = 0;

	if (!is_installed(node))
		return 0;
	if (!slurm.conf)
		r = jail_audit_warn(audit, "slurmd is installed, and there is no slurm.conf: cannot tell "
					   "whether steps of jobs are confined; set SLURM_CONF");
	else
		r = check(node, &slurm, audit, err);
	if (r == 0)
		r = check_adopt(node, audit, err);
	return r == -ENOMEM ? jail_error_sys(err, ENOMEM, "cannot look at SLURM") : r;
}
