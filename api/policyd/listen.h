/* ADDR:PORT, and the socket that listens there. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include "lib/base/error.h"

struct policyd_address {
	struct sockaddr_storage socket;
	socklen_t len;
	bool any; /* ":PORT": every address, also where there is no IPv6 */
};

enum { POLICYD_ADDRESS_TEXT = 64 };

/* Reads "192.0.2.1:8480", "[2001:db8::1]:8480" or ":8480". Port 0 lets the kernel choose. Names are not
 * looked up: an endpoint must not listen elsewhere because a name service says so.
 * Errors: -EINVAL with what is expected. */
int policyd_address_parse(const char *text, struct policyd_address *ret, struct jail_error *err);

/* As it would be typed. */
void policyd_address_text(const struct sockaddr *address, char ret[static POLICYD_ADDRESS_TEXT]);
/* The host alone: an IPv4 client of an IPv6 socket is shown as IPv4. */
void policyd_address_host(const struct sockaddr *address, char ret[static POLICYD_ADDRESS_TEXT]);

/* Listens; *ret_bound is the address with the port that the kernel chose. [::] also takes IPv4 (ipv6(7),
 * IPV6_V6ONLY). Errors: errno of socket(2) and bind(2). */
int policyd_listen(const struct policyd_address *address, int *ret_fd, struct sockaddr_storage *ret_bound,
		   struct jail_error *err);
