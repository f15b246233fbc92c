#include "slurm/options.h"

#include <string.h>

#ifndef CLUSTERJAIL_BREAKGLASS
#error "the build says which group breaks the glass: sudo on Debian, wheel on RHEL"
#endif

static const char *value_of(const char *argument, const char *key)
{
	size_t len = strlen(key);
	return strncmp(argument, key, len) == 0 ? argument + len : NULL;
}

void options_parse(int argc, char *argv[], struct options *ret)
{
	*ret = (struct options){
		.cache = "/var/lib/clusterjail/policy.cache",
		.breakglass = CLUSTERJAIL_BREAKGLASS,
		.run = "/run/clusterjail",
	};
	for (int i = 0; i < argc; i++) {
		const char *value = NULL;
		if ((value = value_of(argv[i], "cache=")) && value[0] == '/')
			ret->cache = value;
		else if ((value = value_of(argv[i], "run=")) && value[0] == '/')
			ret->run = value;
		else if ((value = value_of(argv[i], "breakglass=")) && value[0])
			ret->breakglass = value;
		else if (!ret->unknown)
			ret->unknown = argv[i];
	}
}
