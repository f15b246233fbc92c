/* The doors of a tree of files: audittree TREE WORLD. WORLD holds what the tree cannot say, each file
 *optional: sshd-T		what "sshd -T" answers; sshd-T.NAME for one that was started with -f .../NAME.
 *			Without the first there is no sshd
 *	daemons		lines "PID NAME ARGUMENT..."; a title with blanks is put between tabs
 *	confined	names of confined users
 *	slurm_conf	$SLURM_CONF
 * audittree --origin TREE FILE: through which door came a process whose cgroup says what FILE says.
 * The report goes to standard output; 2 something is open, 0 nothing is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/audit_node.h"
#include "agent/audit_origin.h"
#include "lib/base/array.h"
#include "lib/base/file.h"

static const char *world;

static struct jail_buffer text_of(const char *name)
{
	struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_error err;
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/%s", world, name);
	if (jail_file_read(AT_FDCWD, path, 1 << 20, &text, &err) < 0 && err.code != ENOENT) {
		(void)fprintf(stderr, "%s\n", err.message);
		exit(3);
	}
	return text;
}

static int ask_sshd(void *context, const struct jail_names *options, struct jail_buffer *ret,
		    struct jail_error *err)
{
	char name[256] = "sshd-T";

	(void)context;
	for (size_t i = 0; i + 1 < options->n; i += 2)
		if (strcmp(options->names[i], "-f") == 0)
			(void)snprintf(name, sizeof name, "sshd-T.%s",
				       strrchr(options->names[i + 1], '/') + 1);
	*ret = text_of(name);
	if (ret->len > 0)
		return 0;
	return options->n == 0 ? jail_error_set(err, ENOENT, "there is no sshd")
			       : jail_error_set(err, EIO, "sshd -T ended with 255: no such file");
}

static int is_confined(void *context, const char *user, struct jail_error *err)
{
	const struct jail_names *confined = context;

	(void)err;
	return jail_names_has(confined, user);
}

static void add_lines(const char *file, struct jail_names *ret)
{
	struct jail_buffer text = text_of(file);
	char *rest = text.data;

	for (char *line; text.len > 0 && (line = strsep(&rest, "\n"));)
		if (*line && jail_names_add(ret, line) < 0)
			exit(3);
	jail_buffer_release(&text);
}

static void add_daemon(struct jail_audited *node, char *line)
{
	struct jail_daemon *daemon = JAIL_ARRAY_PUSH(node->daemons, node->n_daemons);
	char *word = strsep(&line, " ");

	if (!daemon)
		exit(3);
	daemon->pid = atoi(word);
	daemon->name = strsep(&line, " ");
	while (line && (word = *line == '\t' ? (line++, strsep(&line, "\t")) : strsep(&line, " ")))
		if (*word && jail_names_add(&daemon->argv, word) < 0)
			exit(3);
	node->n_daemons++;
}

static int print_origin(const char *tree_path, const char *file)
{
	struct jail_tree tree = {open(tree_path, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	char *origin;

	if (tree.fd < 0 || jail_file_read(AT_FDCWD, file, 1 << 20, &text, NULL) < 0 ||
	    jail_audit_origin(&tree, text.data, &origin) < 0)
		return 3;
	puts(origin);
	free(origin);
	(void)close(tree.fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct jail_audited node = {.breakglass = "sudo", .ask_sshd = ask_sshd, .is_confined = is_confined};
	jail_autonames struct jail_names confined = {0}, lines = {0}, conf = {0};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoaudit struct jail_audit audit = {0};
	struct jail_error err;

	if (argc == 4 && strcmp(argv[1], "--origin") == 0)
		return print_origin(argv[2], argv[3]);
	if (argc != 3 || (node.tree.fd = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 3;
	world = argv[2];
	add_lines("confined", &confined);
	add_lines("daemons", &lines);
	add_lines("slurm_conf", &conf);
	node.context = &confined;
	node.slurm_conf = conf.n > 0 ? conf.names[0] : NULL;
	for (size_t i = 0; i < lines.n; i++)
		add_daemon(&node, lines.names[i]);
	if (jail_audit_doors(&node, &audit, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	if (jail_audit_text(&audit, &text) < 0)
		return 3;
	(void)fwrite(text.data, 1, text.len, stdout);
	for (size_t i = 0; i < node.n_daemons; i++)
		jail_names_release(&node.daemons[i].argv);
	free(node.daemons);
	(void)close(node.tree.fd);
	return audit.n_doors > 0 || audit.n_strays > 0 ? 2 : 0;
}
