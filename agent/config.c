#include "agent/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/nodename.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"

/* TIMEOUT_MAX: below TimeoutStartSec= of clusterjail.service, so that last-known-good is still enforced after
 * it. */
enum { CONFIG_MAX = 1 << 16, TIMEOUT_MAX = 240 };

struct parse {
	const char *path;
	const char *next; /* unread text */
	int line;	  /* of the line that inih handles now */
	struct jail_config *config;
	struct jail_error error; /* the first one; code 0: none */
	int error_line;
};

static void fail(struct parse *parse, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct parse *parse, const char *format, ...)
{
	char text[512];
	va_list args;

	if (parse->error.code)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	parse->error_line = parse->line;
	jail_error_set(&parse->error, EINVAL, "%s:%d: %s", parse->path, parse->line, text);
}

static void set_text(struct parse *parse, char **field, const char *key, const char *value)
{
	if (*field)
		fail(parse, "%s is given twice", key);
	else if (*value == '\0')
		fail(parse, "%s has no value", key);
	else if (!(*field = strdup(value)))
		fail(parse, "out of memory");
}

static void set_path(struct parse *parse, char **field, const char *key, const char *value)
{
	if (!jail_path_is_normal(value))
		fail(parse, "%s = %s: write an absolute path without //, /./ or /../", key, value);
	else
		set_text(parse, field, key, value);
}

static void set_url(struct parse *parse, const char *key, const char *value)
{
	const char *host = strncmp(value, "http://", 7) == 0	? value + 7
			   : strncmp(value, "https://", 8) == 0 ? value + 8
								: NULL;

	if (!host || *host == '\0' || *host == '/')
		fail(parse, "%s = %s: write http://HOST/PATH or https://HOST/PATH", key, value);
	else if (memchr(host, '@', strcspn(host, "/")))
		fail(parse, "%s holds a user name or password, which would show in logs: take it out", key);
	else if (strpbrk(value, " \t\"<>\\^`{|}"))
		fail(parse, "%s holds a character that no URL has", key);
	else
		set_text(parse, &parse->config->url, key, value);
}

static void set_timeout(struct parse *parse, const char *key, const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)*value) || *end != '\0' || seconds < 1 || seconds > TIMEOUT_MAX)
		fail(parse, "%s = %s: write whole seconds from 1 to %d", key, value, TIMEOUT_MAX);
	else if (parse->config->timeout)
		fail(parse, "%s is given twice", key);
	else
		parse->config->timeout = (unsigned)seconds;
}

static void set_node(struct parse *parse, const char *key, const char *value)
{
	if (!jail_node_name_ok(value))
		fail(parse, "%s = %s: a host name is made of a-z A-Z 0-9 . _ -", key, value);
	else
		set_text(parse, &parse->config->node, key, value);
}

/* A list: separated by white space, and in as many lines as somebody likes. */
static void set_chroot_conf(struct parse *parse, const char *key, const char *value)
{
	struct jail_config *config = parse->config;
	jail_autofree char *copy = strdup(value);
	char *rest = copy;

	if (!copy) {
		fail(parse, "out of memory");
		return;
	}
	for (char *word; (word = strtok_r(rest, " \t", &rest));) {
		char **slot;

		if (*word == ';') /* a comment, which inih leaves in lines that continue another */
			return;
		if (!jail_path_is_normal(word) || strcmp(word, "/") == 0) {
			fail(parse, "%s: \"%s\" is no absolute path in normal form", key, word);
			return;
		}
		slot = JAIL_ARRAY_PUSH(config->chroot_conf, config->n_chroot_conf);
		if (!slot || !(*slot = strdup(word))) {
			fail(parse, "out of memory");
			return;
		}
		config->n_chroot_conf++;
	}
}

static void set_namespace(struct parse *parse, const char *key, const char *value)
{
	if (strcmp(value, "any") == 0)
		parse->config->any_namespace = true;
	else if (strcmp(value, "require") == 0)
		parse->config->any_namespace = false;
	else
		fail(parse, "%s = %s: write require, or any", key, value);
}

static bool known_section(const char *name, size_t len)
{
	static const char *const sections[] = {"policy", "node", "paths", "safety"};

	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
		if (strlen(sections[i]) == len && strncmp(sections[i], name, len) == 0)
			return true;
	return false;
}

static int handle(void *user, const char *section, const char *key, const char *value)
{
	struct parse *parse = user;
	struct jail_config *config = parse->config;
	char name[128];

	snprintf(name, sizeof name, "%s.%s", section, key);
	if (strcmp(name, "policy.url") == 0)
		set_url(parse, key, value);
	else if (strcmp(name, "policy.trust") == 0)
		set_path(parse, &config->trust, key, value);
	else if (strcmp(name, "policy.timeout") == 0)
		set_timeout(parse, key, value);
	else if (strcmp(name, "node.name") == 0)
		set_node(parse, key, value);
	else if (strcmp(name, "node.breakglass") == 0)
		set_text(parse, &config->breakglass, key, value);
	else if (strcmp(name, "paths.state") == 0)
		set_path(parse, &config->state, key, value);
	else if (strcmp(name, "paths.run") == 0)
		set_path(parse, &config->run, key, value);
	else if (strcmp(name, "paths.chroot_conf") == 0)
		set_chroot_conf(parse, key, value);
	else if (strcmp(name, "safety.host_namespace") == 0)
		set_namespace(parse, key, value);
	else if (*section == '\0')
		fail(parse, "%s stands before the first [section]", key);
	else
		fail(parse, "[%s] has no key %s: see agent.conf(5)", section, key);
	return 1;
}

