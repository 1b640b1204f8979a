/*
 * address.h
 *		Addresses of hosts as texts: what they are, and whether a name may lead there.
 *		Knows nothing of PostgreSQL, so that the unit tests can ask it.
 */
#ifndef AO_HTTP_ADDRESS_H
#define AO_HTTP_ADDRESS_H

#include <stdbool.h>

/* Is the text an IPv4 or IPv6 address? */
extern bool ao_http_is_address(const char *host);
/* Is this an address that a name must not lead to (link-local and such)?  What is no address is one, too. */
extern bool ao_http_special_address(const char *address);

#endif							/* AO_HTTP_ADDRESS_H */
