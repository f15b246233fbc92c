/* What --explain found out about one user. */
#pragma once

#include "lib/policy/account.h"
#include "lib/policy/cache.h"
#include "lib/view/enter.h"
#include "lib/view/view.h"

struct jail_explanation {
	const char *user; /* as asked for */
	struct jail_account account;
	struct jail_cache *cache;
	struct jail_verdict verdict;
	bool confined;
	const char *why;	     /* not confined: the reason */
	struct jail_cache_jail jail; /* confined: the rest as well */
	struct jail_views views;
	struct jail_view own;
	const struct jail_view *view; /* in views, or own */
	bool mounted;
	struct jail_error not_mounted; /* !mounted: what is missing */
};

/* For people, to stdout. */
void jail_explanation_print(const struct jail_explanation *e);
/* -ENOMEM. */
int jail_explanation_print_json(const struct jail_explanation *e);
void jail_explanation_release(struct jail_explanation *e);
#define jail_autoexplanation __attribute__((cleanup(jail_explanation_release)))
