# The jobs under kill -9 and immediate stops of the server: after the restart nothing is lost,
# nothing is done twice, and the job completes.
#
# CRASH_ROUNDS kills of each job (1; "make soak": 20), at moments spread over what the job takes.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use Cluster;
use Session;

# a session whose server process is gone
$SIG{PIPE} = 'IGNORE';

my $rounds = $ENV{CRASH_ROUNDS} // 1;
my $series = 12;
my $cluster = Cluster->new;
my $db;

sub connect_again
{
	for (1 .. 200)
	{
		$db = eval { Session->new };
		return if $db;
		sleep 0.1;
	}
	die 'the server does not come back';
}
sub sql
{
	my $result = $db->query($_[0]);
	die "$_[0]: " . $db->error if $db->error =~ /ERROR|FATAL|server closed/;
	return $result;
}

connect_again();
sql(qq{
	SET client_min_messages = warning;
	CREATE EXTENSION arima_ops;
	SELECT arima_ops.create_series('s' || i, '(1,1,1)', policy => '{"backtest_length": 60, "retrain_every": 1, "cooldown": 0, "retention": "10 years"}') FROM generate_series(1, $series) AS i;
	CREATE TABLE truth AS
	SELECT 's' || s AS series, '2020-01-01'::timestamptz + i * interval '1 day' AS ts, 100 + sum(hashint4(s * 10000 + i) / 2147483648.0) OVER (PARTITION BY s ORDER BY i)::float8 AS value, i
	FROM generate_series(1, $series) AS s, generate_series(1, 600) AS i;
	INSERT INTO arima_ops.actuals (series, ts, value) SELECT series, ts, value FROM truth WHERE i <= 300;
	SELECT arima_ops.train(name) FROM arima_ops.series;
	-- ready-made predictions: what a round labels and what retention removes
	CREATE FUNCTION ask(session int, n int) RETURNS void LANGUAGE sql AS \$\$
		INSERT INTO arima_ops.predictions (series, version, as_of, history_len, forecast)
		SELECT m.series, m.version, t.ts, 0, t.value FROM arima_ops.models m JOIN truth t ON t.series = m.series AND t.i = session, generate_series(1, n)
		WHERE m.status = 'champion' \$\$;
});

# What must hold at every time; the empty string if it does.
my $sound = q{
	SELECT string_agg(what, '; ') FROM (
		SELECT 'series without exactly one champion' AS what FROM arima_ops.series s WHERE (SELECT count(*) FROM arima_ops.models m WHERE m.series = s.name AND m.status = 'champion') <> 1
		UNION ALL SELECT 'a wrong label' FROM arima_ops.predictions p WHERE target_ts IS NOT NULL AND as_of > '2002-01-01' AND (p.target_ts, p.actual) IS DISTINCT FROM
			(SELECT (a.ts, a.value) FROM arima_ops.actuals a WHERE a.series = p.series AND a.ts > p.as_of ORDER BY a.ts LIMIT 1)
		UNION ALL SELECT 'a promotion without its event' FROM arima_ops.models m WHERE promoted_at IS NOT NULL
			AND NOT EXISTS (SELECT FROM arima_ops.events e WHERE e.series = m.series AND e.version = m.version AND e.kind IN ('promotion', 'rollback'))
		UNION ALL SELECT 'a version without its evaluation' FROM arima_ops.models m
			WHERE NOT EXISTS (SELECT FROM arima_ops.evaluations e WHERE e.series = m.series AND e.version = m.version)
		UNION ALL SELECT 'two running jobs' FROM arima_ops.job_runs WHERE status = 'running' GROUP BY job HAVING count(*) > 1) AS x};