/* Hands inih one line at a time, counting them: inih itself tells the line of its first error only, and
 * nothing of a section without keys. */
static char *next_line(char *text, int size, void *stream)
{
	struct parse *parse = stream;
	size_t len = strcspn(parse->next, "\n");

	if (*parse->next == '\0')
		return NULL;
	parse->line++;
	if (len + 2 > (size_t)size) {
		fail(parse, "the line is longer than %d bytes", size - 2);
		return NULL;
	}
	if (*parse->next == '[') {
		size_t n = strcspn(parse->next + 1, "]\n");

		if (!known_section(parse->next + 1, n))
			fail(parse, "there is no section [%.*s]: see agent.conf(5)", (int)n, parse->next + 1);
	}
	memcpy(text, parse->next, len);
	text[len] = '\n';
	text[len + 1] = '\0';
	parse->next += len + (parse->next[len] == '\n');
	return text;
}

static int parse_text(const char *path, const char *text, struct jail_config *config, struct jail_error *err)
{
	struct parse parse = {.path = path, .next = text, .config = config};
	int r = ini_parse_stream(next_line, &parse, handle, &parse);

	if (r > 0 && (!parse.error.code || r < parse.error_line))
		return jail_error_set(err, EINVAL, "%s:%d: neither [section] nor key = value", path, r);
	if (r < 0)
		return jail_error_sys(err, ENOMEM, "cannot read %s", path);
	if (parse.error.code)
		return jail_error_set(err, parse.error.code, "%s", parse.error.message);
	return 0;
}

static int fill_text(char **field, const char *value)
{
	if (!*field)
		*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int fill_defaults(struct jail_config *config)
{
	static const char *const files[] = {"/etc/chroot.conf", "/etc/security/chroot.conf"};
	jail_autofree char *node = jail_node_name();

	if (!node || fill_text(&config->node, node) < 0 ||
	    fill_text(&config->trust, CLUSTERJAIL_SYSCONFDIR "/trust.json") < 0 ||
	    fill_text(&config->breakglass, CLUSTERJAIL_BREAKGLASS) < 0 ||
	    fill_text(&config->state, "/var/lib/clusterjail") < 0 ||
	    fill_text(&config->run, "/run/clusterjail") < 0)
		return -ENOMEM;
	if (config->timeout == 0)
		config->timeout = 30;
	for (size_t i = 0; config->n_chroot_conf < 2 && i < 2; i++) {
		char **slot;

		if (config->n_chroot_conf != i)
			break;
		slot = JAIL_ARRAY_PUSH(config->chroot_conf, config->n_chroot_conf);
		if (!slot || !(*slot = strdup(files[i])))
			return -ENOMEM;
		config->n_chroot_conf++;
	}
	return 0;
}

static int derive(struct jail_config *config)
{
	const struct {
		char **field;
		const char *dir, *name;
	} paths[] = {
		{&config->envelope, config->state, "policy.envelope"},
		{&config->accepted, config->state, "accepted.json"},
		{&config->cache, config->state, "policy.cache"},
		{&config->roots, config->state, "roots"},
		{&config->made, config->state, "made"},
		{&config->marker, config->run, "marker"},
		{&config->lock, config->run, "lock"},
		{&config->status, config->run, "status.json"},
		{&config->whole, config->run, "whole"},
		{&config->private_disk, config->state, "private"},
		{&config->private_memory, config->run, "private"},
	};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		if (asprintf(paths[i].field, "%s/%s", paths[i].dir, paths[i].name) < 0) {
			*paths[i].field = NULL;
			return -ENOMEM;
		}
	return 0;
}

int jail_config_read(const char *path, struct jail_config *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoconfig struct jail_config config = {0};
	int r = jail_file_read_trusted(AT_FDCWD, path, CONFIG_MAX, &text, err);

	if (r < 0)
		return r;
	if (strlen(text.data) != text.len)
		return jail_error_set(err, EINVAL, "%s holds a NUL byte: it is no text", path);
	r = parse_text(path, text.data, &config, err);
	if (r < 0)
		return r;
	if (fill_defaults(&config) < 0 || derive(&config) < 0)
		return jail_error_sys(err, ENOMEM, "cannot read %s", path);
	*ret = config;
	config = (struct jail_config){0};
	return 0;
}

void jail_config_release(struct jail_config *config)
{
	char *texts[] = {config->url,		config->trust,	config->node,  config->breakglass,
			 config->state,		config->run,	config->cache, config->envelope,
			 config->accepted,	config->roots,	config->made,  config->marker,
			 config->lock,		config->status, config->whole, config->private_disk,
			 config->private_memory};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		free(texts[i]);
	for (size_t i = 0; i < config->n_chroot_conf; i++)
		free(config->chroot_conf[i]);
	free(config->chroot_conf);
	*config = (struct jail_config){0};
}
