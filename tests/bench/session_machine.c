#include "tests/bench/session_machine.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/base/buffer.h"
#include "lib/base/file.h"
#include "lib/policy/cache.h"

/* FACTS.md: the recipe as it is applied by hand. Those that this machine lacks are left out. */
static const char *const recipe[] = {"/bin", "/dev",  "/etc", "/lib", "/lib64", "/opt", "/proc",
				     "/run", "/sbin", "/srv", "/sys", "/usr",	"/var", "/home/%u"};

/* What /etc/pam.d/sshd and common-session have before their last line. */
static const char sshd_stack[] = "session required pam_loginuid.so\n"
				 "session optional pam_keyinit.so force revoke\n"
				 "session required pam_permit.so\n"
				 "session optional pam_umask.so\n"
				 "session required pam_unix.so\n"
				 "session optional pam_mail.so standard noenv\n"
				 "session required pam_limits.so\n"
				 "session required pam_env.so\n";

static int log_socket = -1;

void must(int result, const char *what)
{
	if (result < 0)
		err(2, "%s", what);
}

void machine_write(const char *path, const char *format, ...)
{
	va_list args;
	FILE *file = fopen(path, "we");
	if (!file)
		err(2, "%s", path);
	va_start(args, format);
	(void)vfprintf(file, format, args);
	va_end(args);
	if (fclose(file) != 0)
		err(2, "%s", path);
}

void machine_tmpfs(const char *path)
{
	must(mount("bench", path, "tmpfs", 0, "mode=0755"), path);
}

void machine_bind(const char *from, const char *to)
{
	must(mount(from, to, NULL, MS_BIND | MS_REC, NULL), to);
}

/* A log of our own, so that a line costs what it costs on a node with a log, and the machine's stays clean.
 */
static void make_log(void)
{
	static const char *const devices[] = {"null", "zero", "urandom"};
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	char from[64];
	char to[64];

	must(mkdir("/mnt/dev", 0755), "/mnt/dev");
	machine_tmpfs("/mnt/dev");
	for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
		(void)snprintf(from, sizeof from, "/dev/%s", devices[i]);
		(void)snprintf(to, sizeof to, "/mnt/dev/%s", devices[i]);
		machine_write(to, "%s", "");
		machine_bind(from, to);
	}
	must(mount("/mnt/dev", "/dev", NULL, MS_MOVE, NULL), "/dev");
	log_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(bind(log_socket, (struct sockaddr *)&address, sizeof address), "/dev/log");
}

size_t machine_log_lines(void)
{
	char line[4096];
	size_t lines = 0;
	while (recv(log_socket, line, sizeof line, 0) >= 0)
		lines++;
	return lines;
}

static void make_users(void)
{
	struct jail_buffer passwd = JAIL_BUFFER_INIT;
	if (jail_file_read(AT_FDCWD, "/etc/passwd", 1 << 24, &passwd, NULL) < 0)
		err(2, "/etc/passwd");
	machine_write("/mnt/passwd", "%sfoo:x:54321:54321::/home/foo:/bin/sh\n", passwd.data);
	jail_buffer_release(&passwd);
	machine_bind("/mnt/passwd", "/etc/passwd");
	machine_tmpfs("/home");
	must(mkdir("/home/foo", 0750), "/home/foo");
}

static void make_view(void)
{
	char to[256];
	must(mkdir("/mnt/roots", 0700), "/mnt/roots");
	must(mkdir(ROOT, 0755), ROOT);
	must(mkdir(ROOT "/home", 0755), ROOT "/home");
	for (size_t i = 0; i < sizeof recipe / sizeof recipe[0]; i++) {
		const char *from = strcmp(recipe[i], "/home/%u") == 0 ? "/home/foo" : recipe[i];
		char link[256] = "";
		(void)snprintf(to, sizeof to, ROOT "%s", from);
		if (readlink(from, link, sizeof link - 1) > 0) {
			must(symlink(link, to), to);
			continue;
		}
		must(mkdir(to, 0755), to);
		machine_bind(from, to);
	}
	must(mkdir("/mnt/marker", 0700), "/mnt/marker");
	must(mkdir(ROOT "/.clusterjail", 0700), ROOT "/.clusterjail");
	machine_bind("/mnt/marker", ROOT "/.clusterjail");
}

/* Compiles, and writes what sessions read. */
void machine_compile(const struct jail_policy *policy, const struct jail_cache_facts *facts, const char *path)
{
	struct jail_error error;
	struct jail_buffer bytes = JAIL_BUFFER_INIT;
	int r = jail_cache_compile(policy, facts, &bytes, &error);
	if (r == 0)
		r = jail_file_replace(AT_FDCWD, path, bytes.data, bytes.len, 0644, &error);
	if (r < 0)
		errx(2, "%s", error.message);
	jail_buffer_release(&bytes);
}

