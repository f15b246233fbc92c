/* jail-policyd: the endpoint. A directory, a socket, no privileges, a thread that serves; this one waits for
 * a signal. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "api/policyd/listen.h"
#include "api/policyd/options.h"
#include "api/policyd/privileges.h"
#include "api/policyd/server.h"
#include "api/policyd/source.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"

enum { GOODBYE_SECONDS = 5 };

/* A directory that is not there is a mistake on the command line; one without a policy is a cluster's first
 * day, which /healthz tells as well. */
static int check_directory(const char *dir, struct jail_error *err)
{
	jail_autoclose int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	jail_autoclose int published = -1;
	struct policyd_stamp stamp;
	struct jail_error why;

	if (fd < 0)
		return jail_error_sys(err, errno, "--dir %s", dir);
	if (policyd_source_open(dir, "v1/policy.json", &published, &stamp, &why) < 0)
		jail_log_warning("%s: %s; serving it as soon as it is there", dir, why.message);
	return 0;
}

static int start(const struct policyd_options *options, const struct policyd_address *address,
		 struct policyd_server **ret, struct jail_error *err)
{
	struct sockaddr_storage bound;
	char text[POLICYD_ADDRESS_TEXT];
	jail_autoclose int fd = -1;
	int r = policyd_listen(address, &fd, &bound, err);

	if (r == 0)
		r = policyd_privileges_drop(options->user, err);
	if (r == 0)
		r = check_directory(options->dir, err);
	if (r == 0)
		r = policyd_server_start(options->dir, JAIL_STEAL_FD(fd), ret, err);
	if (r < 0)
		return r;
	policyd_address_text((const struct sockaddr *)&bound, text);
	jail_log_notice("serving %s at %s", options->dir, text);
	return 0;
}

int main(int argc, char **argv)
{
	struct policyd_options options;
	struct policyd_address address;
	struct policyd_server *server = NULL;
	struct jail_error err;
	sigset_t stops;
	int code, signal_number;

	jail_log_init("jail-policyd");
	if (!policyd_options_parse(argc, argv, &options, &code))
		return code;
	if (policyd_address_parse(options.listen, &address, &err) < 0) {
		jail_log_err("%s", err.message);
		return POLICYD_EXIT_USAGE;
	}
	/* Before there is a second thread: it inherits the mask, so the signals come to sigwait alone. */
	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stops, NULL);
	(void)signal(SIGPIPE, SIG_IGN); /* a log reader that went away must not end the service */
	if (start(&options, &address, &server, &err) < 0) {
		jail_log_err("%s", err.message);
		return POLICYD_EXIT_FAILED;
	}
	while (sigwait(&stops, &signal_number) != 0)
		continue;
	jail_log_notice("stopping: %s", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	policyd_server_stop(server, GOODBYE_SECONDS);
	return POLICYD_EXIT_OK;
}
