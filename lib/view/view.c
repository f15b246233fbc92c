#include "lib/view/view.h"

#include <stdlib.h>

void jail_view_release(struct jail_view *view)
{
	for (size_t i = 0; i < view->n_entries; i++) {
		free(view->entries[i].target);
		free(view->entries[i].source);
	}
	free(view->entries);
	free(view->jail);
	free(view->root);
	*view = (struct jail_view){0};
}

void jail_views_release(struct jail_views *views)
{
	for (size_t i = 0; i < views->n_views; i++)
		jail_view_release(&views->views[i]);
	for (size_t i = 0; i < views->n_users; i++)
		free(views->users[i].user);
	for (size_t i = 0; i < views->n_warnings; i++)
		free(views->warnings[i]);
	free(views->views);
	free(views->users);
	free((void *)views->warnings);
	*views = (struct jail_views){0};
}
