/* All views of a node: members grouped by the root that they lead to. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/view/order.h"
#include "lib/view/view_build.h"

/* One member and where they go. Strings point into the cache, but root. */
struct seat {
	char *root;
	size_t jail;
	struct jail_member member;
	bool nobody;	/* a root that exists without members */
	bool templated; /* the root has the member's name in it */
};

struct seats {
	struct seat *seats;
	size_t n;
};

static void release_seats(struct seats *seats)
{
	for (size_t i = 0; i < seats->n; i++)
		free(seats->seats[i].root);
	free(seats->seats);
}
#define autoseats __attribute__((cleanup(release_seats)))

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot build the views");
}

static int compare_seats(const void *a, const void *b)
{
	const struct seat *x = a;
	const struct seat *y = b;
	int r = jail_order_compare(x->root, y->root);
	if (r == 0 && x->jail != y->jail)
		r = x->jail < y->jail ? -1 : 1;
	if (r == 0 && x->nobody != y->nobody)
		return x->nobody ? -1 : 1;
	return r != 0 || x->nobody ? r : strcmp(x->member.user, y->member.user);
}

static int compare_users(const void *a, const void *b)
{
	const struct jail_view_user *x = a;
	const struct jail_view_user *y = b;
	return strcmp(x->user, y->user);
}

static int warn(struct jail_views *views, const char *user, const char *why, struct jail_error *err)
{
	char *text = NULL;
	char **slot;
	if (asprintf(&text, "user %s is left out, and refused: %s", user, why) < 0)
		return no_memory(err);
	slot = JAIL_ARRAY_PUSH(views->warnings, views->n_warnings);
	if (!slot) {
		free(text);
		return no_memory(err);
	}
	*slot = text;
	views->n_warnings++;
	return 0;
}

static int add_seat(struct seats *seats, const struct seat *seat, struct jail_error *err)
{
	struct seat *slot = JAIL_ARRAY_PUSH(seats->seats, seats->n);
	if (!slot) {
		free(seat->root);
		return no_memory(err);
	}
	*slot = *seat;
	seats->n++;
	return 0;
}

