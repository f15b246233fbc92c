#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include "lib/base/buffer.h"
#include "lib/base/file.h"
#include "lib/policy/account.h"

enum { GROUP_FILE_MAX = 64 * 1024 * 1024 };

/* A piece of text up to a separator. */
struct piece {
	const char *text;
	size_t len;
};

/* Takes the piece before the next separator off *rest; the last one goes to the end. */
static struct piece take(struct piece *rest, char separator)
{
	const char *end = memchr(rest->text, separator, rest->len);
	struct piece piece = {rest->text, end ? (size_t)(end - rest->text) : rest->len};
	size_t gone = piece.len + (end ? 1 : 0);
	rest->text += gone;
	rest->len -= gone;
	return piece;
}

static bool equals(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && memcmp(piece.text, text, piece.len) == 0;
}

static bool is_number(struct piece piece, gid_t gid)
{
	uint64_t value = 0;
	if (piece.len == 0 || piece.len > 10)
		return false;
	for (size_t i = 0; i < piece.len; i++) {
		if (piece.text[i] < '0' || piece.text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(piece.text[i] - '0');
	}
	return value == gid;
}

/* line: name:password:gid:member,member (group(5)). */
static bool line_has(struct piece line, const char *group, const char *user, gid_t gid)
{
	if (!equals(take(&line, ':'), group))
		return false;
	(void)take(&line, ':');
	if (is_number(take(&line, ':'), gid))
		return true;
	while (line.len > 0) {
		if (equals(take(&line, ','), user))
			return true;
	}
	return false;
}

int jail_breakglass_member(const char *group_file, const char *group, const char *user, gid_t gid,
			   struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_file_read_trusted(AT_FDCWD, group_file, GROUP_FILE_MAX, &text, err);
	if (r < 0)
		return r;
	if (*group == '\0' || *user == '\0')
		return 0;
	struct piece rest = {text.data, text.len};
	while (rest.len > 0) {
		if (line_has(take(&rest, '\n'), group, user, gid))
			return 1;
	}
	return 0;
}
