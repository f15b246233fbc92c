#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "api/policy/commands.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/wire/key.h"

/* A new file, never one that is there: a signing key that is overwritten is lost, and with it the nodes. */
static int create(const char *path, const struct jail_buffer *content, mode_t mode, struct jail_error *err)
{
	jail_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0 && errno == EEXIST)
		return jail_error_set(err, EEXIST,
				      "%s exists already, and a key is never overwritten: choose "
				      "another name, or move it away",
				      path);
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot create %s", path);
	r = jail_write_all(fd, content->data, content->len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r == 0)
		return 0;
	(void)unlink(path);
	return jail_error_sys(err, -r, "cannot write %s", path);
}

static int write_pair(const char *name, const struct jail_private_key *key, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer secret = JAIL_BUFFER_INIT, open_half = JAIL_BUFFER_INIT;
	jail_autofree char *secret_path = NULL, *public_path = NULL;
	struct jail_public_key public;
	int r = jail_private_key_public(key, &public, err);

	if (r == 0)
		r = jail_public_key_to_pem(&public, &open_half, err);
	if (r < 0)
		return r;
	if (asprintf(&secret_path, "%s.key", name) < 0 || asprintf(&public_path, "%s.pub", name) < 0)
		return jail_error_sys(err, ENOMEM, "cannot name the key's files");
	r = jail_private_key_to_pem(key, &secret, err);
	if (r == 0)
		r = create(secret_path, &secret, 0600, err);
	if (secret.capacity)
		explicit_bzero(secret.data, secret.capacity);
	if (r < 0)
		return r;
	r = create(public_path, &open_half, 0644, err);
	if (r < 0) {
		(void)unlink(secret_path); /* made a moment ago, used by nobody */
		return r;
	}
	printf("%s\n", public.keyid);
	fprintf(stderr,
		"jail-policy: %s signs policies: keep it on the signer's machine only. %s goes into trust "
		"files.\n",
		secret_path, public_path);
	return 0;
}

int jail_cmd_keygen(int argc, char **argv)
{
	static const struct option options[] = {{"out", required_argument, NULL, 'o'}, {0}};
	jail_autokey struct jail_private_key *key = NULL;
	const char *name = NULL;
	struct jail_error err;
	int c;

	while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (c != 'o')
			return jail_usage("keygen", NULL);
		name = optarg;
	}
	if (optind < argc)
		return jail_usage("keygen", "unexpected argument \"%s\"", argv[optind]);
	if (!name || !*name)
		return jail_usage("keygen", "--out NAME is missing");
	if (jail_key_generate(&key, &err) < 0 || write_pair(name, key, &err) < 0)
		return jail_fail(&err);
	return JAIL_EXIT_OK;
}
