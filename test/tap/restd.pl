# arima_restd: what a client of the FastAPI original sees, byte by byte where it
# matters; limits, tokens, keys, and a database that goes away and comes back.

use strict;
use warnings;

use Test::More;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);
use Cluster;
use Restd;
use Session;

my $json = JSON::PP->new->canonical->allow_nonref;
my $cluster = Cluster->new(track_functions => 'all');
my $session = Session->new;
my $database = "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=postgres user=arima_restd";

$session->query(q{SET client_min_messages = warning; CREATE EXTENSION arima_ops;
	CREATE ROLE arima_restd LOGIN; GRANT arima_ops_user, arima_ops_reader TO arima_restd;
	SELECT arima_ops.create_series(name, '(0,1,0)', policy => '{"backtest_length": 30}') FROM unnest(ARRAY['first', 'other', 'a/b c', 'none']) AS name;
	SELECT arima_ops.record_actuals(name, array_agg('2024-01-01'::timestamptz + i * interval '1 day' ORDER BY i), array_agg(100 + sin(i) ORDER BY i))
	FROM unnest(ARRAY['first', 'other', 'a/b c']) AS name, generate_series(1, 100) AS i GROUP BY name});
is($session->error, '', 'set up');
my $restd = Restd->new(database => $database, 'access-log' => 'yes');
my $ten = '[1,2,3,4,5,6,7,8,9,10]';

# Waits until the server answers a path with a status.
sub until_status
{
	my ($path, $status) = @_;
	my $reply;

	for (1 .. 200)
	{
		$reply = $restd->get($path);
		last if $reply->{status} == $status;
		sleep 0.05;
	}
	return $reply->{status};
}

# ---- ready ----

is(until_status('/ready', 503), 503, 'not ready without a model');
is($restd->get('/ready')->{body}, '{"detail":"No series has a model yet"}', 'and why');
is($restd->get('/ready')->{headers}{'retry-after'}, 60, 'and when to ask again');
$session->query("SELECT arima_ops.train(name) FROM unnest(ARRAY['first', 'other', 'a/b c']) AS name; UPDATE arima_ops.series SET is_default = true WHERE name = 'first'");
is(until_status('/ready', 200), 200, 'ready with one');
is($restd->get('/ready')->{body}, '{"status":"ready"}', 'ready');
# open to all, and so answered without the database until the answer is a second old
sleep 1.1;
my $statements = sub { $session->query("SELECT calls FROM pg_stat_user_functions WHERE funcname = 'ready'") || 0 };
my $called = $statements->();
my $asking = $restd->connect;
for (1 .. 300)
{
	print $asking Restd::text('GET', '/ready');
	die 'not ready' if Restd::read_reply($asking)->{status} != 200;
}
my $more;
# before PostgreSQL 15 a session may tell what it has called only with its next statement
for (1 .. 50) { $more = $statements->() - $called; last if $more > 0; sleep 0.1; $restd->get('/ready'); }
cmp_ok($more, '<=', 4, 'asked 300 times, the database was a few times');
cmp_ok($more, '>', 0, 'and was');
my $reply = $restd->get('/health');
is_deeply([ @$reply{qw(status body)}, $reply->{headers}{'content-type'} ], [ 200, '{"status":"ok"}', 'application/json' ], 'health');

# ---- the request and its reply ----

$reply = $restd->post('/predict', qq({"recent_prices":$ten,"date":"2024-01-02"}));
is($reply->{status}, 200, 'predict');
like($reply->{body}, qr/^\{"prediction":10,"model_type":"arima","arima_order":\[0,1,0\],"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?","series":"first","model_version":1,"lower":[\d.]+,"upper":[\d.]+,"level":0\.95,"prediction_id":\d+\}$/, 'its reply, to the byte');
my $answer = decode_json($reply->{body});
is($session->query("SELECT series, forecast, history_len, horizon FROM arima_ops.predictions WHERE id = $answer->{prediction_id}"), 'first|10|10|1', 'its row');
$answer = decode_json($restd->post('/predict', qq({"recent_prices":$ten,"series":"other","horizon":3,"level":0.5}))->{body});
is(join(' ', $answer->{series}, $answer->{level}, map { $_->{step} } @{ $answer->{forecasts} }), 'other 0.5 1 2 3', 'series, horizon and level');
is($session->query('SELECT count(*), min(horizon), max(horizon) FROM arima_ops.predictions WHERE id BETWEEN ' . $answer->{prediction_id} . ' AND ' . ($answer->{prediction_id} + 2)), '3|1|3', 'a row for each step');
is($restd->post('/predict', qq({"recent_prices":$ten,"series":"nobody"}))->{status}, 404, 'unknown series');
$reply = $restd->post('/predict', qq({"recent_prices":$ten,"series":"none"}));
is_deeply([ $reply->{status}, $reply->{headers}{'retry-after'} ], [ 503, 60 ], 'a series without a model');

# ---- a series that another transaction holds keeps the others' requests not waiting ----

my $holder = Session->new;
for ([ q{SELECT arima_ops.restate('other', 0.5, '2030-01-01')}, 'its prices are being restated' ], [ q{SELECT arima_ops.drop_series('other')}, 'it is being removed' ])
{
	my ($sql, $what) = @$_;
	is($holder->query("BEGIN; $sql") && $holder->error, '', $what);
	my @held = map { $restd->connect } 1 .. 40;
	print { $held[$_] } Restd::text('POST', '/predict', body => qq({"recent_prices":$ten,"series":"other"}), headers => { 'Idempotency-Key' => "$what " . ($_ % 20) }) for 0 .. 39;
	sleep 0.2;
	my $begun = time;
	is(join(' ', map { $restd->post('/predict', qq({"recent_prices":$ten}))->{status} } 1 .. 10), join(' ', (200) x 10), "$what: requests for others are answered");
	cmp_ok(time - $begun, '<', 2, 'at once');
	like($restd->get('/metrics')->{body}, qr/^arima_restd_waiting_requests [1-9]/m, 'those for it wait');
	is($session->query("SELECT count(*) FROM arima_ops.predictions WHERE request_id LIKE '$what%'"), 0, 'and nothing is logged of them');
	$holder->query('ROLLBACK');
	is(join(' ', map { Restd::read_reply($_)->{status} } @held), join(' ', (200) x 40), 'until it is free: they are answered');
	is($session->query("SELECT count(*), count(DISTINCT request_id) FROM arima_ops.predictions WHERE request_id LIKE '$what%'"), '20|20', 'each key once');
}
$holder->end;

