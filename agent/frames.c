#include "agent/frames.h"

#include <errno.h>
#include <string.h>
#include "lib/base/file.h"

enum { HEADER = 1 + sizeof(uint64_t) };

int jail_frame_put(int fd, char tag, const void *data, size_t len)
{
	char header[HEADER];
	uint64_t n = len;
	int r;

	header[0] = tag;
	memcpy(header + 1, &n, sizeof n);
	r = jail_write_all(fd, header, sizeof header);
	return r < 0 ? r : jail_write_all(fd, data, len);
}

int jail_frame_next(const struct jail_buffer *bytes, size_t *offset, struct jail_frame *ret)
{
	uint64_t n;

	if (*offset == bytes->len)
		return 0;
	if (bytes->len - *offset < HEADER)
		return -EBADMSG;
	memcpy(&n, bytes->data + *offset + 1, sizeof n);
	if (n > bytes->len - *offset - HEADER)
		return -EBADMSG;
	*ret = (struct jail_frame){
		.tag = bytes->data[*offset], .len = (size_t)n, .data = bytes->data + *offset + HEADER};
	*offset += HEADER + (size_t)n;
	return 1;
}

int jail_frame_text(const struct jail_frame *frame, char **ret)
{
	char *text;

	if (memchr(frame->data, '\0', frame->len))
		return -EBADMSG;
	text = strndup(frame->data, frame->len);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
