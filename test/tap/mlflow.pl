# A real MLflow server is told the life of models: all of it, once, whatever
# happens on the way.

use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

use LossyProxy;
use MlflowServer;
use Session;

# a session that is ended by the server does not end the test
$SIG{PIPE} = 'IGNORE';

my ($environment, $reason) = MlflowServer::environment();
plan skip_all => "skipped: no MLflow ($reason)" unless $environment;
my $mlflow = MlflowServer->new($environment);
my $proxy = LossyProxy->new($mlflow->port);
my $uri = 'http://127.0.0.1:' . $proxy->port;
my $experiment = 'ARIMA_PRODUCTION';
# a database of its own: models of other tests would be told, too
my $setup = Session->new;
$setup->query('DROP DATABASE IF EXISTS mlflow_test WITH (FORCE)');
$setup->query('CREATE DATABASE mlflow_test');
$setup->end;
$ENV{PGDATABASE} = 'mlflow_test';
my $session = Session->new;

# Runs SQL that must not fail.
sub sql { return $session->must($_[0]); }

# Calls the job; what it noted of itself.
sub run_tracking
{
	sql('CALL arima_ops.run_tracking()');
	return sql("SELECT concat_ws('|', status, done, total, error) FROM arima_ops.job_runs WHERE job = 'tracking' ORDER BY id DESC LIMIT 1");
}

