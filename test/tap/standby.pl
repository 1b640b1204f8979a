# A hot standby answers what is only read, and refuses the rest as read-only.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;
use Cluster;
use Restd;
use Session;
use WebServer;

my $web = WebServer->new;
my $cluster = Cluster->new(wal_level => 'replica', max_wal_senders => 3);
my $primary = Session->new;
sub sql { my $r = $primary->query($_[0]); die "$_[0]: " . $primary->error if $primary->error =~ /ERROR/; return $r; }

sql(q{
	SET client_min_messages = warning;
	CREATE EXTENSION arima_ops;
	SELECT arima_ops.create_series('s', '(0,1,1)', policy => '{"backtest_length": 20}');
	SELECT arima_ops.record_actuals('s', array_agg('2024-01-01'::timestamptz + i * interval '1 day'), array_agg(100 + 3 * sin(i))) FROM generate_series(1, 60) AS i;
	SELECT arima_ops.train('s');
	SELECT arima_ops.predict('s', as_of => '2024-01-01'::timestamptz + i * interval '1 day') FROM generate_series(40, 59) AS i;
	SELECT arima_ops.score_predictions();
	SELECT arima_ops.detect_drift();
	SELECT arima_ops.predict('s');
	CREATE ROLE arima_restd LOGIN; GRANT arima_ops_user, arima_ops_reader TO arima_restd;
});
sql("INSERT INTO arima_ops.providers (name, url, format, date_field, value_field) VALUES ('web', '" . $web->url('/{symbol}') . "', 'csv', 'Date', 'Close')");
sql("SELECT arima_ops.create_series('fetched', '(0,1,1)', provider => 'web', symbol => 'prices')");
sql("INSERT INTO arima_ops.webhooks (name, url) VALUES ('hook', '" . $web->url('/hook') . "')");
sql("INSERT INTO arima_ops.alert_outbox (webhook, event) SELECT 'hook', max(id) FROM arima_ops.events");
# a job under way on the primary, and one that hangs
sql("INSERT INTO arima_ops.job_runs (job) VALUES ('etl')");
sql("INSERT INTO arima_ops.job_runs (job, started_at) VALUES ('monitoring', now() - interval '2 days')");
my $pid = $primary->pid;

my @as = $> == 0 ? ('runuser', '-u', 'postgres', '--') : ();
sub server { return system(@as, 'sh', '-c', 'cd / && exec "$@"', 'sh', @_); }
my $dir = "$ENV{PGHOST}/standby";
is(server('pg_basebackup', '-D', $dir, '-R', '-c', 'fast'), 0, 'a standby');
is(server('pg_ctl', '-s', '-w', '-D', $dir, '-l', "$dir/log", '-o', "-p $ENV{PGPORT} -c listen_addresses='' -c unix_socket_directories='$dir'", 'start'), 0, 'which starts');

my $standby = do { local $ENV{PGHOST} = $dir; Session->new };
is($standby->query('SELECT pg_is_in_recovery()'), 't', 'it is one');
is($standby->query(q{SELECT finding FROM arima_ops.doctor_jobs() WHERE check_name = 'job etl'}) =~ s/[-0-9]{10} [:0-9]{8}/TIME/r,
	'running TIME, 0 of unknown', 'a job of the primary is not taken for dead');
is($standby->query(q{SELECT mend FROM arima_ops.doctor_jobs() WHERE check_name = 'job monitoring'}),
	"on the primary: see pg_stat_activity; SELECT pg_terminate_backend($pid); the next run goes on where it was", 'nor is a process of the standby to be ended for one that hangs');

for my $query (
	q{SELECT count(*) FROM arima_ops.doctor()}, q{SELECT count(*) FROM arima_ops.monitoring, arima_ops.leaderboard}, q{SELECT count(*) FROM arima_ops.timeline},
	q{SELECT count(*) FROM arima_api.forecast('s', 3)}, q{SELECT arima_api.overview()}, q{SELECT arima_api.series_detail('s')}, q{SELECT arima_api.events()},
	q{SELECT arima_api.jobs()}, q{SELECT arima_api.ready()}, q{SELECT labels FROM arima_ops.detect_drift('s', training_rmse => 1)},
	q{SELECT key FROM arima_fit_all('SELECT series, array_agg(value ORDER BY ts) FROM arima_ops.actuals GROUP BY series', '(0,1,1)', 1)})
{
	isnt($standby->query($query), '', "it answers: $query") or diag($standby->error);
}
for my $query (
	q{SELECT arima_ops.predict('s')}, q{SELECT arima_api.predict('{"recent_prices": [1,2,3,4,5,6,7,8,9,10]}')},
	q{SELECT arima_ops.answer_requests(ARRAY['{"recent_prices": [1,2,3,4,5,6,7,8,9,10], "series": "s"}'])}, q{SELECT arima_ops.score_predictions()}, q{SELECT arima_ops.detect_drift()}, q{SELECT arima_ops.train('s')},
	map { "CALL arima_ops.run_$_()" } qw(etl monitoring retraining tracking retention))
{
	$standby->query($query);
	like($standby->error, qr/ERROR:  25006/, "it refuses: $query");
}

# a client of the REST server learns that it may come again, when the standby has taken over perhaps
my $restd = Restd->new(database => "host=$dir port=$ENV{PGPORT} dbname=postgres user=arima_restd");
is($restd->get('/api/forecast?series=s')->{status}, 200, 'REST: a forecast is only read');
my $reply = $restd->post('/predict', '{"recent_prices": [1,2,3,4,5,6,7,8,9,10], "series": "s"}');
is($reply->{status}, 503, 'REST: a prediction, which would be logged, gets 503') or diag($restd->log_text);
ok($reply->{headers}{'retry-after'}, 'with the time to come again');
is(join(' ', map { $_->{sqlstate} // () } $restd->log), '25006', 'and the log says why');
$restd->stop;

# nothing is asked for that cannot be recorded
my $read_only = Session->new;
$read_only->query('SET default_transaction_read_only = on');
$web->define('/prices', { body => "Date,Close\n2024-03-01,100\n" });
for my $case ([ standby => $standby ], [ 'a read-only session' => $read_only ])
{
	my ($where, $session) = @$case;

	$session->query("SET arima_ops.http_allowed_hosts = 'localhost:" . $web->port . "'");
	for my $call (q{fetch_actuals('fetched')}, map { "$_()" } qw(fetch_all run_etl send_alerts run_tracking))
	{
		$session->query("CALL arima_ops.$call");
		like($session->error, qr/ERROR:  25006.*HINT/s, "$where: it refuses $call");
	}
	is(join(' ', map { $_->{path} } $web->requests), '', "$where: before any request is sent");
}
$read_only->query('SET default_transaction_read_only = off');
is($read_only->query(q{CALL arima_ops.fetch_actuals('fetched')}), '1|0|0', 'which it is otherwise') or diag($read_only->error);
$read_only->end;

$standby->end;
is(server('pg_ctl', '-s', '-w', '-m', 'fast', '-D', $dir, 'stop'), 0, 'stopped');
$primary->end;
done_testing();
