# The schema arima_api, asked as PostgREST 12, 14 and 16 ask: its statements over the
# extended protocol, under the roles of scripts/postgrest-roles.sql and the
# configuration of scripts/postgrest.conf; and nginx in front of it.

use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;
use Test::More;
use Postgrest;
use PostgrestServer;
use Session;

my $session = Session->new;

# Runs SQL that must not fail.
sub sql { return $session->must($_[0]); }

# a database of its own: which series is the usual one depends on all there are
sql('DROP DATABASE IF EXISTS postgrest_test WITH (FORCE)');
sql('CREATE DATABASE postgrest_test');
$session->end;
$ENV{PGDATABASE} = 'postgrest_test';
$session = Session->new;
sql('SET client_min_messages = warning');
sql(q{CREATE EXTENSION arima_ops;
	SELECT arima_ops.create_series(name, '(0,1,1)', policy => '{"backtest_length": 30}') FROM unnest(ARRAY['a', 'b', 'none']) AS name;
	SELECT arima_ops.record_actuals(name, array_agg('2024-01-01'::timestamptz + i * interval '1 day' ORDER BY i), array_agg(100 + sin(i) ORDER BY i))
	FROM unnest(ARRAY['a', 'b']) AS name, generate_series(1, 100) AS i GROUP BY name;
	SELECT arima_ops.train(name) FROM unnest(ARRAY['a', 'b']) AS name;
	UPDATE arima_ops.series SET is_default = true WHERE name = 'a'});

# the roles, twice: the script may be run again
my $roles = 'psql -X -q -f scripts/postgrest-roles.sql';
is(system("$roles -v password=first"), 0, 'the roles are made');
my $first = sql(q{SELECT rolpassword FROM pg_authid WHERE rolname = 'authenticator'});
like($first, qr/^(SCRAM-SHA-256\$|md5)/, 'the password is kept as a hash');
is(system($roles), 0, 'and again, without a password');
is(sql(q{SELECT rolpassword FROM pg_authid WHERE rolname = 'authenticator'}), $first, 'which leaves it as it is');
is(sql(q{SELECT rolcanlogin, rolinherit, rolsuper FROM pg_roles WHERE rolname = 'authenticator'}), 't|f|f', 'authenticator logs in, and inherits nothing');

my $configuration = Postgrest::configuration('scripts/postgrest.conf');
is("$configuration->{'db-schemas'} $configuration->{'db-anon-role'} $configuration->{'db-max-rows'}", 'arima_api anon 1000', 'the configuration');
my @prices = map { 100 + sin($_) } 81 .. 101;
my $ask = encode_json({ recent_prices => \@prices });
my $logged = q{SELECT count(*) FROM arima_ops.predictions};

# What has come back, in one line.
sub line
{
	my ($answer) = @_;
	my $body = $answer->{body};
	my $said = ref $body eq 'HASH' ? $body->{detail} // $body->{code} : undef;

	$said = join ',', map { "$_->{type} " . join '.', @{ $_->{loc} } } @$said if ref $said eq 'ARRAY';
	return join ' ', $answer->{status}, $said // ();
}

