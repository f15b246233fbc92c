/* The compiled cache: no damage does more than make opening or looking up fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/policy/cache.h"
#include "tests/unit/policy_sample.h"

/* Calls everything there is over a cache that may say anything. */
static void use_all(const struct jail_cache *cache)
{
	static const char *const names[] = {"ext-a", "staff", "guests", "ext-z"};
	static const char *const users[] = {"foo", "zoe", "visitor1", "nobody"};
	static const gid_t gids[] = {0, 50, 3001};
	struct jail_cache_jail jail;
	struct jail_cache_member member;
	struct jail_cache_known known;
	struct jail_mount mount;
	struct jail_verdict verdict;
	ssize_t n = 0;
	size_t length = strlen(jail_cache_cluster(cache)) + strlen(jail_cache_node(cache));

	struct jail_places_of_node places;

	jail_cache_places(cache, &places);
	const char *const paths[] = {places.run, places.roots, places.marker, places.private_disk,
				     places.private_memory};
	for (size_t i = 0; i < N(paths); i++)
		assert_true(*paths[i] == '\0' || jail_path_is_normal(paths[i]));
	for (size_t i = 0; i < N(users); i++) {
		struct jail_identity identity = {users[i], names, N(names), gids, N(gids), i};
		if (jail_cache_lookup(cache, &identity, &verdict, NULL) == 0) {
			assert_true(verdict.jail >= JAIL_EXEMPT);
			assert_true(verdict.jail < (ssize_t)jail_cache_n_jails(cache));
		}
		size_t found = 0;
		if (jail_cache_member_find(cache, users[i], &found, NULL) == 0)
			assert_true(found < jail_cache_n_members(cache));
	}
	for (size_t i = 0; i < jail_cache_n_jails(cache); i++) {
		if (jail_cache_jail(cache, i, &jail, NULL) < 0)
			continue;
		length += strlen(jail.name) + strlen(jail.root);
		for (size_t j = 0; j < jail.n_mounts; j++) {
			if (jail_cache_mount(cache, &jail, j, &mount, NULL) == 0)
				length += strlen(mount.target) + strlen(mount.from ? mount.from : "");
		}
	}
	for (size_t i = 0; i < jail_cache_n_members(cache); i++) {
		if (jail_cache_member(cache, i, &member, &n, NULL) == 0)
			length += strlen(member.user) + strlen(member.home);
	}
	for (size_t i = 0; i < jail_cache_n_known(cache); i++) {
		const char *user = NULL;
		uint32_t since = 0;
		if (jail_cache_known(cache, i, &known, NULL) < 0)
			continue;
		for (size_t j = 0; j < known.n_users; j++) {
			if (jail_cache_known_user(cache, &known, j, &user, &since, NULL) == 0)
				length += strlen(user);
		}
	}
	assert_true(length < 1 << 24);
}

/* The bytes in memory of exactly their size, so that the sanitizers see one byte too many. Returns whether
 * they open. */
static bool try_bytes(const char *data, size_t len)
{
	struct jail_error err = {0};
	void *copy = NULL;
	assert_int_equal(posix_memalign(&copy, 8, len ? len : 1), 0);
	memcpy(copy, data, len);
	jail_autocache struct jail_cache *cache = NULL;
	int r = jail_cache_open_memory(copy, len, &cache, &err);
	if (r == 0)
		use_all(cache);
	else
		assert_true((r == -EBADMSG || r == -EPROTONOSUPPORT) && err.message[0]);
	jail_cache_close(&cache);
	free(copy);
	return r == 0;
}

static void test_every_truncation(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		struct jail_cache *cache = NULL;
		assert_true(jail_cache_open_memory(bytes.data, len, &cache, NULL) < 0);
		assert_false(try_bytes(bytes.data, len));
	}
	(void)jail_buffer_append(&bytes, "more", 4);
	struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), -EBADMSG);
}

static void test_every_byte(void **state)
{
	(void)state;
	static const unsigned char masks[] = {0x01, 0x80, 0xff};
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char before = (unsigned char)bytes.data[i];
		for (size_t j = 0; j < N(masks); j++) {
			bytes.data[i] = (char)(before ^ masks[j]);
			(void)try_bytes(bytes.data, bytes.len);
		}
		bytes.data[i] = (char)before;
	}
}

/* What a crash leaves of a file: blocks of zeros. A confined user may be refused then, not set free. */
static void test_zeros(void **state)
{
	(void)state;
	static const struct jail_identity who[] = {{.user = "foo"}, {.user = "zoe"}, {.user = "visitor7"}};
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	uint64_t end = 0;
	memcpy(&end, bytes.data + 104, sizeof end); /* of the header, which has a checksum */
	jail_autofree char *good = malloc(bytes.len);
	assert_non_null(good);
	memcpy(good, bytes.data, bytes.len);
	size_t refused = 0;
	for (size_t at = end; at < bytes.len; at = at + 64) {
		memcpy(bytes.data, good, bytes.len);
		memset(bytes.data + at, 0, bytes.len - at);
		jail_autocache struct jail_cache *cache = NULL;
		assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, NULL), 0);
		for (size_t i = 0; i < N(who); i++) {
			struct jail_verdict verdict;
			int r = jail_cache_lookup(cache, &who[i], &verdict, NULL);
			refused += r < 0;
			if (r == 0 && (!verdict.matched || verdict.jail == JAIL_EXEMPT))
				fail_msg("%s is free with zeros from byte %zu on", who[i].user, at);
		}
	}
	assert_true(refused > 0);
}

