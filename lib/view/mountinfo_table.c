/* Looking up in a mount table. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lib/base/buffer.h"
#include "lib/base/cleanup.h"
#include "lib/view/mountinfo.h"
#include "lib/view/mountinfo_index.h"
#include "lib/view/order.h"

enum { READS_MAX = 50, READ_CHUNK = 65536 };

static int compare_lines(const void *a, const void *b)
{
	const struct jail_mount_line *x = a;
	const struct jail_mount_line *y = b;
	int r = jail_order_compare(x->mount_point, y->mount_point);
	/* Of those stacked on one point, text is in the kernel's order and so are the pointers into it. */
	return r != 0 ? r : (x->mount_point > y->mount_point) - (x->mount_point < y->mount_point);
}

static int compare_ids(const void *a, const void *b, void *lines)
{
	const struct jail_mount_line *l = lines;
	int x = l[*(const size_t *)a].id;
	int y = l[*(const size_t *)b].id;
	return (x > y) - (x < y);
}

static int compare_parents(const void *a, const void *b, void *lines)
{
	const struct jail_mount_line *l = lines;
	const struct jail_mount_line *x = &l[*(const size_t *)a];
	const struct jail_mount_line *y = &l[*(const size_t *)b];
	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return strcmp(x->mount_point, y->mount_point);
}

static void find_top(struct jail_mount_table *table)
{
	table->top = SIZE_MAX;
	for (size_t i = 0; i < table->n_lines; i++) {
		const struct jail_mount_line *line = &table->lines[i];
		if (strcmp(line->mount_point, "/") != 0)
			break; /* "/" sorts first */
		if (line->parent == line->id || !jail_mount_table_by_id(table, line->parent)) {
			table->top = i;
			break;
		}
	}
}

int jail_mount_table_index(struct jail_mount_table *table)
{
	size_t n = table->n_lines;
	table->by_id = calloc(n + 1, sizeof *table->by_id);
	table->by_parent = calloc(n + 1, sizeof *table->by_parent);
	if (!table->by_id || !table->by_parent)
		return -ENOMEM;
	if (n > 0)
		qsort(table->lines, n, sizeof *table->lines, compare_lines);
	for (size_t i = 0; i < n; i++)
		table->by_id[i] = table->by_parent[i] = i;
	qsort_r(table->by_id, n, sizeof *table->by_id, compare_ids, table->lines);
	qsort_r(table->by_parent, n, sizeof *table->by_parent, compare_parents, table->lines);
	find_top(table);
	for (size_t i = 0; i < n; i++)
		table->lines[i].visible =
			jail_mount_table_at(table, table->lines[i].mount_point) == &table->lines[i];
	return 0;
}

const struct jail_mount_line *jail_mount_table_by_id(const struct jail_mount_table *table, int id)
{
	size_t low = 0;
	size_t high = table->n_lines;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct jail_mount_line *line = &table->lines[table->by_id[middle]];
		if (line->id == id)
			return line;
		if (line->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The mount whose parent is parent and whose mount point is the first len bytes of path. */
static const struct jail_mount_line *child_on(const struct jail_mount_table *table, int parent,
					      const char *path, size_t len)
{
	size_t low = 0;
	size_t high = table->n_lines;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct jail_mount_line *line = &table->lines[table->by_parent[middle]];
		int r = (line->parent > parent) - (line->parent < parent);
		if (r == 0) {
			r = strncmp(line->mount_point, path, len);
			if (r == 0)
				r = line->mount_point[len] != '\0';
		}
		if (r == 0)
			/* A root that is its own parent is not stacked on itself. */
			return line->id == parent ? NULL : line;
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct jail_mount_line *jail_mount_table_at(const struct jail_mount_table *table, const char *path)
{
	if (table->top == SIZE_MAX || table->n_lines == 0)
		return NULL;
	const struct jail_mount_line *at = &table->lines[table->top];
	/* The kernel's walk: at each component, whatever the mount it is in has mounted there. */
	for (size_t len = 1;;) {
		const struct jail_mount_line *child = child_on(table, at->id, path, len);
		if (child) {
			at = child;
			continue;
		}
		if (path[len == 1 ? 1 : len] == '\0')
			return at;
		size_t start = len == 1 ? 1 : len + 1;
		len = start + strcspn(path + start, "/");
	}
}

const struct jail_mount_line *jail_mount_table_on(const struct jail_mount_table *table, const char *path)
{
	const struct jail_mount_line *line = jail_mount_table_at(table, path);
	return line && strcmp(line->mount_point, path) == 0 ? line : NULL;
}

size_t jail_mount_table_range(const struct jail_mount_table *table, const char *path, size_t *ret_end)
{
	size_t low = 0;
	size_t high = table->n_lines;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (jail_order_compare(table->lines[middle].mount_point, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	size_t end = low;
	while (end < table->n_lines && jail_order_rest(table->lines[end].mount_point, path))
		end++;
	*ret_end = end;
	return low;
}

static int read_all(int fd, struct jail_buffer *text)
{
	for (;;) {
		int r = jail_buffer_reserve(text, READ_CHUNK);
		if (r < 0)
			return r;
		ssize_t n = read(fd, text->data + text->len, READ_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		text->len += (size_t)n;
		text->data[text->len] = '\0';
	}
}

static int read_table(const char *path, struct jail_mount_table *ret, struct jail_error *err)
{
	for (unsigned i = 0; i < READS_MAX; i++) {
		jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
		jail_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
		int r = fd < 0 ? -errno : read_all(fd, &text);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot read %s", path);
		struct pollfd poll_fd = {.fd = fd, .events = POLLPRI};
		if (poll(&poll_fd, 1, 0) == 0)
			return jail_mount_table_parse(text.data, text.len, ret, err);
		/* Longer each time: who mounts and unmounts in a loop must not keep step with it. */
		const struct timespec pause = {.tv_nsec = 100000L * (i + 1)};
		(void)nanosleep(&pause, NULL);
	}
	return jail_error_set(err, EAGAIN,
			      "the mount table changed %d times while it was read; "
			      "something mounts and unmounts without pause",
			      READS_MAX);
}

int jail_mount_table_read(struct jail_mount_table *ret, struct jail_error *err)
{
	return read_table("/proc/thread-self/mountinfo", ret, err);
}

int jail_mount_table_read_of(pid_t pid, struct jail_mount_table *ret, struct jail_error *err)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/mountinfo", (int)pid);
	return read_table(path, ret, err);
}

void jail_mount_table_release(struct jail_mount_table *table)
{
	free(table->lines);
	free(table->text);
	free(table->by_id);
	free(table->by_parent);
	*table = (struct jail_mount_table){0};
}