my $session = 300;    # how many values are known
# A job: work for a round, its CALL, and what is to be seen when it is done (1 or a message).
my %jobs = (
	etl => {
		prepare => sub { sql("SELECT ask($session, 400)"); arrive(); },
		done => sub { sql(q{SELECT count(*) FROM arima_ops.predictions WHERE target_ts IS NULL}) eq '0' },
		lost => sub { sql('SELECT count(*) FROM arima_ops.predictions') },
	},
	monitoring => {
		prepare => sub { for (1 .. 3) { sql("SELECT ask($session, 20)"); arrive(); } sql('SELECT arima_ops.score_predictions()'); },
		done => sub { sql(q{SELECT count(*) FROM (SELECT DISTINCT p.series, p.target_ts FROM arima_ops.predictions p JOIN arima_ops.models m USING (series, version)
				WHERE m.status = 'champion' AND p.target_ts > m.champion_from) x
			WHERE NOT EXISTS (SELECT FROM arima_ops.drift_checks d WHERE d.series = x.series AND d.ts = x.target_ts)}) eq '0' },
		lost => sub { sql('SELECT count(*) FROM arima_ops.predictions WHERE target_ts IS NOT NULL') },
	},
	retraining => {
		prepare => sub { arrive(); sql('CREATE TABLE IF NOT EXISTS versions AS SELECT series, max(version) AS version FROM arima_ops.models GROUP BY 1;
			UPDATE versions v SET version = (SELECT max(m.version) FROM arima_ops.models m WHERE m.series = v.series)'); },
		# one new version each: none is missing, none was trained twice
		done => sub { sql(q{SELECT count(*) FROM versions v WHERE v.version + 1 <> (SELECT max(m.version) FROM arima_ops.models m WHERE m.series = v.series)}) eq '0' },
		lost => sub { sql('SELECT count(*) FROM arima_ops.actuals') },
	},
	retention => {
		prepare => sub { sql(q{INSERT INTO arima_ops.predictions (series, as_of, history_len, forecast, target_ts, actual, scored_at)
			SELECT 's1', '2001-01-01', 0, 1, '2001-01-02', 1, '2001-01-02' FROM generate_series(1, 30000)}); },
		done => sub { sql(q{SELECT count(*) FROM arima_ops.predictions WHERE scored_at < '2002-01-01'}) eq '0' },
		lost => sub { sql(q{SELECT count(*) FROM arima_ops.predictions WHERE as_of > '2002-01-01'}) },
	});

# One more session of each series.
sub arrive
{
	$session++;
	sql("INSERT INTO arima_ops.actuals (series, ts, value) SELECT series, ts, value FROM truth WHERE i = $session");
}

# Runs a job to its end; how long it took.
sub run
{
	my ($name) = @_;
	my $begin = time;

	sql("CALL arima_ops.run_$name()");
	return time - $begin;
}

for my $name (sort keys %jobs)
{
	my $job = $jobs{$name};
	my $killed_at_work = 0;

	$job->{prepare}->();
	my $takes = run($name);
	ok($job->{done}->(), "$name: runs undisturbed");
	for my $round (1 .. $rounds)
	{
		$job->{prepare}->();
		my $before = $job->{lost}->();
		$db->send("CALL arima_ops.run_$name()");
		sleep $takes * ($round - 0.5) / $rounds;
		if ($round % 4 == 0)
		{
			$cluster->crash;
			eval { $db->end };
			$cluster->start;
		}
		else
		{
			kill 'KILL', $db->pid;
			eval { $db->end };
			# until the server has noticed, it lets new sessions in and ends them then
			for (1 .. 600)
			{
				last unless kill 0, $db->pid;
				sleep 0.05;
			}
		}
		connect_again();
		$killed_at_work++ if sql("SELECT status FROM arima_ops.job_runs WHERE job = '$name' ORDER BY id DESC LIMIT 1") eq 'running';
		my $wrong = sql($sound);
		my $after = $job->{lost}->();
		run($name);
		my $ended = sql("SELECT status FROM arima_ops.job_runs WHERE job = '$name' ORDER BY id DESC LIMIT 1");
		my $bad = join '; ', grep { $_ ne '' } $wrong, sql($sound), $after eq $before ? '' : "$before rows before, $after after",
			$ended eq 'succeeded' ? '' : "the job is $ended", $job->{done}->() ? '' : 'not done';
		is($bad, '', "$name: killed after " . sprintf('%.2f', $takes * ($round - 0.5) / $rounds) . ' s');
	}
	is(sql("SELECT count(*) FROM arima_ops.job_runs WHERE job = '$name' AND status = 'running'"), '0', "$name: no run is left open, $killed_at_work of $rounds were killed at work");
}
$db->end;
done_testing();
