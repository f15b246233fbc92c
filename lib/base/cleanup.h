/* Cleanup attributes: a variable that owns something releases it when it goes out of scope.
 * Ownership leaves the scope through JAIL_STEAL_FD or JAIL_STEAL_PTR only. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void jail_cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Closes *fd if it is open. Keeps errno: it runs on the way out of failing functions. */
void jail_cleanup_close(const int *fd);
void jail_cleanup_fclose(FILE **f);
void jail_cleanup_closedir(DIR **d);

#define jail_autofree	  __attribute__((cleanup(jail_cleanup_free)))
#define jail_autoclose	  __attribute__((cleanup(jail_cleanup_close)))
#define jail_autofclose	  __attribute__((cleanup(jail_cleanup_fclose)))
#define jail_autoclosedir __attribute__((cleanup(jail_cleanup_closedir)))

#define JAIL_STEAL_FD(fd)                                                                                    \
	({                                                                                                   \
		int *steal_fd_ = &(fd);                                                                      \
		int stolen_fd_ = *steal_fd_;                                                                 \
		*steal_fd_ = -1;                                                                             \
		stolen_fd_;                                                                                  \
	})

#define JAIL_STEAL_PTR(ptr)                                                                                  \
	({                                                                                                   \
		typeof(ptr) *steal_ptr_ = &(ptr);                                                            \
		typeof(ptr) stolen_ptr_ = *steal_ptr_;                                                       \
		*steal_ptr_ = NULL;                                                                          \
		stolen_ptr_;                                                                                 \
	})
