/* One walk over /proc: processes of confined users outside their views, and root's programs that may let
 * users in. */
#pragma once

#include "agent/audit.h"
#include "agent/audit_node.h"
#include "agent/audit_people.h"

/* Adds strays to people's audit, and daemons to node. proc: a descriptor of /proc. A process that ends
 * meanwhile is none. Errors: errno of reading /proc; -ENOMEM; -EBADMSG damaged cache. */
int jail_audit_processes(int proc, struct jail_people *people, struct jail_audited *node,
			 struct jail_error *err);
void jail_daemons_release(struct jail_audited *node);
