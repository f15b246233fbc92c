/* Looking at the node: sources, mount table, manifest. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/base/cleanup.h"
#include "lib/view/fact.h"
#include "lib/view/manifest.h"
#include "lib/view/order.h"
#include "lib/view/silence.h"

enum { LOOKS_MAX = 5 };

static int no_memory(struct jail_error *err)
{
	return jail_error_sys(err, ENOMEM, "cannot look at the views");
}

static void release_facts(struct jail_observation *observation)
{
	for (size_t v = 0; v < observation->n_views; v++) {
		for (size_t e = 0; e < observation->n_facts[v]; e++)
			jail_fact_release(&observation->facts[v][e]);
		free(observation->facts[v]);
	}
	free((void *)observation->facts);
	free(observation->n_facts);
	observation->facts = NULL;
	observation->n_facts = NULL;
	observation->n_views = 0;
}

static int be_silent(const struct jail_entry *entry, struct jail_fact *ret, struct jail_error *err)
{
	*ret = (struct jail_fact){.code = ETIMEDOUT, .mount_id = -1};
	if (asprintf(&ret->message, "%s does not answer: its server, or what serves it here, is silent",
		     entry->source) >= 0)
		return 0;
	ret->message = NULL;
	return no_memory(err);
}

static int probe_view(struct jail_source_cache *cache, const struct jail_silence *silence,
		      const struct jail_view *view, struct jail_fact **ret, size_t *n, struct jail_error *err)
{
	*ret = calloc(view->n_entries + 1, sizeof **ret);
	if (!*ret)
		return no_memory(err);
	for (*n = 0; *n < view->n_entries; ++*n) {
		const struct jail_entry *entry = &view->entries[*n];
		int r = entry->kind == JAIL_ENTRY_BIND && jail_silence_has(silence, entry->source)
				? be_silent(entry, &(*ret)[*n], err)
				: jail_fact_probe(cache, view, *n, &(*ret)[*n], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int probe_all(const struct jail_views *views, struct jail_observation *observation,
		     struct jail_error *err)
{
	observation->facts = calloc(views->n_views + 1, sizeof *observation->facts);
	observation->n_facts = calloc(views->n_views + 1, sizeof *observation->n_facts);
	if (!observation->facts || !observation->n_facts)
		return no_memory(err);
	struct jail_source_cache cache = JAIL_SOURCE_CACHE_INIT;
	int r = 0;
	for (size_t v = 0; v < views->n_views && r == 0; v++) {
		observation->n_views = v + 1;
		r = probe_view(&cache, &observation->silence, &views->views[v], &observation->facts[v],
			       &observation->n_facts[v], err);
	}
	jail_source_forget(&cache);
	return r;
}

/* Whether what is mounted at the target is of the file system that home is of: it answered just now. */
static bool is_target_of(const struct jail_view *view, size_t e, const struct jail_observation *observation,
			 const struct jail_mount_line *home)
{
	jail_autofree char *target = jail_order_join(view->root, view->entries[e].target);
	const struct jail_mount_line *line = target ? jail_mount_table_on(&observation->table, target) : NULL;
	return line && line->major == home->major && line->minor == home->minor;
}

/* False when a source lies in a mount that the table does not have: it went between the two looks. Asks about
 * targets on the way, where the table shows that it must. */
static bool fits(const struct jail_views *views, struct jail_observation *observation)
{
	for (size_t v = 0; v < views->n_views; v++) {
		for (size_t e = 0; e < views->views[v].n_entries; e++) {
			struct jail_fact *fact = &observation->facts[v][e];
			if (fact->code != 0 || !fact->path || fact->link)
				continue;
			const struct jail_mount_line *home =
				jail_mount_table_by_id(&observation->table, fact->mount_id);
			if (!home)
				return false;
			if (jail_mount_hides_root(home) &&
			    is_target_of(&views->views[v], e, observation, home))
				jail_fact_probe_target(&views->views[v], e, fact);
		}
	}
	return true;
}

/* The table before the sources, for what must not be touched; and after them: walking to them may make
 * automounts happen, which it must then show. */
static int look(const struct jail_views *views, struct jail_observation *observation, struct jail_error *err)
{
	int r = jail_mount_table_read(&observation->table, err);
	for (unsigned i = 0; i < LOOKS_MAX && r == 0; i++) {
		r = jail_silence_ask(&observation->silence, views, &observation->table, err);
		release_facts(observation);
		jail_mount_table_release(&observation->table);
		if (r == 0)
			r = probe_all(views, observation, err);
		if (r == 0)
			r = jail_mount_table_read(&observation->table, err);
		if (r < 0 || fits(views, observation))
			return r;
	}
	return r; /* what does not fit becomes a problem of its entry */
}

/* Only of roots: the mount table tells the rest. */
static bool is_present(const struct jail_made *made)
{
	struct stat st;
	return made->type != 'r' ||
	       (lstat(made->path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 && !(st.st_mode & 022));
}

int jail_observe(const struct jail_node *node, const struct jail_views *views, struct jail_observation *ret,
		 struct jail_error *err)
{
	jail_autoobservation struct jail_observation observation = {.silence = ret->silence};
	struct jail_manifest manifest = {0};

	ret->silence = (struct jail_silence){0};
	jail_observation_release(ret);
	int r = jail_manifest_read(node->manifest, &manifest, err);
	if (r < 0)
		return r;
	observation.made = manifest.made;
	observation.n_made = manifest.n_made;
	for (size_t i = 0; i < observation.n_made; i++)
		observation.made[i].present = is_present(&observation.made[i]);
	r = look(views, &observation, err);
	if (r == 0)
		r = jail_plan_make(views, &observation.table,
				   (const struct jail_fact *const *)observation.facts, observation.made,
				   observation.n_made, node->roots_dir, &observation.plan, err);
	if (r < 0)
		return r;
	*ret = observation;
	observation = (struct jail_observation){0};
	return 0;
}

void jail_observation_release(struct jail_observation *observation)
{
	release_facts(observation);
	jail_mount_table_release(&observation->table);
	for (size_t i = 0; i < observation->n_made; i++)
		free(observation->made[i].path);
	free(observation->made);
	jail_plan_release(&observation->plan);
	jail_silence_release(&observation->silence);
	*observation = (struct jail_observation){0};
}