# ---- connected to an extension of other types, which is then updated ----

$session->query(q{ALTER FUNCTION arima_ops.answer_requests(text[], text[], boolean) RENAME TO answer_requests_today;
	CREATE FUNCTION arima_ops.answer_requests(json[], text[], boolean) RETURNS arima_ops.answer[] LANGUAGE sql AS 'SELECT NULL::arima_ops.answer[]';
	GRANT EXECUTE ON FUNCTION arima_ops.answer_requests(json[], text[], boolean) TO arima_ops_user;
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'arima_restd'});
is($session->error, '', 'an older extension');
$reply = $restd->post('/predict', qq({"recent_prices":$ten})) for 1 .. 3;
is($reply->{status}, 500, 'does not fit');
$session->query(q{DROP FUNCTION arima_ops.answer_requests(json[], text[], boolean);
	ALTER FUNCTION arima_ops.answer_requests_today(text[], text[], boolean) RENAME TO answer_requests});
$restd->post('/predict', qq({"recent_prices":$ten}));
is($restd->post('/predict', qq({"recent_prices":$ten}))->{status}, 200, 'fits when it is updated, in the same connections');

# ---- errors in the words of FastAPI ----

my $short = 'List should have at least 10 items after validation, not 3';
my $sixty_one = '[' . join(',', 1 .. 61) . ']';
my @invalid = (
	[ '{}', qq({"type":"missing","loc":["body","recent_prices"],"msg":"Field required","input":{}}) ],
	[ '{"recent_prices":"x"}', '{"type":"list_type","loc":["body","recent_prices"],"msg":"Input should be a valid list","input":"x"}' ],
	[ '{"recent_prices":["abc",2,3,4,5,6,7,8,9,10]}', '{"type":"float_parsing","loc":["body","recent_prices",0],"msg":"Input should be a valid number, unable to parse string as a number","input":"abc"}' ],
	[ '{"recent_prices":[1,null,3,4,5,6,7,8,9,10]}', '{"type":"float_type","loc":["body","recent_prices",1],"msg":"Input should be a valid number","input":null}' ],
	[ '{"recent_prices":[1,2,3]}', qq({"type":"too_short","loc":["body","recent_prices"],"msg":"$short","input":[1,2,3],"ctx":{"field_type":"List","min_length":10,"actual_length":3}}) ],
	[ qq({"recent_prices":$sixty_one}), qq({"type":"too_long","loc":["body","recent_prices"],"msg":"List should have at most 60 items after validation, not 61","input":$sixty_one,"ctx":{"field_type":"List","max_length":60,"actual_length":61}}) ],
	[ qq({"recent_prices":$ten,"date":5}), '{"type":"string_type","loc":["body","date"],"msg":"Input should be a valid string","input":5}' ],
	[ '{"recent_prices":[1', '{"type":"json_invalid","loc":["body",19],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting \',\' delimiter"}}' ],
	[ '{"recent_prices":}', '{"type":"json_invalid","loc":["body",17],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}' ],
	[ '', '{"type":"missing","loc":["body"],"msg":"Field required","input":null}' ],
	[ 'null', '{"type":"missing","loc":["body"],"msg":"Field required","input":null}' ],
	[ '[1]', '{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":[1]}' ],
	[ '"x"', '{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"x"}' ],
	[ '{"recent_prices":[NaN,2,3,4,5,6,7,8,9,10]}', '{"type":"finite_number","loc":["body","recent_prices",0],"msg":"Input should be a finite number","input":"NaN"}' ],
	[ '{"recent_prices":["x",2,3,null,5,6,7,8,9,10]}', '{"type":"float_parsing","loc":["body","recent_prices",0],"msg":"Input should be a valid number, unable to parse string as a number","input":"x"},{"type":"float_type","loc":["body","recent_prices",3],"msg":"Input should be a valid number","input":null}' ],
	map([ qq({"recent_prices":["$_",2,3,4,5,6,7,8,9,10]}), qq({"type":"float_parsing","loc":["body","recent_prices",0],"msg":"Input should be a valid number, unable to parse string as a number","input":"$_"}) ],
		'_1', '1_', '1__0', ' 1_0', '_'),
	map([ qq({"recent_prices":$ten,"horizon":"$_"}), qq({"type":"int_parsing","loc":["body","horizon"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"$_"}) ],
		'1e1', '1.', '1.5', '.0', '1_', '+_1', '1_.0', '1.0_0', '+', 'nan', ''),
);
for my $case (@invalid)
{
	$reply = $restd->post('/predict', $case->[0]);
	is("$reply->{status} $reply->{body}", "422 {\"detail\":[$case->[1]]}", "422: " . substr $case->[0], 0, 50);
}
# strings that pydantic takes for numbers, as Python's literals
is($restd->post('/predict', qq({"recent_prices":["$_",2,3,4,5,6,7,8,9,10],"level":"0.9_0"}))->{status}, 200, "the price '$_'") for '1_000.5', '1_.5', '1._5', '+_1', '1e_1', ' 7 ';
for ('1_0', ' 1_0.00 ', '+10', '0010.0')
{
	my $forecasts = decode_json($restd->post('/predict', qq({"recent_prices":$ten,"horizon":"$_"}))->{body})->{forecasts};
	is(scalar @{ $forecasts || [] }, 10, "the horizon '$_'");
}
my @types = (
	[ 'application/json; charset=utf-8', 200 ], [ 'APPLICATION/JSON', 200 ], [ 'application/vnd.api+json', 200 ], [ undef, 200 ],
	[ 'text/plain', 422 ], [ 'application/x-www-form-urlencoded', 422 ], [ 'application/jsonx', 422 ], [ 'json', 422 ]);
for (@types)
{
	my ($type, $status) = @$_;
	$reply = $restd->post('/predict', qq({"recent_prices":$ten}), headers => { 'Content-Type' => $type });
	is($reply->{status}, $status, 'content type ' . ($type // 'none'));
}
is($restd->post('/predict', qq({"recent_prices":$ten}), headers => { 'Content-Type' => undef, Origin => 'http://elsewhere.example' })->{status}, 422, 'nor none from a page');
is($restd->post('/predict', qq({"recent_prices":$ten}), headers => { Origin => 'http://elsewhere.example' })->{status}, 200, 'which may say what it is');
is($restd->post('/predict', 'a"b', headers => { 'Content-Type' => 'text/plain' })->{body},
	'{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"a\"b"}]}', 'the body of another type comes back as text');
for my $bad ("{\"recent_prices\":\"\xff\"}", '[' x 2000)
{
	$reply = $restd->post('/predict', $bad);
	is("$reply->{status} $reply->{body}", '400 {"detail":"There was an error parsing the body"}', 'what Python cannot read at all');
}
is($restd->post('/predict', qq(\xef\xbb\xbf{"recent_prices":$ten}))->{status}, 200, 'with a mark of the byte order');
is(decode_json($restd->post('/predict', qq({"recent_prices":$ten,"x":"\\ud800","\\u0000":1}))->{body})->{prediction}, 10, 'escapes that PostgreSQL does not take do no harm');

# the same positions and words as Python's own json module
my @texts = ('', ' ', '{', '[', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a" 1}', '{a:1}', '[1,]', '[1 2]', '{"a":1,}', '"abc', '"a\\', '"a\\x"', '"\\u12', '"\\u12g4"', "\"a\nb\"",
	'1 2', '01', '-', '1.', '1e', '.5', 'nul', 'truee', '[1]]', '{"a":[1,{"b":2,]}', 'Infinity', '-Infinity', '[NaN]', 'NaNa', '-Inf', '"\\ud83d\\ude00" x', '"é" x', "\t[\r\n1 , 2 ] x", '{"":{}}', '[[],{}]', '"\\ud800\\u12', '{"a":"b" "c"}', '+1', '[,1]', '{,}', "\"\x7f\"", '{"a":1}}');
my $python = "import json, sys\nfor line in json.load(sys.stdin):\n\ttry:\n\t\tjson.loads(line)\n\t\tprint('good')\n\texcept json.JSONDecodeError as e:\n\t\tprint(e.pos, e.msg)\n";
my $folder = tempdir(CLEANUP => 1);
open my $file, '>:raw', "$folder/texts" or die $!;
print $file $json->utf8->encode([ map { my $t = $_; utf8::decode($t); $t } @texts ]);
close $file;
open $file, '>', "$folder/read.py" or die $!;
print $file $python;
close $file;
my @said = split /\n/, `python3 $folder/read.py <$folder/texts`;
is(scalar @said, scalar @texts, 'Python has read the texts');
my @differ;
for my $i (1 .. $#texts)
{
	my $detail = decode_json($restd->post('/predict', $texts[$i])->{body})->{detail};
	my $ours = ref $detail && $detail->[0]{type} eq 'json_invalid' ? "$detail->[0]{loc}[1] $detail->[0]{ctx}{error}" : 'good';
	# Python 3.13 has words of its own for a comma before the end
	push @differ, "$texts[$i]: $ours, not $said[$i]" if $ours ne $said[$i] && $said[$i] !~ /^\d+ Illegal trailing comma/;
}
is_deeply(\@differ, [], 'what is wrong with a text, and where, as Python says it');

# ---- paths and methods ----

for (['GET', '/nothing', 404, undef, '{"detail":"Not Found"}'], ['POST', '/', 405, 'GET, HEAD', '{"detail":"Method Not Allowed"}'], ['GET', '/predict', 405, 'POST', '{"detail":"Method Not Allowed"}'],
	['DELETE', '/health', 405, 'GET, HEAD', '{"detail":"Method Not Allowed"}'], ['OPTIONS', '/predict', 405, 'POST', '{"detail":"Method Not Allowed"}'],
	['GET', '/../etc/passwd', 404, undef, '{"detail":"Not Found"}'], ['GET', '/%2e%2e/x', 404, undef, '{"detail":"Not Found"}'])
{
	my ($method, $path, $status, $allow, $body) = @$_;
	$reply = $restd->request($method, $path);
	is_deeply([ $reply->{status}, $reply->{headers}{allow}, $reply->{body} ], [ $status, $allow, $body ], "$method $path");
}
$reply = $restd->request('HEAD', '/health');
is_deeply([ $reply->{status}, $reply->{headers}{'content-length'}, $reply->{body} ], [ 200, 15, '' ], 'HEAD');
is($restd->post('/predict/', '{}')->{headers}{location}, '/predict', 'a slash too many');
# as it is sent to a proxy, which every server has to take
for ([ 'GET', 'http://localhost/health', 200 ], [ 'GET', 'HTTPS://u@[::1]:80/api/forecast?series=other', 200 ], [ 'GET', 'http://elsewhere.test', 200 ], [ 'GET', 'http://localhost/api/series/%61%2Fb%20c', 200 ],
	[ 'GET', 'http://localhost/nothing', 404 ], [ 'GET', 'http:///health', 404 ], [ 'GET', 'ftp://localhost/health', 404 ], [ 'GET', 'http://localhost/predict', 405 ])
{
	my ($method, $target, $status) = @$_;
	is($restd->request($method, $target)->{status}, $status, "a whole address: $target");
}
is($restd->get('http://localhost/api/events/?limit=2')->{headers}{location}, '/api/events?limit=2', 'and one with a slash too many');
is($restd->get('http://localhost//elsewhere.test/')->{status}, 404, 'is led nowhere else');
my $socket = $restd->connect;
print $socket Restd::text('GET', '/health') x 2, Restd::text('POST', '/predict', body => '{'), Restd::text('GET', '/nothing');
is(join(' ', map { Restd::read_reply($socket)->{status} } 1 .. 4), '200 200 422 404', 'one connection for several requests, sent ahead');
close $socket;

# ---- reading ----

$reply = $restd->get('/api/forecast?horizon=3&series=other');
is(scalar @{ decode_json($reply->{body}) }, 3, 'forecast');
my $etag = $reply->{headers}{etag};
is($restd->get('/api/forecast?horizon=3&series=other', headers => { 'If-None-Match' => $etag })->{status}, 304, 'not modified');
is($restd->get('/api/forecast?horizon=2&series=other', headers => { 'If-None-Match' => $etag })->{status}, 200, 'another is');
is($restd->get('/api/forecast?series=nobody')->{status}, 404, 'PT404 of the database');
for (
	[ '/api/forecast?horizon=abc', 'int_parsing', 'horizon', 'abc', qr/^Input should be a valid integer, unable to parse string as an integer$/ ],
	[ '/api/series/other?sessions=1.5', 'int_parsing', 'sessions', '1.5', qr/valid integer/ ],
	[ '/api/series/other?horizon=', 'int_parsing', 'horizon', '', qr/valid integer/ ],
	[ '/api/forecast?horizon=3000000000', 'less_than_equal', 'horizon', '3000000000', qr/^Input should be less than or equal to 2147483647$/ ],
	[ '/api/events?after=-9223372036854775809', 'greater_than_equal', 'after', '-9223372036854775809', qr/^Input should be greater than or equal to -9223372036854775808$/ ],
	[ '/api/forecast?level=a%22', 'float_parsing', 'level', 'a"', qr/^Input should be a valid number, unable to parse string as a number$/ ],
	[ '/api/forecast?level=1e999', 'float_parsing', 'level', '1e999', qr/^Input should be a valid number, unable to parse string as a number$/ ],
	[ '/api/forecast?level=-1e-999', 'float_parsing', 'level', '-1e-999', qr/valid number/ ],
	[ '/api/events?kind=promotion&limit=-1', 'value_error', 'limit', '-1', qr/^the number of events must be from 1 to 1000\.$/ ],
	[ '/api/forecast?horizon=0', 'value_error', 'horizon', '0', qr/^horizon must be from 1 to 1000\.$/ ],
	[ '/api/series/other?sessions=10&horizon=251', 'value_error', 'horizon', '251', qr/^horizon must be from 1 to 250\.$/ ],
	[ '/api/forecast?horizon=2&level=2', 'value_error', 'level', '2', qr/^invalid interval level 2; level must be between 0 and 1, for example 0.95\.$/ ])
{
	my ($path, $type, $name, $input, $message) = @$_;
	$reply = $restd->get($path);
	my $error = decode_json($reply->{body})->{detail}[0];
	is_deeply([ $reply->{status}, @$error{qw(type loc input)} ], [ 422, $type, [ 'query', $name ], $input ], "$path: which parameter is wrong, and how");
	like($error->{msg}, $message, 'in words');
}
for my $path (qw(/api/overview /api/jobs /api/events /api/series/other /api/forecast))
{
	$reply = $restd->get("$path?limt=5");
	is_deeply([ $reply->{status}, decode_json($reply->{body})->{detail} ],
		[ 422, [ { type => 'extra_forbidden', loc => [ 'query', 'limt' ], msg => 'Extra inputs are not permitted', input => '5' } ] ], "$path: a parameter that it does not know");
}
is_deeply(decode_json($restd->get('/api/series/other?name=main')->{body})->{detail}[0],
	{ type => 'extra_forbidden', loc => [ 'query', 'name' ], msg => 'Extra inputs are not permitted', input => 'main' }, 'nor one of the path in the query');
is(join(' ', map { $restd->get("$_?probe=1")->{status} } qw(/health /ready /metrics)), '200 200 200', 'but not of probes');
is($restd->get('/api/forecast?horizon=%20+3%20&level=.9e0')->{status}, 200, 'a number with blanks');
is($restd->get('/api/events?after=9223372036854775807')->{status}, 200, 'the largest number');
for ([ '/api/forecast?horizon=%ff', 'query', 'horizon' ], [ '/api/series/%ff', 'path', 'name' ], [ '/api/series/other?sessions=%ff', 'query', 'sessions' ])
{
	my ($path, @loc) = @$_;
	$reply = $restd->get($path);
	is_deeply([ $reply->{status}, map({ @$_{qw(type loc)} } @{ decode_json($reply->{body})->{detail} }) ], [ 422, 'string_unicode', \@loc ], "a parameter that is no text: $path");
}
is($restd->get('/api/forecast?horiz%6Fn=3&s%65ries=other')->{body}, $restd->get('/api/forecast?horizon=3&series=other')->{body}, 'names of parameters with escapes');
is($restd->get('/api/events/?kind=a+b%20c&limit=2&x')->{headers}{location}, '/api/events?kind=a+b%20c&limit=2&x', 'a slash too many: sent on with its parameters');
is($restd->get('/api/events/')->{headers}{location}, '/api/events', 'and without any');
for ([ 'after=0&limit=2', 'the oldest first: after an id' ], [ 'limit=2', 'the newest first' ])
{
	my ($query, $what) = @$_;
	is(join(' ', map { $_->{id} } @{ decode_json($restd->get("/api/events?$query")->{body})->{events} }),
		join(' ', split /\n/, $session->query('SELECT id FROM arima_ops.events ORDER BY id ' . ($query =~ /after/ ? '' : 'DESC ') . 'LIMIT 2')), "events, $what");
}
like($restd->get('/api/events?limit=0')->{body}, qr/the number of events must be from 1 to 1000/, 'what is out of bounds is named');
is(decode_json($restd->get('/api/series/a%2Fb%20c')->{body})->{state}{name}, 'a/b c', 'a name with a slash in the path');
is($restd->get('/api/series/other%00x')->{status}, 404, 'with a zero byte it is not the one before it');

# ---- files ----

$reply = $restd->get('/');
is($reply->{headers}{'content-type'}, 'text/html; charset=utf-8', 'the page');
like($reply->{headers}{'content-security-policy'}, qr/^default-src 'self';.*frame-ancestors 'none'/, 'its policy');
is($reply->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff');
is($reply->{headers}{'referrer-policy'}, 'no-referrer', 'referrer');
is($restd->get('/', headers => { 'If-None-Match' => $reply->{headers}{etag} })->{status}, 304, 'the page again');
my $packed = $restd->get('/', headers => { 'Accept-Encoding' => 'br, gzip' });
is($packed->{headers}{'content-encoding'}, 'gzip', 'packed');
cmp_ok(length $packed->{body}, '<', length $reply->{body}, 'is shorter');
my ($plain_tag, $packed_tag) = map { $_->{headers}{etag} } $reply, $packed;
isnt($packed_tag, $plain_tag, 'and has another tag');
for ([ $plain_tag, 'identity', 304 ], [ $packed_tag, 'gzip', 304 ], [ $packed_tag, 'identity', 200 ], [ $plain_tag, 'gzip', 200 ],
	[ "\"x\", W/$plain_tag", 'identity', 304 ], [ "$plain_tag, $packed_tag", 'gzip', 304 ], [ '*', 'gzip', 304 ], [ '"x"', 'gzip', 200 ])
{
	my ($known, $coding, $status) = @$_;
	my $again = $restd->get('/', headers => { 'If-None-Match' => $known, 'Accept-Encoding' => $coding });
	is("$again->{status} $again->{headers}{etag}", "$status " . ($coding eq 'gzip' ? $packed_tag : $plain_tag), "who has $known and takes $coding");
}
is($restd->get('/', headers => { 'Accept-Encoding' => 'gzip;q=0' })->{headers}{'content-encoding'}, undef, 'who does not take it');

# ---- keys ----

my %key = (headers => { 'Idempotency-Key' => 'k1' });
my $first = $restd->post('/predict', qq({"recent_prices":$ten}), %key);
is($first->{status}, 200, 'with a key');
is($restd->post('/predict', qq({"recent_prices":$ten}), %key)->{body}, $first->{body}, 'a retry gets the first answer');
(my $worded = $ten) =~ s/,/.00 , /;
is($restd->post('/predict', qq({"level":"0.95","date":"2024-01-02", "series":"first","horizon":null,"more":1,"recent_prices":$worded}), %key)->{body}, $first->{body}, 'also in other words');
for ('"recent_prices":[9,9,9,9,9,9,9,9,9,9,9]', qq("recent_prices":$ten,"level":0.9), qq("recent_prices":$ten,"horizon":5))
{
	$reply = $restd->post('/predict', "{$_}", %key);
	is($reply->{status}, 422, "another request with the key, $_");
	is_deeply(decode_json($reply->{body}), { detail => [ { type => 'idempotency_key_reused', loc => [ 'header', 'idempotency-key' ], input => undef,
		msg => 'Key has come before with another request: a new request needs a new key' } ] }, 'is told so');
}
is($session->query("SELECT count(*) FROM arima_ops.predictions WHERE request_id = 'k1'"), 1, 'and one row');
$session->query("UPDATE arima_ops.predictions SET request_hash = NULL WHERE request_id = 'k1'");
is($restd->post('/predict', qq({"recent_prices":$ten,"horizon":5}), %key)->{body}, $first->{body}, 'a key of which it is not known what it asked for: the first answer');
is($session->query("SELECT count(*) FROM arima_ops.predictions WHERE request_id = 'k1'"), 1, 'one row still');
my @sockets = map { $restd->connect } 1 .. 8;
print $_ Restd::text('POST', '/predict', body => qq({"recent_prices":$ten}), headers => { 'Idempotency-Key' => 'together' }) for @sockets;
my %bodies = map { (Restd::read_reply($_)->{body} => 1) } @sockets;
is(scalar keys %bodies, 1, 'eight at once with one key: one answer');
is($session->query("SELECT count(*) FROM arima_ops.predictions WHERE request_id = 'together'"), 1, 'one row');
is($restd->post('/predict', qq({"recent_prices":$ten}), headers => { 'Idempotency-Key' => 'x' x 256 })->{status}, 422, 'a key that is too long');
for my $odd ("k\t1", "k\xc3\xa9", "k\xe9") {
	my $reply = $restd->post('/predict', qq({"recent_prices":$ten}), headers => { 'Idempotency-Key' => $odd });

	is_deeply([ $reply->{status}, map({ [ @$_{qw(type loc ctx)} ] } @{ decode_json($reply->{body})->{detail} }) ],
		[ 422, [ 'string_pattern_mismatch', [ 'header', 'idempotency-key' ], { pattern => '^[ -~]*$' } ] ],
		'a key of characters that are not printable ASCII: ' . join ' ', map { sprintf '%02x', ord } split //, $odd);
}

# ---- limits ----

is($restd->post('/predict', '[' . ' ' x 70_000 . ']')->{status}, 413, 'a body that is too long');
is($restd->request('POST', '/predict', headers => { 'Content-Length' => '99999999', 'Content-Type' => 'application/json' })->{status}, 413, 'or would be: at once');
my $chunks = join('', map { sprintf "%x\r\n%s\r\n", 1000, ' ' x 1000 } 1 .. 80) . "0\r\n\r\n";
is($restd->post('/predict', $chunks, headers => { 'Transfer-Encoding' => 'chunked' })->{status}, 413, 'in pieces of unknown number');
$chunks = join('', map { sprintf "%x\r\n%s\r\n", length, $_ } qq({"recent_prices":), $ten, '}') . "0\r\n\r\n";
is($restd->post('/predict', $chunks, headers => { 'Transfer-Encoding' => 'chunked' })->{status}, 200, 'a body in pieces');
is($restd->request('POST', '/predict', headers => { 'Content-Length' => '70000', Expect => '100-continue' })->{status}, 413, 'who waits for leave to send too much');
is($restd->post('/predict', '{}', headers => { 'Content-Encoding' => 'gzip' })->{status}, 415, 'a coding');
is($restd->get('/health', headers => { 'X-Long' => 'x' x 40_000 })->{status}, 431, 'a header that is too long');
is($restd->post('/predict', qq({"recent_prices":$ten}))->{status}, 200, 'and all is well');

# ---- metrics ----

my $metrics = $restd->get('/metrics')->{body};
like($metrics, qr/^http_requests_total\{method="post",handler="\/predict",code="422"\} [1-9]/m, 'metrics: requests by status');
my ($rows) = $metrics =~ /^arima_restd_batch_size_sum (\d+)/m;
cmp_ok($rows, '>', 10, 'predictions answered');
my (%type, @stray, %seen);
for (split /\n/, $metrics)
{
	if (/^# TYPE (\S+) (\S+)$/) { push @stray, "$1 twice" if $type{$1}; $type{$1} = $2; }
	elsif (!/^#/)
	{
		my ($name) = /^([a-z_]+)(\{([a-z]+="[^"]*",?)+\})? [-+.\de]+$/ or push @stray, $_;
		(my $family = $name // '') =~ s/_(bucket|sum|count)$// if !$type{ $name // '' };
		$family //= $name;
		push @stray, "no type: $_" unless $type{ $family // '' };
		push @stray, "a counter by another name: $_" if ($type{ $family // '' } || '') eq 'counter' && $name !~ /_total$/;
		push @stray, "twice: $_" if $seen{ (split / /)[0] }++;
	}
}
is_deeply(\@stray, [], 'each sample has its type, once');
# promtool is a part of Debian's prometheus: make soak installs it
if (grep { -x "$_/promtool" } split /:/, $ENV{PATH})
{
	open my $out, '>', "$folder/metrics" or die $!;
	print $out $metrics;
	close $out;
	is(`promtool check metrics <$folder/metrics 2>&1`, '', 'promtool has no complaint');
}

# ---- the log ----

my ($line) = grep { ($_->{event} || '') eq 'request' && ($_->{path} || '') eq '/predict' && $_->{status} == 200 } $restd->log;
ok($line->{microseconds} > 0, 'a line of log for a request');
unlike($restd->log_text, qr/recent_prices|abc|nobody/, 'without its content');

# ---- the database goes and comes ----

$session->end;
$cluster->crash;
$reply = $restd->post('/predict', qq({"recent_prices":$ten}));
is_deeply([ $reply->{status}, $reply->{headers}{'retry-after'} ], [ 503, 1 ], 'no database: 503');
is($restd->get('/health')->{status}, 200, 'healthy all the same');
is(until_status('/ready', 503), 503, 'not ready');
$cluster->start_again;
is(until_status('/ready', 200), 200, 'it heals');
is($restd->post('/predict', qq({"recent_prices":$ten}))->{status}, 200, 'and answers');
$session = Session->new;
my $now = $session->query('SELECT clock_timestamp()');
$session->query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'arima_restd'");
for (1 .. 200)
{
	last if $session->query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'arima_restd' AND backend_start < '$now'") eq '0';
	sleep 0.02;
}
is(until_status('/ready', 200), 200, 'backends killed');
# each connection is made anew by itself: that of the predictions perhaps a moment after that of /ready
for (1 .. 100)
{
	$reply = $restd->post('/predict', qq({"recent_prices":$ten}));
	last if $reply->{status} != 503;
	sleep 0.02;
}
is($reply->{status}, 200, 'and predictions are answered again');
my ($lost) = grep { ($_->{event} || '') eq 'the connection to the database was lost' } reverse $restd->log;
# that of a connection which was written to first says less
like("$lost->{level}: $lost->{message}", qr/^warning: (FATAL:  terminating connection due to administrator command|server closed the connection unexpectedly)$/, 'why one was lost is a line of the log');

# ---- a graceful stop ----

my $locker = Session->new;
$locker->query('BEGIN; LOCK TABLE arima_ops.predictions IN ACCESS EXCLUSIVE MODE');
@sockets = map { $restd->connect } 1 .. 5;
print $_ Restd::text('POST', '/predict', body => qq({"recent_prices":$ten})) for @sockets;
sleep 0.5;
kill 'TERM', $restd->pid;
sleep 0.3;
ok(!IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $restd->port), 'stopping: no new connections');
$locker->query('COMMIT');
is(join(' ', map { my $r = Restd::read_reply($_); "$r->{status} $r->{headers}{connection}" } @sockets), join(' ', ('200 close') x 5), 'all in flight are answered');
is($restd->wait, 0, 'and it ends');
like($restd->log_text, qr/"all_answered":true/, 'as the log says');

# ---- tokens, roles, rate ----

my %hash;
for my $token (qw(alpha beta delta))
{
	($hash{$token}) = `printf %s $token | sha256sum` =~ /^(\w{64})/;
}
open $file, '>', "$folder/tokens" or die $!;
print $file "# who may ask\n$hash{alpha} first-client\n$hash{beta} second-client only_reads\n$hash{delta} third-client is_not_there\n";
close $file;
chmod 0755, $folder;
chmod 0644, "$folder/tokens";
$session->query('CREATE ROLE only_reads; GRANT arima_ops_reader TO only_reads; GRANT only_reads TO arima_restd');
$restd = Restd->new(database => $database, tokens => "$folder/tokens", rate => 50, 'queue' => 1, 'batch-workers' => 1, 'statement-timeout' => '2s', 'request-timeout' => '3s');
my %alpha = (headers => { Authorization => 'Bearer alpha' });
my %beta = (headers => { Authorization => 'Bearer beta' });
is(until_status('/ready', 200), 200, 'ready needs no token');
for ([ undef, 401 ], [ 'Bearer gamma', 401 ], [ 'Basic alpha', 401 ], [ 'Bearer alpha', 200 ], [ 'bearer  alpha', 200 ],
	[ "Bearer alpha \t", 200 ], [ 'Bearer al pha', 401 ], [ 'Bearer  ', 401 ])
{
	my ($header, $status) = @$_;
	$reply = $restd->post('/predict', qq({"recent_prices":$ten}), headers => { Authorization => $header });
	is($reply->{status}, $status, 'token ' . ($header // 'none'));
	is($reply->{headers}{'www-authenticate'}, 'Bearer', 'which is wanted') if $status == 401;
}
is($restd->get('/api/forecast')->{status}, 401, 'reading needs one');
is($restd->get('/api/forecast', %beta)->{status}, 200, 'a role that reads');
is($restd->post('/predict', qq({"recent_prices":$ten}), %beta)->{status}, 403, 'may not predict');
is($restd->post('/predict', qq({"recent_prices":$ten}), headers => { Authorization => 'Bearer alpha', 'Idempotency-Key' => 'k1' })->{status}, 200, 'a key');
is($session->query("SELECT count(*) FROM arima_ops.predictions WHERE request_id = 'first-client:k1'"), 1, 'is that of its client');
$reply = $restd->post('/predict', qq({"recent_prices":$ten}), headers => { Authorization => 'Bearer alpha', 'Idempotency-Key' => 'k1  ' });
is("$reply->{status} " . $session->query("SELECT count(*) FROM arima_ops.predictions WHERE request_id LIKE 'first-client:k1%'"), '200 1', 'also with blanks after it');
is(join(' ', map { $restd->post('/predict', qq({"recent_prices":$ten}), headers => { Authorization => "Bearer $_" })->{status} } qw(delta alpha delta alpha)),
	'503 200 503 200', 'a role that is not there costs the others nothing');
like($restd->post('/predict', qq({"recent_prices":$ten}), headers => { Authorization => 'Bearer delta' })->{body}, qr/role of this token/, 'and is what is said to be amiss');
like($restd->log_text, qr/no such role.*"role":"is_not_there"/, 'in the log by its name');
open $file, '>', "$folder/tokens" or die $!;
print $file "$hash{beta} second-client\n";
close $file;
kill 'HUP', $restd->pid;
for (1 .. 100) { last if $restd->log_text =~ /("tokens loaded".*){2}/s; sleep 0.05; }
is($restd->get('/api/forecast', %alpha)->{status}, 401, 'a token taken away');
is($restd->post('/predict', qq({"recent_prices":$ten}), %beta)->{status}, 200, 'one with other rights now');
open $file, '>', "$folder/tokens" or die $!;
print $file "$hash{alpha} first-client only_reads\nno-hash third-client\n";
close $file;
kill 'HUP', $restd->pid;
for (1 .. 100) { last if $restd->log_text =~ /the tokens stay as they were/; sleep 0.05; }
like($restd->log_text, qr/the tokens stay as they were.*line 2/, 'a file that is wrong is refused as a whole');
is(join(' ', map { $restd->get('/health')->{status} . $restd->post('/predict', qq({"recent_prices":$ten}), %$_)->{status} } \%alpha, \%beta), '200401 200200', 'and the tokens are as before');
my %statuses;
$socket = $restd->connect;
for (1 .. 120)
{
	print $socket Restd::text('POST', '/predict', body => '{', %beta);
	$reply = Restd::read_reply($socket);
	$statuses{ $reply->{status} }++;
	last if $reply->{status} == 429;
}
is($reply->{status}, 429, 'too many requests a second');
is($reply->{headers}{'retry-after'}, 1, 'when to come again');
sleep 1.1;

# what was put apart and is free again, for two roles in turn, is not paused for one by one
open $file, '>', "$folder/tokens" or die $!;
print $file "$hash{alpha} first-client\n$hash{beta} second-client arima_ops_user\n";
close $file;
my $turns = Restd->new(database => $database, tokens => "$folder/tokens");
$holder = Session->new;
is($holder->query(q{BEGIN; SELECT arima_ops.restate('other', 0.5, '2030-01-01')}) && $holder->error, '', 'prices are being restated');
my @apart = map { $turns->connect } 1 .. 150;
print { $apart[$_] } Restd::text('POST', '/predict', body => qq({"recent_prices":$ten,"series":"other"}), $_ % 2 ? %alpha : %beta) for 0 .. $#apart;
sleep 0.3;
my $freed = time;
$holder->query('ROLLBACK');
is(scalar(grep { Restd::read_reply($_)->{status} == 200 } @apart), 150, 'requests of two roles were put apart');
cmp_ok(time - $freed, '<', 2, 'and are answered as soon as that is possible');
$holder->end;
is($turns->stop, 0, 'its end');

# ---- a full queue, a slow client ----

$locker->query('BEGIN; LOCK TABLE arima_ops.predictions IN ACCESS EXCLUSIVE MODE');
@sockets = map { $restd->connect } 1 .. 6;
for (@sockets)
{
	print $_ Restd::text('POST', '/predict', body => qq({"recent_prices":$ten}), %beta);
	sleep 0.1;
}
is(join(' ', sort map { Restd::read_reply($_)->{status} } @sockets), join(' ', (503) x 6), 'a database that does not answer, a queue that is full: 503');
$locker->query('ROLLBACK');
is($restd->post('/predict', qq({"recent_prices":$ten}), %beta)->{status}, 200, 'and on it goes');
$socket = $restd->connect;
print $socket "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nAuthorization: Bearer beta\r\n\r\n";
my $start = time;
local $SIG{PIPE} = 'IGNORE';
while (time - $start < 20)
{
	my $ready = '';
	vec($ready, fileno $socket, 1) = 1;
	last if select($ready, undef, undef, 0.2) && !sysread $socket, my $byte, 1;
	syswrite $socket, ' ' or last;
}
cmp_ok(time - $start, '<', 10, 'who writes a byte at a time is cut off');
is($restd->stop, 0, 'the end') or diag($restd->log_text);

# ---- a pooler in between, which tells its clients numbers of its own for a server process ----

# Passes on what comes on a port of this machine; pooling: with another number.
sub passer
{
	my ($pooling) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8) or die $!;
	my $passer = fork // die $!;

	return ($listener->sockport, $passer) if $passer;
	while (my $client = $listener->accept)
	{
		fork // die $! and next;
		my $server = IO::Socket::UNIX->new(Peer => "$ENV{PGHOST}/.s.PGSQL.$ENV{PGPORT}") or POSIX::_exit(1);
		my $select = IO::Select->new($client, $server);
		while (1)
		{
			for my $from ($select->can_read)
			{
				sysread $from, my $bytes, 65536 or POSIX::_exit(0);
				$bytes =~ s/K\0\0\0\x0c\K.{4}/\0\0\0\x01/s if $pooling && $from == $server;
				syswrite $from == $server ? $client : $server, $bytes;
			}
		}
	}
}

for ([ 1, 'a pooler is warned of' ], [ 0, 'what only passes on is none' ])
{
	my ($pooling, $what) = @$_;
	my ($port, $passer) = passer($pooling);
	$restd = Restd->new(database => "host=127.0.0.1 port=$port sslmode=disable dbname=postgres user=arima_restd");
	is(until_status('/ready', 200), 200, 'answers through another program');
	my $warned = grep { ($_->{level} || '') eq 'warning' && ($_->{message} || '') =~ /pooler/ } $restd->log;
	is($warned > 0 ? 1 : 0, $pooling, $what) or diag($restd->log_text);
	$restd->stop;
	kill 'KILL', $passer;
	waitpid $passer, 0;
}

# ---- databases of other encodings ----

for (['LATIN1', 422], ['SQL_ASCII', 200])
{
	my ($encoding, $status) = @$_;
	my $name = 'of_' . lc $encoding;
	$session->query("CREATE DATABASE $name ENCODING '$encoding' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
	local $ENV{PGDATABASE} = $name;
	my $there = Session->new;
	$there->query(qq{SET client_min_messages = warning; SET client_encoding = 'UTF8'; CREATE EXTENSION arima_ops;
		SELECT arima_ops.create_series('Z\xc3\xbcrich', '(0,1,0)', policy => '{"backtest_length": 30}');
		SELECT arima_ops.record_actuals('Z\xc3\xbcrich', array_agg('2024-01-01'::timestamptz + i * interval '1 day' ORDER BY i), array_agg(100 + sin(i) ORDER BY i)) FROM generate_series(1, 100) AS i;
		SELECT arima_ops.train('Z\xc3\xbcrich')});
	is($there->error, '', "a database of $encoding");
	$there->end;
	$restd = Restd->new(database => "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=$name user=arima_restd");
	is_deeply([ map { $restd->post('/predict', qq({"recent_prices":$ten,"series":"$_"}))->{status} } "Z\xc3\xbcrich", 'Z\\u00fcrich', '\\u005A\\u00FCrich' ], [ (200) x 3 ],
		'a series by its name, as it is and in escapes');
	$reply = $restd->post('/predict', qq({"recent_prices":$ten,"note":"\\u65e5 \\ud83d\\ude00"}));
	is($reply->{status}, $status, 'characters that it may not have, where nobody reads them');
	is_deeply([ map { @$_{qw(type loc)} } @{ decode_json($reply->{body})->{detail} } ], [ 'value_error', ['body'] ], 'and what is wrong') if $status == 422;
	is($restd->stop, 0, 'the end');
}
if ($> == 0)
{
	my $said = `build/proxy/arima_restd --listen 127.0.0.1:0 2>&1`;
	like($said, qr/does not run as root/, 'not as root');
}
like(`build/proxy/arima_restd --threads 0 2>&1`, qr/threads must be a number from 1 to 256, not "0"/, 'a setting that is wrong');
my $user = $> == 0 ? '--user nobody' : '';
like(`timeout 5 build/proxy/arima_restd $user --listen 127.0.0.1:99999 2>&1`, qr/port from 0 to 65535, not "99999"/, 'a port that there is none of');
$locker->end;
$session->end;
done_testing();