/* Damage past the header's checksum: every 32-bit word of the header, then the checksum made to fit. The
 * place of the checksum is its last eight bytes, the header ends where the first section begins. */
static void test_forged_header(void **state)
{
	(void)state;
	static const uint32_t values[] = {0, 1, 7, 8, 0x7fffffff, 0x80000000, UINT32_MAX};
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&policy, &facts, &bytes);
	uint64_t end = 0;
	size_t opened = 0;
	/* magic 8, endian and format 8, size, version, expires 24, digest 32, words 32, then sections. */
	memcpy(&end, bytes.data + 104, sizeof end);
	assert_true(end > 112 && end < bytes.len);
	jail_autofree char *good = malloc(bytes.len);
	assert_non_null(good);
	memcpy(good, bytes.data, bytes.len);
	for (size_t at = 0; at < end - 8; at += 4) {
		for (size_t i = 0; i < N(values); i++) {
			memcpy(bytes.data, good, bytes.len);
			memcpy(bytes.data + at, &values[i], 4);
			uint64_t hash = 0xcbf29ce484222325ULL;
			for (size_t j = 0; j < end - 8; j++)
				hash = (hash ^ (unsigned char)bytes.data[j]) * 0x100000001b3ULL;
			memcpy(bytes.data + end - 8, &hash, sizeof hash);
			opened += try_bytes(bytes.data, bytes.len);
		}
	}
	/* Version and digest may be anything: the checksum did fit. */
	assert_true(opened >= 40 / 4 * N(values));
}

/* A file larger than what is read at first: lookups read pieces, the rest is mapped. */
static void test_large_file(void **state)
{
	(void)state;
	enum { MANY = 3000 };
	static char names[MANY][16];
	static char *list[MANY];
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof names[i], "user%04zu", i);
		list[i] = names[i];
	}
	struct jail_rule with_many[N(rules)];
	memcpy(with_many, rules, sizeof rules);
	with_many[5].names = list;
	with_many[5].n_names = MANY;
	struct jail_policy large = policy;
	large.rules = with_many;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	compile(&large, &facts, &bytes);
	assert_true(bytes.len > 65536);

	char path[] = "/tmp/test-cache.XXXXXX";
	jail_autoclose int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(jail_write_all(fd, bytes.data, bytes.len), 0);
	struct jail_cache *cache = NULL;
	assert_int_equal(jail_cache_open(path, &cache, NULL), 0);
	for (size_t i = 0; i < MANY; i++) {
		struct jail_verdict verdict;
		struct jail_identity identity = {.user = names[i]};
		assert_int_equal(jail_cache_lookup(cache, &identity, &verdict, NULL), 0);
		assert_true(verdict.matched && verdict.rule == 5);
		if (i == MANY / 2)
			use_all(cache); /* mapped from here on */
	}
	jail_cache_close(&cache);
	for (size_t at = 0; at < bytes.len; at += at < 2048 ? 1 : 101) {
		char flipped = (char)(bytes.data[at] ^ 0xff);
		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
		if (jail_cache_open(path, &cache, NULL) == 0)
			use_all(cache);
		jail_cache_close(&cache);
		assert_int_equal(pwrite(fd, bytes.data + at, 1, (off_t)at), 1);
	}
	assert_int_equal(unlink(path), 0);
}

static void test_open(void **state)
{
	(void)state;
	char path[] = "/tmp/test-cache.XXXXXX";
	char link[sizeof path + 8];
	struct jail_error err;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	struct jail_cache *cache = NULL;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	compile(&policy, &facts, &bytes);
	assert_int_equal(jail_file_replace(AT_FDCWD, path, bytes.data, bytes.len, 0644, &err), 0);
	assert_int_equal(jail_cache_open(path, &cache, &err), 0);
	use_all(cache);
	jail_cache_close(&cache);
	assert_null(cache);

	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(jail_cache_open(path, &cache, &err), -EPERM);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chown(path, 4242, 0), 0);
	assert_int_equal(jail_cache_open(path, &cache, &err), -EPERM);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(chown(path, 0, 0), 0);
	(void)snprintf(link, sizeof link, "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(jail_cache_open(link, &cache, &err), -ELOOP);
	assert_int_equal(unlink(link), 0);
	(void)alarm(20); /* a FIFO that blocks ends the test */
	assert_int_equal(mkfifo(link, 0600), 0);
	assert_true(jail_cache_open(link, &cache, &err) < 0);
	(void)alarm(0);
	assert_int_equal(unlink(link), 0);
	assert_true(jail_cache_open("/tmp", &cache, &err) < 0);
	assert_int_equal(truncate(path, (off_t)bytes.len - 1), 0);
	assert_int_equal(jail_cache_open(path, &cache, &err), -EBADMSG);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(jail_cache_open(path, &cache, &err), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(jail_cache_open(path, &cache, &err), -ENOENT);
	assert_null(cache);
}

static void test_other_format(void **state)
{
	(void)state;
	jail_autobuffer struct jail_buffer bytes = JAIL_BUFFER_INIT;
	struct jail_cache *cache = NULL;
	struct jail_error err;
	compile(&policy, &facts, &bytes);
	bytes.data[12]++; /* format */
	assert_int_equal(jail_cache_open_memory(bytes.data, bytes.len, &cache, &err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err.message, "version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_forged_header),	 cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_large_file),	 cmocka_unit_test(test_open),
		cmocka_unit_test(test_other_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
