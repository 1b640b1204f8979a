# Outgoing HTTP: requests to a server on this machine that answers and
# misbehaves as it is told.  Nothing leaves the list of allowed hosts, nothing
# outlasts its limits, nothing is held while waiting, no secret shows.

use strict;
use warnings;

use POSIX qw(strftime);
use Test::More;
use FreePort;
use IO::Socket::INET;
use IPC::Run qw(run);
use JSON::PP;
use MIME::Base64;
use Session;
use WebServer;

use constant LIMIT => 100;    # ms, from a cancel to its end

my $web = WebServer->new;
my ($port, $tls_port) = ($web->port, $web->tls_port);
my $session = Session->new;
my $other = Session->new;
my $json = JSON::PP->new->allow_nonref;

# A text as an SQL literal.
sub quote
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

# An element of the array of requests.
sub request
{
	my ($url, %with) = @_;
	my $headers = join ', ', map { quote($_) } @{ $with{headers} || [] };

	return sprintf 'ROW(%s, %s, ARRAY[%s]::text[], %s, %s)::arima_ops.http_request', quote($with{method} || 'GET'), quote($url),
	  $headers, defined $with{body} ? quote($with{body}) . '::bytea' : 'NULL', defined $with{retries} ? $with{retries} : 'NULL';
}

# SQL that prepares requests, SQL that sends them and keeps the answers.
sub prepare { return 'SELECT arima_ops.http_prepare(ARRAY[' . join(', ', @_) . ']::arima_ops.http_request[])'; }
my $send = 'CALL pg_temp.send()';

# Sends the requests; a hash of each answer, in their order.
sub exchange
{
	$session->query(prepare(@_));
	my $error = $session->error;
	$session->query($send);
	die $error . $session->error if $error . $session->error ne '';
	my $rows = $session->query("SELECT json_agg(json_build_object('status', status, 'type', content_type,
		'body', encode(body, 'base64'), 'size', length(body), 'fault', fault, 'message', message, 'retry_after', retry_after,
		'url', url, 'attempts', attempts, 'ms', milliseconds) ORDER BY i)
		FROM answers, unnest(responses) WITH ORDINALITY AS r (status, content_type, body, fault, message, retry_after, url, attempts, milliseconds, i)");
	my @answers = @{ $json->decode($rows) };
	defined $_->{body} and $_->{body} = decode_base64($_->{body}) for @answers;
	return @answers;
}

# The one answer to one request.
sub get { return (exchange(request(@_)))[0]; }

# Changes settings for the rest of the session, NAME => VALUE.
sub set
{
	my %value = @_;
	$session->query(join '; ', map { "SET arima_ops.http_$_ = " . quote($value{$_}) } keys %value);
	die $session->error if $session->error ne '';
}

# How many processes the server process has as children.
sub children
{
	my $pid = $session->pid;
	my $count = 0;
	for my $name (glob '/proc/[0-9]*/stat')
	{
		open my $stat, '<', $name or next;
		$count++ if (readline($stat) || '') =~ /^\d+ \(.*\) \S $pid /s;
	}
	return $count;
}

