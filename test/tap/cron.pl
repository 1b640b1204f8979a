# The jobs on a real pg_cron, in its own database and in another one.

use strict;
use warnings;

use Test::More;
use Cluster;
use Session;

# pg_cron is a package of its own; a server without it cannot be tested
my ($libraries) = split /\n/, qx(pg_config --pkglibdir);
plan skip_all => "no pg_cron for this PostgreSQL ($libraries)" unless -e "$libraries/pg_cron.so";

my $cluster = Cluster->new(
	shared_preload_libraries => 'pg_cron',
	'cron.use_background_workers' => 'on',
	max_worker_processes => 20,
	fsync => 'off');
my $home = Session->new;
my $hint;

# Runs SQL that fails; its message and hint.
sub refusal
{
	my ($session, $sql) = @_;

	$session->query($sql);
	my ($error) = $session->error =~ /ERROR:\s+(\w+: .*)/;
	($hint) = $session->error =~ /HINT:\s+(.*)/;
	return $error // '';
}

# without pg_cron in the database
$home->query('CREATE EXTENSION arima_ops; CREATE DATABASE app');
is(refusal($home, 'SELECT arima_ops.schedule()'), '55000: pg_cron is not installed in this database', 'in the database of pg_cron, not created');
is($hint, 'CREATE EXTENSION pg_cron;', 'the hint says how');
# who is no superuser may not see the settings of pg_cron, nor look into its schema
my $schedule = q{SELECT status || ': ' || finding FROM arima_ops.doctor() WHERE check_name = 'schedule'};
is($home->query("SET ROLE arima_ops_reader; $schedule"), 'notice: pg_cron is not in this database', 'a reader asks the doctor');
is(refusal($home, 'SET ROLE arima_ops_admin; SELECT arima_ops.schedule()'), '55000: pg_cron is not in this database', 'an admin schedules');
$home->query('RESET ROLE');
$ENV{PGDATABASE} = 'app';
my $app = Session->new;
$app->query('CREATE EXTENSION arima_ops');
is(refusal($app, 'SELECT arima_ops.schedule()'), '55000: pg_cron lives in another database, "postgres"', 'in another database');
like($hint, qr/and there: SELECT \* FROM arima_ops.schedule\(database => 'app'\);/, 'the hint says how');

# from the database of pg_cron, for itself and for the other one, every minute
$home->query('CREATE EXTENSION pg_cron');
is($home->query("SET ROLE arima_ops_reader; $schedule"), 'notice: which jobs are on pg_cron is not for this user to see', 'it is here: a reader asks the doctor');
$home->query('SET ROLE arima_ops_admin');
is(refusal($home, 'SELECT arima_ops.schedule()'), '42501: permission denied for pg_cron', 'an admin schedules');
$home->query('CALL arima_ops.run_retention()');
is($home->query(q{SELECT status FROM arima_ops.job_runs WHERE job = 'retention'}), 'succeeded', 'and cleans up');
$home->query('RESET ROLE; GRANT USAGE ON SCHEMA cron TO arima_ops_admin');
is($home->query("SET ROLE arima_ops_admin; SELECT count(*) FROM arima_ops.schedule(); $schedule"), "5\nok: 5 of 5 jobs of this user are on pg_cron", 'and may, once it is told so');
is($home->query('SELECT arima_ops.unschedule(); RESET ROLE'), '5', 'unscheduled');
like(refusal($home, q{SELECT arima_ops.schedule(database => 'nowhere')}), qr/^3D000: there is no database "nowhere"/, 'a database that is not there');
like(refusal($home, q{SELECT arima_ops.schedule(etl => 'now and then')}), qr/invalid schedule/, 'a schedule that is none');
is($home->query('SELECT count(*) FROM cron.job'), '0', 'and nothing is scheduled by half');
# jobs are counted, not lines: one at two hours, one of another user, one of another database
$home->query(q{SELECT arima_ops.schedule(retention => NULL); SELECT cron.schedule('at noon', '0 12 * * *', 'CALL arima_ops.run_etl(20)');
	SET ROLE arima_ops_admin; SELECT arima_ops.schedule(retraining => NULL, retention => NULL); RESET ROLE;
	UPDATE cron.job SET database = 'app' WHERE username <> 'arima_ops_admin' AND jobname = 'arima_ops.retraining'});
