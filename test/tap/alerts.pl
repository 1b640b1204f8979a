# Alerts: events reach a web address, in their order, and wait while it is away; NOTIFY tells of each.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Session;
use WebServer;

my $web = WebServer->new;
my $db = Session->new;
my $port = $web->port;

sub sql { return $db->must($_[0]); }
# Bodies that have arrived since the last definition.
sub told { return map { JSON::PP->new->decode($_->{body}) } grep { $_->{path} eq '/hook' } $web->requests; }

sql("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS arima_ops; LISTEN arima_ops; UPDATE arima_ops.series SET active = false;
	SET arima_ops.http_allowed_hosts = 'localhost:$port'; SET arima_ops.http_retries = 0;
	INSERT INTO arima_ops.webhooks (name, url, headers) VALUES ('hook', 'http://localhost:$port/hook', '{X-Team: forecasts}')");
$web->define('/hook', { status => 204 });
my $heard = $db->query(q{SELECT arima_ops.record_event('drift', 'alerted', 3, 'it drifts', '{"rmse": 2.5}')});
like($heard, qr/Asynchronous notification "arima_ops" with payload "\{"id" : \d+, "series" : "alerted", "kind" : "drift", "version" : 3\}"/, 'NOTIFY');
sql(q{SELECT arima_ops.record_event('training', 'alerted', 4, 'of no interest here')});
sql(q{SELECT arima_ops.record_event('recovery', 'alerted', 3, 'it has recovered')});
sql('CALL arima_ops.run_monitoring()');
my @told = told();
is(join(' ', map { $_->{kind} } @told), 'drift recovery', 'the kinds that are wanted, in their order');
is_deeply({ %{ $told[0] }, id => 0, at => 0, database => 0 },
	{ id => 0, at => 0, database => 0, series => 'alerted', kind => 'drift', version => 3, message => 'it drifts', details => { rmse => 2.5 } }, 'with all that the event says');
my ($request) = grep { $_->{path} eq '/hook' } $web->requests;
is($request->{method}, 'POST', 'by POST');
like(lc JSON::PP->new->encode($request->{headers}), qr/x-team.*forecasts|forecasts.*x-team/, 'with its headers');
is(sql('SELECT count(*) FROM arima_ops.alert_outbox'), '0', 'the outbox is empty');
sql('CALL arima_ops.run_monitoring()');
is(scalar(told()), 2, 'nothing is told twice');

for my $bad ("'http://localhost:$port/hook?token=abc', '{}'", "'http://localhost:$port/hook', '{Authorization: Bearer abc}'")
{
	$db->query("INSERT INTO arima_ops.webhooks (name, url, headers) VALUES ('open', $bad)");
	like($db->error, qr/23514.*credentials_are_for_the_secrets_file/, "a webhook may not show: $bad");
}

for my $bad ("'mailto:me', '{}'", "'localhost:$port/hook', '{}'", "'http://localhost:$port/hook', '{X-Team}'", "'http://localhost:$port/hook', '{Content-Length: 3}'")
{
	$db->query("INSERT INTO arima_ops.webhooks (name, url, headers) VALUES ('wrong', $bad)");
	like($db->error, qr/22023: +arima_ops.webhooks cannot have this address for "wrong": .*HINT/s, "a webhook that could not be told: $bad");
}

# away: it waits, and is told when it can
$web->define('/hook', { status => 503, headers => { 'Retry-After' => '90' } });
sql(q{SELECT arima_ops.record_event('rollback', 'alerted', 2, 'back')});
sql('CALL arima_ops.run_monitoring()');
is(sql(q{SELECT attempts || ' ' || last_error || ' ' || (next_attempt_at BETWEEN now() + interval '80 s' AND now() + interval '91 s') FROM arima_ops.alert_outbox}),
	'1 status 503 true', 'refused: it waits as long as the server asks for');
is(sql(q{SELECT finding FROM arima_ops.doctor() WHERE check_name = 'alerts'}), '1 webhooks, 1 alerts wait: status 503', 'the doctor says so');
$web->define('/hook', { mode => 'reset' });
sql('UPDATE arima_ops.alert_outbox SET next_attempt_at = now()');
sql('CALL arima_ops.run_monitoring()');
like(sql(q{SELECT attempts || ' ' || last_error || ' ' || status FROM arima_ops.alert_outbox, arima_ops.doctor() WHERE check_name = 'alerts'}), qr/^2 broken: .* problem$/, 'no answer: it waits');
$web->define('/hook', { status => 200 });
sql('UPDATE arima_ops.alert_outbox SET next_attempt_at = now()');
sql('CALL arima_ops.run_tracking()');
is(join(' ', map { $_->{kind} } told()), 'rollback', 'and is told');
is(sql('SELECT count(*) FROM arima_ops.alert_outbox'), '0', 'the outbox is empty again');

# the same failure is news once, another one, of another series, or after days without it is, too
sql(qq{SELECT arima_ops.record_event('fetch_failed', s, NULL, m) FROM (VALUES ('gone', 'status 404'), ('gone', 'status 404'), ('gone', 'status 500'), ('other', 'status 404'), ('gone', 'status 404')) AS v (s, m);
	INSERT INTO arima_ops.events (series, kind, message, at) SELECT 'gone', 'fetch_failed', 'status 404', now() + interval '5 days';
	SELECT arima_ops.record_event('fetch_failed', NULL, NULL, 'as before', '{"again": true}');
	CALL arima_ops.run_monitoring()});
is(join(', ', sort map { "$_->{series} $_->{message}" } grep { $_->{kind} eq 'fetch_failed' } told()),
	'gone status 404, gone status 404, gone status 500, other status 404', 'a failure that comes again is told once');
$web->define('/hook', { status => 200 });
sql(q{SELECT arima_ops.create_series('other'); SELECT arima_ops.record_event('fetch_failed', 'other', NULL, 'status 404') FROM generate_series(1, 2);
	CALL arima_ops.run_monitoring(); SELECT arima_ops.drop_series('other')});
is(join(', ', map { "$_->{series} $_->{message}" } told()), 'other status 404', 'once again of another series of the same name');
$web->define('/hook', { status => 200 });

# one that is not active is told nothing, not even what waits, and what waits for it is nothing to mend
sql(q{SELECT arima_ops.record_event('drift', 'alerted', 3, 'it waits'); UPDATE arima_ops.alert_outbox SET attempts = 2; UPDATE arima_ops.webhooks SET active = false});
sql(q{CALL arima_ops.run_monitoring()});
is(scalar(told()), 0, 'a webhook that is not active is not told what waits');
is(sql(q{SELECT status || ': ' || finding FROM arima_ops.doctor() WHERE check_name = 'alerts'}), 'ok: 0 webhooks, 0 alerts wait', 'nor does the doctor count it');
sql(q{UPDATE arima_ops.webhooks SET active = true; CALL arima_ops.run_monitoring()});
is(join(' ', map { $_->{message} } told()), 'it waits', 'active again, it is');
$web->define('/hook', { status => 200 });

# a transaction that fails tells nothing
$db->query(q{BEGIN; SELECT arima_ops.record_event('drift', 'alerted', 3, 'not really'); ROLLBACK});
sql('CALL arima_ops.run_monitoring()');
is(scalar(told()), 0, 'what is rolled back is not told');
# one that does not answer is waited for once, whatever waits for it, and keeps no other waiting
sql("INSERT INTO arima_ops.webhooks (name, url) VALUES ('well', 'http://localhost:$port/well'); SET arima_ops.http_timeout = 500");
$web->define('/well', { status => 204 });
$web->define('/hook', { status => 204, delay => 5 });
sql(q{SELECT count(arima_ops.record_event('drift', 'alerted', 3, 'number ' || i)) FROM generate_series(1, 100) AS i; CALL arima_ops.run_monitoring()});
my @asked = $web->requests;
is(scalar(grep { $_->{path} eq '/hook' } @asked), 8, 'a webhook that does not answer is asked for a few alerts only');
is(scalar(grep { $_->{path} eq '/well' } @asked), 100, 'another one is told all of them');
is(sql('SELECT webhook, count(*), count(last_error) FROM arima_ops.alert_outbox GROUP BY 1'), 'hook|100|8', 'and nothing of it is lost');
$web->define('/hook', { status => 204 });
sql(q{RESET arima_ops.http_timeout; UPDATE arima_ops.alert_outbox SET next_attempt_at = now(); CALL arima_ops.run_monitoring()});
is(join(',', sort { $a <=> $b } map { $_->{message} =~ /(\d+)/ } told()), join(',', 1 .. 100), 'it is told all of it when it answers');
is(sql('SELECT count(*) FROM arima_ops.alert_outbox'), '0', 'once');

# not to a host that is not listed
sql(q{SET arima_ops.http_allowed_hosts = ''; SELECT arima_ops.record_event('drift', 'alerted', 3, 'again')});
sql('CALL arima_ops.run_monitoring()');
like(sql('SELECT last_error FROM arima_ops.alert_outbox'), qr/^refused: host localhost/, 'hosts that are not listed are not asked');
sql('DELETE FROM arima_ops.webhooks');
is(sql('SELECT count(*) FROM arima_ops.alert_outbox'), '0', 'without its webhook nothing waits');
$db->end;
done_testing();
