#include "api/policyd/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/base/cleanup.h"

static int refuse(const char *text, const char *problem, struct jail_error *err)
{
	return jail_error_set(err, EINVAL,
			      "--listen %s: %s; expected IPv4:PORT, [IPv6]:PORT or :PORT, for instance "
			      "0.0.0.0:8480",
			      text, problem);
}

static int parse_port(const char *text, in_port_t *ret)
{
	unsigned long port = 0;

	if (!*text || strlen(text) > 5)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		port = port * 10 + (unsigned long)(*p - '0');
	}
	if (port > UINT16_MAX)
		return -EINVAL;
	*ret = htons((in_port_t)port);
	return 0;
}

static void set_port(struct policyd_address *address, in_port_t port)
{
	if (address->socket.ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)&address->socket)->sin6_port = port;
	else
		((struct sockaddr_in *)(void *)&address->socket)->sin_port = port;
}

/* getaddrinfo, not inet_pton, for the scope of a link-local address: [fe80::1%eth0]. */
static int parse_host(const char *host, int family, struct policyd_address *ret)
{
	struct addrinfo hints = {
		.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
	struct addrinfo *found;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return -EINVAL;
	memcpy(&ret->socket, found->ai_addr, found->ai_addrlen);
	ret->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int policyd_address_parse(const char *text, struct policyd_address *ret, struct jail_error *err)
{
	struct policyd_address address = {0};
	char host[POLICYD_ADDRESS_TEXT];
	const char *colon = strrchr(text, ':');
	in_port_t port;

	if (!colon || parse_port(colon + 1, &port) < 0)
		return refuse(text, "there is no port from 0 to 65535 at its end", err);
	size_t len = (size_t)(colon - text);
	if (len >= sizeof host)
		return refuse(text, "that is no IP address", err);
	memcpy(host, text, len);
	host[len] = '\0';

	int r;
	if (len == 0) {
		address.any = true;
		r = parse_host("::", AF_INET6, &address);
	} else if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		r = parse_host(host + 1, AF_INET6, &address);
	} else {
		struct in_addr unused;
		/* inet_pton: getaddrinfo would take "127.1" and "0x7f000001" as well. */
		r = inet_pton(AF_INET, host, &unused) == 1 ? parse_host(host, AF_INET, &address) : -EINVAL;
	}
	if (r < 0)
		return refuse(text, "that is no IP address", err);
	set_port(&address, port);
	*ret = address;
	return 0;
}

void policyd_address_host(const struct sockaddr *address, char ret[static POLICYD_ADDRESS_TEXT])
{
	const void *bytes = NULL;
	int family = address->sa_family;

	if (family == AF_INET) {
		bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	} else if (family == AF_INET6) {
		const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
		bytes = six;
		if (IN6_IS_ADDR_V4MAPPED(six)) {
			family = AF_INET;
			bytes = six->s6_addr + 12;
		}
	}
	if (!bytes || !inet_ntop(family, bytes, ret, POLICYD_ADDRESS_TEXT))
		snprintf(ret, POLICYD_ADDRESS_TEXT, "?");
}

void policyd_address_text(const struct sockaddr *address, char ret[static POLICYD_ADDRESS_TEXT])
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
	char host[POLICYD_ADDRESS_TEXT];

	if (address->sa_family == AF_INET6 && inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host)) {
		snprintf(ret, POLICYD_ADDRESS_TEXT, "[%.45s]:%u", host, (unsigned)ntohs(six->sin6_port));
	} else {
		policyd_address_host(address, host);
		snprintf(ret, POLICYD_ADDRESS_TEXT, "%.45s:%u", host, (unsigned)ntohs(four->sin_port));
	}
}

static int listen_at(const struct policyd_address *address, int *ret_fd)
{
	static const int on = 1, off = 0;
	jail_autoclose int fd =
		socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* A restart must not wait for the connections of the one before. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		return -errno;
	if (address->socket.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address->socket, address->len) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -errno;
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}

int policyd_listen(const struct policyd_address *address, int *ret_fd, struct sockaddr_storage *ret_bound,
		   struct jail_error *err)
{
	struct policyd_address wanted = *address;
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;
	jail_autoclose int fd = -1;
	int r = listen_at(&wanted, &fd);

	if (address->any && (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)) {
		in_port_t port = ((const struct sockaddr_in6 *)(const void *)&address->socket)->sin6_port;
		(void)parse_host("0.0.0.0", AF_INET, &wanted);
		set_port(&wanted, port);
		r = listen_at(&wanted, &fd);
	}
	if (r == 0 && getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
		r = -errno;
	if (r < 0) {
		char text[POLICYD_ADDRESS_TEXT];
		policyd_address_text((const struct sockaddr *)&wanted.socket, text);
		return jail_error_sys(err, -r, "cannot listen at %s", text);
	}
	*ret_bound = bound;
	*ret_fd = JAIL_STEAL_FD(fd);
	return 0;
}