static void compile(size_t users, const char *path)
{
	enum { MOUNTS = sizeof recipe / sizeof recipe[0] };
	struct jail_mount mounts[MOUNTS] = {0};
	char *names = calloc(users, 16);
	char **list = calloc(users, sizeof *list);

	if (!names || !list)
		err(2, "users");
	for (size_t i = 0; i < users; i++) {
		list[i] = names + 16 * i;
		(void)snprintf(list[i], 16, i == users / 2 ? "foo" : "user%06zu", i);
	}
	for (size_t i = 0; i < MOUNTS; i++)
		mounts[i] =
			(struct jail_mount){.verb = JAIL_VERB_BIND, .target = (char *)(uintptr_t)recipe[i]};
	struct jail_jail jail = {.name = (char[]){"recipe"},
				 .confine = JAIL_CONFINE_CHROOT,
				 .root = (char[]){ROOT},
				 .shared = true,
				 .mounts = mounts,
				 .n_mounts = MOUNTS};
	struct jail_rule rule = {.kind = JAIL_RULE_USERS, .names = list, .n_names = users, .jail = 0};
	struct jail_policy policy = {.cluster = (char[]){"bench"},
				     .version = 1,
				     .issued = 1,
				     .expires = 4000000000,
				     .jails = &jail,
				     .n_jails = 1,
				     .rules = &rule,
				     .n_rules = 1};
	struct jail_cache_facts facts = {.node = "bench"};
	machine_compile(&policy, &facts, path);
	free(list);
	free(names);
}

void machine_service(size_t i, bool stacked, char name[static 32])
{
	(void)snprintf(name, 32, "%s%zu", stacked ? "sshd" : "alone", i);
}

static void copy_config(const char *name)
{
	char path[128];
	struct jail_buffer text = JAIL_BUFFER_INIT;
	(void)snprintf(path, sizeof path, "/etc/security/%s", name);
	(void)jail_file_read(AT_FDCWD, path, 1 << 20, &text, NULL);
	(void)snprintf(path, sizeof path, "/mnt/security/%s", name);
	machine_write(path, "%s", text.data);
	jail_buffer_release(&text);
}

static void make_chroot_conf(size_t lines)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/mnt/security/chroot.conf.%zu", lines);
	FILE *file = fopen(path, "we");
	if (!file)
		err(2, "%s", path);
	for (size_t i = 0; i + 1 < lines; i++)
		(void)fprintf(file, "user%06zu " ROOT "\n", i);
	(void)fprintf(file, "foo " ROOT "\n");
	if (fclose(file) != 0)
		err(2, "%s", path);
}

static void make_services(const struct contender *contenders, size_t n, const char *jail, const char *stock)
{
	char path[64];
	char name[32];
	must(mkdir("/mnt/pam.d", 0755), "/mnt/pam.d");
	must(mkdir("/mnt/security", 0755), "/mnt/security");
	copy_config("limits.conf");
	copy_config("pam_env.conf");
	machine_write("/mnt/pam.d/other", "session required pam_deny.so\n");
	for (size_t i = 0; i < 2 * n; i++) {
		const struct contender *who = &contenders[i / 2];
		bool stacked = i % 2 == 1;
		machine_service(i / 2, stacked, name);
		(void)snprintf(path, sizeof path, "/mnt/pam.d/%s", name);
		if (who->lines) {
			machine_write(path, "%ssession required %s\n", stacked ? sshd_stack : "", stock);
			make_chroot_conf(who->lines);
			continue;
		}
		machine_write(path, "%ssession required %s cache=/mnt/%zu.cache\n", stacked ? sshd_stack : "",
			      jail, who->users);
		(void)snprintf(path, sizeof path, "/mnt/%zu.cache", who->users);
		compile(who->users, path);
	}
	machine_bind("/mnt/pam.d", "/etc/pam.d");
	machine_bind("/mnt/security", "/etc/security");
}

/* pam_chroot has its configuration's path compiled in. */
void machine_choose(size_t lines)
{
	char name[64];
	(void)snprintf(name, sizeof name, "chroot.conf.%zu", lines);
	(void)unlink("/etc/security/chroot.conf");
	must(symlink(name, "/etc/security/chroot.conf"), "/etc/security/chroot.conf");
}

static void keep_module(const struct jail_buffer *module, size_t i, const char **ret)
{
	static char kept[MODULES_MAX][32];
	(void)snprintf(kept[i], sizeof kept[i], "/mnt/%zu.so", i);
	if (jail_file_replace(AT_FDCWD, kept[i], module->data, module->len, 0755, NULL) < 0)
		err(2, "%s", kept[i]);
	*ret = kept[i];
}

void machine_begin(const char **modules, size_t n)
{
	struct jail_buffer kept[MODULES_MAX] = {0};
	(void)umask(022);
	for (size_t i = 0; i < n; i++)
		if (jail_file_read(AT_FDCWD, modules[i], 1 << 26, &kept[i], NULL) < 0)
			err(2, "%s", modules[i]);
	must(unshare(CLONE_NEWNS), "a mount namespace");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
	machine_tmpfs("/mnt");
	for (size_t i = 0; i < n; i++) {
		keep_module(&kept[i], i, &modules[i]);
		jail_buffer_release(&kept[i]);
	}
	make_log();
	make_users();
}

void machine_make(const struct contender *contenders, size_t n, const char *jail, const char *stock)
{
	const char *modules[] = {jail, stock};
	machine_begin(modules, 2);
	make_view();
	make_services(contenders, n, modules[0], modules[1]);
}
