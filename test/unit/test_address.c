/*
 * test_address.c
 *		Which addresses the name of a host may lead to.
 */
#include "unit.h"

#include "address.h"

int
main(void)
{
	static const char *const refused[] = {
		/* of IPv4 */
		"0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.170.2", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		/* of IPv6 */
		"::", "fe80::1", "febf::1", "ff02::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
		/* of IPv4 in IPv6 */
		"::ffff:169.254.169.254", "::ffff:0:169.254.169.254", "::169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe",
		"64:ff9b:1::169.254.169.254", "64:ff9b:1:2:3:4:168.63.129.16", "2002:a9fe:a9fe::1", "2002:e000:1::", "2001:0:a9fe:a9fe::1",
		"2001::808:808:5601:5601",
		/* no addresses */
		"", "localhost", "1.2.3", "0x7f.1", "fe80::1%eth0", "[::1]"
	};
	static const char *const allowed[] = {
		"127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.100.100.201", "168.63.129.15", "192.0.1.1", "169.253.255.255", "169.255.0.0", "223.255.255.255", "8.8.8.8", "1.0.0.0",
		"::1", "fec0::1", "fd00::1", "fd00:ec3::254", "fc00::1", "2606:4700::1111", "2001:db8::1", "2001:4860:4860::8888",
		"::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b:2::169.254.169.254", "2002:808:808::1", "2003:a9fe:a9fe::1"
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		UNIT_CHECK(ao_http_special_address(refused[i]), "refused: \"%s\"", refused[i]);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
	{
		UNIT_CHECK(!ao_http_special_address(allowed[i]), "allowed: %s", allowed[i]);
		UNIT_CHECK(ao_http_is_address(allowed[i]), "an address: %s", allowed[i]);
	}
	UNIT_CHECK(!ao_http_is_address("localhost") && !ao_http_is_address("1.2.3") && !ao_http_is_address("[::1]"), "no addresses");
	return unit_done();
}
