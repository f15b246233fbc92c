#include <errno.h>
#include <inttypes.h>
#include "agent/audit.h"
#include "agent/report.h"

/* Commands and lines of files are what others wrote: what is printed stays one line of the report. */
static int put_line(struct jail_buffer *b, size_t from)
{
	for (char *p = b->data + from; p < b->data + b->len; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return jail_buffer_puts(b, "\n");
}

static int door_text(const struct jail_door *door, struct jail_buffer *b)
{
	size_t from = b->len;
	int r = jail_buffer_printf(b, "open: %s", door->path);

	if (r == 0 && door->line > 0)
		r = jail_buffer_printf(b, ":%u", door->line);
	if (r == 0)
		r = jail_buffer_puts(b, ": ");
	if (r == 0)
		r = jail_door_text(door, b);
	if (r == 0)
		r = jail_buffer_printf(b, "; %s", door->todo);
	return r < 0 ? r : put_line(b, from);
}

static int stray_text(const struct jail_stray *stray, struct jail_buffer *b)
{
	size_t from = b->len;
	char since[32];
	int r;

	jail_time_text(stray->since, since);
	r = jail_buffer_printf(b, "process: %d %s since %s, %s, through %s; ", stray->pid, stray->command,
			       since, stray->user, stray->door);
	if (r == 0 && stray->threads > 0)
		r = jail_buffer_printf(b, "%zu of its threads are", stray->threads);
	else if (r == 0)
		r = jail_buffer_puts(b, "it is");
	if (r == 0)
		r = jail_buffer_printf(b, " not in the view of jail %s: end it (kill %d)", stray->jail,
				       stray->pid);
	return r < 0 ? r : put_line(b, from);
}

int jail_audit_text(const struct jail_audit *audit, struct jail_buffer *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < audit->n_doors; i++)
		r = door_text(&audit->doors[i], ret);
	for (size_t i = 0; r == 0 && i < audit->n_strays; i++)
		r = stray_text(&audit->strays[i], ret);
	for (size_t i = 0; r == 0 && i < audit->n_warnings; i++) {
		size_t from = ret->len;

		r = jail_buffer_printf(ret, "warning: %s", audit->warnings[i]);
		if (r == 0)
			r = put_line(ret, from);
	}
	return r;
}

static int put_field(struct jail_buffer *b, const char *name, const char *text)
{
	int r = jail_buffer_printf(b, "\"%s\": ", name);

	if (r < 0)
		return r;
	return text ? jail_put_text(b, text) : jail_buffer_puts(b, "null");
}

static int door_json(const struct jail_door *door, struct jail_buffer *b)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;

	if (jail_door_text(door, &text) < 0 || jail_buffer_puts(b, "{") < 0 ||
	    put_field(b, "path", door->path) < 0)
		return -ENOMEM;
	if ((door->line ? jail_buffer_printf(b, ", \"line\": %u, ", door->line)
			: jail_buffer_puts(b, ", \"line\": null, ")) < 0 ||
	    put_field(b, "services", door->who) < 0 || jail_buffer_puts(b, ", ") < 0 ||
	    put_field(b, "what", text.data) < 0 || jail_buffer_puts(b, ", ") < 0 ||
	    put_field(b, "todo", door->todo) < 0)
		return -ENOMEM;
	return jail_buffer_puts(b, "}");
}

static int stray_json(const struct jail_stray *stray, struct jail_buffer *b)
{
	char since[32];

	jail_time_text(stray->since, since);
	if (jail_buffer_printf(b, "{\"pid\": %d, ", stray->pid) < 0 ||
	    put_field(b, "command", stray->command) < 0 || jail_buffer_puts(b, ", ") < 0 ||
	    put_field(b, "since", *since ? since : NULL) < 0 || jail_buffer_puts(b, ", ") < 0 ||
	    put_field(b, "user", stray->user) < 0 ||
	    jail_buffer_printf(b, ", \"uid\": %u, ", (unsigned)stray->uid) < 0 ||
	    put_field(b, "jail", stray->jail) < 0 || jail_buffer_puts(b, ", ") < 0 ||
	    put_field(b, "door", stray->door) < 0)
		return -ENOMEM;
	return jail_buffer_printf(b, ", \"threads\": %zu}", stray->threads);
}

static int begin_item(struct jail_buffer *b, size_t i)
{
	return jail_buffer_puts(b, i ? ",\n    " : "\n    ");
}

static int end_list(struct jail_buffer *b, size_t n)
{
	return jail_buffer_puts(b, n ? "\n  ]" : "]");
}

int jail_audit_json(const struct jail_audit *audit, const char *error, struct jail_buffer *ret)
{
	int r = jail_buffer_puts(ret, "{\n  \"doors\": [");

	for (size_t i = 0; r == 0 && i < audit->n_doors; i++) {
		r = begin_item(ret, i);
		if (r == 0)
			r = door_json(&audit->doors[i], ret);
	}
	if (r < 0 || end_list(ret, audit->n_doors) < 0 || jail_buffer_puts(ret, ",\n  \"processes\": [") < 0)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < audit->n_strays; i++) {
		r = begin_item(ret, i);
		if (r == 0)
			r = stray_json(&audit->strays[i], ret);
	}
	if (r < 0 || end_list(ret, audit->n_strays) < 0 || jail_buffer_puts(ret, ",\n  \"warnings\": [") < 0)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < audit->n_warnings; i++) {
		r = begin_item(ret, i);
		if (r == 0)
			r = jail_put_text(ret, audit->warnings[i]);
	}
	if (r < 0 || end_list(ret, audit->n_warnings) < 0 || jail_buffer_puts(ret, ",\n  ") < 0 ||
	    put_field(ret, "error", error) < 0)
		return -ENOMEM;
	return jail_buffer_puts(ret, "\n}\n");
}
