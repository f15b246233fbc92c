#include "agent/audit_node.h"
#include "agent/audit_pam.h"

int jail_audit_doors(const struct jail_audited *node, struct jail_audit *audit, struct jail_error *err)
{
	int r = jail_audit_pam(&node->tree, audit, err);

	if (r == 0)
		r = jail_audit_sshd(node, audit, err);
	if (r == 0)
		r = jail_audit_listeners(node, audit, err);
	if (r == 0)
		r = jail_audit_slurm(node, audit, err);
	return r < 0 ? r : jail_audit_system(node, audit, err);
}
