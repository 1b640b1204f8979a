/*
 * address.c
 *		Addresses that the name of a host must not lead to, however they are written.
 *
 * A name on the list of allowed hosts is someone else's to point somewhere.  Refused
 * are link-local addresses and those beside them at which clouds hand out the
 * credentials of their machines, addresses of no one host, and 0.0.0.0, which is this
 * machine.  The loopback and private networks are not among them: in-house servers
 * are there.
 *
 * An IPv4 address may stand in an IPv6 one, and a gateway on the way then sends
 * what is for it to the IPv4 address: these are judged by that.
 */
#include "address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* A network: the first bits of its addresses. */
typedef struct Network
{
	unsigned char start[16];
	int			bits;
} Network;

static const Network special_v4[] = {
	{{0}, 8},					/* this machine, or none (RFC 1122) */
	{{100, 100, 100, 200}, 32}, /* metadata of Alibaba Cloud */
	{{168, 63, 129, 16}, 32},	/* the host of an Azure machine */
	{{169, 254}, 16},			/* link-local (RFC 3927), metadata of most clouds */
	{{192, 0, 0}, 24},			/* assigned to protocols (RFC 6890), metadata of Oracle Cloud */
	{{224}, 3},					/* to many, to all, and what is reserved */
};

static const Network special_v6[] = {
	{{0}, 128},					/* none */
	{{0xfd, 0, 0x0e, 0xc2}, 32},	/* metadata, names and time of Amazon's machines */
	{{0xfd, 0x20, 0, 0xce}, 32},	/* metadata of Google's */
	{{0xfe, 0x80}, 10},			/* link-local (RFC 4291) */
	{{0xff}, 8},				/* to many */
};

/* Networks of IPv6 whose addresses have one of IPv4 in them, from a byte on. */
static const struct
{
	Network		network;
	int			at;
	unsigned char mask;			/* by which its bytes are hidden */
}			carriers[] = {
	{{{0}, 96}, 12, 0},			/* compatible (RFC 4291); ::1 has 0.0.0.1, see below */
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12, 0},	/* mapped (RFC 4291) */
	{{{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12, 0},	/* translated (RFC 2765) */
	{{{0, 0x64, 0xff, 0x9b}, 96}, 12, 0},	/* NAT64 (RFC 6052) */
	{{{0, 0x64, 0xff, 0x9b, 0, 1}, 48}, 12, 0}, /* NAT64 of a network's own (RFC 8215), where its prefix has 96 bits */
	{{{0x20, 0x02}, 16}, 2, 0}, /* 6to4 (RFC 3056) */
	{{{0x20, 0x01}, 32}, 4, 0}, /* Teredo (RFC 4380): its server */
	{{{0x20, 0x01}, 32}, 12, 0xff}, /* and the client */
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool
belongs_to(const unsigned char *address, const Network *network)
{
	int			bytes = network->bits / 8;
	int			rest = network->bits % 8;

	return memcmp(address, network->start, (size_t) bytes) == 0
		&& (rest == 0 || (address[bytes] & (0xff << (8 - rest))) == network->start[bytes]);
}

static bool
belongs_to_any(const unsigned char *address, const Network *networks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (belongs_to(address, &networks[i]))
			return true;
	return false;
}

static bool
special_in_v4(const unsigned char *address)
{
	return belongs_to_any(address, special_v4, LENGTH(special_v4));
}

static bool
special_in_v6(const unsigned char *address)
{
	static const unsigned char loopback[16] = {[15] = 1};

	if (memcmp(address, loopback, sizeof(loopback)) == 0)
		return false;
	if (belongs_to_any(address, special_v6, LENGTH(special_v6)))
		return true;
	for (size_t i = 0; i < LENGTH(carriers); i++)
	{
		unsigned char carried[4];

		for (int j = 0; j < 4; j++)
			carried[j] = address[carriers[i].at + j] ^ carriers[i].mask;
		if (belongs_to(address, &carriers[i].network) && special_in_v4(carried))
			return true;
	}
	return false;
}

/* See address.h. */
bool
ao_http_is_address(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* See address.h. */
bool
ao_http_special_address(const char *address)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1)
		return special_in_v4(bytes);
	return inet_pton(AF_INET6, address, bytes) != 1 || special_in_v6(bytes);
}
