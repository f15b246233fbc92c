#include "agent/proc_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/base/cleanup.h"

enum { READ_MAX = 1 << 20 };

static int read_file(int proc, const char *path, struct jail_buffer *ret)
{
	jail_autoclose int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	ret->len = 0;
	do {
		if (jail_buffer_reserve(ret, 4096) < 0)
			return -ENOMEM;
		n = read(fd, ret->data + ret->len, 4096);
		if (n < 0)
			return -errno;
		ret->len += (size_t)n;
		ret->data[ret->len] = '\0';
	} while (n > 0 && ret->len < READ_MAX);
	return 0;
}

int jail_proc_read(int proc, const char *pid, const char *name, struct jail_buffer *ret)
{
	char path[64];

	(void)snprintf(path, sizeof path, "%s/%s", pid, name);
	return read_file(proc, path, ret);
}

int jail_proc_real_uid(int proc, const char *pid, uid_t *ret)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	const char *line;
	int r = jail_proc_read(proc, pid, "status", &text);

	if (r < 0)
		return r;
	line = strstr(text.data, "\nUid:\t");
	if (!line)
		return -EBADMSG;
	*ret = (uid_t)strtoul(line + strlen("\nUid:\t"), NULL, 10);
	return 0;
}

int jail_proc_start(int proc, const char *pid, uint64_t *ret)
{
	enum { STARTTIME = 22, AFTER_COMMAND = 2 }; /* proc(5) */
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_proc_read(proc, pid, "stat", &text);
	const char *p;

	if (r < 0)
		return r;
	/* A command may have blanks and parentheses in it. */
	p = strrchr(text.data, ')');
	for (int field = AFTER_COMMAND; p && field < STARTTIME; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -EBADMSG;
	*ret = strtoumax(p, NULL, 10);
	return 0;
}

int jail_proc_program(int proc, const char *pid, char name[static 256])
{
	static const char deleted[] = " (deleted)";
	char path[64], target[4096], *slash;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/exe", pid);
	n = readlinkat(proc, path, target, sizeof target - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	target[n] = '\0';
	if ((size_t)n > strlen(deleted) && strcmp(target + n - strlen(deleted), deleted) == 0)
		target[(size_t)n - strlen(deleted)] = '\0';
	slash = strrchr(target, '/');
	(void)snprintf(name, 256, "%.255s", slash ? slash + 1 : target);
	return 0;
}

int jail_proc_arguments(int proc, const char *pid, struct jail_names *ret)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_proc_read(proc, pid, "cmdline", &text);

	for (const char *p = text.data; r == 0 && p < text.data + text.len; p += strlen(p) + 1)
		r = jail_names_add(ret, p);
	return r;
}

time_t jail_proc_boot(int proc)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	const char *line = read_file(proc, "stat", &text) < 0 ? NULL : strstr(text.data, "\nbtime ");

	return line ? (time_t)strtoll(line + strlen("\nbtime "), NULL, 10) : 0;
}