$session->query('SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS arima_ops;
	CREATE TEMP TABLE answers (responses arima_ops.http_response[]);
	CREATE PROCEDURE pg_temp.send() LANGUAGE plpgsql AS $$
	DECLARE
		got arima_ops.http_response[];
	BEGIN
		CALL arima_ops.http_exchange(got);
		DELETE FROM answers;
		INSERT INTO answers VALUES (got);
	END $$');
is($session->error, '', 'set up');
$web->define('/text', { body => 'hello' });

# ---- where a request may go ----

is(get($web->url('/text'))->{message}, "host localhost, port $port, is not in arima_ops.http_allowed_hosts", 'by default nothing may be sent');
is(scalar $web->requests, 0, 'and nothing was');
set(allowed_hosts => "localhost:$port, 127.0.0.1:$port, localhost:$tls_port, *.allowed.test", ca_file => $web->dir . '/authority.pem',
	retry_delay => '10ms');

my $answer = get($web->url('/text'));
is_deeply([ @$answer{qw(status body fault message attempts)} ], [ 200, 'hello', undef, undef, 1 ], 'an allowed host answers');
is($answer->{type}, 'application/json', 'its content type');
is(get("http://127.0.0.1:$port/text")->{body}, 'hello', 'an address in place of a name');
is(get("HTTP://LocalHost:$port/text")->{body}, 'hello', 'case does not matter');

my %refused = (
	"http://127.0.0.2:$port/" => qr/is not in arima_ops.http_allowed_hosts/,
	'http://localhost/' => qr/host localhost, port 80, is not in/,
	'http://allowed.test/' => qr/is not in/,
	'http://xallowed.test/' => qr/is not in/,
	'http://a.allowed.test.evil.test/' => qr/is not in/,
	"http://localhost:$port\@127.0.0.2/" => qr/user name/,
	"http://user:password\@localhost:$port/" => qr/user name/,
	"http://127.0.0.2\\\@localhost:$port/" => qr/backslash/,
	"http://127.0.0.2#\@localhost:$port/" => qr/is not in/,
	"http://2130706434:$port/" => qr/not in|malformed/,
	"http://0x7f.2:$port/" => qr/not in|malformed/,
	"http://127.2:$port/" => qr/not in|malformed/,
	"http://[::1]:$port/" => qr/host ::1, .*not in/,
	"http://[::ffff:127.0.0.1]:$port/" => qr/not in/,
	"http://localhost.:$port/" => qr/malformed/,
	"http://localhost%00.evil.test:$port/" => qr/malformed/,
	"http://loc\x{61}lhost%2eevil.test:$port/" => qr/not in|malformed/,
	"http://localhost:$port/a b" => qr/blank/,
	"ftp://localhost:$port/" => qr/neither http nor https/,
	'file:///etc/passwd' => qr/malformed|not complete|neither/,
	'localhost/x' => qr/malformed/,
	'' => qr/malformed/);
for my $url (sort keys %refused)
{
	my $refused = get($url);
	is($refused->{fault}, 'refused', "refused: $url");
	like($refused->{message}, $refused{$url}, "reason: $url");
}
is(get('http://169.254.169.254/')->{fault}, 'refused', 'a link-local address that is not listed');

for my $bad ('http://localhost', 'a/b', 'host:0', 'host:99999', '*.127.0.0.1', '*.*', 'a..b', '*', 'host:', 'user@host', '127.1', 'ok.test, .bad')
{
	$session->query('SET arima_ops.http_allowed_hosts = ' . quote($bad));
	like($session->error, qr/22023.*\n.*is not a host/, "not a list of hosts: $bad");
}
for my $good ('', 'a', 'a.b:*', '[::1]:80, 10.0.0.1', "*.a-b.c:8080,\n d_e")
{
	$session->query('BEGIN; SET LOCAL arima_ops.http_allowed_hosts = ' . quote($good) . '; ROLLBACK');
	is($session->error, '', "a list of hosts: $good");
}

for my $bad ([ method => 'TRACE' ], [ method => 'get' ], [ body => 'x' ], [ headers => ['no colon'] ], [ headers => ["A: b\r\nC: d"] ], [ headers => [': b'] ], [ headers => ['host: evil.test'] ], [ headers => ['Content-Length: 5'] ])
{
	is(get($web->url('/text'), @$bad)->{fault}, 'refused', "malformed request: $bad->[0]");
}

# ---- redirects ----

$web->define('/away', { status => 302, headers => { Location => 'http://127.0.0.2:' . $port . '/text' } });
$answer = get($web->url('/away'));
is($answer->{fault}, 'refused', 'a redirect off the list');
like($answer->{message}, qr{^redirected to http://127.0.0.2:$port/text: host 127.0.0.2, port $port, is not in}, 'the reason');
$web->define('/to-ftp', { status => 302, headers => { Location => 'ftp://localhost/text' } });
is(get($web->url('/to-ftp'))->{fault}, 'refused', 'a redirect to another protocol');
$web->define('/moved', { status => 301, headers => { Location => '/text' } });
$answer = get($web->url('/moved'));
is_deeply([ @$answer{qw(body url attempts)} ], [ 'hello', $web->url('/text'), 1 ], 'a redirect on the same host');
is(get($web->url('/moved'), method => 'POST', body => '')->{status}, 301, 'none for POST');
$web->define('/loop', { status => 302, headers => { Location => '/loop' } });
like(get($web->url('/loop'))->{message}, qr/more than 5 times/, 'redirects without end');
is(scalar $web->requests, 6, 'five are followed');
$web->define('/down', { status => 302, headers => { Location => $web->url('/text') } });
like(get($web->tls_url('/down'))->{message}, qr/from https to http/, 'not from https to http');

# ---- what is sent ----

$web->define('/echo', { mode => 'echo' });
for my $method (qw(POST PUT PATCH DELETE))
{
	my $echo = $json->decode(get($web->url('/echo?a=%20b'), method => $method, body => '{"x":1}', headers => [ 'Content-Type: application/json', 'X-A: b' ])->{body});
	is_deeply([ @$echo{qw(method path body)}, @{ $echo->{headers} }{qw(Content-Type X-A)} ],
		[ $method, '/echo?a=%20b', '{"x":1}', 'application/json', 'b' ], "$method with a body");
}
is($json->decode(get($web->url('/echo'), method => 'DELETE')->{body})->{method}, 'DELETE', 'DELETE without a body');
like($json->decode(get($web->url('/echo'))->{body})->{headers}{'User-Agent'}, qr{^arima_ops/\d}, 'user agent');
is($json->decode(get($web->url('/echo'), headers => ['User-Agent: Mozilla/5.0'])->{body})->{headers}{'User-Agent'}, 'Mozilla/5.0', 'or another');
$web->define('/bytes', { hex => '00ff80', headers => { 'Content-Type' => 'application/octet-stream' } });
is(get($web->url('/bytes'))->{body}, "\0\xff\x80", 'bytes as they are');
$web->define('/empty', { body => '' });
is_deeply([ @{ get($web->url('/empty')) }{qw(status body fault)} ], [ 200, '', undef ], 'an empty body');

# ---- TLS ----

is(get($web->tls_url('/text'))->{body}, 'hello', 'https, by an authority that is trusted');
set(ca_file => '');
$answer = get($web->tls_url('/text'));
is_deeply([ @$answer{qw(fault attempts)} ], [ 'tls', 1 ], 'an authority that is not, once');
like($answer->{message}, qr/certificate/, 'the reason');
set(ca_file => $web->dir . '/authority.pem', allowed_hosts => "localhost:*, 127.0.0.1:*, *.test:*, gone.invalid");
is(get("https://127.0.0.1:$tls_port/text")->{fault}, 'tls', 'a certificate for another name');
is(get("https://localhost:$port/text")->{fault}, 'tls', 'no TLS where it should be');

# ---- limits ----

set(max_size => '100kB', timeout => '1s', retries => 0);
$web->define('/long', { body => 'x' x 102400 });
is(get($web->url('/long'))->{size}, 102400, 'as large as may be');
$web->define('/longer', { body => 'x' x 102401 });
is(get($web->url('/longer'))->{fault}, 'too_large', 'a byte more');
for my $mode (qw(endless hollow bomb flood))
{
	$web->define("/$mode", { mode => $mode });
	$answer = get($web->url("/$mode"));
	is($answer->{fault}, 'too_large', "too large: $mode");
	like($answer->{message}, $mode eq 'flood' ? qr/^headers of the answer of host localhost are larger than 64 kB$/
		: qr/^answer of host localhost is larger than arima_ops.http_max_size, 100 kB$/, "told: $mode");
}
cmp_ok($session->status('VmRSS'), '<', 300_000, 'kB of memory after a gzip bomb');
set(retries => 2);
$web->define('/header', { headers => { 'X-Long' => 'x' x 500_000 } });
$answer = get($web->url('/header'));
is_deeply([ @$answer{qw(fault attempts message)} ], [ 'too_large', 1, 'headers of the answer of host localhost are larger than 64 kB' ], 'one header as large, asked for once');

# ---- what is compressed ----

# Bytes as gzip.
sub gzip { my ($bytes) = @_; my $packed; run [qw(gzip -c)], '<', \$bytes, '>', \$packed; return $packed; }
# The answer to one request that the server answers with these, each [bytes, Content-Encoding].
sub packed { $web->define('/packed', map { { hex => unpack('H*', $_->[0]), headers => { 'Content-Encoding' => $_->[1] } } } @_); return get($web->url('/packed')); }
my $csv = join '', "Date,Close\n", map { "2024-01-$_,1$_.5\n" } 10 .. 31;
my $gzip = gzip($csv);
is(packed([ $gzip, 'gzip' ])->{body}, $csv, 'gzip');
is(($web->requests)[0]{headers}{'Accept-Encoding'}, 'gzip', 'which is asked for');
is(packed([ gzip('a' x 90_000), 'GZIP' ])->{body}, 'a' x 90_000, 'much of little');
is(packed([ gzip('a' x 16384) . gzip('b' x 16384), 'x-gzip' ])->{body}, 'a' x 16384 . 'b' x 16384, 'two pieces, as of a server that packs as it goes');
is(packed([ pack('H*', '789c2bc849cccc030006480215'), 'deflate' ])->{body}, 'plain', 'deflate');
is(packed([ $gzip . "\0" x 512, 'gzip' ])->{body}, $csv, 'filled up with zeros');
is(packed([ $gzip . substr(gzip('more'), 0, 12), 'gzip' ])->{fault}, 'broken', 'a second piece that is cut off');
is(packed([ $csv, 'identity' ])->{body}, $csv, 'what is not compressed and says so');
is(packed([ '', 'gzip' ])->{body}, '', 'nothing');
for my $cut (1, 5, 8, 12, 40, length($gzip) - 1)
{
	is_deeply([ @{ packed([ substr($gzip, 0, -$cut), 'gzip' ]) }{qw(fault attempts body)} ], [ 'broken', 3, undef ], "cut off by $cut bytes, of the length that it says");
}
$answer = packed([ substr($gzip, 0, -12), 'gzip' ], [ $gzip, 'gzip' ]);
is_deeply([ @$answer{qw(body attempts)} ], [ $csv, 2 ], 'cut off once, then whole');
is(packed([ substr($gzip, 0, -12), 'gzip' ])->{message}, "host localhost, port $port: the compressed answer is cut off", 'the reason');
is(get($web->url('/packed'), method => 'POST', body => '')->{attempts}, 1, 'no second POST then');
like(packed([ $csv, 'gzip' ])->{message}, qr/: what the answer was compressed to cannot be read$/, 'what is none');
is_deeply([ @{ packed([ substr($gzip, 0, -8) . 'x' x 8, 'gzip' ]) }{qw(fault attempts)} ], [ 'broken', 3 ], 'a check sum of something else');
for my $coding ('br', 'gzip, gzip')
{
	$answer = packed([ $gzip, $coding ]);
	is_deeply([ @$answer{qw(fault attempts)} ], [ 'broken', 1 ], "a coding that was not asked for: $coding");
	like($answer->{message}, qr/Content-Encoding other than gzip/, 'the reason');
}
set(retries => 0);
for my $mode ('drip', 'slow')
{
	$web->define("/$mode", $mode eq 'slow' ? { delay => 3 } : { mode => $mode });
	$answer = get($web->url("/$mode"));
	is($answer->{fault}, 'timeout', "time-out: $mode");
	cmp_ok($answer->{ms}, '<', 1500, "in time: $mode");
}

# ---- faults and repetition ----

set(retries => 2, timeout => '10s');
my $closed = free_port;
$answer = get("http://localhost:$closed/");
is_deeply([ @$answer{qw(fault attempts)} ], [ 'connect', 3 ], 'a closed port, three attempts');
like($answer->{message}, qr/^host localhost, port $closed: /, 'which');
is(get('http://gone.invalid/')->{fault}, 'resolve', 'a name without address');
for my $mode (qw(reset cut))
{
	$web->define("/$mode", { mode => $mode, body => 'x' }, { mode => $mode }, { body => 'at last' });
	is_deeply([ @{ get($web->url("/$mode")) }{qw(body attempts)} ], [ 'at last', 3 ], "$mode twice, then an answer");
	$web->define("/$mode", { mode => $mode, body => 'x' });
	is_deeply([ @{ get($web->url("/$mode")) }{qw(fault attempts)} ], [ 'broken', 3 ], "$mode each time");
	is_deeply([ @{ get($web->url("/$mode"), method => 'POST', body => '') }{qw(fault attempts)} ], [ 'broken', 1 ], "$mode: no second POST, the first may have arrived");
}
for my $status (408, 429, 500, 502, 503, 504)
{
	$web->define('/flaky', { status => $status }, { body => 'well' });
	is_deeply([ @{ get($web->url('/flaky')) }{qw(status body attempts)} ], [ 200, 'well', 2 ], "status $status, then 200");
}
for my $status (400, 401, 403, 404, 410, 422)
{
	$web->define('/wrong', { status => $status, body => 'no' });
	is_deeply([ @{ get($web->url('/wrong')) }{qw(status body attempts fault)} ], [ $status, 'no', 1, undef ], "status $status is not repeated");
}
$web->define('/busy', { status => 503 });
is_deeply([ @{ get($web->url('/busy')) }{qw(status attempts)} ], [ 503, 3 ], 'as often as the setting says');
is(get($web->url('/busy'), retries => 0)->{attempts}, 1, 'or the request');
is(get($web->url('/busy'), method => 'POST', body => '')->{attempts}, 3, 'a POST that was not taken');
$web->define('/failed', { status => 500 });
is(get($web->url('/failed'), method => 'POST', body => '')->{attempts}, 1, 'a POST that may have been');
$web->define('/later', { status => 429, headers => { 'Retry-After' => '1' }, body => 'Too Many Requests' }, { body => 'now' });
$answer = get($web->url('/later'));
is_deeply([ @$answer{qw(body attempts)} ], [ 'now', 2 ], '429 with Retry-After');
cmp_ok($answer->{ms}, '>=', 1000, 'waits as long as it was asked to');
$web->define('/tomorrow', { status => 429, headers => { 'Retry-After' => '7200' } });
$answer = get($web->url('/tomorrow'));
is_deeply([ @$answer{qw(status attempts retry_after)} ], [ 429, 1, 7200 ], 'too long to wait for');
$web->define('/tomorrow', { status => 429, headers => { 'Retry-After' => strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + 7200)) } });
$answer = get($web->url('/tomorrow'));
is_deeply([ @$answer{qw(status attempts)} ], [ 429, 1 ], 'Retry-After as a date');
cmp_ok(abs($answer->{retry_after} - 7200), '<=', 60, 'which is as many seconds') or diag($answer->{retry_after});
$web->define('/next-year', { status => 429, headers => { 'Retry-After' => 400 * 86400 } });
cmp_ok(get($web->url('/next-year'))->{retry_after}, '<=', 86400, 'a day at most');
for my $long ('99999999999999', '9' x 19, '9' x 400)
{
	$web->define('/next-year', { status => 429, headers => { 'Retry-After' => $long } });
	is_deeply([ @{ get($web->url('/next-year')) }{qw(attempts retry_after)} ], [ 1, 86400 ], 'however long a number of ' . length($long) . ' digits is');
}
$web->define('/tomorrow', { status => 429, headers => { 'Retry-After' => 'Sun, 06 Nov 1994 08:49:37 GMT' } }, { body => 'now' });
is_deeply([ @{ get($web->url('/tomorrow')) }{qw(body attempts)} ], [ 'now', 2 ], 'a date that is over');

# ---- many at once ----

set(max_parallel => 8);
$web->define('/slow', { delay => 0.1, body => 'done' });
my $start = time;
my @many = exchange(map { request($web->url("/slow?$_")) } 1 .. 40);
is(scalar(grep { $_->{body} eq 'done' } @many), 40, 'forty requests');
is_deeply([ map { $_->{url} } @many ], [ map { $web->url("/slow?$_") } 1 .. 40 ], 'answers in the order of the requests');
cmp_ok($web->most, '<=', 8, 'no more at once than the setting says');
cmp_ok($web->most, '>=', 4, 'but several');
my @mixed = exchange(request($web->url('/text')), request('http://elsewhere/'), request("http://localhost:$closed/"), request($web->url('/nothing')));
is_deeply([ map { $_->{fault} || $_->{status} } @mixed ], [ 200, 'refused', 'connect', 404 ], 'one fault does not touch the others');
is_deeply([ exchange_none() ], [], 'no request, no answer');

sub exchange_none
{
	$session->query(prepare());
	$session->query($send);
	return split /\n/, $session->query('SELECT cardinality(responses) FROM answers WHERE cardinality(responses) > 0');
}

# ---- what is held while waiting ----

$web->define('/wait', { delay => 1.2, body => 'x' });
$session->query(prepare(request($web->url('/wait'))));
$session->send("BEGIN; SELECT 1; COMMIT; CREATE TEMP TABLE mine (i int); INSERT INTO mine VALUES (1); CALL arima_ops.http_exchange()");
my ($pid, $held) = ($session->pid, '');
for (1 .. 20)
{
	$held = $other->query("SELECT a.state, a.wait_event, a.backend_xid IS NULL, a.backend_xmin IS NULL,
		(SELECT string_agg(locktype, ',') FROM pg_locks AS l WHERE l.pid = a.pid)
		FROM pg_stat_activity AS a WHERE pid = $pid AND wait_event_type = 'Extension'");
	last if $held ne '';
	select undef, undef, undef, 0.05;
}
is($held, 'active|Extension|t|t|virtualxid', 'no snapshot, no transaction id, no lock');
is($session->status('Threads'), 1, 'no thread');
for (1 .. 16)
{
	last if children() == 0;
	select undef, undef, undef, 0.05;
}
is(children(), 0, 'no child process once the name is resolved');
$session->wait;
is($session->error, '', 'it ends well');
$web->define('/wait', { delay => 0.3, body => 'x' });
$session->query(prepare(request($web->url('/wait'))));
$session->query("BEGIN; CALL arima_ops.http_exchange(); ROLLBACK");
is($session->error, '', 'in a transaction block it waits within it');
$session->query("BEGIN; " . prepare(request($web->url('/wait'))) . "; ROLLBACK");
$session->query('CALL arima_ops.http_exchange()');
like($session->error, qr/55000.*no HTTP requests have been prepared\n.*HINT/s, 'a transaction that fails takes its requests with it');
$session->query("DO \$\$ DECLARE got arima_ops.http_response[]; BEGIN BEGIN PERFORM arima_ops.http_prepare(ARRAY[ROW('GET', '" . $web->url('/text') . "', NULL, NULL, NULL)]::arima_ops.http_request[]);
	CALL arima_ops.http_exchange(got); EXCEPTION WHEN division_by_zero THEN NULL; END; END \$\$");
is($session->error, '', 'in a block with exceptions too');
$session->query("SELECT arima_ops.http_prepare(ARRAY[ROW(NULL, 'x', NULL, NULL, NULL)]::arima_ops.http_request[])");
like($session->error, qr/22004.*method of request 1 is NULL/, 'a request without method');
# who catches the error finds nothing prepared, and above all not the half of it
$session->query("DO \$\$ DECLARE got arima_ops.http_response[]; BEGIN BEGIN PERFORM arima_ops.http_prepare(ARRAY[ROW('GET', '" . $web->url('/text') . "', NULL, NULL, NULL), ROW('GET', NULL, NULL, NULL, NULL)]::arima_ops.http_request[]);
	EXCEPTION WHEN null_value_not_allowed THEN NULL; END; CALL arima_ops.http_exchange(got); END \$\$");
like($session->error, qr/55000.*no HTTP requests have been prepared/, 'nor the half of what was not whole');
# the commit before the sending has triggers of its own run
$session->query('CREATE TEMP TABLE late (i int);
	CREATE FUNCTION pg_temp.prepare_other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM arima_ops.http_prepare(ARRAY[' . request('http://not-listed.invalid/other') . ']); RETURN NULL; END $$;
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.prepare_other();
	CREATE PROCEDURE pg_temp.send_one() LANGUAGE plpgsql AS $$ DECLARE got arima_ops.http_response[]; BEGIN
		INSERT INTO late VALUES (1); PERFORM arima_ops.http_prepare(ARRAY[' . request($web->url('/text')) . ']);
		CALL arima_ops.http_exchange(got); DELETE FROM answers; INSERT INTO answers VALUES (got); END $$');
$session->query('CALL pg_temp.send_one()');
is($session->query('SELECT (responses[1]).url || (responses[1]).status FROM answers'), $web->url('/text') . '200', 'what the commit prepares is not sent in the place of what was');
$session->query("BEGIN; " . prepare() . "; ROLLBACK");

# ---- cancel and time-out ----

my ($kb, $open);
$web->define('/hang', { delay => 20 });
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5);
my %hang = ('an answer' => $web->url('/hang'), 'a handshake' => 'https://localhost:' . $mute->sockport . '/', 'a name' => 'http://slow-name.test:81/');
set(allowed_hosts => 'localhost:*, *.test:*', connect_timeout => '20s', timeout => '20s', retries => 9, retry_delay => '20s');
$hang{'a repetition'} = "http://localhost:$closed/";
for my $what (sort keys %hang)
{
	my @late;
	for my $try (1 .. 3)
	{
		$session->query(prepare(request($hang{$what})));
		$session->query('SET statement_timeout = 250');
		$session->query("SELECT set_config('arima.start', extract(epoch FROM clock_timestamp())::text, false)");
		$session->query('CALL arima_ops.http_exchange()');
		my $error = $session->error;
		push @late, $session->query("RESET statement_timeout; SELECT round(1000 * (extract(epoch FROM clock_timestamp()) - current_setting('arima.start')::numeric)) - 250");
		like($error, qr/57014: canceling statement due to statement timeout/, "time-out waiting for $what");
	}
	cmp_ok((sort { $a <=> $b } @late)[1], '<=', LIMIT, "ms over the time, waiting for $what") or diag("@late");
}
is(children(), 0, 'no child process is left');
$session->query(prepare(request($web->url('/hang'))));
$session->send('CALL arima_ops.http_exchange()');
my $asked = $other->query("SELECT pg_sleep(0.3); SELECT extract(epoch FROM clock_timestamp()) FROM pg_cancel_backend($pid)");
$session->wait;
like($session->error, qr/57014: canceling statement due to user request/, 'cancelled');
my $ended = $session->query('SELECT extract(epoch FROM statement_timestamp())');
$asked =~ s/^\s+//;
cmp_ok(1000 * ($ended - $asked), '<=', LIMIT, 'ms from the cancel to the end');

my $third = Session->new;
$third->query("SET arima_ops.http_allowed_hosts = 'localhost:$port'");
$third->query(prepare(request($web->url('/hang'))));
$third->send('CALL arima_ops.http_exchange()');
$other->query('SELECT pg_sleep(0.3); SELECT pg_terminate_backend(' . $third->pid . ')');
is($other->query("SELECT pg_sleep(0.3); SELECT count(*) FROM pg_stat_activity WHERE pid = " . $third->pid), "\n0", 'terminated');

# ---- no leak ----

# Open connections and pipes of the server process; files are PostgreSQL's own matter.
sub connections { return scalar grep { (readlink($_) || '') =~ /^(socket|pipe):/ } glob '/proc/' . $session->pid . '/fd/*'; }
set(allowed_hosts => 'localhost:*', retries => 0, max_size => '16MB', connect_timeout => '10s');
$web->define('/big', { body => 'x' x 1_000_000 });
my $loop = sub {
	my ($times) = @_;
	for (1 .. $times)
	{
		$session->query(prepare(map { request($web->url('/big')) } 1 .. 4));
		$session->query('CALL pg_temp.send()');
		$session->query('DELETE FROM answers');
		$session->query(prepare(request($web->url('/hang'))) . '; SET statement_timeout = 20');
		$session->query('CALL arima_ops.http_exchange()');
		$session->query('RESET statement_timeout');
	}
};
$loop->(4);
($kb, $open) = ($session->status('RssAnon'), connections());
$loop->(8);
# what malloc keeps for later varies by 12 MB
cmp_ok($session->status('RssAnon') - $kb, '<', 20000, 'kB more after 32 answers of 1 MB and 8 cancels');
my $small = sub {
	$session->query(prepare(map { request($web->url('/text')) } 1 .. 500));
	$session->query('CALL pg_temp.send()');
};
$small->();
$kb = $session->status('RssAnon');
$small->() for 1 .. 2;
cmp_ok($session->status('RssAnon') - $kb, '<', 3000, 'kB more after 1,000 small answers');
is(connections(), $open, 'connections and pipes');
is($session->status('Threads'), 1, 'threads');

# ---- secrets ----

my $secrets = $web->dir . '/secrets';
my $key = 'k3y/with+odd&chars';
open my $file, '>', $secrets or die $!;
print $file "# keys\nkey localhost:$port $key\n\ntoken localhost:$port  tokentoken \nother api.test othersecret\n";
close $file;
my $server_user = (stat "/proc/$pid")[4];
chown $server_user, -1, $secrets;
chmod 0755, $web->dir;
chmod 0600, $secrets;
set(secrets_file => $secrets, retries => 0);
my $with_key = $web->url('/echo?key={secret:key}');
$web->define('/echo', { mode => 'echo' });
$answer = get($with_key, headers => ['Authorization: Token {secret:token}']);
my ($sent) = $web->requests;
is($sent->{path}, '/echo?key=k3y%2Fwith%2Bodd%26chars', 'a secret in the URL, escaped');
is($sent->{headers}{Authorization}, 'Token tokentoken', 'a secret in a header');
unlike($json->encode($answer), qr/k3y|tokentoken/, 'an answer that repeats them is blotted out');
like($answer->{body}, qr/Token \*{10}/, 'with asterisks');
is($answer->{url}, $with_key, 'the URL as it was given');
for my $spelled ('k3y\\/with+odd&chars', 'k3y\\u002fwith\\u002Bodd\\u0026chars', 'k3y\\\\\\/with+odd&chars', 'k3y%2fwith%2bodd%26chars', 'k3y%252Fwith%252Bodd%2526chars', 'k3y/with+odd&amp;chars', 'k3y&#47;with&#x2B;odd&#38;chars')
{
	$web->define('/repeats', { body => "<$spelled> token%74oken.", headers => { 'Content-Type' => "text/$spelled" } });
	$answer = get($web->url('/repeats'), headers => ['X-Key: {secret:key}']);
	like("$answer->{body} $answer->{type}", qr{^<\*+> \*{12}\. text/\*+$}, "also as $spelled");
}
$web->define('/host', { status => 302, headers => { Location => 'http://tokentoken.test/%74okentoken' } });
$answer = get($web->url('/host'), headers => ['X-Key: {secret:key}']);
is($answer->{message}, 'redirected to http://**********.test/************: host **********.test, port 80, is not in arima_ops.http_allowed_hosts', 'a redirect that repeats one');
for my $bad ([ "http://localhost:$closed/?{secret:key}", qr/secret "key" is not for host localhost, port $closed/ ], [ $web->url('/{secret:none}'), qr/there is no secret "none"/ ],
	[ $web->url('/{secret:other}'), qr/secret "other" is not for host localhost/ ])
{
	$answer = get($bad->[0]);
	is($answer->{fault}, 'secret', 'a secret that is missing or of another host');
	like($answer->{message}, $bad->[1], 'the reason');
}
$web->define('/on', { status => 302, headers => { Location => "http://127.0.0.1:$port/echo" } });
set(allowed_hosts => "localhost:*, 127.0.0.1:$port");
get($web->url('/on'), headers => [ 'Authorization: Token {secret:token}', 'X-Key: {secret:key}', 'X-Plain: y' ]);
my @hops = $web->requests;
is_deeply([ map { [ @{ $_->{headers} }{qw(Authorization X-Key X-Plain)} ] } @hops ],
	[ [ 'Token tokentoken', $key, 'y' ], [ undef, undef, 'y' ] ], 'a redirect to another host does not get them');
chmod 0644, $secrets;
like(get($with_key)->{message}, qr/others than the server's user can read the file/, 'a file that others can read');
chmod 0600, $secrets;
set(secrets_file => '/nonexistent');
like(get($with_key)->{message}, qr/cannot be opened/, 'a file that is not there');
my $found = `grep -c -E 'k3y|tokentoken' '$ENV{PGHOST}/log'`;
is($found, "0\n", 'none in the server log');

# ---- proxy ----

set(proxy => "http://localhost:$port", allowed_hosts => 'behind.test');
$web->define('/text', { body => 'by proxy' });
is(get('http://behind.test/text')->{body}, 'by proxy', 'a proxy, which resolves the name');
set(proxy => 'socks5://localhost:1');
$session->query(prepare(request('http://behind.test/text')));
$session->query('CALL arima_ops.http_exchange()');
like($session->error, qr/F0000.*http_proxy cannot be used.*HINT/s, 'a proxy that cannot be used');
set(proxy => '');

# ---- who may ----

my $who = $other->query("SELECT string_agg(r || ':' || has_function_privilege(r, f, 'EXECUTE'), ' ' ORDER BY f, r)
	FROM unnest(ARRAY['arima_ops_admin', 'arima_ops_reader', 'arima_ops_user', 'public']) AS r,
		unnest(ARRAY['arima_ops.http_exchange(arima_ops.http_response[])', 'arima_ops.http_prepare(arima_ops.http_request[])']) AS f");
is($who, 'arima_ops_admin:true arima_ops_reader:false arima_ops_user:false public:false arima_ops_admin:false arima_ops_reader:false arima_ops_user:false public:false',
	'the admin sends what was prepared for him, nobody prepares');
$other->query("LOAD 'arima_ops'; SET ROLE arima_ops_admin");
for my $name (qw(allowed_hosts secrets_file ca_file proxy))
{
	$other->query("SET arima_ops.http_$name = 'x'");
	like($other->error, qr/42501/, "only a superuser sets http_$name");
	$other->query("SHOW arima_ops.http_$name");
	like($other->error, qr/42501/, "only a superuser sees http_$name");
}

$other->end;
$other = Session->new;
$other->query("SET ROLE arima_ops_admin; SET arima_ops.http_allowed_hosts = 'evil.test'; RESET ROLE; LOAD 'arima_ops'");
like($other->error, qr/42501.*http_allowed_hosts/, 'a setting made before the library was loaded is refused then');
is($other->query('SHOW arima_ops.http_allowed_hosts'), '', 'and has no effect');

$session->end;
$other->end;
done_testing();