# POST /rpc/predict: one unnamed json argument.
sub test_predict
{
	my ($server, $version) = @_;
	my $before = sql($logged);
	my $answer = $server->answer(method => 'POST', path => '/rpc/predict', body => $ask);

	like($answer->{statement}, qr/^WITH pgrst_source AS \(SELECT pgrst_call\.pgrst_scalar FROM \(SELECT "arima_api"\."predict"\(\$1::json\) pgrst_scalar\) pgrst_call\) /, "$version: the body is the one argument");
	is("$answer->{status} $answer->{access} $answer->{rows}", '200 WRITE 1', "$version: predict answers in a transaction that writes");
	is("@{[ sort keys %{ $answer->{body} } ]}", 'arima_order level lower model_type model_version prediction prediction_id series timestamp upper', "$version: with these parts");
	is(sql($logged), $before + 1, "$version: and the prediction is logged");
	is(sql(sprintf 'SELECT series, forecast = %.17g, history_len FROM arima_ops.predictions WHERE id = %d', @{ $answer->{body} }{qw(prediction prediction_id)}), 'a|t|21', "$version: as it was told");
	# more often than a statement is planned for its values
	is(join(' ', map { line($server->answer(method => 'POST', path => '/rpc/predict', body => $ask)) } 1 .. 8), '200 200 200 200 200 200 200 200', "$version: again and again");

	$before = sql($logged);
	my %wrong = (
		'{"series": "b"}' => '422 missing body.recent_prices',
		'{"recent_prices": [1, "x", 3, 4, 5, 6, 7, 8, 9, 10]}' => '422 float_parsing body.recent_prices.1',
		'{"recent_prices": [1, 2]}' => '422 too_short body.recent_prices',
		'[1, 2]' => '422 model_attributes_type body', '{}' => '422 missing body.recent_prices',
		encode_json({ recent_prices => \@prices, series => 'nobody' }) => '404 There is no series "nobody"',
		encode_json({ recent_prices => \@prices, series => 'none' }) => '503 Series "none" has no model yet');
	is_deeply({ map { $_ => line($server->answer(method => 'POST', path => '/rpc/predict', body => $_)) } keys %wrong }, \%wrong, "$version: what is wrong is told by response.status");
	is_deeply($server->answer(method => 'POST', path => '/rpc/predict', body => '{"recent_prices": [1, 2]}')->{body},
		{ detail => [ { type => 'too_short', loc => [ 'body', 'recent_prices' ], msg => 'List should have at least 10 items after validation, not 2', input => [ 1, 2 ], ctx => { field_type => 'List', min_length => 10, actual_length => 2 } } ] },
		"$version: in the words of FastAPI");
	is_deeply($server->answer(method => 'POST', path => '/rpc/predict', body => encode_json({ recent_prices => \@prices, series => 'none' }))->{headers}, [ { 'Retry-After' => '60' } ], "$version: 503 says when to come again, by response.headers");
	is_deeply($server->answer(method => 'POST', path => '/rpc/predict', body => $ask)->{headers}, [], "$version: and nothing of it is left for the next request");
	is(sql($logged), $before + 1, "$version: none of the wrong ones is logged");
	is(line($server->answer(method => 'GET', path => '/rpc/predict')), '404 PGRST202', "$version: nothing is asked by GET");

	my @retries = map { $server->answer(method => 'POST', path => '/rpc/predict', body => $_, headers => { 'Idempotency-Key' => "key $version" }) } $ask, $ask, encode_json({ recent_prices => [ 1 .. 10 ] });
	is_deeply($retries[1]{body}, $retries[0]{body}, "$version: Idempotency-Key: a retry gets the first answer");
	is(line($retries[2]), '422 idempotency_key_reused header.idempotency-key', "$version: another request with it is refused");
	is(sql(qq{SELECT count(*) FROM arima_ops.predictions WHERE request_id = 'anon key $version'}), '1', "$version: which is logged once");
}

