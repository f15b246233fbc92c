#include "agent/pam_stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

/* DEPTH_MAX: libpam's PAM_SUBSTACK_MAX_LEVEL. */
enum { DEPTH_MAX = 16, STEPS_MAX = 4096 };

struct reader {
	const struct jail_tree *tree;
	struct jail_pam_stack *stack;
	enum jail_pam_type type;
	const char *service;	      /* to select by, in pam.conf; else NULL */
	const char *paths[DEPTH_MAX]; /* of the files that are open */
	unsigned depth, level;
	bool any; /* the file was not asked for lines of one type only */
	struct jail_error *err;
};

static int read_file(struct reader *reader, const char *path, const char *text);

static int out_of_memory(const struct reader *reader)
{
	return jail_error_sys(reader->err, ENOMEM, "cannot read %s", reader->paths[reader->depth - 1]);
}

/* pam_succeed_if(8) holds when all its conditions do; with use_uid they are about whoever opens the session,
 * which is root. */
static enum jail_pam_module succeeds_for(char *arguments)
{
	char *left = NULL, *middle = NULL, *word;
	bool root_only = false;

	while ((word = jail_pam_word(&arguments))) {
		if (strcmp(word, "use_uid") == 0)
			return JAIL_PAM_ANY;
		if (left && middle && strcmp(left, "uid") == 0 && strcmp(word, "0") == 0 &&
		    (strcmp(middle, "=") == 0 || strcmp(middle, "eq") == 0))
			root_only = true;
		left = middle;
		middle = word;
	}
	return root_only ? JAIL_PAM_ROOT : JAIL_PAM_ANY;
}

static enum jail_pam_module kind_of(const char *module, char *arguments)
{
	if (strcmp(module, "pam_jail.so") == 0)
		return JAIL_PAM_JAIL;
	if (strcmp(module, "pam_permit.so") == 0)
		return JAIL_PAM_PERMIT;
	if (strcmp(module, "pam_deny.so") == 0)
		return JAIL_PAM_DENY;
	if (strcmp(module, "pam_succeed_if.so") == 0 && arguments)
		return succeeds_for(arguments);
	return *module ? JAIL_PAM_ANY : JAIL_PAM_FAILS;
}

static int add_step(struct reader *reader, const struct jail_pam_line *line, enum jail_pam_module kind)
{
	struct jail_pam_stack *stack = reader->stack;
	const char *slash = line->module ? strrchr(line->module, '/') : NULL;
	const char *module = slash ? slash + 1 : line->module ? line->module : "";
	struct jail_pam_step *step;

	if (stack->n >= STEPS_MAX)
		return jail_error_set(reader->err, E2BIG, "%s:%u: the stack has more than %d lines",
				      reader->paths[reader->depth - 1], line->number, STEPS_MAX);
	step = JAIL_ARRAY_PUSH(stack->steps, stack->n);
	if (!step)
		return out_of_memory(reader);
	*step = (struct jail_pam_step){
		.path = strdup(reader->paths[reader->depth - 1]),
		.line = line->number,
		.text = strdup(line->text.data),
		.module = strdup(module),
		.kind = kind == JAIL_PAM_ANY ? kind_of(module, line->arguments) : kind,
		.level = reader->level,
		.included = reader->depth > 1,
	};
	jail_pam_actions(line->control, step->actions);
	stack->n++;
	return step->path && step->text && step->module ? 0 : out_of_memory(reader);
}

