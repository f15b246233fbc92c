/* Growing a typed array that is kept as pointer and count: doubles at powers of two, so that appending
 * n elements costs O(n). */
#pragma once

#include <stddef.h>

/* Makes room for one element more in *array, which holds count elements of size bytes each.
 * Returns a pointer to the new, zeroed element, or NULL (ENOMEM) with the array as it was.
 * The caller increments its count. */
void *jail_array_grow(void **array, size_t count, size_t size);

#define JAIL_ARRAY_PUSH(array, count)                                                                        \
	((typeof(array))jail_array_grow((void **)&(array), (count), sizeof *(array)))