# /rpc/forecast: a table, arguments by name.
sub test_forecast
{
	my ($server, $version) = @_;
	my $want = sql(q{SELECT string_agg(round(forecast::numeric, 9)::text, ' ' ORDER BY step) FROM arima_api.forecast('b', 3)});
	my %ways = (
		'POST' => { method => 'POST', body => '{"series": "b", "horizon": 3}' },
		'POST of an array' => { method => 'POST', body => '[{"series": "b", "horizon": 3}, {"series": "a"}]' },
		'GET' => { method => 'GET', query => { series => 'b', horizon => '3' } });

	for my $way (sort keys %ways)
	{
		my $answer = $server->answer(path => '/rpc/forecast', %{ $ways{$way} });
		is("$answer->{status} $answer->{access} " . ($answer->{rows} // ''), '200 ONLY 3', "$version: forecast by $way, in a transaction that only reads");
		is(join(' ', map { sprintf '%.9f', $_->{forecast} } @{ $answer->{body} }), $want, "$version: forecast by $way");
		my $direct = $way eq 'GET' && $version > 12;
		like($answer->{statement}, $direct ? qr/"arima_api"\."forecast"\("series" := \$1::text, "horizon" := \$2::integer\) pgrst_call\)/
			: qr/LATERAL "arima_api"\."forecast"\("series" := pgrst_body\."series", "horizon" := pgrst_body\."horizon"\) pgrst_call\)/, "$version: forecast by $way, its statement");
	}
	is($server->answer(method => 'POST', path => '/rpc/forecast', body => '{}')->{rows}, 10, "$version: every argument has a default");
	is($server->answer(method => 'GET', path => '/rpc/forecast')->{rows}, 10, "$version: by GET, too");
	is_deeply([ map { $_->{step} } @{ $server->answer(method => 'GET', path => '/rpc/forecast', offset => 8, limit => 5)->{body} } ], [ 9, 10 ], "$version: offset and limit");
	my $counted = $server->answer(method => 'GET', path => '/rpc/forecast', limit => 2, headers => { Prefer => 'count=exact' });
	is("$counted->{rows} of $counted->{total}", '2 of 10', "$version: Prefer: count=exact");

	is_deeply({ map { $_ => line($server->answer(method => 'POST', path => '/rpc/forecast', body => $_)) } '{"steps": 3}', '{"horizon": "x"}', '{"horizon": 0}', '{"level": 2}', '{"series": "none"}', '{"horizon"' },
		{ '{"steps": 3}' => '404 PGRST202', '{"horizon": "x"}' => '400 22P02', '{"horizon": 0}' => '422 PT422', '{"level": 2}' => '400 22023', '{"series": "none"}' => '404 PT404', '{"horizon"' => '400 PGRST102' },
		"$version: forecast, errors by SQLSTATE");
	is_deeply($server->answer(method => 'POST', path => '/rpc/forecast', body => '{"series": "none"}')->{body},
		{ code => 'PT404', message => 'Not Found', details => 'There is no such series with a model.', hint => 'See /monitoring for the series there are.' }, "$version: PT404 is complete");
}

# What the page shows: functions that give one json, by GET.
sub test_page
{
	my ($server, $version) = @_;
	my %reader = (claims => { role => 'arima_ops_reader' });
	my $answer = $server->answer(method => 'GET', path => '/rpc/overview', %reader);

	is("$answer->{status} $answer->{access} @{[ sort map { $_->{series} // $_->{name} } @{ $answer->{body}{series} } ]}", '200 ONLY a b none', "$version: overview");
	is_deeply({ map { $_->[0] => line($server->answer(method => 'GET', path => "/rpc/$_->[0]", query => $_->[1], %reader)) } [ series_detail => { name => 'a', sessions => 5 } ], [ events => {} ], [ jobs => {} ] },
		{ series_detail => '200', events => '200', jobs => '200' }, "$version: a series, the events, the jobs");
	is(line($server->answer(method => 'GET', path => '/rpc/series_detail', query => { name => 'nobody' }, %reader)), '404 PT404', "$version: a series that is not there");
	is(line($server->answer(method => 'GET', path => '/rpc/events', query => { at_most => 0 }, %reader)), '422 PT422', "$version: a number out of bounds");
	is(line($server->answer(method => 'GET', path => '/rpc/series_detail', %reader)), '404 PGRST202', "$version: the name must be given");
	is(line($server->answer(method => 'GET', path => '/rpc/overview')), '401 42501', "$version: not without a token");
	is(line($server->answer(method => 'GET', path => '/rpc/ready')), '200', "$version: ready");
}