static int seat_members(const struct jail_cache *cache, struct seats *seats, struct jail_views *views,
			struct jail_error *err)
{
	for (size_t i = 0; i < jail_cache_n_members(cache); i++) {
		struct jail_cache_member member = {0};
		struct jail_cache_jail jail = {0};
		struct jail_error why = {0};
		ssize_t number = JAIL_EXEMPT;

		int r = jail_cache_member(cache, i, &member, &number, err);
		if (r == 0 && number >= 0)
			r = jail_cache_jail(cache, (size_t)number, &jail, err);
		if (r < 0)
			return r;
		if (number < 0 || jail.confine != JAIL_CONFINE_CHROOT)
			continue;
		int uses = jail_template_check(jail.root, err);
		if (uses < 0)
			return uses;
		struct seat seat = {
			.jail = (size_t)number,
			.templated = uses != 0,
			.member = {member.user, member.group, member.home, member.uid},
		};
		r = jail_template_expand(jail.root, &seat.member, &seat.root, &why);
		r = r == 0 ? add_seat(seats, &seat, err) : warn(views, member.user, why.message, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Roots that no member's name is in exist for their rule's sake. */
static int seat_empty_roots(const struct jail_cache *cache, struct seats *seats, struct jail_error *err)
{
	for (size_t i = 0; i < jail_cache_n_jails(cache); i++) {
		struct jail_cache_jail jail = {0};
		int r = jail_cache_jail(cache, i, &jail, err);
		if (r < 0)
			return r;
		if (jail.confine != JAIL_CONFINE_CHROOT || !jail.used)
			continue;
		int uses = jail_template_check(jail.root, err);
		if (uses != 0) {
			if (uses < 0)
				return uses;
			continue;
		}
		struct seat seat = {.jail = i, .nobody = true};
		r = jail_template_expand(jail.root, NULL, &seat.root, err);
		if (r == 0)
			r = add_seat(seats, &seat, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_user(struct jail_views *views, const char *name, size_t view, struct jail_error *err)
{
	struct jail_view_user *user = JAIL_ARRAY_PUSH(views->users, views->n_users);
	if (!user)
		return no_memory(err);
	views->n_users++;
	*user = (struct jail_view_user){.user = strdup(name), .view = view};
	return user->user ? 0 : no_memory(err);
}

/* Whether seat's root is another jail's, or lies in it. */
static bool meets(const struct seat *outer, const struct seat *seat)
{
	const char *rest = jail_order_rest(seat->root, outer->root);
	return rest && (rest[0] != '\0' || seat->jail != outer->jail);
}

/* Leaves out members whose names make a root that is, holds or lies in the root of another jail that is the
 * same for everybody; the door refuses them (jail_enter_open). Roots that meet otherwise are left for
 * build_all to refuse. */
static int leave_out_meeting(struct seats *seats, struct jail_views *views, struct jail_error *err)
{
	static const char why[] = "their root and that of another jail meet";
	size_t kept = 0;
	for (size_t i = 0; i < seats->n; i++) {
		struct seat *seat = &seats->seats[i];
		int r = 0;
		while (r == 0 && kept > 0 && !seat->templated && seats->seats[kept - 1].templated &&
		       meets(&seats->seats[kept - 1], seat)) {
			struct seat *outer = &seats->seats[--kept];
			r = warn(views, outer->member.user, why, err);
			free(JAIL_STEAL_PTR(outer->root));
		}
		bool out = kept > 0 && seat->templated && !seats->seats[kept - 1].templated &&
			   meets(&seats->seats[kept - 1], seat);
		if (out) {
			if (r == 0)
				r = warn(views, seat->member.user, why, err);
			free(JAIL_STEAL_PTR(seat->root));
		} else {
			struct seat moved = *seat;
			seat->root = NULL;
			seats->seats[kept++] = moved;
		}
		if (r < 0)
			return r;
	}
	seats->n = kept;
	return 0;
}

/* Appends the entries of all seats to view; first[i] becomes the index of the first one of seats[i], and
 * staying[i] whether they have any. */
static int add_entries(const struct jail_cache *cache, const struct jail_cache_jail *jail,
		       const struct seat *seats, size_t n, struct jail_view *view, size_t *first,
		       bool *staying, struct jail_views *views, struct jail_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct jail_error why = {0};
		const struct jail_member *member = seats[i].nobody ? NULL : &seats[i].member;
		first[i] = view->n_entries;
		int r = jail_view_add_member(cache, jail, member, view, &why);
		staying[i] = r == 0;
		if (r == -EINVAL && member)
			r = warn(views, member->user, why.message, err);
		else if (r < 0 && err)
			*err = why;
		if (r < 0)
			return r;
	}
	first[n] = view->n_entries;
	return 0;
}

/* Leaves out who clashes with the jail's own entries or with another member's: nobody else is to suffer for
 * an account's name or home. */
static int leave_out_clashing(struct jail_view *view, const struct seat *seats, size_t n, const size_t *first,
			      bool *staying, struct jail_views *views, struct jail_error *err)
{
	jail_autofree size_t *clashes = calloc(n + 1, sizeof *clashes);
	if (!clashes || jail_view_find_clashes(view, first, n, clashes) < 0)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		char why[JAIL_ERROR_MESSAGE_MAX];
		if (clashes[i] == SIZE_MAX)
			continue;
		(void)snprintf(why, sizeof why, "jail %s has another mount at %s", view->jail,
			       view->entries[clashes[i]].target);
		int r = warn(views, seats[i].member.user, why, err);
		if (r < 0)
			return r;
		staying[i] = false;
	}
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t e = first[i]; e < first[i + 1]; e++) {
			if (staying[i]) {
				view->entries[kept++] = view->entries[e];
				continue;
			}
			free(view->entries[e].target);
			free(view->entries[e].source);
		}
	}
	view->n_entries = kept;
	return 0;
}

/* Builds the view of seats[0..n), which share a root and a jail. */
static int build_one(const struct jail_cache *cache, const char *marker_dir, const struct seat *seats,
		     size_t n, struct jail_views *views, struct jail_error *err)
{
	struct jail_cache_jail jail = {0};
	size_t number = views->n_views;
	jail_autofree size_t *first = calloc(n + 1, sizeof *first);
	jail_autofree bool *staying = calloc(n + 1, sizeof *staying);
	if (!first || !staying)
		return no_memory(err);
	int r = jail_cache_jail(cache, seats[0].jail, &jail, err);
	if (r < 0)
		return r;
	struct jail_view *view = JAIL_ARRAY_PUSH(views->views, views->n_views);
	if (!view)
		return no_memory(err);
	views->n_views++;
	view->jail = strdup(jail.name);
	view->root = strdup(seats[0].root);
	if (!view->jail || !view->root)
		return no_memory(err);
	r = add_entries(cache, &jail, seats, n, view, first, staying, views, err);
	if (r == 0)
		r = leave_out_clashing(view, seats, n, first, staying, views, err);
	bool somebody = seats[0].nobody;
	for (size_t i = 0; i < n && r == 0; i++) {
		if (!staying[i] || seats[i].nobody)
			continue;
		somebody = true;
		r = add_user(views, seats[i].member.user, number, err);
	}
	if (r < 0)
		return r;
	if (!somebody) {
		/* A root of their own for somebody who was left out. */
		jail_view_release(view);
		views->n_views--;
		return 0;
	}
	return jail_view_finish_chroot(view, marker_dir, err);
}

static int build_all(const struct jail_cache *cache, const char *marker_dir, const struct seats *seats,
		     struct jail_views *views, struct jail_error *err)
{
	for (size_t i = 0; i < seats->n;) {
		size_t n = 1;
		const struct seat *first = &seats->seats[i];
		while (i + n < seats->n && first[n].jail == first->jail &&
		       strcmp(first[n].root, first->root) == 0)
			n++;
		const struct jail_view *outer = views->n_views ? &views->views[views->n_views - 1] : NULL;
		if (outer && jail_order_rest(first->root, outer->root))
			return jail_error_set(err, EEXIST,
					      "the root %s of one jail is, or lies in, the root %s of "
					      "jail %s; each needs a directory of its own",
					      first->root, outer->root, outer->jail);
		int r = build_one(cache, marker_dir, first, n, views, err);
		if (r < 0)
			return r;
		i += n;
	}
	return 0;
}

int jail_views_build(const struct jail_cache *cache, const char *marker_dir, struct jail_views *ret,
		     struct jail_error *err)
{
	jail_autoviews struct jail_views views = {0};
	autoseats struct seats seats = {0};

	int r = seat_members(cache, &seats, &views, err);
	if (r == 0)
		r = seat_empty_roots(cache, &seats, err);
	if (r < 0)
		return r;
	if (seats.n > 0)
		qsort(seats.seats, seats.n, sizeof *seats.seats, compare_seats);
	r = leave_out_meeting(&seats, &views, err);
	if (r == 0)
		r = build_all(cache, marker_dir, &seats, &views, err);
	if (r < 0)
		return r;
	if (views.n_users > 0)
		qsort(views.users, views.n_users, sizeof *views.users, compare_users);
	*ret = views;
	views = (struct jail_views){0};
	return 0;
}
