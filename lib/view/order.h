/* Paths in the order in which they are mounted: component by component, so that a directory comes before all
 * that lies below it and all that lies below it is one run. (strcmp puts "/a-b" between "/a" and "/a/b".) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* <0, 0, >0 like strcmp(3). */
int jail_order_compare(const char *a, const char *b);

/* What is left of path (normal form) after dir: "" when equal, "/x" when below, NULL when path is not at or
 * below dir. */
const char *jail_order_rest(const char *path, const char *dir);

/* dir and rest ("" or "/x") as one path in normal form; caller frees; NULL: ENOMEM. */
char *jail_order_join(const char *dir, const char *rest);
