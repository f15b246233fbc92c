/* Reads a status report as jail-agent does: 0, or 1 with what is wrong with it. */
#include <fcntl.h>
#include <stdio.h>
#include "agent/report.h"
#include "lib/base/file.h"

int main(int argc, char **argv)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autoreport struct jail_report report = {0};
	struct jail_error err;

	if (argc != 2 || jail_file_read(AT_FDCWD, argv[1], 1 << 20, &text, &err) < 0)
		return 64;
	if (jail_report_read(text.data, text.len, &report, &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s: %s\n", argv[1], err.message);
	return 1;
}
