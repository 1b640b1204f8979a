# The job run_retraining cancelled or terminated on the way (crash.pl kills it): nothing is half done, nothing is done twice,
# and the next run does the rest.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use Session;

use constant SERIES => 60;

# psql is gone with its server process
$SIG{PIPE} = 'IGNORE';
my $session = Session->new;

# Value of a query; dies on an error.
sub value_of
{
	my ($sql) = @_;
	my $out = $session->query($sql);

	die $session->error if $session->error =~ /ERROR|FATAL/;
	return $out;
}

# Whether every series has `before` versions, or one more, with all that belongs to it.
sub is_whole
{
	my ($before, $name) = @_;

	is(value_of("
		SELECT count(*) FROM arima_ops.series AS s
		WHERE s.name LIKE 'kill\\_%'
			AND ((SELECT count(*) FROM arima_ops.models AS m WHERE m.series = s.name AND m.status = 'champion') <> 1
			OR (SELECT count(*) FROM arima_ops.models AS m WHERE m.series = s.name) NOT IN ($before, $before + 1)
			OR EXISTS (SELECT FROM arima_ops.models AS m WHERE m.series = s.name
				AND (m.status = 'candidate'
					OR (SELECT count(*) FROM arima_ops.evaluations AS e WHERE e.series = m.series AND e.version = m.version) <> 1
					OR (SELECT count(*) FROM arima_ops.events AS e WHERE e.series = m.series AND e.version = m.version AND e.kind IN ('promotion', 'rejection')) <> 1)))"),
		0, "$name: every version has its evaluation, its event and its standing, and no series two champions");
	return;
}

value_of("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS arima_ops");
# series of other tests are none of this one's business
my $others = value_of("SELECT coalesce(string_agg(quote_literal(name), ', '), 'NULL') FROM arima_ops.series WHERE active");
value_of("UPDATE arima_ops.series SET active = false WHERE name IN ($others);
	SELECT arima_ops.create_series('kill_' || k, 'auto', policy => '{\"backtest_length\": 100, \"retrain_every\": 1, \"cooldown\": 0}')
	FROM generate_series(1, @{[SERIES]}) AS k;
	INSERT INTO arima_ops.actuals (series, ts, value)
	SELECT 'kill_' || k, timestamptz '2024-01-01' + i * interval '1 day',
		100 + sum(hashint4(1000 * k + i)) OVER (PARTITION BY k ORDER BY i) / 2147483648.0
	FROM generate_series(1, @{[SERIES]}) AS k, generate_series(1, 300) AS i");
my $start = time;
value_of('CALL arima_ops.run_retraining()');
my $seconds = time - $start;
my $series = value_of("SELECT count(DISTINCT series) FROM arima_ops.models WHERE status = 'champion' AND series LIKE 'kill\\_%'");
is($series, SERIES, 'all have a model');

my $before = 1;
srand 4711;
for my $how (qw(terminate cancel terminate cancel))
{
	value_of("INSERT INTO arima_ops.actuals (series, ts, value) SELECT name, (SELECT max(ts) + interval '1 day' FROM arima_ops.actuals), 100 FROM arima_ops.series WHERE name LIKE 'kill\\_%'");

	my $job = Session->new;
	my $pid = $job->pid;
	$job->send('CALL arima_ops.run_retraining(batch => 8)');
	my $wait = (0.05 + 0.8 * rand) * $seconds;
	sleep $wait;
	value_of("SELECT pg_${how}_backend($pid)");
	eval { $job->wait if $how eq 'cancel'; $job->end };
	# a cancelled backend has ended its transaction, a terminated one will have soon
	for (1 .. 100)
	{
		last unless value_of("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND state <> 'idle'");
		sleep 0.05;
	}
	my $done = value_of("SELECT count(*) FROM arima_ops.models WHERE series LIKE 'kill\\_%' AND version > $before");
	my $name = sprintf '%s after %.0f ms, with %d of %d done', $how, 1000 * $wait, $done, SERIES;
	is_whole($before, $name);
	value_of('CALL arima_ops.run_retraining()');
	is(value_of("SELECT count(*) || ' ' || max(version) FROM arima_ops.models WHERE series LIKE 'kill\\_%' AND version > $before"),
		SERIES . ' ' . ($before + 1), "$name: the next run does the rest, and no series twice");
	is_whole($before, "$name: after the next run");
	is(value_of("SELECT count(*) FROM arima_ops.job_runs WHERE job = 'retraining' AND status = 'running'"), 0, "$name: no run is left open");
	$before++;
}
value_of("UPDATE arima_ops.series SET active = true WHERE name IN ($others); UPDATE arima_ops.series SET active = false WHERE name LIKE 'kill\\_%'");
$session->end;
done_testing();
