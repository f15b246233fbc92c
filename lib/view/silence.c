#include "lib/view/silence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/ask.h"
#include "lib/base/cleanup.h"
#include "lib/base/path.h"

/* All others have a server, a daemon, or are not known. */
static bool can_hang(const struct jail_mount_line *line)
{
	static const char *const local[] = {
		"bcachefs", "binfmt_misc", "bpf",	 "btrfs",      "cgroup",    "cgroup2",	 "configfs",
		"debugfs",  "devpts",	   "devtmpfs",	 "erofs",      "exfat",	    "ext2",	 "ext3",
		"ext4",	    "f2fs",	   "fusectl",	 "hfs",	       "hfsplus",   "hugetlbfs", "iso9660",
		"jfs",	    "mqueue",	   "nsfs",	 "ntfs3",      "proc",	    "pstore",	 "ramfs",
		"reiserfs", "rootfs",	   "rpc_pipefs", "securityfs", "selinuxfs", "squashfs",	 "sysfs",
		"tmpfs",    "tracefs",	   "udf",	 "vfat",       "xfs",	    "zfs",	 "efivarfs"};

	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		if (strcmp(line->fstype, local[i]) == 0)
			return false;
	/* systemd has an automount at /proc/sys/fs/binfmt_misc. */
	return !jail_path_is_below(line->mount_point, "/proc") &&
	       !jail_path_is_below(line->mount_point, "/sys");
}

static bool any_can_hang(const struct jail_mount_table *table)
{
	for (size_t i = 0; i < table->n_lines; i++)
		if (can_hang(&table->lines[i]))
			return true;
	return false;
}

/* One server's paths fall silent together. Where root's symlinks lead the table does not tell: then those in
 * one directory. */
static uint64_t group_of(const struct jail_mount_table *table, const char *path)
{
	const struct jail_mount_line *line = jail_mount_table_at(table, path);
	return line && can_hang(line) ? (uint64_t)line->id : jail_ask_directory(path);
}

static int compare_asks(const void *a, const void *b)
{
	return strcmp(((const struct jail_ask *)a)->path, ((const struct jail_ask *)b)->path);
}

static int collect(const struct jail_silence *silence, const struct jail_views *views, struct jail_ask **ret,
		   size_t *ret_n)
{
	jail_autofree struct jail_ask *asks = NULL;
	size_t all = 0;
	size_t n = 0;

	for (size_t v = 0; v < views->n_views; v++) {
		for (size_t e = 0; e < views->views[v].n_entries; e++) {
			const struct jail_entry *entry = &views->views[v].entries[e];
			if (entry->kind != JAIL_ENTRY_BIND || jail_silence_has(silence, entry->source))
				continue;
			struct jail_ask *ask = JAIL_ARRAY_PUSH(asks, all);
			if (!ask)
				return -ENOMEM;
			ask->path = entry->source;
			all++;
		}
	}
	if (all > 0)
		qsort(asks, all, sizeof *asks, compare_asks);
	for (size_t i = 0; i < all; i++)
		if (n == 0 || strcmp(asks[n - 1].path, asks[i].path) != 0)
			asks[n++] = asks[i];
	*ret = JAIL_STEAL_PTR(asks);
	*ret_n = n;
	return 0;
}

/* The same way that looking at a source takes. */
static void touch(const char *path)
{
	jail_autosource struct jail_source source = {.fd = -1};
	int id;
	if (jail_path_open_source(path, true, &source, NULL) == 0)
		(void)jail_fd_mount_id(source.fd, &id);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add(struct jail_silence *silence, const char *path)
{
	char *copy = strdup(path);
	char **slot = copy ? JAIL_ARRAY_PUSH(silence->paths, silence->n) : NULL;
	if (!slot) {
		free(copy);
		return -ENOMEM;
	}
	*slot = copy;
	silence->n++;
	return 0;
}

int jail_silence_ask(struct jail_silence *silence, const struct jail_views *views,
		     const struct jail_mount_table *table, struct jail_error *err)
{
	jail_autofree struct jail_ask *asks = NULL;
	size_t n = 0;

	if (!any_can_hang(table))
		return 0;
	int r = collect(silence, views, &asks, &n);
	for (size_t i = 0; i < n && r == 0; i++)
		asks[i].group = group_of(table, asks[i].path);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot ask the sources of the views whether they answer");
	r = jail_ask(asks, n, touch, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (asks[i].silent && add(silence, asks[i].path) < 0)
			return jail_error_sys(err, ENOMEM, "cannot note which sources are silent");
	if (silence->n > 0)
		qsort((void *)silence->paths, silence->n, sizeof *silence->paths, compare_paths);
	return 0;
}

bool jail_silence_has(const struct jail_silence *silence, const char *source)
{
	return silence->n > 0 && bsearch((const void *)&source, (const void *)silence->paths, silence->n,
					 sizeof *silence->paths, compare_paths);
}

void jail_silence_release(struct jail_silence *silence)
{
	for (size_t i = 0; i < silence->n; i++)
		free(silence->paths[i]);
	free((void *)silence->paths);
	*silence = (struct jail_silence){0};
}
