/* Which mount namespaces are open views. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/view/live.h"

/* One directory of the marker directory's: MARKER/JAIL/UID. */
struct marker {
	char *jail;
	uid_t uid;
	dev_t device;
	ino_t inode;
};

struct search {
	const struct jail_places_of_node *places;
	struct marker *markers;
	size_t n_markers;
	ino_t *seen; /* namespaces that are settled */
	size_t n_seen;
	struct jail_lives lives;
};

static void search_release(struct search *search)
{
	for (size_t i = 0; i < search->n_markers; i++)
		free(search->markers[i].jail);
	free(search->markers);
	free(search->seen);
	jail_lives_release(&search->lives);
}
#define autosearch __attribute__((cleanup(search_release)))

void jail_lives_release(struct jail_lives *lives)
{
	for (size_t i = 0; i < lives->n; i++)
		free(lives->lives[i].jail);
	free(lives->lives);
	*lives = (struct jail_lives){0};
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int add_marker(struct search *search, const char *jail, const char *uid, const struct stat *st)
{
	struct marker *marker = JAIL_ARRAY_PUSH(search->markers, search->n_markers);
	if (!marker)
		return -ENOMEM;
	*marker = (struct marker){.jail = strdup(jail),
				  .uid = (uid_t)strtoul(uid, NULL, 10),
				  .device = st->st_dev,
				  .inode = st->st_ino};
	search->n_markers++;
	return marker->jail ? 0 : -ENOMEM;
}

static int list_jail(struct search *search, int top, const char *jail)
{
	struct stat st;
	int fd = openat(top, jail, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	jail_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return errno == ENOTDIR || errno == ENOENT ? 0 : -errno;
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (!is_number(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			continue;
		int r = add_marker(search, jail, entry->d_name, &st);
		if (r < 0)
			return r;
	}
	return 0;
}

static int list_markers(struct search *search)
{
	jail_autoclosedir DIR *dir = opendir(search->places->marker);
	int r = 0;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	for (const struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		if (entry->d_name[0] != '.')
			r = list_jail(search, dirfd(dir), entry->d_name);
	}
	return r;
}

static const struct marker *marker_of(const struct search *search, int proc, const char *pid)
{
	char path[PATH_MAX];
	struct statx sx;
	if (snprintf(path, sizeof path, "%s/root%s", pid, search->places->run) >= (int)sizeof path ||
	    statx(proc, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &sx) < 0)
		return NULL;
	for (size_t i = 0; i < search->n_markers; i++) {
		const struct marker *marker = &search->markers[i];
		if (marker->inode == sx.stx_ino &&
		    marker->device == makedev(sx.stx_dev_major, sx.stx_dev_minor))
			return marker;
	}
	return NULL;
}

static int settle(struct search *search, ino_t inode)
{
	ino_t *slot = JAIL_ARRAY_PUSH(search->seen, search->n_seen);
	if (!slot)
		return -ENOMEM;
	*slot = inode;
	search->n_seen++;
	return 0;
}

static int look_at(struct search *search, int proc, const char *pid)
{
	char path[300];
	struct stat st;
	(void)snprintf(path, sizeof path, "%s/ns/mnt", pid);
	if (fstatat(proc, path, &st, 0) < 0)
		return 0; /* it ended */
	for (size_t i = 0; i < search->n_seen; i++)
		if (search->seen[i] == st.st_ino)
			return 0;
	const struct marker *marker = marker_of(search, proc, pid);
	if (!marker)
		return 0; /* another process in it may have the root from which it is seen */
	struct jail_live *live = JAIL_ARRAY_PUSH(search->lives.lives, search->lives.n);
	if (!live)
		return -ENOMEM;
	*live = (struct jail_live){.jail = strdup(marker->jail),
				   .uid = marker->uid,
				   .pid = (pid_t)strtol(pid, NULL, 10),
				   .inode = st.st_ino};
	search->lives.n++;
	return live->jail ? settle(search, st.st_ino) : -ENOMEM;
}

int jail_lives_find(const struct jail_places_of_node *places, struct jail_lives *ret, struct jail_error *err)
{
	autosearch struct search search = {.places = places};
	struct stat own;

	*ret = (struct jail_lives){0};
	int r = list_markers(&search);
	if (r < 0)
		return jail_error_sys(err, -r, "cannot list the markers below %s", places->marker);
	if (search.n_markers == 0)
		return 0;
	jail_autoclosedir DIR *proc = opendir("/proc");
	if (!proc || fstatat(dirfd(proc), "self/ns/mnt", &own, 0) < 0)
		return jail_error_sys(err, errno, "cannot look for open views in /proc");
	r = settle(&search, own.st_ino);
	for (const struct dirent *entry; r == 0 && (entry = readdir(proc));) {
		if (is_number(entry->d_name))
			r = look_at(&search, dirfd(proc), entry->d_name);
	}
	if (r < 0)
		return jail_error_sys(err, -r, "cannot look for open views");
	*ret = search.lives;
	search.lives = (struct jail_lives){0};
	return 0;
}
