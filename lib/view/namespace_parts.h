/* A namespace view on its way. Private to lib/view/namespace*.c and live*.c. */
#pragma once

#include "lib/policy/cache.h"
#include "lib/view/mount.h"

struct jail_site {
	int source;  /* O_PATH: what is bound; -1: nothing, or it is in pending */
	int own;     /* O_PATH: root of a hide or tmpfs that stands, where mount points may be made; -1 */
	bool absent; /* optional, and this node does not have it */
	bool is_dir;
	bool ready; /* pending is what to attach; its entry is not pointed to any more */
	struct jail_pending pending;
};

struct jail_builder {
	const struct jail_view *view;
	const struct jail_places_of_node *places;
	uid_t owner;
	struct jail_site *sites; /* [entry] */
};

int jail_builder_init(struct jail_builder *builder, const struct jail_view *view,
		      const struct jail_places_of_node *places, uid_t owner, struct jail_error *err);
void jail_builder_release(struct jail_builder *builder);
#define jail_autobuilder __attribute__((cleanup(jail_builder_release)))

/* Opens what entry number i is made of, or finds that this node does not have it. */
int jail_builder_open_source(struct jail_builder *builder, size_t i, struct jail_error *err);
/* The entry as it is mounted at first: a hide in which mount points are to be made is sealed when they are.
 */
struct jail_entry jail_builder_as_mounted(const struct jail_builder *builder, size_t i);
/* Makes the mount, detached where the kernel can. */
int jail_builder_prepare(struct jail_builder *builder, size_t i, const struct jail_entry *entry,
			 struct jail_error *err);
/* Attaches it, made before or now. An optional one whose mount point is missing becomes absent. */
int jail_builder_mount(struct jail_builder *builder, size_t i, struct jail_error *err);

/* Makes rest ("/x/y") below the directory own, which nobody but root can be in, and opens it (O_PATH) and the
 * directory that it is in. target: for messages. */
int jail_namespace_make_point(int own, const char *rest, bool is_dir, const char *target, int *ret_parent,
			      int *ret_target, struct jail_error *err);