# The entries of the outbox that are not confirmed: version, stage, status, step, attempts.
sub open_entries
{
	return sql("SELECT concat_ws(' ', series, version, stage, status, step, attempts) FROM arima_ops.tracking_outbox
		WHERE status <> 'confirmed' ORDER BY id");
}

# Repeats the job, without its pauses, until there is nothing left; how many calls that took.
sub run_until_done
{
	for my $calls (1 .. 60)
	{
		sql('SELECT arima_ops.retry_tracking()');
		run_tracking();
		return $calls unless open_entries();
	}
	return 'not done: ' . open_entries();
}

# A series: 300 values of a random walk, told from each other by the seed.
sub create_series
{
	my ($name, $spec, $seed) = @_;

	sql("SELECT arima_ops.create_series('$name', '$spec', policy => '{\"promotion_policy\": \"rmse_only\", \"backtest_length\": 40, \"cooldown\": 0}');
		SELECT arima_ops.record_actuals('$name', array_agg('2025-01-01Z'::timestamptz + i * interval '1 day'), array_agg(100 + s))
		FROM (SELECT i, sum(hashint4($seed + i) / 2147483648.0) OVER (ORDER BY i) AS s FROM generate_series(1, 300) i) walk");
}

# Its life: a poor champion, a better one, one that is rejected, and back to the first.
sub live
{
	my ($name) = @_;

	sql("SELECT arima_ops.train('$name', '(0,0,0)')");
	sql("SELECT arima_ops.retrain('$name', true)");
	sql("UPDATE arima_ops.series SET spec = '(0,0,0)' WHERE name = '$name'; SELECT arima_ops.retrain('$name', true)");
}

# The runs of a series, as version to run.
sub runs_of
{
	my ($name, $in) = @_;
	my %runs;

	push @{ $runs{ $_->{tags}{'arima_ops.version'} // 'none' } }, $_
	  for grep { ($_->{tags}{'arima_ops.series'} // '') eq $name || !$_->{tags}{'arima_ops.series'} } $mlflow->runs($in || $experiment);
	return \%runs;
}

# What MLflow must know of a series that has lived, and no more.
sub check_story
{
	my ($name, $what) = @_;
	my $runs = runs_of($name);
	my %stage = (1 => 'archived', 2 => 'promoted', 3 => 'rejected');

	is_deeply([ map { scalar @{ $runs->{$_} || [] } } 1 .. 3, 'none' ], [ 1, 1, 1, 0 ], "$what: one run for each version");
	for my $version (1 .. 3)
	{
		my $run = $runs->{$version}[0];
		my $artifacts = $mlflow->ask("artifacts/list?run_id=$run->{run_id}");
		is($run->{tags}{model_stage}, $stage{$version}, "$what: stage of version $version");
		is("$run->{status} " . join(' ', map { $_->{path} } @{ $artifacts->{files} }), 'FINISHED model predictions.csv', "$what: version $version is complete");
	}
	my $versions = $mlflow->ask("model-versions/search?filter=name%3D%27arima-$name%27")->{model_versions};
	is_deeply({ map { $_->{version} => $_->{run_id} } @$versions }, { 1 => $runs->{1}[0]{run_id}, 2 => $runs->{2}[0]{run_id} },
		"$what: the champions are registered once each");
	is($mlflow->ask("registered-models/alias?name=arima-$name&alias=champion")->{model_version}{version}, 2, "$what: alias of the champion");
}

# A number of the database, for comparison with one of MLflow.
sub same_number
{
	my ($got, $expected, $what) = @_;
	cmp_ok(abs($got - $expected), '<=', 1e-12 * abs($expected), $what) or diag("$got and $expected");
}

sql("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS arima_ops");
# settings of an extension are known once its library is loaded
sql("LOAD 'arima_ops'");
sql("ALTER SYSTEM SET arima_ops.http_allowed_hosts = '127.0.0.1:" . $proxy->port . "'");
sql('SELECT pg_reload_conf()');

# ---- not used ----

create_series('quiet', '(0,1,0)', 0);
sql("SELECT arima_ops.train('quiet')");
is(run_tracking(), 'succeeded|0|0', 'without a tracking server there is nothing to do');
is(sql('SELECT count(*) FROM arima_ops.tracking_outbox'), 0, 'and nothing is written down');
sql("SELECT arima_ops.configure_tracking('$uri/')");
is(open_entries(), 'quiet 1 champion waiting begin 0', 'the models that are there are told as soon as there is one');
sql('DELETE FROM arima_ops.tracking_outbox');

# ---- MLflow is down: nothing is held up, nothing is lost ----

create_series('lost', '(0,1,0)', 3000);
$proxy->stop;
live('lost');
my $begin = time;
like(run_tracking(), qr/^failed\|0\|4\|experiment: connect, host 127\.0\.0\.1/, 'a server that is down fails the job');
cmp_ok(time - $begin, '<', 5, 'at once');
is(open_entries(), "lost 1 champion waiting experiment 1\nlost 2 champion waiting begin 0\nlost 1 archived waiting begin 0\nlost 3 rejected waiting begin 0",
	'everything waits, in its order');
is(run_tracking(), 'succeeded|0|4', 'it is not asked again before its time');
is(sql("SELECT next_attempt_at - clock_timestamp() BETWEEN interval '1 s' AND interval '10 s' FROM arima_ops.tracking_outbox WHERE attempts = 1"), 't', 'which is soon');
sql("UPDATE arima_ops.tracking_outbox SET attempts = 2000, next_attempt_at = clock_timestamp() WHERE attempts = 1");
like(run_tracking(), qr/^failed\|0\|4\|/, 'after a week: it is still asked');
is(sql("SELECT status || ' ' || (next_attempt_at - clock_timestamp() BETWEEN interval '14 min' AND interval '15 min')
	FROM arima_ops.tracking_outbox WHERE attempts = 2001"), 'waiting true', 'every quarter of an hour');
$proxy->start;

# ---- no other answer than MLflow's own is an end of it ----

for my $answer (
	[ 'a login page', "200 OK\r\nContent-Type: text/html", '<html>Log in</html>', qr/status 200, and not an answer of MLflow/ ],
	[ 'a wrong path', "404 Not Found\r\nContent-Type: text/html", '<html>nothing here</html>', qr/status 404, and not an answer/ ],
	[ 'an answer of something else', '200 OK', '{"status": "ok"}', qr/status 200, and not an answer/ ],
	[ 'wrong credentials', '401 Unauthorized', '{"error_code": "UNAUTHENTICATED", "message": "who?"}', qr/401 UNAUTHENTICATED, who\?/ ],
	[ 'a database that is down', '500 Internal Server Error', '{"error_code": "INTERNAL_ERROR", "message": "no"}', qr/500 INTERNAL_ERROR, no/ ],
	[ 'too many requests', "429 Too Many Requests\r\nRetry-After: 1800", '', qr/status 429/ ])
{
	my ($what, $head, $body, $error) = @$answer;
	$proxy->mode("HTTP/1.1 $head\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body");
	sql('SELECT arima_ops.retry_tracking()');
	like(run_tracking(), qr/^failed\|0\|4\|experiment: $error/, "$what: the job says so");
	like(open_entries(), qr/^lost 1 champion waiting experiment \d+$/m, "$what: the entry waits");
}
is(sql("SELECT next_attempt_at - clock_timestamp() BETWEEN interval '29 min' AND interval '30 min' FROM arima_ops.tracking_outbox WHERE attempts > 0"), 't',
	'as long as the server wants');

# ---- the first answer to every request is lost ----

$mlflow->ready;
$proxy->requests;
$proxy->mode('lose');
my $calls = run_until_done();
cmp_ok($calls, '>', 20, 'each answer lost once: takes many calls of the job') and cmp_ok($calls, '<', 60, 'but ends') or diag($calls);
my %sent;
$sent{$_}++ for map { m{^\S+ /api/2\.0/mlflow/(\S+/create) } ? $1 : () } $proxy->requests;
is_deeply(\%sent, { 'experiments/create' => 2, 'runs/create' => 3, 'registered-models/create' => 3, 'model-versions/create' => 2 },
	'runs and versions are not created again; what has a name, MLflow itself has only once');
check_story('lost', 'answers lost');

# ---- the whole story, undisturbed ----

$proxy->mode('pass');
create_series('AAPL', '(0,1,0)(1,0,0)[5]', 9000);
live('AAPL');
is(run_tracking(), 'succeeded|4|4', 'undisturbed: one call');
my @requests = $proxy->requests;
cmp_ok(scalar @requests, '<=', 36, 'requests for three models and four changes') or diag(scalar @requests);
check_story('AAPL', 'undisturbed');

my $run = runs_of('AAPL')->{2}[0];
my %params = %{ $run->{params} };
is(join(' ', map { "$_=$params{$_}" } qw(model_type p d q P D Q m forecast_horizon split_date n trained_from trained_to)),
	'model_type=ARIMA p=0 d=1 q=0 P=1 D=0 Q=0 m=5 forecast_horizon=1 split_date=2025-09-19 n=300 trained_from=2025-01-02 trained_to=2025-10-28',
	'parameters');
is($run->{run_name}, 'AAPL v2 (0,1,0)(1,0,0)[5]', 'name of the run');
for my $metric (qw(mae rmse mape smape mase naive_rmse))
{
	same_number($run->{metrics}{$metric}, sql("SELECT $metric FROM arima_ops.evaluations WHERE series = 'AAPL' AND version = 2"), "metric $metric");
}
same_number($run->{metrics}{candidate_rmse}, sql("SELECT rmse FROM arima_ops.evaluations WHERE series = 'AAPL' AND version = 2"), 'metric candidate_rmse');
same_number($run->{metrics}{production_rmse}, sql("SELECT champion_rmse FROM arima_ops.evaluations WHERE series = 'AAPL' AND version = 2"), 'metric production_rmse');
is_deeply([ @{ $run->{tags} }{qw(arima_ops.database arima_ops.series arima_ops.version arima_ops.outbox_id)} ],
	[ split /\|/, sql("SELECT current_database(), series, version, key FROM arima_ops.tracking_runs WHERE series = 'AAPL' AND version = 2") ], 'tags');

my $files = "mlflow-artifacts/artifacts/$run->{experiment_id}/$run->{run_id}/artifacts";
my ($header, @folds) = split /\n/, $mlflow->content("$files/predictions.csv");
is($header, 'session,actual,forecast,champion_forecast', 'predictions: header');
is(scalar @folds, 40, 'predictions: one line a fold');
my ($own, $champions) = (0, 0);
for (@folds)
{
	my (undef, $actual, $forecast, $champion) = split /,/;
	$own += ($actual - $forecast)**2 / @folds;
	$champions += ($actual - $champion)**2 / @folds;
}
same_number(sqrt $own, $run->{metrics}{candidate_rmse}, 'predictions: give the RMSE of the candidate');
same_number(sqrt $champions, $run->{metrics}{production_rmse}, 'predictions: give the RMSE of the champion');
like($folds[0], qr/^2025-09-19,/, 'predictions: begin with the split date');
my $json = $mlflow->content("$files/model/model.json");
is(sql("SELECT model::text = (\$\$$json\$\$::arima_model)::text FROM arima_ops.models WHERE series = 'AAPL' AND version = 2"), 't',
	'the model can be taken back from MLflow');
like($mlflow->content("$files/model/MLmodel"), qr/^flavors:\n  arima_ops:\n    data: model.json\n    spec: "\(0,1,0\)\(1,0,0\)\[5\]"\nrun_id: "$run->{run_id}"$/m, 'what the model is');

# ---- rollback ----

sql("SELECT arima_ops.rollback('AAPL')");
is(run_tracking(), 'succeeded|2|2', 'rollback: told');
is($mlflow->ask('registered-models/alias?name=arima-AAPL&alias=champion')->{model_version}{version}, 1, 'rollback: the alias is moved back');
is(join(' ', map { $_->{tags}{model_stage} } map { @$_ } @{ runs_of('AAPL') }{ 1, 2, 3 }), 'promoted archived rejected', 'rollback: stages');
is(scalar $mlflow->runs($experiment), 6, 'rollback: no new run');

# ---- what was removed in MLflow, or is another MLflow ----

$mlflow->ask('registered-models/delete', { name => 'arima-AAPL' }, 'DELETE');
sql("UPDATE arima_ops.tracking_runs SET run_id = repeat('0', 32) WHERE series = 'AAPL' AND version = 2");
sql("SELECT arima_ops.promote('AAPL', 2)");
cmp_ok(run_until_done(), '<=', 4, 'a run that is not there and a registered model that is gone: told all the same');
is($mlflow->ask('registered-models/alias?name=arima-AAPL&alias=champion')->{model_version}{run_id}, $run->{run_id}, 'the run is found, the model registered anew');
is(scalar $mlflow->runs($experiment), 6, 'and no run is made twice');

# ---- two runs at a time ----

create_series('twice', '(0,1,0)', 15000);
live('twice');
my $slow = Session->new;
$proxy->mode('slow');
$proxy->requests;
$slow->send('CALL arima_ops.run_tracking()');
sleep 0.05 until $proxy->requests;
my $second = Session->new;
$second->query('CALL arima_ops.run_tracking()');
like($second->error, qr/NOTICE:.* job "tracking" is running already/, 'a second run does not begin while the first one waits for answers');
$proxy->mode('pass');
$slow->wait;
is($slow->error, '', 'which goes on');
is(sql("SELECT concat_ws('|', status, done, total, error) FROM arima_ops.job_runs WHERE job = 'tracking' ORDER BY id DESC LIMIT 1"), 'succeeded|4|4', 'and tells all');
$_->end for $slow, $second;
check_story('twice', 'two runs');

# ---- killed in the middle, with nothing held while it waits ----

create_series('killed', '(0,1,0)', 20000);
live('killed');
for my $kill (1 .. 4)
{
	my $victim = Session->new;
	$proxy->mode('pass');
	$proxy->requests;
	$proxy->mode('slow') if $kill == 1;
	$victim->send('CALL arima_ops.run_tracking()');
	my $wanted = 2 * $kill - 1;
	my $seen = 0;
	for (1 .. 400)
	{
		$seen += $proxy->requests;
		last if $seen >= $wanted;
		sleep 0.01;
	}
	if ($kill == 1)
	{
		sleep 0.3;
		is(sql("SELECT concat_ws(' ', state, backend_xid, backend_xmin) FROM pg_stat_activity WHERE pid = " . $victim->pid), 'active',
			'while it waits it has no transaction id and no snapshot');
		is(sql("SELECT count(*) FROM pg_locks WHERE pid = " . $victim->pid . " AND locktype <> 'virtualxid' AND NOT (locktype = 'advisory' AND objsubid = 3)"), 0, 'and no lock but that of its job');
	}
	sql('SELECT pg_terminate_backend(' . $victim->pid . ', 5000)');
	$proxy->mode('pass');
	eval { $victim->end };
	is(run_tracking() =~ s/\|.*//r, 'succeeded', 'what is under way is left to whoever sent it') if $kill == 1;
	sql("UPDATE arima_ops.tracking_outbox SET under_way_until = under_way_until - interval '5 min'");
}
isnt(open_entries(), '', 'killed four times: there is something left to do');
like(run_tracking(), qr/^succeeded\|\d\|\d$/, 'killed: the next call does the rest');
is(sql("SELECT count(*) > 0 FROM arima_ops.job_runs WHERE job = 'tracking' AND status = 'abandoned'"), 't', 'killed: the runs before are closed as abandoned');
check_story('killed', 'killed');

# ---- what MLflow refuses is parked, and does not stand in the way ----

my $id = $mlflow->ask('experiments/create', { name => 'gone' })->{experiment_id};
$mlflow->ask('experiments/delete', { experiment_id => $id });
sql("SELECT arima_ops.configure_tracking('$uri', experiment => 'gone')");
sql("DELETE FROM arima_ops.tracking_outbox WHERE series = 'quiet'");
create_series('refused', '(0,1,0)', 40000);
sql("SELECT arima_ops.train('refused')");
like(run_tracking(), qr/^failed\|0\|1\|1 entries of arima_ops.tracking_outbox are parked$/, 'refused: the job says so');
is(sql("SELECT status || ': ' || last_error FROM arima_ops.tracking_outbox WHERE series = 'refused'"),
	'parked: experiment "gone" is deleted in MLflow: restore it there, or name another one', 'refused: so does the entry');
is(run_tracking(), 'succeeded|0|0', 'refused: it is not sent again by itself');
$mlflow->ask('experiments/restore', { experiment_id => $id });
is(sql("SELECT arima_ops.retry_tracking('refused')"), 1, 'mended: sent again on demand');
is(run_tracking(), 'succeeded|1|1', 'mended: told');

my $refused = runs_of('refused', 'gone')->{1}[0]{run_id};
$mlflow->ask('runs/delete', { run_id => $refused });
sql("SELECT arima_ops.retrain('refused', true); UPDATE arima_ops.series SET spec = '(0,1,1)' WHERE name = 'refused'");
sql("SELECT arima_ops.train('refused'); SELECT arima_ops.promote('refused', (SELECT max(version) FROM arima_ops.models WHERE series = 'refused'))");
like(run_tracking(), qr/^failed\|\d\|\d\|1 entries/, 'a run deleted in MLflow: the entry about it is parked');
like(open_entries(), qr/^refused 1 archived parked log 1$/, 'the later ones are told');
is(sql("SELECT last_error LIKE 'log: 400 INVALID_PARAMETER_VALUE, %' FROM arima_ops.tracking_outbox WHERE status = 'parked' AND series = 'refused'"), 't', 'with what MLflow says');

# ---- credentials ----

my $secrets = sql("SELECT current_setting('data_directory')") . '/mlflow_secrets';
sql("COPY (SELECT 'mlflow 127.0.0.1:" . $proxy->port . " dXNlcjpwYXNz') TO PROGRAM 'umask 077; cat > $secrets'");
sql("ALTER SYSTEM SET arima_ops.http_secrets_file = '$secrets'");
sql('SELECT pg_reload_conf()');
$session->query("SELECT arima_ops.configure_tracking('$uri', headers => ARRAY['Authorization: Basic dXNlcjpwYXNz'])");
like($session->error, qr/ERROR:  22023: credentials must not be stored in a table/, 'credentials in the table are refused');
sql("SELECT arima_ops.configure_tracking('$uri', headers => ARRAY['Authorization: Basic {secret:mlflow}'])");
$proxy->requests;
create_series('secret', '(0,1,0)', 60000);
sql("SELECT arima_ops.train('secret')");
run_tracking();
my @with = grep { /^authorization: Basic dXNlcjpwYXNz\r$/mi } my @all = $proxy->requests;
cmp_ok(scalar @with, '>', 5, 'credentials are sent') and is(scalar @with, scalar @all, 'with each request');
is(sql("SELECT count(*) FROM arima_ops.tracking_outbox AS o, arima_ops.tracking_settings AS s, arima_ops.job_runs AS j
	WHERE concat(o, s, j) LIKE '%dXNlcjpwYXNz%'"), 0, 'and are in no table');

# ---- not used any more ----

sql('SELECT arima_ops.configure_tracking(NULL)');
sql("SELECT arima_ops.retrain('secret', true)");
is(sql("SELECT count(*) FROM arima_ops.tracking_outbox WHERE series = 'secret'"), 1, 'without a tracking server nothing more is written down');

sql("ALTER SYSTEM RESET arima_ops.http_allowed_hosts");
sql("ALTER SYSTEM RESET arima_ops.http_secrets_file");
sql('SELECT pg_reload_conf()');
$session->end;
done_testing();
