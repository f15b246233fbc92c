#include "lib/base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/file.h"

static const char *log_name = "";
static bool log_journal;

/* $JOURNAL_STREAM names device and inode of the journal's socket: it may be inherited by a program whose
 * stderr leads elsewhere (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = secure_getenv("JOURNAL_STREAM");
	if (!stream)
		return false;
	uintmax_t dev = 0;
	uintmax_t ino = 0;
	struct stat st;
	if (sscanf(stream, "%ju:%ju", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return false;
	return dev == (uintmax_t)st.st_dev && ino == (uintmax_t)st.st_ino;
}

void jail_log_init(const char *name)
{
	log_name = name;
	log_journal = stderr_is_journal();
}

static void clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		/* U+0080 to U+009F: terminals take them for escapes as well. */
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
	}
}

void jail_log(enum jail_log_level level, const char *format, ...)
{
	char text[4096];
	char line[sizeof text + 256];

	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof text, format, args) < 0)
		text[0] = '\0';
	va_end(args);
	clean(text);
	int len;
	if (log_journal)
		len = snprintf(line, sizeof line, "<%d>%s\n", (int)level, text);
	else
		len = snprintf(line, sizeof line, "%.200s%s%s\n", log_name, *log_name ? ": " : "", text);
	if (len > 0)
		(void)jail_write_all(STDERR_FILENO, line, (size_t)len);
}
