/* What agent/chrootconf.h makes of a text: chrootconf make|strip FILE USERS. FILE is the present chroot.conf,
 * USERS has one "user root" line each, sorted. The new text goes to standard output; differences ("- ..."),
 * notes
 * ("! ...") and an error ("error: ...") go to standard error, with the file called CONF. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/chrootconf.h"
#include "lib/base/file.h"

enum { USERS_MAX = 1024 };

static size_t read_users(char *text, struct jail_chroot_user users[static USERS_MAX])
{
	size_t n = 0;

	for (char *line; n < USERS_MAX && (line = strtok_r(text, "\n", &text)); n++) {
		char *space = strchr(line, ' ');

		if (!space)
			exit(2);
		*space = '\0';
		users[n] = (struct jail_chroot_user){line, space + 1};
	}
	return n;
}

static int make(const struct jail_buffer *text, const struct jail_chroot_user *users, size_t n,
		struct jail_error *err)
{
	jail_autochrootconf struct jail_chroot_conf conf = JAIL_CHROOT_CONF_INIT;
	int r = jail_chroot_conf_make("CONF", text->data, text->len, users, n, &conf, err);

	if (r < 0)
		return r;
	fwrite(conf.text.data, 1, conf.text.len, stdout);
	for (size_t i = 0; i < conf.n_differences; i++)
		fprintf(stderr, "- %s\n", conf.differences[i]);
	for (size_t i = 0; i < conf.n_notes; i++)
		fprintf(stderr, "! %s\n", conf.notes[i]);
	return 0;
}

static int strip(const struct jail_buffer *text, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer rest = JAIL_BUFFER_INIT;
	int r = jail_chroot_conf_strip("CONF", text->data, text->len, &rest, err);

	if (r == 0)
		fwrite(rest.data, 1, rest.len, stdout);
	return r;
}

int main(int argc, char **argv)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT, names = JAIL_BUFFER_INIT;
	static struct jail_chroot_user users[USERS_MAX];
	struct jail_error error;
	int r;

	if (argc != 4 || jail_file_read(AT_FDCWD, argv[2], 1 << 20, &text, &error) < 0 ||
	    jail_file_read(AT_FDCWD, argv[3], 1 << 20, &names, &error) < 0)
		return 2;
	if (strcmp(argv[1], "make") == 0)
		r = make(&text, users, read_users(names.data, users), &error);
	else
		r = strip(&text, &error);
	if (r < 0)
		fprintf(stderr, "error: %s\n", error.message);
	return r < 0;
}
