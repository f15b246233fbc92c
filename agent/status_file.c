#include "agent/status_file.h"

#include <errno.h>
#include <fcntl.h>
#include "lib/base/file.h"

enum { STATUS_MAX = 16 << 20 };

int jail_status_load(const struct jail_config *config, struct jail_report *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_file_read_trusted(AT_FDCWD, config->status, STATUS_MAX, &text, err);

	if (r < 0)
		return r;
	r = jail_report_read(text.data, text.len, ret, err);
	return r < 0 ? jail_error_prefix(err, "%s", config->status) : 0;
}

int jail_status_save(const struct jail_config *config, const struct jail_report *report,
		     struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;

	if (jail_report_write(report, &text) < 0)
		return jail_error_sys(err, ENOMEM, "cannot write %s", config->status);
	return jail_file_replace(AT_FDCWD, config->status, text.data, text.len, 0644, err);
}