# The views, with a token and without.
sub test_views
{
	my ($server, $version) = @_;
	my %reader = (claims => { role => 'arima_ops_reader' });
	my $answer = $server->answer(method => 'GET', path => '/monitoring', order => [ series => 'DESC' ], %reader);

	is(join(' ', $answer->{status}, $answer->{access}, map { $_->{series} } @{ $answer->{body} }), '200 ONLY none b a', "$version: monitoring with a reader's token");
	is_deeply($server->answer(method => 'GET', path => '/monitoring', select => [ 'series', 'champion' ], filters => [ [ 'series', '=', 'b' ] ], %reader)->{body}, [ { series => 'b', champion => 1 } ], "$version: select and a filter");
	is($server->answer(method => 'GET', path => '/leaderboard', filters => [ [ 'series', '= ANY', [ 'a', 'none' ] ] ], %reader)->{rows}, 1, "$version: leaderboard, in.(…)");
	my $counted = $server->answer(method => 'GET', path => '/timeline', order => [ at => 'DESC' ], filters => [ [ 'series', '=', 'a' ] ], limit => 1, headers => { Prefer => 'count=exact' }, %reader);
	is("$counted->{rows} of $counted->{total}", '1 of ' . sql(q{SELECT count(*) FROM arima_ops.timeline WHERE series = 'a'}), "$version: timeline, a page of it, counted");
	is(line($server->answer(method => 'HEAD', path => '/monitoring', %reader)), '200', "$version: HEAD");

	# on the same connection, by the same prepared statements
	is(line($server->answer(method => 'GET', path => '/monitoring', order => [ series => 'DESC' ])), '401 42501', "$version: without a token it is refused");
	is(line($server->answer(method => 'POST', path => '/rpc/predict', body => $ask, %reader)), '403 42501', "$version: a reader asks for no prediction");
	is(line($server->answer(method => 'POST', path => '/rpc/predict', body => $ask, claims => { role => 'arima_ops_user' })), '200', "$version: a user does");
	is(line($server->answer(method => 'GET', path => '/monitoring', claims => { role => 'postgres' })), '403 42501', "$version: a token cannot name a role that authenticator has not");
	is(line($server->answer(method => 'GET', path => '/monitoring', claims => { role => 'arima_ops_admin' })), '403 42501', "$version: not even the admin");
}

# The original's addresses by nginx.
sub test_nginx
{
	my ($proxy) = @_;
	my $client = HTTP::Tiny->new(timeout => 20);
	my $url = 'http://127.0.0.1:' . $proxy->port;
	my $before = sql($logged);
	# Status and body of an answer, a header too.
	my $said = sub {
		my ($method, $path, $content, $header) = @_;
		my $got = $client->request($method, "$url$path", defined $content ? { content => $content, headers => { 'Content-Type' => 'text/plain', 'Idempotency-Key' => 'nginx' } } : {});
		my $body = eval { decode_json($got->{content}) };
		my $detail = ref $body eq 'HASH' ? $body->{detail} // $body->{status} // $body->{series} // $body->{code} : ref $body ? scalar @$body : $got->{content};
		return join ' ', $got->{status}, ref $detail ? $detail->[0]{type} : $detail, $header ? $got->{headers}{$header} // '-' : ();
	};

	for (1 .. 100)
	{
		last if $said->('GET', '/health') =~ /^200/;
		select undef, undef, undef, 0.1;
	}
	is($said->('GET', '/health'), '200 ok', 'nginx: /health');
	is($said->('GET', '/ready'), '200 ready', 'nginx: /ready');
	is($said->('POST', '/predict', $ask), '200 a', 'nginx: POST /predict is /rpc/predict, whatever its content type');
	is($said->('POST', '/predict', $ask), '200 a', 'nginx: a retry');
	is(sql($logged), $before + 1, 'nginx: Idempotency-Key gets through');
	is($said->('POST', '/predict', '{"recent_prices": [1]}'), '422 too_short', 'nginx: status and body get through');
	is($said->('POST', '/predict', encode_json({ recent_prices => \@prices, series => 'none' }), 'retry-after'), '503 Series "none" has no model yet 60', 'nginx: and headers');
	is($said->('GET', '/predict', undef, 'allow'), '405 Method Not Allowed POST', 'nginx: GET /predict');
	is($said->('POST', '/predict', ' ' x 1100000), '413 Request body is too large', 'nginx: a body of more than 1 MB');
	is($said->('GET', '/rest/rpc/forecast?series=b&horizon=4'), '200 4', 'nginx: the others are under /rest/');
	is($said->('GET', '/rest/monitoring'), '401 42501', 'nginx: with their rights');
	$proxy->end_upstream;
	is($said->('POST', '/predict', $ask, 'retry-after'), '503 Service Unavailable 5', 'nginx: without PostgREST');
	is($said->('GET', '/ready'), '503 Service Unavailable', 'nginx: which is not ready then');
}

