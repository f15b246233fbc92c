#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "api/policy/commands.h"
#include "lib/wire/json.h"
#include "lib/wire/trust.h"

enum { KEY_FILE_MAX = 65536 };

/* Messages of readers begin with LINE:COLUMN where they can tell it: FILE:LINE:COLUMN then, as compilers do.
 */
static int prefix(struct jail_error *err, const char *path)
{
	size_t digits = strspn(err->message, "0123456789");
	char old[JAIL_ERROR_MESSAGE_MAX];

	if (digits == 0 || err->message[digits] != ':')
		return jail_error_prefix(err, "%s", path);
	memcpy(old, err->message, sizeof old);
	return jail_error_set(err, err->code, "%s:%s", path, old);
}

int jail_load_envelope(const char *path, struct jail_buffer *ret_text, struct jail_envelope *ret,
		       struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_input_read(path, JAIL_JSON_LIMITS_ENVELOPE.bytes, &text, err);

	if (r < 0)
		return r;
	r = jail_envelope_parse(text.data, text.len, ret, err);
	if (r < 0)
		return prefix(err, path);
	*ret_text = text;
	text = JAIL_BUFFER_INIT;
	return 0;
}

int jail_load_trust(const char *path, struct jail_trust *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer text = JAIL_BUFFER_INIT;
	int r = jail_input_read(path, JAIL_JSON_LIMITS_SMALL.bytes, &text, err);

	if (r < 0)
		return r;
	r = jail_trust_parse(text.data, text.len, ret, err);
	return r < 0 ? prefix(err, path) : 0;
}

int jail_load_private_key(const char *path, struct jail_private_key **ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer pem = JAIL_BUFFER_INIT;
	struct stat st;
	int r = jail_input_read(path, KEY_FILE_MAX, &pem, err);

	if (r < 0)
		return r;
	r = jail_private_key_from_pem(pem.data, pem.len, ret, err);
	if (pem.capacity)
		explicit_bzero(pem.data, pem.capacity);
	if (r < 0)
		return prefix(err, path);
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO))
		fprintf(stderr, "jail-policy: warning: %s may be read by others (mode %04o): chmod 600 it\n",
			path, st.st_mode & 07777);
	return 0;
}

int jail_load_public_key(const char *path, struct jail_public_key *ret, struct jail_error *err)
{
	jail_autobuffer struct jail_buffer pem = JAIL_BUFFER_INIT;
	int r = jail_input_read(path, KEY_FILE_MAX, &pem, err);

	if (r < 0)
		return r;
	r = jail_public_key_from_pem(pem.data, pem.len, ret, err);
	return r < 0 ? prefix(err, path) : 0;
}

void jail_warn_expired(time_t expires)
{
	char text[32];

	if (expires > time(NULL))
		return;
	fflush(stdout);
	fprintf(stderr, "jail-policy: warning: this policy expired at %s: nodes will refuse it\n",
		jail_time_text(expires, text));
}

const char *jail_time_text(time_t time, char text[static 32])
{
	struct tm tm;

	if (!gmtime_r(&time, &tm) || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(text, 32, "@%lld", (long long)time);
	return text;
}