/* The file that libpam opens for a name; *ret_path is NULL when there is none. */
static int find_file(const struct reader *reader, const char *name, char **ret_path, struct jail_buffer *ret)
{
	static const char *const directories[] = {JAIL_PAM_ETC, JAIL_PAM_VENDOR};
	size_t n = *name == '/' ? 1 : sizeof directories / sizeof directories[0];

	*ret_path = NULL;
	for (size_t i = 0; i < n; i++) {
		char *path;
		int r = *name == '/' ? asprintf(&path, "%s", name)
				     : asprintf(&path, "%s/%s", directories[i], name);

		if (r < 0)
			return -ENOMEM;
		r = jail_tree_read(reader->tree, path, ret, NULL);
		if (r == 0) {
			*ret_path = path;
			return 0;
		}
		free(path);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static bool is_open(const struct reader *reader, const char *path)
{
	for (unsigned i = 0; i < reader->depth; i++)
		if (strcmp(reader->paths[i], path) == 0)
			return true;
	return false;
}

static int note_problem(struct reader *reader, const struct jail_pam_line *line, const char *problem)
{
	if (reader->stack->problem)
		return 0;
	if (asprintf(&reader->stack->problem,
		     "%s:%u: includes %s, %s: libpam lets in nobody who comes by this line; correct it",
		     reader->paths[reader->depth - 1], line->number, line->module ? line->module : "nothing",
		     problem) < 0) {
		reader->stack->problem = NULL;
		return out_of_memory(reader);
	}
	return 0;
}

/* Reads the file that line names in its place. 1 done, 0 it can't be had. */
static int include(struct reader *reader, const struct jail_pam_line *line, bool any)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autofree char *path = NULL;
	const bool was_any = reader->any;
	int r = line->module ? find_file(reader, line->module, &path, &text) : 0;

	if (r < 0)
		return out_of_memory(reader);
	if (!path)
		return note_problem(reader, line, "which cannot be read");
	if (reader->depth == DEPTH_MAX || is_open(reader, path))
		return note_problem(reader, line, "which leads back here or on without end");
	reader->any = any;
	r = read_file(reader, path, text.data);
	reader->any = was_any;
	return r < 0 ? r : 1;
}

static int take_include(struct reader *reader, const struct jail_pam_line *line)
{
	bool substack = line->control && strcasecmp(line->control, "substack") == 0;
	bool any = line->type == JAIL_PAM_INCLUDE && reader->any;
	int r = 0;

	if (substack)
		r = add_step(reader, line, JAIL_PAM_SUBSTACK);
	if (r < 0)
		return r;
	reader->level += substack;
	r = include(reader, line, any);
	reader->level -= substack;
	if (r == 0 && any)
		reader->stack->refused = true;
	return r == 0 ? add_step(reader, line, JAIL_PAM_FAILS) : r < 0 ? r : 0;
}

static bool is_include(const struct jail_pam_line *line)
{
	return line->type == JAIL_PAM_INCLUDE ||
	       (line->control &&
		(strcasecmp(line->control, "include") == 0 || strcasecmp(line->control, "substack") == 0));
}

static int take_line(struct reader *reader, const struct jail_pam_line *line)
{
	/* Where lines of one type are asked for, one that has no type counts as such; else as auth. */
	bool wanted = line->type == reader->type || line->type == JAIL_PAM_INCLUDE ||
		      (line->type == JAIL_PAM_BROKEN && !reader->any);

	if (!wanted)
		return 0;
	if (line->type == JAIL_PAM_BROKEN)
		return add_step(reader, line, JAIL_PAM_FAILS);
	return is_include(line) ? take_include(reader, line) : add_step(reader, line, JAIL_PAM_ANY);
}

static int read_file(struct reader *reader, const char *path, const char *text)
{
	jail_autopamline struct jail_pam_line line = JAIL_PAM_LINE_INIT;
	struct jail_pam_cursor cursor = {.rest = text};
	bool select = reader->service && reader->depth == 0;
	int r, more = 0;

	reader->paths[reader->depth++] = path;
	for (r = 0; r == 0 && (more = jail_pam_next(&cursor, select, &line)) > 0;) {
		if (select && (!line.service || strcasecmp(line.service, reader->service) != 0))
			continue;
		if (reader->depth == 1)
			reader->stack->has_file = true;
		r = take_line(reader, &line);
	}
	if (more < 0)
		r = out_of_memory(reader);
	reader->depth--;
	return r;
}

bool jail_pam_has_directory(const struct jail_tree *tree)
{
	struct stat st;

	return (jail_tree_stat(tree, JAIL_PAM_ETC, &st) == 0 && S_ISDIR(st.st_mode)) ||
	       (jail_tree_stat(tree, JAIL_PAM_VENDOR, &st) == 0 && S_ISDIR(st.st_mode));
}

int jail_pam_stack_read(const struct jail_tree *tree, const char *service, enum jail_pam_type type,
			struct jail_pam_stack *ret, struct jail_error *err)
{
	jail_autopamstack struct jail_pam_stack stack = {0};
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	jail_autofree char *path = NULL;
	struct reader reader = {.tree = tree, .stack = &stack, .type = type, .any = true, .err = err};
	bool directory = jail_pam_has_directory(tree);
	int r = find_file(&reader, directory ? service : JAIL_PAM_CONF, &path, &text);

	if (r < 0)
		return jail_error_sys(err, ENOMEM, "cannot read the session stack of %s", service);
	if (!directory)
		reader.service = service;
	if (path)
		r = read_file(&reader, path, text.data);
	if (path && directory)
		stack.has_file = true;
	if (r < 0)
		return r;
	*ret = stack;
	stack = (struct jail_pam_stack){0};
	return 0;
}

void jail_pam_stack_release(struct jail_pam_stack *stack)
{
	for (size_t i = 0; i < stack->n; i++) {
		free(stack->steps[i].path);
		free(stack->steps[i].text);
		free(stack->steps[i].module);
	}
	free(stack->steps);
	free(stack->problem);
	*stack = (struct jail_pam_stack){0};
}
