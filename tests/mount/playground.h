/* A place for real mounts: a mount namespace of its own in which nothing reaches the host's, with a tmpfs on
 * /mnt to play in. Needs root. */
#pragma once

#include "lib/view/sync.h"

#define PLAY	   "/mnt/play"
#define PLAY_STATE PLAY "/state"

extern const struct jail_node play_node;

/* Once a program: unshare(CLONE_NEWNS), everything private, a fresh tmpfs on /mnt, which is shared (as a
 * booted host's mounts are) within this namespace. */
void play_begin(void);
/* Everything below PLAY is unmounted and a new tmpfs mounted there. */
void play_reset(void);

/* mkdir -p and owner; file with content; all abort on failure. Paths are absolute. */
void play_dir(const char *path, unsigned uid, unsigned mode);
void play_file(const char *path, const char *content);
void play_mount(const char *source, const char *target, const char *fstype, unsigned long flags,
		const char *data);
void play_umount(const char *target);
/* Content of a small file; "" when it is not there. Static buffer. */
const char *play_read(const char *path);
bool play_exists(const char *path);
/* How many mounts there are at or below path. */
size_t play_count(const char *path);
/* Whether the topmost mount exactly on path has all of these options; false when there is none. */
bool play_has_options(const char *path, unsigned options);

/* One whole sync of views given as text: observe, grant, revoke. The result stays until the next. Aborts when
 * looking or beginning fails. */
struct play_sync {
	char *plan; /* text of the plan that was carried out */
	struct jail_applied applied;
};
const struct play_sync *play_sync(const char *views);
/* The plan as it is now, as text; nothing is changed. */
const char *play_plan(const char *views);

/* From now on these calls fail with ENOSYS: "old" all of open_tree, move_mount, fsopen and mount_setattr;
 * "no-setattr" the last alone (Linux 5.10); "rhel8" the mount calls, openat2 and statx at once; "" none. */
void play_old_kernel(const char *which);
