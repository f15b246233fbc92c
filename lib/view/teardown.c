/* Taking everything back. Each step leaves a state that the next run begins with as well: what was made is
 * forgotten only when it is gone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/view/apply_parts.h"
#include "lib/view/order.h"
#include "lib/view/view.h"
#include "lib/view/walk.h"

enum { ROUNDS_MAX = 100 };

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot go on with taking everything back");
}

static bool is_marker(const char *path)
{
	size_t n = strlen(path);
	size_t m = strlen(JAIL_MARKER_TARGET);
	return n > m && strcmp(path + n - m, JAIL_MARKER_TARGET) == 0;
}

/* Detaches what is visible below dir: with markers_only the markers, else what is mounted highest, and all
 * below it with it. What fails is counted and tried again in the next round. Returns how many are left. */
static size_t detach_below(const struct jail_mount_table *table, const char *dir, bool markers_only,
			   size_t *count, struct jail_error *why)
{
	const char *last = NULL;
	size_t left = 0;
	size_t end;
	for (size_t i = jail_mount_table_range(table, dir, &end); i < end; i++) {
		const struct jail_mount_line *line = &table->lines[i];
		if (strcmp(line->mount_point, dir) == 0 || (markers_only && !is_marker(line->mount_point)))
			continue;
		left++;
		if (!line->visible || (last && jail_order_rest(line->mount_point, last)))
			continue;
		if (jail_detach(table, line->mount_point, count, why) == 0)
			last = line->mount_point;
	}
	return left;
}

static int detach_round(const struct jail_manifest *manifest, const char *roots_dir, bool markers_only,
			size_t *count, size_t *ret_left, struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};
	int r = jail_mount_table_read(&table, err);
	if (r < 0)
		return r;
	*ret_left = detach_below(&table, roots_dir, markers_only, count, err);
	for (size_t i = 0; i < manifest->n_made; i++)
		if (manifest->made[i].type == 'r' && !jail_order_rest(manifest->made[i].path, roots_dir))
			*ret_left += detach_below(&table, manifest->made[i].path, markers_only, count, err);
	return 0;
}

/* Until a fresh mount table has nothing below any root. */
static int detach_all(const struct jail_manifest *manifest, const char *roots_dir, size_t *count,
		      struct jail_error *err)
{
	struct jail_error why = {.code = EBUSY, .message = "mounts keep coming back below the roots"};
	size_t left = 0;
	int r = detach_round(manifest, roots_dir, true, count, &left, &why);
	for (unsigned i = 0; i < ROUNDS_MAX && r == 0; i++) {
		size_t before = *count;
		r = detach_round(manifest, roots_dir, false, count, &left, &why);
		if (r == 0 && left == 0)
			return 0;
		if (*count == before)
			break;
	}
	return r < 0 ? jail_error_set(err, why.code, "%s", why.message)
		     : jail_error_set(err, EBUSY, "%s", why.message);
}

/* Removes everything of the manifest, children before parents; keeps the lines of what must stay. */
static int remove_made(struct jail_manifest *manifest, const char *roots_dir, struct jail_applied *applied,
		       struct jail_error *err)
{
	jail_automounttable struct jail_mount_table table = {0};
	struct jail_error why;
	int r = 0;
	for (size_t i = manifest->n_made; i > 0 && r == 0; i--) {
		const struct jail_made *made = &manifest->made[i - 1];
		if (made->type == 'r' && !jail_order_rest(made->path, roots_dir))
			r = jail_root_release(made->path, &applied->unmounts, err);
	}
	if (r == 0)
		r = jail_mount_table_read(&table, err);
	for (size_t i = manifest->n_made; i > 0 && r == 0; i--) {
		struct jail_made *made = &manifest->made[i - 1];
		r = jail_leftover_remove(&table, manifest, roots_dir, made, &why);
		if (r < 0)
			return jail_error_set(err, why.code, "%s", why.message);
		if (r == 0 && jail_applied_say(applied, "%s", why.message) < 0)
			return no_memory(err);
		applied->others += r == 1;
		free(made->path);
		manifest->n_made = manifest->n_sorted = i - 1;
		r = 0;
	}
	return r;
}

/* rmdir, without complaint about what is not empty or not there. */
static void remove_dir(const char *path, struct jail_applied *applied)
{
	jail_autoclose int parent = -1;
	const char *slash = strrchr(path, '/');
	jail_autofree char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir && jail_path_open_trusted(-1, dir, &parent, NULL) == 0 &&
	    unlinkat(parent, slash + 1, AT_REMOVEDIR) == 0)
		applied->others++;
}

/* Directories in dir that are empty, and those that are empty when theirs are gone, depth levels of them. */
static void remove_empty(int dir, unsigned depth, struct jail_applied *applied)
{
	int readable = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	jail_autoclosedir DIR *stream = readable < 0 ? NULL : fdopendir(readable);
	for (const struct dirent *entry; stream && (entry = readdir(stream)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		jail_autoclose int below =
			depth > 1 ? openat(dir, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				  : -1;
		if (below >= 0)
			remove_empty(below, depth - 1, applied);
		if (unlinkat(dir, entry->d_name, AT_REMOVEDIR) == 0)
			applied->others++;
	}
}

/* The markers' own directories: all of them empty, one a jail, and in a namespace jail's one a member. An
 * open session keeps its own mounted, and stays in its view. */
static void remove_markers(const char *marker_dir, struct jail_applied *applied)
{
	jail_autoclose int fd = -1;
	if (jail_path_open_trusted(-1, marker_dir, &fd, NULL) < 0)
		return;
	remove_empty(fd, 2, applied);
	remove_dir(marker_dir, applied);
}

/* Memory goes with its last mount, which may be an open session's. What is not a mount is the users'. */
static void release_memory(const char *path, struct jail_applied *applied)
{
	jail_autoclose int fd = -1;
	if (!path || jail_path_open_trusted(-1, path, &fd, NULL) < 0)
		return;
	for (unsigned i = 0; i < ROUNDS_MAX && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0; i++)
		applied->unmounts++;
	remove_dir(path, applied);
}

int jail_teardown(const struct jail_node *node, struct jail_applied *ret, struct jail_error *err)
{
	jail_automanifest struct jail_manifest manifest = {0};
	int r = jail_manifest_read(node->manifest, &manifest, err);
	if (r == 0)
		r = detach_all(&manifest, node->roots_dir, &ret->unmounts, err);
	if (r == 0)
		r = remove_made(&manifest, node->roots_dir, ret, err);
	if (r == 0)
		r = jail_root_release(node->roots_dir, &ret->unmounts, err);
	if (r < 0)
		return r;
	jail_stage_remove(node->roots_dir);
	remove_dir(node->roots_dir, ret);
	remove_markers(node->marker_dir, ret);
	release_memory(node->private_memory, ret);
	/* Last, so that being killed before loses nothing. */
	if (unlink(node->manifest) < 0 && errno != ENOENT)
		return jail_error_sys(err, errno, "cannot remove %s", node->manifest);
	return 0;
}