is($home->query($schedule), 'notice: 3 of 5 jobs are on pg_cron', 'the doctor counts each job once');
$home->query('DELETE FROM cron.job');
is($home->query('SELECT string_agg(job || \' \' || schedule, \', \' ORDER BY jobid) FROM arima_ops.schedule()'),
	'arima_ops.etl 30 1-21/4 * * *, arima_ops.monitoring 45 1-21/4 * * *, arima_ops.retraining 0 22 * * 1-5, arima_ops.tracking */5 * * * *, arima_ops.retention 0 3 * * 0',
	'the usual schedules');
my $minutely = q{'* * * * *'};
$home->query("SELECT arima_ops.schedule($minutely, $minutely, $minutely, $minutely, $minutely)");
is($home->query('SELECT count(*), count(DISTINCT jobname), min(schedule), max(schedule) FROM cron.job'), '5|5|* * * * *|* * * * *', 'scheduled again: the schedules change, the jobs are the same');

# pg_cron before 1.4 (Debian's for PostgreSQL 13) knows only its own database
my $elsewhere = $home->query(q{SELECT to_regproc('cron.schedule_in_database') IS NOT NULL}) eq 't';
my $in_app    = "SELECT count(*) FROM arima_ops.schedule($minutely, $minutely, $minutely, $minutely, $minutely, database => 'app')";
if ($elsewhere)
{
	is($home->query($in_app), '5', 'for another database');
}
else
{
	is(refusal($home, $in_app), '0A000: this pg_cron cannot run jobs in another database', 'for another database');
	like($hint, qr/^Update pg_cron, or set cron.database_name = 'app'/, 'the hint says how');
}
my @served = ([ 'its own', $home ], $elsewhere ? [ 'another', $app ] : ());
my $lived  = $elsewhere ? $app : $home;
my $jobs   = 5 * @served;

# a life for the jobs: a series in the other database, where one can be served
$lived->query(q{SELECT arima_ops.create_series('s', '(0,1,1)', policy => '{"backtest_length": 30}');
	SELECT arima_ops.record_actuals('s', array_agg(now() - (130 - i) * interval '1 day'), array_agg(100 + sin(i * 7))) FROM generate_series(1, 100) AS i;
	SELECT arima_ops.train('s'); SELECT arima_ops.predict('s');
	SELECT arima_ops.record_actuals('s', array_agg(now() - (130 - i) * interval '1 day'), array_agg(100 + sin(i * 7))) FROM generate_series(101, 125) AS i});

my $done = q{SELECT count(DISTINCT j.jobname) FROM cron.job AS j JOIN cron.job_run_details AS d USING (jobid) WHERE d.status = 'succeeded'};
for (1 .. 150)
{
	last if $home->query($done) eq $jobs;
	sleep 1;
}
is($home->query($done), $jobs, 'each job has succeeded, in each database');
is($home->query(q{SELECT string_agg(DISTINCT status || ': ' || return_message, '; ') FROM cron.job_run_details WHERE status NOT IN ('succeeded', 'running', 'starting')}), '', 'none has failed');
for (@served)
{
	my ($name, $session) = @$_;
	is($session->query(q{SELECT string_agg(DISTINCT job, ' ' ORDER BY job) FROM arima_ops.job_runs WHERE status = 'succeeded'}),
		'etl monitoring retention retraining tracking', "$name database: the jobs noted it");
}
is($lived->query('SELECT count(target_ts), count(*) FROM arima_ops.predictions'), '1|1', 'the prediction is labelled');
is($lived->query(q{SELECT count(*) > 0 FROM arima_ops.models WHERE version > 1}), 't', 'the series was trained anew');

# NULL leaves a job out, and unschedule takes all away
is($home->query('SELECT count(*) FROM arima_ops.schedule(tracking => NULL)'), '4', 'without tracking');
is($home->query('SELECT count(*) FROM cron.job WHERE database = current_database()'), '4', 'which is taken off');
is($home->query(q{SELECT arima_ops.unschedule(), arima_ops.unschedule('app'), arima_ops.unschedule()}), $elsewhere ? '4|5|0' : '4|0|0', 'unscheduled');
is($home->query('SELECT count(*) FROM cron.job'), '0', 'nothing is left');
$_->end for $home, $app;
done_testing();
