/* What undoes confinement besides doors. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/audit_node.h"
#include "lib/base/cleanup.h"

static int check_locate(const struct jail_audited *node, struct jail_audit *audit)
{
	static const char *const paths[] = {"/var/lib/mlocate/mlocate.db", "/var/lib/plocate/plocate.db",
					    "/var/cache/locate/locatedb"};
	struct stat st;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof paths / sizeof paths[0]; i++)
		if (jail_tree_stat(&node->tree, paths[i], &st) == 0 && (st.st_mode & S_IROTH))
			r = jail_audit_openf(audit, paths[i], 0, "make it unreadable for others (chmod o-r)",
					     "everybody may read the names of all files of the node");
	return r;
}

static int check_linger(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	jail_autonames struct jail_names users = {0};
	int r = jail_tree_list(&node->tree, "/var/lib/systemd/linger", &users, err);

	for (size_t i = 0; r == 0 && i < users.n; i++) {
		r = node->is_confined(node->context, users.names[i], err);
		if (r == 1)
			r = jail_audit_warn(
				audit,
				"/var/lib/systemd/linger/%s: the systemd manager of %s, who is "
				"confined, starts at boot and never ends, so a change of the policy "
				"does not reach it; loginctl disable-linger %s",
				users.names[i], users.names[i], users.names[i]);
	}
	return r;
}

struct group {
	const char *name;
	unsigned line; /* of /etc/group; 0: not there */
	char gid[16];
	struct jail_names members;
};

/* Names between commas. */
static int add_members(char *list, struct jail_names *ret)
{
	int r = 0;

	for (char *name; r == 0 && (name = strsep(&list, ","));)
		if (*name)
			r = jail_names_add(ret, name);
	return r;
}

/* From a copy of /etc/group: its line, and who is named there. */
static int find_group(const struct jail_buffer *text, struct group *group)
{
	jail_autofree char *copy = strdup(text->data);
	char *rest = copy;
	unsigned number = 0;

	if (!copy)
		return -ENOMEM;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *name = strsep(&line, ":"), *gid;

		number++;
		(void)strsep(&line, ":");
		gid = strsep(&line, ":");
		if (!gid || strcmp(name, group->name) != 0)
			continue;
		group->line = number;
		(void)snprintf(group->gid, sizeof group->gid, "%s", gid);
		return line ? add_members(line, &group->members) : 0;
	}
	return 0;
}

/* Those whose primary group it is, from a copy of /etc/passwd. */
static int find_primary(const struct jail_buffer *text, struct group *group)
{
	jail_autofree char *copy = strdup(text->data);
	char *rest = copy;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	for (char *line; r == 0 && group->line > 0 && (line = strsep(&rest, "\n"));) {
		char *name = strsep(&line, ":"), *gid;

		(void)strsep(&line, ":");
		(void)strsep(&line, ":");
		gid = strsep(&line, ":");
		if (gid && strcmp(gid, group->gid) == 0)
			r = jail_names_add(&group->members, name);
	}
	return r;
}

static int read_group(const struct jail_audited *node, const struct jail_buffer *groups,
		      const struct jail_buffer *users, struct group *ret)
{
	int r = find_group(groups, ret);

	if (r == 0)
		r = find_primary(users, ret);
	if (r == 0 && node->group_members)
		r = node->group_members(node->context, ret->name, &ret->members);
	jail_names_sort(&ret->members);
	return r;
}

static int tell_member(struct jail_audit *audit, const struct group *group, bool breakglass, const char *user)
{
	jail_autofree char *todo = NULL;

	if (breakglass)
		return jail_audit_warn(audit,
				       "/etc/group:%u: %s is in the break-glass group %s, so never confined, "
				       "whatever the policy says; take them out if that is not meant",
				       group->line, user, group->name);
	if (asprintf(&todo, "take them out (gpasswd -d %s %s)", user, group->name) < 0) {
		todo = NULL;
		return -ENOMEM;
	}
	return jail_audit_openf(audit, "/etc/group", group->line, todo,
				"%s, who is confined, is in the group %s, which is root in disguise", user,
				group->name);
}

static int check_group(const struct jail_audited *node, const struct group *group, bool breakglass,
		       struct jail_audit *audit, struct jail_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < group->members.n; i++) {
		r = node->is_confined(node->context, group->members.names[i], err);
		if (r == 1)
			r = tell_member(audit, group, breakglass, group->members.names[i]);
	}
	return r;
}

static int check_groups(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	static const char *const names[] = {"docker", "lxd",  "incus", "incus-admin", "libvirt",
					    "disk",   "kmem", "sudo",  "wheel"};
	jail_autobuffer struct jail_buffer groups = JAIL_BUFFER_INIT, users = JAIL_BUFFER_INIT;
	struct group glass = {.name = node->breakglass};
	int r;

	(void)jail_tree_read(&node->tree, "/etc/group", &groups, NULL);
	(void)jail_tree_read(&node->tree, "/etc/passwd", &users, NULL);
	r = read_group(node, &groups, &users, &glass);
	if (r == 0)
		r = check_group(node, &glass, true, audit, err);
	for (size_t i = 0; r == 0 && i < sizeof names / sizeof names[0]; i++) {
		struct group group = {.name = names[i]};

		if (strcmp(names[i], node->breakglass) == 0)
			continue;
		r = read_group(node, &groups, &users, &group);
		if (r == 0)
			r = check_group(node, &group, false, audit, err);
		jail_names_release(&group.members);
	}
	jail_names_release(&glass.members);
	return r;
}

/* Programs that mount for users: inside a view that is a chroot the kernel lets them, since they are root. */
static int check_setuid(const struct jail_audited *node, struct jail_audit *audit)
{
	static const char *const paths[] = {
		"/usr/bin/fusermount",
		"/usr/bin/fusermount3",
		"/usr/sbin/mount.nfs",
		"/usr/sbin/mount.cifs",
		"/usr/bin/pmount",
		"/usr/bin/udevil",
		"/usr/bin/ntfs-3g",
		"/usr/local/bin/fusermount",
		"/usr/local/bin/fusermount3",
		"/bin/fusermount",
		"/bin/fusermount3",
		"/sbin/mount.nfs",
		"/sbin/mount.cifs",
		"/bin/ntfs-3g",
		"/usr/libexec/singularity/bin/starter-suid",
		"/usr/libexec/apptainer/bin/starter-suid",
		"/usr/local/libexec/singularity/bin/starter-suid",
		"/usr/local/libexec/apptainer/bin/starter-suid",
	};
	struct stat seen[sizeof paths / sizeof paths[0]], st;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof paths / sizeof paths[0]; i++) {
		bool known = false;

		if (jail_tree_stat(&node->tree, paths[i], &st) < 0 || !S_ISREG(st.st_mode) ||
		    !(st.st_mode & S_ISUID) || st.st_uid != 0)
			continue;
		for (size_t k = 0; k < n; k++)
			known = known || (seen[k].st_ino == st.st_ino && seen[k].st_dev == st.st_dev);
		seen[n++] = st;
		if (!known)
			r = jail_audit_warn(audit,
					    "%s mounts for users and is setuid root; take the bit away where "
					    "confined users do not need it (dpkg-statoverride)",
					    paths[i]);
	}
	return r;
}

int jail_audit_system(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	int r = check_locate(node, audit);

	if (r == 0)
		r = check_groups(node, audit, err);
	if (r == 0)
		r = check_linger(node, audit, err);
	if (r == 0)
		r = check_setuid(node, audit);
	return r == -ENOMEM ? jail_error_sys(err, ENOMEM, "cannot look at the system") : r;
}
