# arima_restd: a connection string with several hosts, some of which take a connection
# and say nothing.

use strict;
use warnings;

use Test::More;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);
use Cluster;
use Restd;
use Session;

my $cluster = Cluster->new;
my $session = Session->new;
my $ten = '"recent_prices":[1,2,3,4,5,6,7,8,9,10]';

is(Restd::prepare($session, 's'), '', 'set up');

# The system takes connections to it, nobody reads what they say.
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64) or die $!;
my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die $!;
my ($silent_port, $closed_port) = map { $_->sockport } $silent, $closed;
close $closed;

# A connection string of these hosts, each with its port.
sub hosts
{
	my @hosts = @_;
	my ($names, $ports) = map { my $part = $_; join ',', map { $_->[$part] } @hosts } 0, 1;

	return "host=$names port=$ports dbname=postgres user=arima_restd";
}
my @silent = ('127.0.0.1', $silent_port);
my @good = @ENV{qw(PGHOST PGPORT)};

# ---- the next host is tried ----

for ([ hosts(\@silent, \@good) . ' connect_timeout=2', [], 2 ], [ hosts([ '127.0.0.1', $closed_port ], \@silent, \@good), [ 'connect-timeout' => '2s' ], 2 ],
	[ hosts(\@silent, \@silent, \@good) . ' connect_timeout=2 target_session_attrs=read-write', [ 'connect-timeout' => '60s' ], 4 ])
{
	my ($database, $settings, $least) = @$_;
	my $begun = time;
	my $restd = Restd->new(database => $database, @$settings);
	is($restd->post('/predict', "{$ten}")->{status}, 200, "answered by the host that answers: $database");
	my $took = time - $begun;
	cmp_ok($took, '>', $least - 1, 'after the time of the others');
	cmp_ok($took, '<', $least + 2, 'and no longer');
	is($restd->get('/ready')->{status}, 200, 'ready');
	is($restd->stop, 0, 'the end');
}

# ---- none answers ----

my $restd = Restd->new(database => hosts(\@silent, [ '127.0.0.1', $closed_port ]), 'connect-timeout' => '2s');
my $begun = time;
is($restd->post('/predict', "{$ten}")->{status}, 503, 'no host answers: 503');
cmp_ok(time - $begun, '<', 5, 'after a try');
my ($failure) = grep { ($_->{event} || '') eq 'no connection to the database' } $restd->log;
# libpq before 14 does not say which host it has given up
my $old = `cat /proc/$restd->{pid}/maps` =~ /libpq\.so\.5\.1[0-3]\b/;
like($failure->{message}, $old ? qr/^timeout expired\n.*refused.*port $closed_port\b/s : qr/port $silent_port .*timeout expired.*\n.*port $closed_port .*refused/s, 'what is amiss with each is a record of the log') or diag($restd->log_text);
is($restd->stop, 0, 'the end');

# ---- a stop does not wait for a connection ----

$restd = Restd->new(database => hosts(\@silent, \@silent), 'connect-timeout' => '60s');
sleep 0.3;
is($restd->get('/health')->{status}, 200, 'healthy while it connects');
$begun = time;
is($restd->stop, 0, 'stopped while it connects');
cmp_ok(time - $begun, '<', 2, 'at once');
$restd = Restd->new(database => hosts(\@silent), 'connect-timeout' => '60s', 'stop-timeout' => '1s');
my $waiting = $restd->connect;
print $waiting Restd::text('POST', '/predict', body => "{$ten}");
sleep 0.3;
$begun = time;
is($restd->stop, 1, 'with a request that waits for it');
cmp_ok(time - $begun, '<', 3, 'after the time that it has for its answer');
like($restd->log_text, qr/"all_answered":false/, 'as the log says');
undef $waiting;

$session->end;
done_testing();
