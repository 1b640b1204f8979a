# FreePort.pm
#	A port of this machine that nobody listens on.

package FreePort;

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;

our @EXPORT = qw(free_port);

sub free_port
{
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1) or die "no free port: $!";
	return $socket->sockport;
}

1;
