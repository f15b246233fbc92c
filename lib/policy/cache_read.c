#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/path.h"
#include "lib/policy/cache_open.h"

enum { HEAD_SIZE = 8192 }; /* what one read gets */

enum { COPY_MAX = 32768 };

int cache_damaged(struct jail_error *err)
{
	return jail_error_set(err, EBADMSG,
			      "the compiled policy is damaged; jail-agent --sync writes it anew");
}

/* Makes the whole file available. Earlier pointers into head stay valid. */
static bool map_whole(const struct jail_cache *cache)
{
	struct jail_cache *self = (struct jail_cache *)cache; /* made by malloc, and one thread's */
	if (cache->available == cache->size)
		return true;
	/* Replaced by rename, never written in place: the mapping cannot change or shrink. */
	void *map = mmap(NULL, cache->size, PROT_READ, MAP_SHARED, cache->fd, 0);
	if (map == MAP_FAILED)
		return false;
	self->map = map;
	self->data = map;
	self->available = cache->size;
	return true;
}

const void *cache_record(const struct jail_cache *cache, enum cache_section section, size_t i, size_t size)
{
	const struct cache_place *place = &cache->header->sections[section];
	if (i >= place->count)
		return NULL;
	size_t at = (size_t)place->offset + i * size;
	if (at + size > cache->available && !map_whole(cache))
		return NULL;
	return cache->data + at;
}

/* len bytes from at on, which lie within the file. */
static bool copy_bytes(const struct jail_cache *cache, size_t at, size_t len, void *ret)
{
	if (at + len <= cache->available) {
		memcpy(ret, cache->data + at, len);
		return true;
	}
	ssize_t n;
	do
		n = pread(cache->fd, ret, len, (off_t)at);
	while (n < 0 && errno == EINTR);
	return n >= 0 && (size_t)n == len;
}

bool cache_copy(const struct jail_cache *cache, enum cache_section section, size_t i, size_t size, void *ret)
{
	const struct cache_place *place = &cache->header->sections[section];
	return i < place->count && copy_bytes(cache, (size_t)place->offset + i * size, size, ret);
}

const char *cache_string(const struct jail_cache *cache, uint32_t string)
{
	const struct cache_place *place = &cache->header->sections[CACHE_STRINGS];
	if (string == 0)
		return "";
	if (string >= place->count)
		return NULL;
	size_t at = (size_t)place->offset + string;
	size_t end = (size_t)place->offset + (size_t)place->count;
	for (;;) {
		size_t until = end < cache->available ? end : cache->available;
		if (at < until && memchr(cache->data + at, '\0', until - at))
			return (const char *)cache->data + at;
		if (until == end || !map_whole(cache))
			return NULL;
	}
}

int cache_string_is(const struct jail_cache *cache, uint32_t string, const char *text)
{
	const struct cache_place *place = &cache->header->sections[CACHE_STRINGS];
	char found[256];
	size_t len = strlen(text) + 1;
	if (string >= place->count)
		return -EBADMSG;
	if (len > place->count - string)
		return 0;
	for (size_t done = 0; done < len;) {
		size_t part = len - done < sizeof found ? len - done : sizeof found;
		if (!copy_bytes(cache, (size_t)place->offset + string + done, part, found))
			return -EBADMSG;
		if (memcmp(found, text + done, part) != 0)
			return done == 0 && !found[0] ? -EBADMSG : 0; /* only string 0 is empty */
		done += part;
	}
	return 1;
}

static bool section_fits(const struct cache_place *place, enum cache_section section, size_t size)
{
	static const size_t sizes[CACHE_N_SECTIONS] = {
		[CACHE_RULES] = sizeof(struct cache_rule),
		[CACHE_JAILS] = sizeof(struct cache_jail),
		[CACHE_MOUNTS] = sizeof(struct cache_mount),
		[CACHE_USERS] = sizeof(struct cache_name),
		[CACHE_GROUPS] = sizeof(struct cache_name),
		[CACHE_GLOBS] = sizeof(struct cache_name),
		[CACHE_MATCHES] = sizeof(struct cache_name),
		[CACHE_HELD] = sizeof(struct cache_name),
		[CACHE_GIDS] = sizeof(struct cache_gid),
		[CACHE_MEMBERS] = sizeof(struct cache_member),
		[CACHE_KNOWN] = sizeof(struct cache_known),
		[CACHE_KNOWN_USERS] = sizeof(struct cache_known_user),
		[CACHE_STRINGS] = 1,
	};
	return place->offset % CACHE_ALIGN == 0 && place->offset >= sizeof(struct cache_header) &&
	       place->offset <= size && place->count <= (size - place->offset) / sizes[section];
}

static int check_header(const struct jail_cache *cache, struct jail_error *err)
{
	const struct cache_header *header = cache->header;

	if (cache->size < sizeof *header || memcmp(header->magic, CACHE_MAGIC, sizeof header->magic) != 0)
		return cache_damaged(err);
	if (header->endian != CACHE_ENDIAN || header->format != CACHE_FORMAT)
		return jail_error_set(
			err, EPROTONOSUPPORT,
			"the compiled policy has another format (%u, not %u): jail-agent and this "
			"program are not of the same version",
			(unsigned)header->format, (unsigned)CACHE_FORMAT);
	if (header->checksum != cache_checksum(header, offsetof(struct cache_header, checksum)) ||
	    header->size != cache->size)
		return cache_damaged(err);
	for (size_t i = 0; i < CACHE_N_SECTIONS; i++) {
		if (!section_fits(&header->sections[i], i, cache->size))
			return cache_damaged(err);
	}
	if (header->cluster >= header->sections[CACHE_STRINGS].count ||
	    header->node >= header->sections[CACHE_STRINGS].count)
		return cache_damaged(err);
	for (size_t i = 0; i < CACHE_N_PLACES; i++) {
		if (header->places[i] >= header->sections[CACHE_STRINGS].count)
			return cache_damaged(err);
	}
	return 0;
}

