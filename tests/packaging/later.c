/* LD_PRELOAD: the clock is LATER seconds ahead. The change time of a file can't be set, so what is to be old
 * enough to go is left as it is, and the program that looks at it lives later. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	int r = real(clock, ret);
	const char *later = getenv("LATER");
	if (r == 0 && later && clock == CLOCK_REALTIME)
		ret->tv_sec += strtol(later, NULL, 10);
	return r;
}
