#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "lib/base/buffer.h"
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/base/path_step.h"

enum { LINKS_MAX = 40 }; /* as in the kernel: path_resolution(7) */

/* A walk in progress: `at` is where it is (descriptor and resolved path), `rest` what remains. */
struct walk {
	const char *path; /* as asked, for messages */
	int fd;
	struct jail_buffer at;	 /* "" stands for "/" */
	struct jail_buffer rest; /* components still to go */
	size_t pos;		 /* in rest */
	bool root_only;		 /* every component so far is a directory that only root can change */
	unsigned links;
};

static int no_memory(const struct walk *walk, struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot resolve %s", walk->path);
}

/* Goes back to "/" with rest still to go. */
static int restart(struct walk *walk, struct jail_error *err)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot open /");
	if (walk->fd >= 0)
		(void)close(walk->fd);
	walk->fd = fd;
	struct stat st;
	if (fstat(fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat /");
	walk->root_only = jail_path_is_root_only(&st);
	jail_buffer_release(&walk->at);
	walk->pos = 0;
	return 0;
}

/* Puts head before what remains, and walks from "/" again. head: absolute. */
static int walk_from(struct walk *walk, const char *head, size_t len, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer rest = JAIL_BUFFER_INIT;
	if (jail_buffer_append(&rest, head, len) < 0 || jail_buffer_puts(&rest, "/") < 0 ||
	    jail_buffer_puts(&rest, walk->rest.data + walk->pos) < 0)
		return no_memory(walk, err);
	if (rest.len >= PATH_MAX)
		return jail_error_sys(err, ENAMETOOLONG, "cannot resolve %s", walk->path);
	struct jail_buffer old = walk->rest;
	walk->rest = rest;
	rest = old;
	return restart(walk, err);
}

/* Takes the next component off rest. Returns its length, 0 at the end. */
static size_t next_component(struct walk *walk, const char **ret)
{
	for (;;) {
		const char *p = walk->rest.data + walk->pos;
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		walk->pos = (size_t)(p - walk->rest.data) + n;
		if (n != 1 || *p != '.') {
			*ret = p;
			return n;
		}
	}
}

static bool at_end(const struct walk *walk)
{
	const char *p = walk->rest.data + walk->pos;
	return p[strspn(p, "/")] == '\0';
}

/* Only links that nobody but root can have made are read at all. */
static int read_link(const struct walk *walk, int fd, const struct stat *st, const char *name,
		     char text[static PATH_MAX], struct jail_error *err)
{
	const char *at = walk->at.data;
	if (!walk->root_only || st->st_uid != 0)
		return jail_error_set(
			err, ELOOP,
			"%s/%s is a symbolic link that a user could have made; it is not followed", at, name);
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return jail_error_sys(err, errno, "cannot look at the file system of %s/%s", at, name);
	/* The text of a magic link is not where it leads (proc(5), /proc/PID/root). */
	if (fs.f_type == PROC_SUPER_MAGIC)
		return jail_error_set(err, ELOOP, "%s/%s is a link of procfs; it is not followed", at, name);
	ssize_t n = readlinkat(fd, "", text, PATH_MAX);
	if (n < 0)
		return jail_error_sys(err, errno, "cannot read the link %s/%s", at, name);
	if (n == 0 || n >= PATH_MAX)
		return jail_error_sys(err, n == 0 ? ENOENT : ENAMETOOLONG, "cannot follow the link %s/%s", at,
				      name);
	text[n] = '\0';
	return 0;
}

static int follow(struct walk *walk, const char *text, struct jail_error *err)
{
	if (++walk->links > LINKS_MAX)
		return jail_error_set(err, ELOOP, "%s leads through more than %d symbolic links", walk->path,
				      LINKS_MAX);
	if (text[0] == '/')
		return walk_from(walk, text, strlen(text), err);
	jail_autobuffer struct jail_buffer head = JAIL_BUFFER_INIT;
	if (jail_buffer_append(&head, walk->at.data, walk->at.len) < 0 || jail_buffer_puts(&head, "/") < 0 ||
	    jail_buffer_puts(&head, text) < 0)
		return no_memory(walk, err);
	return walk_from(walk, head.data, head.len, err);
}

/* "..": every component of at is a real one, so its parent is the path without the last. */
static int go_up(struct walk *walk, struct jail_error *err)
{
	const char *slash = strrchr(walk->at.data, '/');
	jail_autobuffer struct jail_buffer head = JAIL_BUFFER_INIT;
	if (slash && jail_buffer_append(&head, walk->at.data, (size_t)(slash - walk->at.data)) < 0)
		return no_memory(walk, err);
	return walk_from(walk, head.data, head.len, err);
}

/* Moves into the component that fd is. */
static int enter(struct walk *walk, int fd, const struct stat *st, const char *name, struct jail_error *err)
{
	if (jail_buffer_puts(&walk->at, "/") < 0 || jail_buffer_puts(&walk->at, name) < 0) {
		(void)close(fd);
		return no_memory(walk, err);
	}
	(void)close(walk->fd);
	walk->fd = fd;
	if (S_ISLNK(st->st_mode)) /* the mode of a link says nothing */
		return 0;
	if (st->st_uid != 0 || (st->st_mode & 022))
		walk->root_only = false;
	if (!S_ISDIR(st->st_mode) && !at_end(walk))
		return jail_error_set(err, ENOTDIR, "%s is not a directory", walk->at.data);
	return 0;
}

/* One component. *link is set when the walk ends at a symlink that is not to be followed. */
static int step(struct walk *walk, const char *name, bool follow_last, char **link, struct jail_error *err)
{
	jail_autoclose int fd = jail_path_step(walk->fd, name);
	if (fd < 0)
		return jail_error_sys(err, -fd, "cannot open %s/%s", walk->at.data, name);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat %s/%s", walk->at.data, name);
	if (S_ISLNK(st.st_mode)) {
		char text[PATH_MAX];
		int r = read_link(walk, fd, &st, name, text, err);
		if (r < 0)
			return r;
		if (follow_last || !at_end(walk))
			return follow(walk, text, err);
		*link = strdup(text);
		if (!*link)
			return no_memory(walk, err);
	}
	return enter(walk, JAIL_STEAL_FD(fd), &st, name, err);
}

static int walk_on(struct walk *walk, bool follow_last, char **link, struct jail_error *err)
{
	int r = restart(walk, err);
	while (r == 0) {
		const char *p = NULL;
		size_t n = next_component(walk, &p);
		if (n == 0)
			return 0;
		char name[NAME_MAX + 1];
		if (n > NAME_MAX)
			return jail_error_sys(err, ENAMETOOLONG, "cannot resolve %s", walk->path);
		memcpy(name, p, n);
		name[n] = '\0';
		r = strcmp(name, "..") == 0 ? go_up(walk, err) : step(walk, name, follow_last, link, err);
	}
	return r;
}

static int finish(struct walk *walk, char **link, struct jail_source *ret, struct jail_error *err)
{
	struct stat st;
	if (fstat(walk->fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat %s", walk->path);
	char *path = strdup(walk->at.len ? walk->at.data : "/");
	if (!path)
		return no_memory(walk, err);
	*ret = (struct jail_source){
		.fd = JAIL_STEAL_FD(walk->fd),
		.path = path,
		.st = st,
		.user_owned = !walk->root_only,
		.link = JAIL_STEAL_PTR(*link),
	};
	return 0;
}

int jail_path_open_source(const char *path, bool follow_last, struct jail_source *ret, struct jail_error *err)
{
	if (!jail_path_is_normal(path))
		return jail_error_set(err, EINVAL, "\"%s\" is not an absolute path in normal form", path);
	struct walk walk = {.path = path, .fd = -1, .at = JAIL_BUFFER_INIT, .rest = JAIL_BUFFER_INIT};
	jail_autofree char *link = NULL;

	int r = jail_buffer_puts(&walk.rest, path) < 0 ? no_memory(&walk, err) : 0;
	if (r == 0)
		r = walk_on(&walk, follow_last, &link, err);
	if (r == 0)
		r = finish(&walk, &link, ret, err);
	if (walk.fd >= 0)
		(void)close(walk.fd);
	jail_buffer_release(&walk.at);
	jail_buffer_release(&walk.rest);
	return r;
}

void jail_source_release(struct jail_source *source)
{
	if (source->fd >= 0)
		(void)close(source->fd);
	free(source->path);
	free(source->link);
	*source = (struct jail_source){.fd = -1};
}