static int open_checked_header(const struct jail_cache *cache, struct jail_cache **ret,
			       struct jail_error *err)
{
	int r = check_header(cache, err);
	if (r < 0)
		return r;
	struct jail_cache *copy = malloc(sizeof *copy);
	if (!copy)
		return jail_error_sys(err, ENOMEM, "cannot open the compiled policy");
	*copy = *cache;
	*ret = copy;
	return 0;
}

int jail_cache_open_memory(const void *data, size_t size, struct jail_cache **ret, struct jail_error *err)
{
	struct jail_cache cache = {.data = data, .available = size, .size = size, .header = data, .fd = -1};
	if ((uintptr_t)data % CACHE_ALIGN != 0)
		return jail_error_set(err, EINVAL, "a compiled policy in memory must be aligned to %d bytes",
				      CACHE_ALIGN);
	return open_checked_header(&cache, ret, err);
}

/* O_NONBLOCK: opening a FIFO returns at once. */
static int open_checked(const char *path, size_t *ret_size, struct jail_error *err)
{
	jail_autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return jail_error_sys(err, errno, "cannot open the compiled policy %s", path);
	if (fstat(fd, &st) < 0)
		return jail_error_sys(err, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return jail_error_set(err, EINVAL, "%s is not a regular file", path);
	if (st.st_uid != 0 || (st.st_mode & 022))
		return jail_error_set(
			err, EPERM, "%s belongs to uid %u with mode %04o; only root may be able to write it",
			path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	if (st.st_size < (off_t)sizeof(struct cache_header) || st.st_size > (off_t)UINT32_MAX) {
		(void)cache_damaged(err);
		(void)jail_error_prefix(err, "%s", path);
		return -EBADMSG;
	}
	*ret_size = (size_t)st.st_size;
	return JAIL_STEAL_FD(fd);
}

int jail_cache_open(const char *path, struct jail_cache **ret, struct jail_error *err)
{
	size_t size = 0;
	jail_autoclose int fd = open_checked(path, &size, err);
	if (fd < 0)
		return fd;
	size_t available = size < HEAD_SIZE ? size : HEAD_SIZE;
	jail_autofree unsigned char *head = malloc(available);
	if (!head)
		return jail_error_sys(err, ENOMEM, "cannot read %s", path);
	struct jail_cache cache = {.size = size, .fd = fd};
	if (!copy_bytes(&cache, 0, available, head))
		return jail_error_sys(err, errno ? errno : EIO, "cannot read %s", path);
	cache.data = head;
	cache.available = available;
	cache.head = head;
	cache.header = (const struct cache_header *)(const void *)head;
	int r = open_checked_header(&cache, ret, err);
	if (r < 0) {
		(void)jail_error_prefix(err, "%s", path);
		return r;
	}
	(void)JAIL_STEAL_FD(fd);
	(void)JAIL_STEAL_PTR(head);
	return 0;
}

void jail_cache_close(struct jail_cache **cache)
{
	if (!*cache)
		return;
	if ((*cache)->map)
		(void)munmap((*cache)->map, (*cache)->size);
	if ((*cache)->fd >= 0)
		(void)close((*cache)->fd);
	free((*cache)->head);
	free(*cache);
	*cache = NULL;
}

const char *jail_cache_cluster(const struct jail_cache *cache)
{
	const char *text = cache_string(cache, cache->header->cluster);
	return text ? text : "";
}

const char *jail_cache_node(const struct jail_cache *cache)
{
	const char *text = cache_string(cache, cache->header->node);
	return text ? text : "";
}

uint64_t jail_cache_version(const struct jail_cache *cache)
{
	return cache->header->version;
}

time_t jail_cache_expires(const struct jail_cache *cache)
{
	return cache->header->expires;
}

const uint8_t *jail_cache_policy_sha256(const struct jail_cache *cache)
{
	return cache->header->policy_sha256;
}

bool jail_cache_has_group_rules(const struct jail_cache *cache)
{
	return cache->header->has_group_rules != 0;
}

/* What does not read as the path that was written counts as none: whoever needs it refuses then. */
static const char *place(const struct jail_cache *cache, enum cache_node_place number)
{
	const char *path = cache_string(cache, cache->header->places[number]);
	return path && jail_path_is_normal(path) ? path : "";
}

void jail_cache_places(const struct jail_cache *cache, struct jail_places_of_node *ret)
{
	*ret = (struct jail_places_of_node){
		.run = place(cache, CACHE_RUN),
		.roots = place(cache, CACHE_ROOTS),
		.marker = place(cache, CACHE_MARKER),
		.private_disk = place(cache, CACHE_PRIVATE_DISK),
		.private_memory = place(cache, CACHE_PRIVATE_MEMORY),
	};
}
