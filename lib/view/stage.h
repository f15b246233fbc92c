/* The place in the directory of all roots where mounts are put together. Private to lib/view. */
#pragma once

/* Below the directory of all roots. Mounts found there were left by a run that was killed. */
#define JAIL_STAGE_DIR "/.staging"

/* Takes its directories away, if nothing is mounted there. */
void jail_stage_remove(const char *roots_dir);
