#include "lib/base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char jail_buffer_empty[1];

int jail_buffer_reserve(struct jail_buffer *buffer, size_t more)
{
	if (more > SIZE_MAX / 4 - buffer->len)
		return -ENOMEM;
	size_t need = buffer->len + more + 1;
	if (need <= buffer->capacity)
		return 0;
	size_t capacity = buffer->capacity ? buffer->capacity : 64;
	while (capacity < need)
		capacity *= 2;
	char *data = realloc(buffer->capacity ? buffer->data : NULL, capacity);
	if (!data)
		return -ENOMEM;
	data[buffer->len] = '\0';
	buffer->data = data;
	buffer->capacity = capacity;
	return 0;
}

int jail_buffer_append(struct jail_buffer *buffer, const void *data, size_t len)
{
	if (len == 0)
		return 0;
	int r = jail_buffer_reserve(buffer, len);
	if (r < 0)
		return r;
	memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return 0;
}

int jail_buffer_puts(struct jail_buffer *buffer, const char *text)
{
	return jail_buffer_append(buffer, text, strlen(text));
}

int jail_buffer_printf(struct jail_buffer *buffer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	int r = jail_buffer_reserve(buffer, (size_t)len);
	if (r < 0)
		return r;
	if (len == 0)
		return 0;
	va_start(args, format);
	(void)vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, args);
	va_end(args);
	buffer->len += (size_t)len;
	return 0;
}

void jail_buffer_release(struct jail_buffer *buffer)
{
	if (buffer->capacity)
		free(buffer->data);
	*buffer = JAIL_BUFFER_INIT;
}
