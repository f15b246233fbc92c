#include "pam/saved.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA_NAME "clusterjail_entered"

struct saved {
	struct jail_entered entered;
	struct saved *next;
};

/* Of all handles of this process; slurmstepd has threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct saved *all;
static bool watching_forks;

static void before_fork(void)
{
	(void)pthread_mutex_lock(&lock);
}

static void after_fork_parent(void)
{
	(void)pthread_mutex_unlock(&lock);
}

static void after_fork_child(void)
{
	for (struct saved *saved = all; saved; saved = saved->next)
		jail_enter_forget(&saved->entered);
	(void)pthread_mutex_unlock(&lock);
}

/* Once in the life of the module; glibc forgets the handlers when it is unloaded. Under the lock. */
static int watch_forks(void)
{
	if (watching_forks)
		return 0;
	int r = pthread_atfork(before_fork, after_fork_parent, after_fork_child);
	watching_forks = r == 0;
	return -r;
}

static void list_remove(const struct saved *saved)
{
	(void)pthread_mutex_lock(&lock);
	for (struct saved **p = &all; *p; p = &(*p)->next) {
		if (*p == saved) {
			*p = saved->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&lock);
}

static void saved_free(struct saved *saved)
{
	list_remove(saved);
	jail_enter_forget(&saved->entered);
	free(saved);
}

static void forget(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	saved_free(data);
}

static const struct saved *find(pam_handle_t *pamh)
{
	const void *data = NULL;
	return pam_get_data(pamh, DATA_NAME, &data) == PAM_SUCCESS ? data : NULL;
}

bool saved_exists(pam_handle_t *pamh)
{
	return find(pamh) != NULL;
}

/* Under the lock from the first saved descriptor on, so that a fork in another thread can't miss one. */
static int enter_locked(struct saved *saved, const struct jail_door *door, struct jail_error *err)
{
	int r = watch_forks();
	if (r < 0)
		return jail_error_sys(err, -r, "cannot watch for forks");
	r = jail_enter(door, &saved->entered, err);
	if (r < 0)
		return r;
	saved->next = all;
	all = saved;
	return 0;
}

int saved_enter(pam_handle_t *pamh, const struct jail_door *door, struct jail_error *err)
{
	struct saved *saved = calloc(1, sizeof *saved);
	if (!saved)
		return jail_error_sys(err, ENOMEM, "cannot keep the way back to the host");
	saved->entered = JAIL_ENTERED_INIT;
	(void)pthread_mutex_lock(&lock);
	int r = enter_locked(saved, door, err);
	(void)pthread_mutex_unlock(&lock);
	if (r < 0) {
		free(saved);
		return r;
	}
	if (pam_set_data(pamh, DATA_NAME, saved, forget) != PAM_SUCCESS) {
		(void)jail_enter_leave(&saved->entered, NULL);
		saved_free(saved);
		return jail_error_sys(err, ENOMEM, "cannot keep the way back to the host");
	}
	return 0;
}

int saved_leave(pam_handle_t *pamh, struct jail_error *err)
{
	const struct saved *saved = find(pamh);
	if (!saved)
		return 0;
	int r = geteuid() == 0 ? jail_enter_leave(&saved->entered, err)
			       : jail_error_sys(err, EPERM, "cannot go back to the host");
	(void)pam_set_data(pamh, DATA_NAME, NULL, NULL); /* frees it through forget */
	return r < 0 ? r : 1;
}
