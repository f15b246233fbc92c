/* Whether a mounted tmpfs, hide or proc is what it should be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/view/scene.h"

/* The value of name in "rw,size=4k,mode=755", NULL when it is not there. Ends at a comma. */
static const char *super_option(const struct jail_mount_line *line, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = line->super_options; p && *p;) {
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
		p = strchr(p, ',');
		p = p ? p + 1 : NULL;
	}
	return NULL;
}

/* tmpfs counts in pages and shows kibibytes (mm/shmem.c, shmem_show_options). */
static bool size_differs(const struct jail_mount_line *line, uint64_t size)
{
	const char *text = super_option(line, "size");
	if (size == 0)
		return false; /* the kernel's default moves with the memory */
	uint64_t pages = (size + 4095) / 4096;
	return !text || strtoull(text, NULL, 10) != pages * 4;
}

/* 01777 is not shown. */
static bool mode_differs(const struct jail_mount_line *line, mode_t mode)
{
	const char *text = super_option(line, "mode");
	return (text ? strtoul(text, NULL, 8) : 01777) != mode;
}

/* Words since Linux 5.8, numbers before. */
static bool hidepid_differs(const struct jail_mount_line *line, enum jail_hidepid hidepid)
{
	static const struct {
		enum jail_hidepid value;
		const char *word;
	} words[] = {
		{JAIL_HIDEPID_OFF, "off"},
		{JAIL_HIDEPID_NOACCESS, "noaccess"},
		{JAIL_HIDEPID_INVISIBLE, "invisible"},
		{JAIL_HIDEPID_PTRACEABLE, "ptraceable"},
	};
	const char *text = super_option(line, "hidepid");
	if (!text)
		return hidepid != JAIL_HIDEPID_OFF;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].value == hidepid && strncmp(text, words[i].word, strlen(words[i].word)) == 0)
			return false;
	return text[0] - '0' != (int)hidepid;
}

static const char *drift_tmpfs(const struct jail_entry *entry, const struct jail_mount_line *top,
			       enum jail_how *how)
{
	bool hide = entry->kind == JAIL_ENTRY_HIDE;
	if (strcmp(top->fstype, "tmpfs") != 0 || strcmp(top->root, "/") != 0 ||
	    mode_differs(top, hide ? 0555 : entry->mode))
		return "another mount is there";
	/* What users have put into a tmpfs is not thrown away for the sake of its size. */
	*how = JAIL_HOW_REMOUNT;
	if (top->options != entry->options)
		return "options differ";
	return !hide && size_differs(top, entry->size) ? "size differs" : NULL;
}

static const char *drift_proc(const struct jail_entry *entry, const struct jail_mount_line *top)
{
	if (strcmp(top->fstype, "proc") != 0 || strcmp(top->root, "/") != 0)
		return "another mount is there";
	if (top->options != entry->options)
		return "options differ";
	return hidepid_differs(top, entry->hidepid) ? "hidepid differs" : NULL;
}

int jail_drift_entry(const struct jail_scene *scene, size_t v, size_t e, const struct jail_mount_line *top,
		     char **ret_reason, enum jail_how *ret_how)
{
	const struct jail_entry *entry = &scene->views->views[v].entries[e];
	const char *reason = NULL;

	*ret_how = JAIL_HOW_REPLACE;
	*ret_reason = NULL;
	switch (entry->kind) {
	case JAIL_ENTRY_BIND:
	case JAIL_ENTRY_MARKER:
		return jail_drift_bind(scene, v, e, top, ret_reason);
	case JAIL_ENTRY_HIDE:
	case JAIL_ENTRY_TMPFS:
		reason = drift_tmpfs(entry, top, ret_how);
		break;
	case JAIL_ENTRY_PROC:
		reason = drift_proc(entry, top);
		break;
	case JAIL_ENTRY_PRIVATE: /* of namespace views, which no plan keeps */
		break;
	}
	if (!reason)
		return 0;
	*ret_reason = strdup(reason);
	return *ret_reason ? 0 : -ENOMEM;
}
