#include "agent/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "agent/report.h"

static const char *kind_name(enum jail_entry_kind kind)
{
	switch (kind) {
	case JAIL_ENTRY_BIND:
		return "bind";
	case JAIL_ENTRY_HIDE:
		return "hide";
	case JAIL_ENTRY_TMPFS:
		return "tmpfs";
	case JAIL_ENTRY_PROC:
		return "proc";
	case JAIL_ENTRY_PRIVATE:
		return "private";
	case JAIL_ENTRY_MARKER:
		break;
	}
	return "marker";
}

static void print_entry(const struct jail_entry *entry)
{
	char options[32];

	printf("  %-6s%s", kind_name(entry->kind), entry->target);
	if (entry->source && strcmp(entry->source, entry->target) != 0)
		printf(" from %s", entry->source);
	if (entry->options)
		printf(" (%s)", jail_options_text(entry->options, options));
	puts(entry->optional ? " if it is there" : "");
}

static void print_rule(const struct jail_explanation *e)
{
	if (e->verdict.matched)
		printf("rule     /rules/%" PRIu32 " of version %" PRIu64 "%s\n", e->verdict.rule,
		       jail_cache_version(e->cache),
		       e->verdict.last_known ? ", by the membership that was last known" : "");
	else
		printf("rule     none of version %" PRIu64 "\n", jail_cache_version(e->cache));
}

void jail_explanation_print(const struct jail_explanation *e)
{
	printf("user     %s (uid %u)\ngroups  ", e->account.user, (unsigned)e->account.uid);
	for (size_t i = 0; i < e->account.n_groups; i++)
		printf(" %s", e->account.groups[i]);
	putchar('\n');
	print_rule(e);
	if (!e->confined) {
		printf("jail     none: %s\n", e->why);
		return;
	}
	bool chroot = e->jail.confine == JAIL_CONFINE_CHROOT;
	printf("jail     %s (%s%s)\nroot     %s\n", e->jail.name, chroot ? "chroot" : "namespace",
	       e->jail.shared ? ", shared" : "", e->view->root);
	printf("%s  %s%s\nsees%s\n", chroot ? "mounted" : "opens  ",
	       e->mounted ? "yes" : "NO, no session is let in: ", e->mounted ? "" : e->not_mounted.message,
	       chroot ? "" : "     the host, but");
	for (size_t i = 0; i < e->view->n_entries; i++)
		if (e->view->entries[i].kind != JAIL_ENTRY_MARKER)
			print_entry(&e->view->entries[i]);
}

static int put_text(struct jail_buffer *b, const char *name, const char *text)
{
	int r = jail_buffer_printf(b, ",\n  \"%s\": ", name);

	if (r < 0)
		return r;
	return text ? jail_put_text(b, text) : jail_buffer_puts(b, "null");
}

static int put_groups(struct jail_buffer *b, const struct jail_account *account)
{
	int r = jail_buffer_puts(b, ",\n  \"groups\": [");

	for (size_t i = 0; r == 0 && i < account->n_groups; i++) {
		r = i ? jail_buffer_puts(b, ", ") : 0;
		if (r == 0)
			r = jail_put_text(b, account->groups[i]);
	}
	return r < 0 ? r : jail_buffer_puts(b, "]");
}

static int put_entry(struct jail_buffer *b, const struct jail_entry *entry, bool first)
{
	char options[32];
	int r = jail_buffer_printf(b, "%s\n    {\"kind\": \"%s\", \"target\": ", first ? "" : ",",
				   kind_name(entry->kind));

	if (r == 0)
		r = jail_put_text(b, entry->target);
	if (r == 0 && entry->source)
		r = jail_buffer_puts(b, ", \"source\": ");
	if (r == 0 && entry->source)
		r = jail_put_text(b, entry->source);
	return r < 0 ? r
		     : jail_buffer_printf(b, ", \"options\": \"%s\", \"optional\": %s}",
					  jail_options_text(entry->options, options),
					  entry->optional ? "true" : "false");
}

static int put_view(struct jail_buffer *b, const struct jail_explanation *e)
{
	bool first = true;
	int r = put_text(b, "jail", e->jail.name);

	if (r == 0)
		r = put_text(b, "root", e->view->root);
	if (r == 0)
		r = jail_buffer_printf(b, ",\n  \"mounted\": %s", e->mounted ? "true" : "false");
	if (r == 0)
		r = put_text(b, "missing", e->mounted ? NULL : e->not_mounted.message);
	if (r == 0)
		r = jail_buffer_puts(b, ",\n  \"mounts\": [");
	for (size_t i = 0; r == 0 && i < e->view->n_entries; i++) {
		if (e->view->entries[i].kind == JAIL_ENTRY_MARKER)
			continue;
		r = put_entry(b, &e->view->entries[i], first);
		first = false;
	}
	return r < 0 ? r : jail_buffer_puts(b, first ? "]" : "\n  ]");
}

int jail_explanation_print_json(const struct jail_explanation *e)
{
	jail_autobuffer struct jail_buffer b = JAIL_BUFFER_INIT;

	if (jail_buffer_puts(&b, "{\n  \"user\": ") < 0 || jail_put_text(&b, e->account.user) < 0 ||
	    jail_buffer_printf(&b, ",\n  \"uid\": %u", (unsigned)e->account.uid) < 0 ||
	    put_groups(&b, &e->account) < 0 ||
	    jail_buffer_printf(&b, ",\n  \"policy_version\": %" PRIu64, jail_cache_version(e->cache)) < 0)
		return -ENOMEM;
	if ((e->verdict.matched ? jail_buffer_printf(&b, ",\n  \"rule\": %" PRIu32, e->verdict.rule)
				: jail_buffer_puts(&b, ",\n  \"rule\": null")) < 0 ||
	    jail_buffer_printf(&b, ",\n  \"last_known\": %s,\n  \"confined\": %s",
			       e->verdict.last_known ? "true" : "false",
			       e->confined ? "true" : "false") < 0 ||
	    put_text(&b, "why", e->why) < 0 || (e->confined && put_view(&b, e) < 0) ||
	    jail_buffer_puts(&b, "\n}\n") < 0)
		return -ENOMEM;
	fwrite(b.data, 1, b.len, stdout);
	return 0;
}

void jail_explanation_release(struct jail_explanation *e)
{
	jail_view_release(&e->own);
	jail_views_release(&e->views);
	jail_cache_close(&e->cache);
	jail_account_release(&e->account);
	*e = (struct jail_explanation){0};
}
