# arima_restd: clients that want more than their share, or that it takes a request for
# another one's.

use strict;
use warnings;

use Test::More;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);
use Cluster;
use Restd;
use Session;

my $cluster = Cluster->new;
my $session = Session->new;
my $database = "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=postgres user=arima_restd";
# the library, which Debian 11 has as 0.9.72, 12 as 0.9.75, 13 as 1.0: what each does is told where it matters
my $library = `pkg-config --modversion libmicrohttpd 2>/dev/null` // '';
my $old = $library =~ /^0\.9\.(\d+)/ && $1 < 75;
my $new = $library =~ /^[1-9]/;
my $ten = '"recent_prices":[1,2,3,4,5,6,7,8,9,10]';

is(Restd::prepare($session, 's'), '', 'set up');

# ---- many steps ----

my $restd = Restd->new(database => $database, 'batch-workers' => 1);
my $locker = Session->new;

# A figure of /metrics.
sub metric
{
	my ($name) = @_;
	return ($restd->get('/metrics')->{body} =~ /^\Q$name\E (\S+)/m)[0] // 0;
}

# Sends these bodies while the database is held up, so that they wait together; gives the
# statuses of the replies, how many statements they took, and how many of at most eight.
sub batches
{
	my @bodies = @_;
	my ($all, $small) = map { my $name = $_; sub { metric($name) } } 'arima_restd_batch_size_count', 'arima_restd_batch_size_bucket{le="8"}';
	my @before = ($all->(), $small->());
	my %statuses;

	$locker->query('BEGIN; LOCK TABLE arima_ops.predictions IN ACCESS EXCLUSIVE MODE');
	my $first = $restd->connect;
	print $first Restd::text('POST', '/predict', body => "{$ten}");
	for (1 .. 200)
	{
		last if $session->query(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'arima_restd' AND wait_event_type = 'Lock'}) eq '1';
		sleep 0.02;
	}
	my @sockets = map { my $socket = $restd->connect; print $socket Restd::text('POST', '/predict', body => $_); $socket } @bodies;
	for (1 .. 200)
	{
		last if metric('arima_restd_waiting_requests') == @bodies;
		sleep 0.02;
	}
	is(metric('arima_restd_waiting_requests'), scalar @bodies, 'they wait together');
	$locker->query('COMMIT');
	$statuses{ Restd::read_reply($_)->{status} }++ for $first, @sockets;
	return (join(' ', map { "$statuses{$_} of $_" } sort keys %statuses), $all->() - $before[0], $small->() - $before[1]);
}

is_deeply([ batches(("{$ten}") x 10, ("{$ten,\"horizon\":3}") x 10) ], [ '21 of 200', 2, 1 ], 'twenty requests for few steps are one batch');
# each could be read as 1,000 steps, and is
my @many = map { "{$ten,$_}" } '"horizon":1000', '"horizon" : "1000"', '"horizon":1e3', '"horizon":1000.0', '"\u0068orizon":1000', '"horizon":3,"horizon":1000', '"horizon":"+1000"', '"horizon":"01000"';
is_deeply([ batches(@many, @many) ], [ '17 of 200', 3, 3 ], 'of those for a thousand steps eight are');
is($session->query("SELECT count(*) FROM arima_ops.predictions WHERE horizon = 1000"), 16, 'which is what they asked for');

# ---- a batch that is held up ----

{
	my $two = Restd->new(database => $database);

	$locker->query("BEGIN; SELECT count(*) FROM arima_ops.predict('s', '{1,2,3,4,5,6,7,8,9,10}', request_id => 'held')");
	my $held = $two->connect;
	print $held Restd::text('POST', '/predict', body => "{$ten}", headers => { 'Idempotency-Key' => 'held' });
	for (1 .. 200)
	{
		last if $session->query(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'arima_restd' AND wait_event_type = 'Lock'}) eq '1';
		sleep 0.02;
	}
	is($session->query(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'arima_restd' AND wait_event_type = 'Lock'}), 1, 'a batch is held up');
	is(join(' ', map { $two->post('/predict', "{$ten}")->{status} } 1 .. 5), '200 200 200 200 200', 'the others are answered meanwhile');
	$locker->query('COMMIT');
	is(Restd::read_reply($held)->{status}, 200, 'and then that one');
	is($two->stop, 0, 'all are done');
}

