#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include "agent/audit_node.h"
#include "agent/audit_process.h"
#include "agent/child_run.h"
#include "agent/commands.h"
#include "agent/lock.h"
#include "agent/safety.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"

/* An sshd that has more to say than this is not asked well. */
enum { SSHD_SECONDS = 10, SSHD_OUTPUT_MAX = 1 << 20 };

static int ask_sshd(void *context, const struct jail_names *options, struct jail_buffer *ret,
		    struct jail_error *err)
{
	static const char *const fixed[] = {"sshd", "-T", "-C", "user=root,host=localhost,addr=127.0.0.1"};
	enum { N_FIXED = sizeof fixed / sizeof fixed[0] };
	jail_autofree const char **argv = calloc(N_FIXED + options->n + 1, sizeof *argv);

	(void)context;
	if (!argv)
		return jail_error_sys(err, ENOMEM, "cannot ask sshd");
	memcpy(argv, fixed, sizeof fixed);
	for (size_t i = 0; i < options->n; i++)
		argv[N_FIXED + i] = options->names[i];
	return jail_child_run(argv, SSHD_SECONDS, SSHD_OUTPUT_MAX, ret, err);
}

static int is_confined(void *context, const char *user, struct jail_error *err)
{
	return context ? jail_people_is_named(context, user, err) : 0;
}

static int group_members(void *context, const char *group, struct jail_names *ret)
{
	const struct group *entry = getgrnam(group);
	int r = 0;

	(void)context;
	for (char **member = entry ? entry->gr_mem : NULL; r == 0 && member && *member; member++)
		r = jail_names_add(ret, *member);
	return r;
}

static int check_processes(const struct jail_config *config, struct jail_cache *cache,
			   struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	jail_autopeople struct jail_people people = {
		.cache = cache, .breakglass = config->breakglass, .audit = audit};
	jail_autoclose int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (proc < 0 || fstatfs(proc, &fs) < 0)
		return jail_error_sys(err, errno, "cannot open /proc");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return jail_error_set(err, ENOENT, "there is no procfs on /proc: mount it");
	return jail_audit_processes(proc, &people, node, err);
}

static int look(const struct jail_config *config, struct jail_audit *audit, struct jail_error *err)
{
	jail_autocache struct jail_cache *cache = NULL;
	jail_autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct jail_audited node = {
		.tree = {root},
		.breakglass = config->breakglass,
		.slurm_conf = getenv("SLURM_CONF"),
		.ask_sshd = ask_sshd,
		.is_confined = is_confined,
		.group_members = group_members,
	};
	struct jail_error doors;
	int r = root < 0 ? jail_error_sys(err, errno, "cannot open /")
			 : jail_cache_open(config->cache, &cache, err);
	int r_doors;

	if (root < 0)
		return r;
	/* Doors stand open or not whatever becomes of the rest. */
	if (r == 0)
		r = check_processes(config, cache, &node, audit, err);
	node.context = cache;
	r_doors = jail_audit_doors(&node, audit, &doors);
	jail_daemons_release(&node);
	if (r == 0 && r_doors < 0)
		return jail_error_set(err, -r_doors, "%s", doors.message);
	return r;
}

int jail_cmd_audit(const struct jail_config *config, const struct jail_options *options)
{
	jail_autoaudit struct jail_audit audit = {0};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoclose int lock = -1;
	struct jail_error error;
	int r;

	/* Shared: a view in the middle of a sync is not whole. */
	if (jail_safety_check(config, &error) < 0 ||
	    jail_lock_take(config->lock, true, JAIL_LOCK_SECONDS, &lock, &error) < 0) {
		jail_log_err("%s", error.message);
		return JAIL_EXIT_FAILED;
	}
	r = look(config, &audit, &error);
	if (r < 0)
		jail_log_err("%s", error.message);
	if ((options->json ? jail_audit_json(&audit, r < 0 ? error.message : NULL, &text)
			   : jail_audit_text(&audit, &text)) < 0) {
		jail_log_err("cannot write the report: out of memory");
		return JAIL_EXIT_FAILED;
	}
	fwrite(text.data, 1, text.len, stdout);
	if (r < 0)
		return JAIL_EXIT_FAILED;
	return audit.n_doors > 0 || audit.n_strays > 0 ? JAIL_EXIT_DIFFERS : JAIL_EXIT_OK;
}
