#include "agent/chrootfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/policy/account.h"

enum { FILE_MAX = 16 << 20 };

/* One file: its directory, every component of which is root's, and what it holds now. */
struct file {
	const char *path;
	int dir;
	const char *name;
	bool exists;
	struct stat st;
	struct jail_buffer text;
};

static void file_release(struct file *file)
{
	jail_cleanup_close(&file->dir);
	jail_buffer_release(&file->text);
}
#define autofile __attribute__((cleanup(file_release)))

static int file_open(const char *path, struct file *ret, struct jail_error *err)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int r;

	ret->path = path;
	ret->name = slash + 1;
	snprintf(dir, sizeof dir, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	r = jail_path_open_trusted(-1, dir, &ret->dir, err);
	if (r < 0)
		return jail_error_prefix(err, "cannot keep %s", path);
	if (fstatat(ret->dir, ret->name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : jail_error_sys(err, errno, "cannot look at %s", path);
	ret->exists = true;
	r = jail_file_read_trusted(ret->dir, ret->name, FILE_MAX, &ret->text, err);
	return r < 0 ? jail_error_prefix(err, "%s is kept as it is", path) : 0;
}

static int file_write(const struct file *file, const struct jail_buffer *text, struct jail_error *err)
{
	mode_t mode = file->exists ? file->st.st_mode & 07777 : 0644;
	gid_t group = file->exists ? file->st.st_gid : 0;
	int r = jail_file_replace_group(file->dir, file->name, text->data, text->len, mode, group, err);

	return r < 0 ? jail_error_prefix(err, "%s is kept as it is", file->path) : 0;
}

/* As the PAM module decides, by list or primary group. Whoever has no account now has the list alone. */
static bool is_breakglass(const struct jail_config *config, const char *user)
{
	jail_autoaccount struct jail_account account = {.gid = (gid_t)-1};
	struct jail_error error;

	(void)jail_account_get(user, &account, &error);
	return jail_breakglass_member("/etc/group", config->breakglass, user, account.gid, &error) == 1;
}

int jail_chroot_users(const struct jail_config *config, const struct jail_views *views,
		      struct jail_report *report, struct jail_chroot_user **ret, size_t *ret_n)
{
	struct jail_chroot_user *users = calloc(views->n_users + 1, sizeof *users);
	size_t n = 0;

	if (!users)
		return -ENOMEM;
	for (size_t i = 0; i < views->n_users; i++) {
		const struct jail_view_user *user = &views->users[i];

		if (is_breakglass(config, user->user))
			jail_report_warn(
				report,
				"%s is in jail %s by the policy, but also in the break-glass group %s, whose "
				"members are never confined",
				user->user, views->views[user->view].jail, config->breakglass);
		else
			users[n++] = (struct jail_chroot_user){user->user, views->views[user->view].root};
	}
	*ret = users;
	*ret_n = n;
	return 0;
}

static void tell_notes(const struct jail_chroot_conf *conf, struct jail_report *report)
{
	for (size_t i = 0; i < conf->n_notes; i++)
		jail_report_warn(report, "%s", conf->notes[i]);
}

static int update(const char *path, const struct jail_chroot_user *users, size_t n_users,
		  struct jail_report *report, struct jail_error *err)
{
	autofile struct file file = {.dir = -1, .text = JAIL_BUFFER_INIT};
	jail_autochrootconf struct jail_chroot_conf conf = JAIL_CHROOT_CONF_INIT;
	int r = file_open(path, &file, err);

	if (r == -ENOENT && n_users == 0)
		return 0;
	if (r == 0)
		r = jail_chroot_conf_make(path, file.text.data, file.text.len, users, n_users, &conf, err);
	if (r < 0)
		return r;
	tell_notes(&conf, report);
	if (conf.n_differences == 0)
		return 0;
	r = file_write(&file, &conf.text, err);
	if (r == 0)
		report->changed = true;
	return r;
}

void jail_chroot_files_update(const struct jail_config *config, const struct jail_chroot_user *users,
			      size_t n_users, struct jail_report *report)
{
	struct jail_error error;

	for (size_t i = 0; i < config->n_chroot_conf; i++)
		if (update(config->chroot_conf[i], users, n_users, report, &error) < 0)
			jail_report_fail(report, "chroot-conf", "%s", error.message);
}

static int check(const char *path, const struct jail_chroot_user *users, size_t n_users,
		 struct jail_buffer *differences, struct jail_report *report, struct jail_error *err)
{
	autofile struct file file = {.dir = -1, .text = JAIL_BUFFER_INIT};
	jail_autochrootconf struct jail_chroot_conf conf = JAIL_CHROOT_CONF_INIT;
	int r = file_open(path, &file, err);

	if (r == -ENOENT && n_users == 0)
		return 0;
	if (r == 0)
		r = jail_chroot_conf_make(path, file.text.data, file.text.len, users, n_users, &conf, err);
	if (r < 0)
		return r;
	tell_notes(&conf, report);
	for (size_t i = 0; i < conf.n_differences; i++)
		if (jail_buffer_printf(differences, "%s\n", conf.differences[i]) < 0)
			return jail_error_sys(err, ENOMEM, "cannot check %s", path);
	return 0;
}

void jail_chroot_files_check(const struct jail_config *config, const struct jail_chroot_user *users,
			     size_t n_users, struct jail_buffer *differences, struct jail_report *report)
{
	struct jail_error error;

	for (size_t i = 0; i < config->n_chroot_conf; i++)
		if (check(config->chroot_conf[i], users, n_users, differences, report, &error) < 0)
			jail_report_fail(report, "chroot-conf", "%s", error.message);
}

static int strip(const char *path, struct jail_report *report, struct jail_error *err)
{
	autofile struct file file = {.dir = -1, .text = JAIL_BUFFER_INIT};
	jail_autobuffer struct jail_buffer rest = JAIL_BUFFER_INIT;
	int r = file_open(path, &file, err);

	if (r == -ENOENT || (r == 0 && !file.exists))
		return 0;
	if (r == 0)
		r = jail_chroot_conf_strip(path, file.text.data, file.text.len, &rest, err);
	if (r < 0 || rest.len == file.text.len)
		return r;
	report->changed = true;
	if (rest.len > 0)
		return file_write(&file, &rest, err);
	return unlinkat(file.dir, file.name, 0) < 0 ? jail_error_sys(err, errno, "cannot remove %s", path)
						    : 0;
}

void jail_chroot_files_remove(const struct jail_config *config, struct jail_report *report)
{
	struct jail_error error;

	for (size_t i = 0; i < config->n_chroot_conf; i++)
		if (strip(config->chroot_conf[i], report, &error) < 0)
			jail_report_fail(report, "chroot-conf", "%s", error.message);
}
