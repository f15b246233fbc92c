#include "lib/base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *jail_array_grow(void **array, size_t count, size_t size)
{
	/* Full exactly at 0 and at the powers of two. */
	if ((count & (count - 1)) == 0) {
		size_t capacity = count ? count * 2 : 1;
		if (capacity < count || capacity > SIZE_MAX / 2 / size)
			return NULL;
		void *grown = realloc(*array, capacity * size);
		if (!grown)
			return NULL;
		*array = grown;
	}
	return memset((char *)*array + count * size, 0, size);
}
