/* run/status.json. */
#pragma once

#include "agent/config.h"
#include "agent/report.h"

/* What the last sync wrote. Errors: -ENOENT none; -EBADMSG damaged; errno of reading. */
int jail_status_load(const struct jail_config *config, struct jail_report *ret, struct jail_error *err);
/* Replaces it. */
int jail_status_save(const struct jail_config *config, const struct jail_report *report,
		     struct jail_error *err);
