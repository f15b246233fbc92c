/* When the agent must not touch anything. */
#pragma once

#include "agent/config.h"

/* Root, and unless [safety] host_namespace = any in the mount namespace of PID 1: in one of its own (a
 * systemd unit with ProtectSystem= has one) the mounts would not reach any session. Errors: -EPERM. */
int jail_safety_check(const struct jail_config *config, struct jail_error *err);
