/* The way back to the host, kept from open_session to close_session of one PAM handle.
 *
 * A descriptor of the host's root is an open door to whoever can name it: /proc/self/fd/N/home. Close-on-exec
 * shuts it where a program starts another one. sshd does not: the process that serves a user's forwardings
 * is a fork of the one that opened the session and runs as the user. So every fork closes it too. */
#pragma once

#include <security/pam_modules.h>
#include <stdbool.h>
#include "lib/base/error.h"
#include "lib/view/enter.h"

/* Whether this handle has entered a view and not left it. */
bool saved_exists(pam_handle_t *pamh);

/* Enters the view and keeps the way back with the handle. On failure the thread is where it was.
 * Errors: those of jail_enter, -ENOMEM. */
int saved_enter(pam_handle_t *pamh, const struct jail_door *door, struct jail_error *err);

/* Goes back. Returns 1, or 0 when there was nothing to go back from; -EPERM without privileges (systemd's
 * (sd-pam) closes sessions as the user), others as jail_enter_leave. Afterwards nothing is kept.
 *
 * pam_end alone never goes back: pkexec ends its handle before it runs the user's command. */
int saved_leave(pam_handle_t *pamh, struct jail_error *err);