# ---- one request, one reply ----

# The statuses that come back for a text, until the connection is closed or nothing more comes for a second.
sub statuses
{
	my ($text) = @_;
	my $socket = $restd->connect;
	my $got = '';

	local $SIG{PIPE} = 'IGNORE';
	print $socket $text;
	while (1)
	{
		my $ready = '';
		vec($ready, fileno $socket, 1) = 1;
		unless (select $ready, undef, undef, 1.5) { return join ' ', 'open', $got =~ m{HTTP/1\.1 (\d+)}g; }
		last unless sysread $socket, $got, 65536, length $got;
	}
	return join ' ', 'closed', $got =~ m{HTTP/1\.1 (\d+)}g;
}

my $hidden = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
my $size = length $hidden;
for my $case (
	[ 'POST /nowhere', "Content-Length: $size", 'open 404 200' ], [ 'POST /docs', "Content-Length: $size", 'open 405 200' ], [ 'POST /predict', "Content-Length: $size\r\nContent-Encoding: gzip", 'open 415 200' ],
	[ 'GET /health', "Content-Length: $size", 'open 200 200' ], [ 'POST /predict', "Content-Length: $size\r\nContent-Type: text/plain", 'open 422 200' ],
	[ 'POST /predict', "Content-Length: 70000\r\nExpect: 100-continue", 'closed 413' ], [ 'POST /nowhere', "Content-Length: 99999999", 'closed 404' ])
{
	my ($line, $headers, $wanted) = @$case;
	is(statuses("$line HTTP/1.1\r\nHost: x\r\n$headers\r\n\r\n${hidden}GET /health HTTP/1.1\r\nHost: x\r\n\r\n"), $wanted, "a refused body is no request: $line, $headers");
}
for ("Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 2\r\nContent-Length: 39", "Content-Length: 0\r\nContent-Length: 0", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding : chunked")
{
	is(statuses("POST /predict HTTP/1.1\r\nHost: x\r\n$_\r\n\r\n0\r\n\r\n$hidden"), 'closed 400', "two ends of a request: $_");
}
# the library would make a length of the second one, and none of the others
for ("Transfer-Encoding:\r\n chunked", "C: $size\r\n ontent-Length", "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked", "Content-Length: $size\r\nA: b\r\n\tc", "A:\r\n b", "A: b\n c",
	"A: b\rContent-Length: $size", "A: b\r", "A: b\r\rC: d", "A b: c", " A: b", 'A"b: c', "\xc3\xa4: b")
{
	for my $line ('POST /predict', 'GET /health')
	{
		(my $shown = "$line, $_") =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
		is(statuses("$line HTTP/1.1\r\n$_\r\nHost: x\r\n\r\n$hidden"), 'closed 400', "a header that may be read otherwise: $shown");
	}
}
for ("A:b", "A: \t b \t", "A:", "A: b: c", "!#\$%&'*+-.^_`|~09aZ: \xc3\xa4", "Content-Length:  \t 0")
{
	is(statuses("GET /health HTTP/1.1\r\n$_\r\nHost: x\r\n\r\n$hidden"), 'open 200 200', 'and one that may not');
}
# of a lone LF nobody knows with an old library that it was no CR, and a new one refuses it
is(statuses("GET /health HTTP/1.1\nHost: x\n\n$hidden"), $old || $new ? 'closed 400' : 'open 200 200', 'lines that end in LF');
is(statuses("GET /health HTTP/1.1\r\nHost: x\r\n\r$hidden"), 'closed 400', 'an empty line may not end in CR');
is(statuses("GET /health HTTP/1.1\rContent-Length:$size\r\nHost: x\r\n\r\n$hidden"), 'closed 400', 'nor the first');
# a reply to HTTP/0.9 has no head
like(statuses("GET /health\rContent-Length: $size\r\nHost: x\r\n\r\n$hidden"), $old ? qr/^closed$/ : qr/^closed 400$/, 'nor one without a version');
for ([ "A: b\rC: d\r\n\r\n", 'closed 400' ], [ "A: b\r\r", 'closed 400' ], [ "A: b\r\r\n", 'closed 400' ], [ "A: b\r\n c\r\n\r\n", 'closed 400' ], [ "A: b\r\n\r\n", 'open 422 200' ], [ "\r\n", 'open 422 200' ])
{
	my ($after, $wanted) = @$_;
	is(statuses("POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n$after$hidden"), $wanted, 'headers after a body');
}
is(statuses("POST $_ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\rC: d\r\n\r\n$hidden"), 'closed 400', "also of a request that has its answer: $_") for '/nowhere', '/predict/';
for ('gzip, chunked', 'identity', 'chunked, gzip', 'x')
{
	# libmicrohttpd from 1.0 on answers by itself
	like(statuses("POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: $_\r\n\r\n0\r\n\r\n$hidden"), qr/^closed (400|501)$/, "a request without an end that is known: $_");
}
# ---- a first line that is too much for the memory of a connection ----

# How requests for these targets are answered, each status once, in their order.
sub answers
{
	my @targets = @_;
	my @statuses;

	for my $target (@targets)
	{
		my $socket = $restd->connect;
		print $socket Restd::text('GET', $target);
		my $status = IO::Select->new($socket)->can_read(3) ? (Restd::read_reply($socket) || { status => 'cut' })->{status} : 'none';
		push @statuses, $status unless @statuses && $statuses[-1] eq $status;
	}
	return join ' ', @statuses;
}

is(answers(map { '/health?' . join '&', map { "a=$_" } 1 .. $_ } 1, 100, 200), $old ? '200 414' : '200', 'up to two hundred parameters, of which an old library has room for a hundred');
is(answers(map { '/api/overview?' . join '&', map { "a=$_" } 1 .. $_ } 1, 230 .. 260, 300, 1000, 2000), '422 414', 'more are too many, which is said at once');
is(answers(map { '/health?' . '&' x $_ } 100, map { 50 * $_ } 5 .. 200), '200 414', 'also without names');
# where the line fills the memory to a few hundred bytes there is no room for a reply; an
# old library takes the memory in steps, and has that room or not by where the line ends in one
like(answers(map { '/health?' . 'a' x $_ } 15000, map { 15800 + 20 * $_ } 0 .. 40), $old ? qr/^200 414( cut 414)*$/ : qr/^200 414 (cut )?(431 )?414$/, 'a single one that is too long: at once, too');
is($restd->stop, 0, 'the end');
$restd = Restd->new(database => $database, 'max-header' => '2kB');
like(answers(map { '/health?' . join '&', map { "a=$_" } 1 .. $_ } 1 .. 60), qr/^200 414( 431)?$/, 'the same where there is less');
is($restd->stop, 0, 'the end');

# ---- a request that comes slowly ----

# Writes a byte every tenth of a second; gives the seconds until the connection is cut, 10: it is not.
sub trickle
{
	my ($socket, $text) = @_;
	my $begun = time;

	local $SIG{PIPE} = 'IGNORE';
	while (time - $begun < 10)
	{
		my $ready = '';
		syswrite $socket, length $text ? substr $text, 0, 1, '' : 'x' or last;
		vec($ready, fileno $socket, 1) = 1;
		last if select($ready, undef, undef, 0.1) && !sysread $socket, my $byte, 1;
	}
	return time - $begun;
}

$restd = Restd->new(database => $database, 'request-timeout' => '3s');
my ($used, $quiet, $rested) = map { $restd->connect } 1 .. 3;
for ($used, $rested)
{
	print $_ Restd::text('GET', '/health');
	is(Restd::read_reply($_)->{status}, 200, 'a first request');
}
sleep 0.1;
my %slow = ('the first line of the first request' => [ $restd->connect, 'GET /' ], 'that of the second' => [ $used, 'GET /' ],
	'blank lines before it' => [ $restd->connect, "\r\n" x 200 ], 'the headers' => [ $restd->connect, "GET / HTTP/1.1\r\nHost: " ],
	'a first line, then headers' => [ $restd->connect, 'GET /' . 'x' x 20 . " HTTP/1.1\r\nHost: " ]);
my %pids;
for my $what (sort keys %slow)
{
	# each in a process of its own; the time is its exit status
	$pids{$what} = fork // die $!;
	POSIX::_exit(int(10 * trickle(@{ $slow{$what} }))) unless $pids{$what};
}
for my $what (sort keys %pids)
{
	waitpid $pids{$what}, 0;
	cmp_ok($? >> 8, '<=', 55, "$what, a byte at a time: cut off after the time for a request");
	# a new library takes only a few blank lines
	cmp_ok($? >> 8, '>=', $new && $what =~ /blank/ ? 0 : 25, 'but not before');
}
ok(IO::Select->new($quiet)->can_read(0.5) && !sysread($quiet, my $byte, 1), 'a connection that never had a request is closed');
print $rested Restd::text('GET', '/health');
is(Restd::read_reply($rested)->{status}, 200, 'one that rests between two is not');
is($restd->stop, 0, 'the end');

# ---- clients are told apart ----

# without IPv6 they come by addresses of their own kind
my $v6 = grep { /^[0-9a-f]{32} / } `cat /proc/net/if_inet6 2>/dev/null`;
$restd = Restd->new(database => $database, listen => $v6 ? '[::]:0' : '0.0.0.0:0', rate => 1);
my ($greedy, $other) = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $restd->port, LocalAddr => $_) } '127.0.0.1', '127.0.0.2';
my $reply;
for (1 .. 100)
{
	print $greedy Restd::text('POST', '/predict', body => '{');
	$reply = Restd::read_reply($greedy);
	last if $reply->{status} == 429;
}
is($reply->{status}, 429, 'a client has had its requests of this second');
print $other Restd::text('POST', '/predict', body => '{');
is(Restd::read_reply($other)->{status}, 422, 'which are not those of another, of an IPv4 address in an IPv6 one');
is($restd->stop, 0, 'the end');

