/* Plans as text: each directory of tests/fixtures/plan is a case.
 *
 *	views		what is wanted (tests/unit/view_text.h)
 *	mountinfo	what is mounted
 *	facts		one line a source: SOURCE mount=ID [file] [untrusted] [path=P] [link=TEXT]
 *			[there=TEXT] [inode=N,N], or SOURCE code=N MESSAGE; what has no line lies in mount 1
 *	made		the manifest
 *	plan.txt	what must come out
 *
 * With REGENERATE=1 in the environment plan.txt is written anew, to be read before it is committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/base/buffer.h"
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/view/fact.h"
#include "lib/view/manifest.h"
#include "lib/view/sync.h"
#include "tests/unit/view_text.h"

#define PLANS	  FIXTURES "/plan"
#define ROOTS_DIR "/var/lib/clusterjail/roots"
#define MARKERS	  "/run/clusterjail/marker"

enum { CASES_MIN = 20, TEXT_MAX = 1 << 20 };

static struct jail_buffer read_text(const char *dir, const char *name)
{
	struct jail_buffer text = JAIL_BUFFER_INIT;
	struct jail_error err;
	char path[512];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	if (jail_file_read(AT_FDCWD, path, TEXT_MAX, &text, &err) < 0 && err.code != ENOENT)
		fail_msg("%s", err.message);
	return text;
}

/* Reads the words of one line into *fact. */
static void parse_fact(char *words, struct jail_fact *fact)
{
	for (char *word; (word = strsep(&words, " ")) != NULL;) {
		if (strncmp(word, "code=", 5) == 0) {
			fact->code = atoi(word + 5);
			fact->message = strdup(words ? words : "it can't be had");
			return;
		}
		if (strncmp(word, "mount=", 6) == 0)
			fact->mount_id = atoi(word + 6);
		else if (strcmp(word, "file") == 0)
			fact->is_dir = false;
		else if (strcmp(word, "untrusted") == 0)
			fact->trusted = false;
		else if (strncmp(word, "path=", 5) == 0) {
			free(fact->path);
			fact->path = strdup(word + 5);
		} else if (strncmp(word, "link=", 5) == 0)
			fact->link = strdup(word + 5);
		else if (strncmp(word, "there=", 6) == 0)
			fact->target_link = strdup(word + 6);
		else if (sscanf(word, "inode=%lu,%lu", &fact->inode, &fact->target_inode) != 2)
			fail_msg("facts: what is \"%s\"?", word);
	}
}

static void find_fact(const char *text, const char *source, struct jail_fact *fact)
{
	size_t n = strlen(source);
	*fact = (struct jail_fact){.is_dir = true, .trusted = true, .mount_id = 1, .path = strdup(source)};
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		if (strncmp(p, source, n) != 0 || p[n] != ' ')
			continue;
		char *line = strndup(p + n + 1, strcspn(p + n + 1, "\n"));
		parse_fact(line, fact);
		free(line);
		return;
	}
}

static void make_facts(const struct jail_views *views, const char *text, struct jail_observation *observation)
{
	observation->facts = calloc(views->n_views + 1, sizeof *observation->facts);
	observation->n_facts = calloc(views->n_views + 1, sizeof *observation->n_facts);
	observation->n_views = views->n_views;
	for (size_t v = 0; v < views->n_views; v++) {
		const struct jail_view *view = &views->views[v];
		observation->facts[v] = calloc(view->n_entries + 1, sizeof **observation->facts);
		observation->n_facts[v] = view->n_entries;
		for (size_t e = 0; e < view->n_entries; e++)
			find_fact(text, view->entries[e].source ? view->entries[e].source : "-",
				  &observation->facts[v][e]);
	}
}

/* "r /path" lines; a root with '!' behind it is not there. */
static void make_made(char *text, struct jail_observation *observation)
{
	for (char *line; (line = strsep(&text, "\n")) != NULL;) {
		if (!*line)
			continue;
		struct jail_made *made = JAIL_ARRAY_PUSH(observation->made, observation->n_made);
		size_t n = strlen(line);
		bool missing = line[n - 1] == '!';
		if (missing)
			line[n - 1] = '\0';
		*made = (struct jail_made){.type = line[0], .path = strdup(line + 2), .present = !missing};
		observation->n_made++;
	}
}

static void observe_case(const char *dir, struct jail_views *views, struct jail_observation *observation)
{
	jail_autobuffer struct jail_buffer views_text = read_text(dir, "views");
	jail_autobuffer struct jail_buffer mountinfo = read_text(dir, "mountinfo");
	jail_autobuffer struct jail_buffer facts = read_text(dir, "facts");
	jail_autobuffer struct jail_buffer made = read_text(dir, "made");
	struct jail_error err;

	view_text_parse(views_text.data, MARKERS, views);
	if (jail_mount_table_parse(mountinfo.data, mountinfo.len, &observation->table, &err) < 0)
		fail_msg("%s: %s", dir, err.message);
	make_facts(views, facts.data, observation);
	make_made(made.data, observation);
	if (jail_plan_make(views, &observation->table, (const struct jail_fact *const *)observation->facts,
			   observation->made, observation->n_made, ROOTS_DIR, &observation->plan, &err) < 0)
		fail_msg("%s: %s", dir, err.message);
}

/* Compares text with the file name of the case, or writes that file. Returns whether they are the same. */
static bool hold(const char *dir, const char *name, const struct jail_buffer *text)
{
	struct jail_error err;
	if (getenv("REGENERATE")) {
		char path[512];
		(void)snprintf(path, sizeof path, "%s/%s", dir, name);
		assert_int_equal(jail_file_update(AT_FDCWD, path, text->data, text->len, 0644, NULL, &err),
				 0);
		return true;
	}
	jail_autobuffer struct jail_buffer want = read_text(dir, name);
	if (strcmp(want.data, text->data) == 0)
		return true;
	print_error("%s/%s wants\n%sand there is\n%s", dir, name, want.data, text->data);
	return false;
}

static bool run_case(const char *dir)
{
	jail_autoviews struct jail_views views = {0};
	jail_autoobservation struct jail_observation observation = {0};
	jail_autobuffer struct jail_buffer plan = JAIL_BUFFER_INIT;
	jail_autobuffer struct jail_buffer digest = JAIL_BUFFER_INIT;
	struct jail_error err;

	observe_case(dir, &views, &observation);
	assert_int_equal(jail_plan_text(&observation.plan, &views, &plan), 0);
	assert_int_equal(jail_observation_text(&views, &observation, &digest, &err), 0);
	assert_int_equal(plan.len == 0, jail_plan_is_empty(&observation.plan));
	bool same = hold(dir, "plan.txt", &plan);
	return hold(dir, "digest.txt", &digest) && same;
}

static void every_case_gives_its_plan(void **state)
{
	unsigned cases = 0;
	unsigned wrong = 0;
	(void)state;
	jail_autoclosedir DIR *dir = opendir(PLANS);
	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[512];
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", PLANS, entry->d_name);
		cases++;
		wrong += !run_case(path);
	}
	assert_int_equal(wrong, 0);
	assert_true(cases >= CASES_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_gives_its_plan)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
