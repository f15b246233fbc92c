#include "lib/view/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/buffer.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/view/octal.h"
#include "lib/view/order.h"

enum { MANIFEST_MAX = 256 << 20 };

static int compare_made(const void *a, const void *b)
{
	const struct jail_made *x = a;
	const struct jail_made *y = b;
	return jail_order_compare(x->path, y->path);
}

int jail_manifest_add(struct jail_manifest *manifest, char type, const char *path)
{
	struct jail_made *made = JAIL_ARRAY_PUSH(manifest->made, manifest->n_made);
	if (!made)
		return -ENOMEM;
	made->path = strdup(path);
	if (!made->path)
		return -ENOMEM;
	made->type = type;
	manifest->n_made++;
	return 0;
}

void jail_manifest_sort(struct jail_manifest *manifest)
{
	struct jail_made *made = manifest->made;
	size_t kept = 0;
	/* Of two lines for one path the later one holds. qsort need not keep their order: mark it. */
	for (size_t i = 0; i < manifest->n_made; i++)
		made[i].present = i >= manifest->n_sorted;
	if (manifest->n_made > 0)
		qsort(made, manifest->n_made, sizeof *made, compare_made);
	for (size_t i = 0; i < manifest->n_made; i++) {
		if (kept == 0 || strcmp(made[kept - 1].path, made[i].path) != 0) {
			made[kept++] = made[i];
			continue;
		}
		if (made[i].present)
			made[kept - 1].type = made[i].type;
		free(made[i].path);
	}
	manifest->n_made = manifest->n_sorted = kept;
}

struct jail_made *jail_manifest_find(const struct jail_manifest *manifest, const char *path)
{
	const struct jail_made key = {.path = (char *)path};
	return manifest->n_sorted
		       ? bsearch(&key, manifest->made, manifest->n_sorted, sizeof key, compare_made)
		       : NULL;
}

void jail_manifest_drop(struct jail_manifest *manifest, const char *path)
{
	struct jail_made *made = jail_manifest_find(manifest, path);
	if (!made)
		return;
	free(made->path);
	size_t after = (size_t)(manifest->made + manifest->n_made - made) - 1;
	memmove(made, made + 1, after * sizeof *made);
	manifest->n_made--;
	manifest->n_sorted--;
}

int jail_manifest_copy(const struct jail_made *made, size_t n_made, struct jail_manifest *ret)
{
	jail_automanifest struct jail_manifest copy = {0};
	for (size_t i = 0; i < n_made; i++) {
		int r = jail_manifest_add(&copy, made[i].type, made[i].path);
		if (r < 0)
			return r;
	}
	jail_manifest_sort(&copy);
	*ret = copy;
	copy = (struct jail_manifest){0};
	return 0;
}

static int parse(const char *path, char *text, struct jail_manifest *manifest, struct jail_error *err)
{
	for (size_t number = 1; text && *text; number++) {
		char *line = strsep(&text, "\n");
		if (!text || !line[0] || !strchr("rdfl", line[0]) || line[1] != ' ')
			return jail_error_set(err, EBADMSG, "%s:%zu: not a line of the manifest", path,
					      number);
		jail_octal_unescape(line + 2);
		if (!jail_path_is_normal(line + 2) || strcmp(line + 2, "/") == 0)
			return jail_error_set(err, EBADMSG, "%s:%zu: not a path in normal form", path,
					      number);
		int r = jail_manifest_add(manifest, line[0], line + 2);
		if (r < 0)
			return jail_error_sys(err, -r, "cannot read %s", path);
	}
	jail_manifest_sort(manifest);
	return 0;
}

int jail_manifest_read(const char *path, struct jail_manifest *ret, struct jail_error *err)
{
	jail_automanifest struct jail_manifest manifest = {0};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_error why;

	int r = jail_file_read_trusted(AT_FDCWD, path, MANIFEST_MAX, &text, &why);
	if (r < 0 && r != -ENOENT)
		return jail_error_set(err, why.code, "%s", why.message);
	if (r == 0 && text.len > 0) {
		r = parse(path, text.data, &manifest, err);
		if (r < 0)
			return r;
	}
	*ret = manifest;
	manifest = (struct jail_manifest){0};
	return 0;
}

int jail_manifest_write(const char *path, const struct jail_manifest *manifest, bool *ret_changed,
			struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = 0;
	for (size_t i = 0; i < manifest->n_made && r == 0; i++) {
		const char type[] = {manifest->made[i].type, ' ', '\0'};
		r = jail_buffer_puts(&text, type);
		if (r == 0)
			r = jail_octal_escape(&text, manifest->made[i].path);
		if (r == 0)
			r = jail_buffer_puts(&text, "\n");
	}
	if (r < 0)
		return jail_error_sys(err, -r, "cannot write %s", path);
	return jail_file_update(AT_FDCWD, path, text.data, text.len, 0600, ret_changed, err);
}

void jail_manifest_release(struct jail_manifest *manifest)
{
	for (size_t i = 0; i < manifest->n_made; i++)
		free(manifest->made[i].path);
	free(manifest->made);
	*manifest = (struct jail_manifest){0};
}