for my $version (12, 14, 16)
{
	my $server = Postgrest->new($version, 'postgrest_test', $configuration);
	test_predict($server, $version);
	test_forecast($server, $version);
	test_page($server, $version);
	test_views($server, $version);
	$server->end;
}

# by itself authenticator sees nothing; what anon may do is these and no more
my $wire = Wire->new('authenticator', 'postgrest_test');
is($wire->simple('SELECT FROM arima_api.monitoring')->{error}{code}, '42501', 'authenticator itself reads nothing');
is($wire->simple('SELECT arima_api.predict(NULL)')->{error}{code}, '42501', 'and asks for nothing');
$wire->simple('SET ROLE anon');
my @may = map { $_->[0] } @{ $wire->simple(q{SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'arima_api'::regnamespace AND has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1})->{rows} };
is("@may", 'arima_api.predict(json) arima_api.forecast(text,integer,double precision) arima_api.ready()', 'anon may call these');
is($wire->simple(q{SELECT count(*) FROM pg_class AS c WHERE c.relnamespace IN ('arima_api'::regnamespace, 'arima_ops'::regnamespace) AND c.relkind IN ('r', 'v') AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')})->{rows}[0][0], '0', 'and reads and writes no table');
is($wire->simple(q{SELECT FROM arima_ops.predictions})->{error}{code}, '42501', 'no log');
$wire->end;

# the statement that PostgREST takes the settings of roles from: they come with each request
my $server = Postgrest->new(16, 'postgrest_test', $configuration);
my ($statement, @values) = $server->settings({ method => 'GET', path => '/monitoring' }, 'anon');
is($statement, q{select set_config('search_path', $1, true), set_config($2, $3, true), set_config('role', $4, true), set_config('request.jwt.claims', $5, true), set_config('request.method', $6, true), set_config('request.path', $7, true), set_config('request.headers', $8, true), set_config('request.cookies', $9, true)},
	'the statement of settings');
is(join(' ', map { "$_->{type} $_->{value}" } @values[ 0 .. 4 ]), '705 "arima_api" 705 statement_timeout 705 5s 705 anon 705 {"role":"anon"}', 'its values, all of unknown type');
is($server->{session}->execute($statement, @values)->{rows}[0][2], 'anon', 'and the server takes them');
$server->end;

# nginx in front of it
SKIP:
{
	my ($nginx, $reason) = PostgrestServer::nginx();
	skip "nginx is not to be had: $reason", 1 unless $nginx;
	test_nginx(PostgrestServer->new($nginx, 'scripts/postgrest-nginx.conf', 16, 'postgrest_test', $configuration));
}

$session->end;
$ENV{PGDATABASE} = 'postgres';
$session = Session->new;
sql('DROP DATABASE postgrest_test WITH (FORCE)');
sql('DROP OWNED BY anon, authenticator; DROP ROLE anon, authenticator; ALTER ROLE arima_ops_user RESET ALL; ALTER ROLE arima_ops_reader RESET ALL');
$session->end;
done_testing();