# ---- who asks for many steps has asked often ----

$restd = Restd->new(database => $database, rate => 40);
my $ten_prices = '"recent_prices":[1,2,3,4,5,6,7,8,9,10]';
is($restd->post('/predict', "{$ten_prices,\"horizon\":1000}")->{status}, 200, 'a thousand steps');
is($restd->post('/predict', "{$ten_prices,\"horizon\":1000}")->{status}, 200, 'again, which is more than there is for a second');
is($restd->post('/predict', "{$ten_prices}")->{status}, 429, 'so the next request has to wait');
sleep 1.5;
is($restd->post('/predict', "{$ten_prices}")->{status}, 200, 'until it is paid for');
is($restd->stop, 0, 'the end');
$restd = Restd->new(database => $database, rate => 40);
is_deeply([ map { $restd->post('/predict', "{$ten_prices,\"note\":\"Z\\u00fcrich, \\\"old\\\" town\"}")->{status} } 1 .. 20 ], [ (200) x 20 ], 'twenty of one step each, with escapes');
is($restd->stop, 0, 'the end');
$restd = Restd->new(database => $database, rate => 40);
is_deeply([ map { $restd->post('/predict', "{$ten_prices,\"\\u0068ori\\u007Aon\":1000}")->{status} } 1 .. 3 ], [ 200, 200, 429 ], 'a thousand steps, their name in escapes');
is($restd->stop, 0, 'the end');

$_->end for $locker, $session;
done_testing();
