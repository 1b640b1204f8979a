# Everything at once: sixteen clients ask, record, revise, label, train, promote, roll back, check and run the
# jobs on a few series for MIXED_SECONDS (5; "make soak": 240).  None of them may fail or deadlock, and in the
# end all that must be so is so.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;
use Session;

my $seconds = $ENV{MIXED_SECONDS} // 5;
my $dir = tempdir(CLEANUP => 1);
my $setup = Session->new;

sub once { my ($sql) = @_; my $r = $setup->query($sql); die "$sql: " . $setup->error if $setup->error =~ /ERROR/; return $r; }
once('DROP DATABASE IF EXISTS mixed WITH (FORCE)');
once('CREATE DATABASE mixed');
$setup->end;
$ENV{PGDATABASE} = 'mixed';
my $db = Session->new(600 + 2 * $seconds);
sub sql
{
	my ($sql) = @_;
	my $result = $db->query($sql);
	die "$sql: " . $db->error if $db->error =~ /ERROR/;
	return $result;
}

sql(q{SET client_min_messages = warning;
	CREATE EXTENSION arima_ops;
	SELECT arima_ops.configure_tracking('http://127.0.0.1:9');
	SELECT arima_ops.create_series('s' || i, '(0,1,1)', policy => '{"backtest_length": 20, "retrain_every": 3, "cooldown": 1, "promotion_policy": "rmse_only", "retention": "20 years"}')
	FROM generate_series(1, 6) AS i;
	INSERT INTO arima_ops.actuals (series, ts, value)
	SELECT 's' || s, '2020-01-01'::timestamptz + i * interval '1 day', 100 + 3 * sin(s * i) + i / 50.0 FROM generate_series(1, 6) AS s, generate_series(1, 100) AS i;
	SELECT arima_ops.train(name), arima_ops.train(name, '(1,0,0)') FROM arima_ops.series;
	SELECT arima_ops.promote(name, 2) FROM arima_ops.series;
	CREATE SEQUENCE session START 101;
	CREATE TABLE asked (id bigint)});

# name, weight, script; what is refused by a rule, such as a rollback without former champion, is caught
my @scripts = (
	[ ask => 12, q{WITH p AS (SELECT id FROM arima_ops.predict('s:s', horizon => 1 + :s % 3)) INSERT INTO asked SELECT id FROM p;} ],
	[ ask_recent => 6, q{WITH p AS (SELECT id FROM arima_ops.predict('s:s', ARRAY[101,102,100,103,104,102,101,100,99,102,101])) INSERT INTO asked SELECT id FROM p;} ],
	[ ask_again => 3, q{SELECT count(*) FROM arima_ops.predict('s:s', request_id => 'k' || :r / 100);} ],
	[ together => 6, q{SELECT (arima_ops.answer_requests(ARRAY['{"series": "s:s", "recent_prices": [1,2,3,4,5,6,7,8,9,10]}', '{"series": "s1", "recent_prices": [1,2,3,4,5,6,7,8,9,10]}']))[1].status;} ],
	[ arrive => 10, q{SELECT arima_ops.record_actuals('s:s', ARRAY['2020-01-01'::timestamptz + nextval('session') * interval '1 day'], ARRAY[100 + :r / 200.0]);} ],
	[ arrive_many => 3, q{INSERT INTO arima_ops.actuals (series, ts, value) SELECT 's' || s, '2020-01-01'::timestamptz + n * interval '1 day' + s * interval '1 s', 100 + :r / 200.0
		FROM nextval('session') AS n, unnest(ARRAY[5,2,6,1,4,3]) AS s;} ],
	[ late => 3, q{INSERT INTO arima_ops.actuals (series, ts, value) SELECT 's:s', '2020-01-01'::timestamptz + last_value * interval '1 day' - :r * interval '1 minute', 100 FROM session ON CONFLICT DO NOTHING;} ],
	[ same => 2, q{INSERT INTO arima_ops.actuals (series, ts, value) SELECT 's:s', '2020-01-01'::timestamptz + last_value * interval '1 day' + interval '1 hour', 100 FROM session ON CONFLICT DO NOTHING;} ],
	[ same_too => 2, q{SELECT arima_ops.record_actuals('s:s', ARRAY['2020-01-01'::timestamptz + last_value * interval '1 day' + interval '1 hour'], ARRAY[100 + :r / 200.0]) FROM session;} ],
	[ revise => 5, q{UPDATE arima_ops.actuals SET value = value + 0.5 WHERE series = 's:s' AND ts = (SELECT ts FROM arima_ops.actuals WHERE series = 's:s' ORDER BY ts DESC OFFSET :r % 3 LIMIT 1);} ],
	[ revise_many => 2, q{SELECT arima_ops.record_actuals('s:s', array_agg(ts), array_agg(value + 0.25)) FROM (SELECT ts, value FROM arima_ops.actuals WHERE series = 's:s' ORDER BY ts DESC LIMIT 4) AS l;} ],
	[ remove => 1, q{DELETE FROM arima_ops.actuals WHERE series = 's:s' AND ts = (SELECT ts FROM arima_ops.actuals WHERE series = 's:s' ORDER BY ts DESC OFFSET 1 LIMIT 1);} ],
	[ restate => 1, q{SELECT arima_ops.restate('s:s', CASE WHEN :r % 2 = 0 THEN 2 ELSE 0.5 END, (SELECT max(ts) FROM arima_ops.actuals WHERE series = 's:s'));} ],
	[ score => 4, q{SELECT arima_ops.score_predictions();} ],
	[ score_one => 3, q{SELECT arima_ops.score_predictions('s:s');} ],
	[ check => 4, q{SELECT count(*) FROM arima_ops.detect_drift();} ],
	[ train => 2, q{SELECT arima_ops.train('s:s');} ],
	[ retrain => 3, q{SELECT outcome FROM arima_ops.retrain('s:s', :r % 2 = 0);} ],
	[ promote => 2, q{SELECT arima_ops.promote('s:s', 1 + :r % 2);} ],
	[ rollback => 2, q{DO $$ BEGIN PERFORM arima_ops.rollback('s:s'); EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END $$;} ],
	[ policy => 2, q{SELECT arima_ops.set_policy('s:s', jsonb_build_object('drift_window', 10 + :r % 5, 'drift_min_labels', 5, 'spec', CASE WHEN :r % 2 = 0 THEN '(0,1,1)' ELSE '(0,1,0)' END));} ],
	[ look => 2, q{SELECT count(*) FROM arima_ops.monitoring; SELECT count(*) FROM arima_ops.doctor_series();} ],
	[ etl => 1, 'CALL arima_ops.run_etl(2);' ],
	[ monitoring => 1, 'CALL arima_ops.run_monitoring(2);' ],
	[ retraining => 1, 'CALL arima_ops.run_retraining(batch => 3);' ],
	[ retention => 1, 'CALL arima_ops.run_retention();' ],
	[ come_and_go => 1, q{SELECT arima_ops.create_series('t:client_id', '(0,1,0)'); SELECT arima_ops.record_actuals('t:client_id', array_agg('2020-01-01'::timestamptz + i * interval '1 day'), array_agg(i)) FROM generate_series(1, 60) AS i;
		SELECT arima_ops.train('t:client_id'); SELECT count(*) FROM arima_ops.predict('t:client_id'); SELECT arima_ops.drop_series('t:client_id');} ]);
my @files;
for (@scripts)
{
	my ($name, $weight, $text) = @$_;

	open my $file, '>', "$dir/$name" or die $!;
	print $file "\\set s random(1, 6)\n\\set r random(0, 10000)\n$text\n" =~ s/\n\t\t/ /gr =~ s/; SELECT/;\nSELECT/gr;
	close $file;
	push @files, '-f', "$dir/$name\@$weight";
}
my $status = system("PGOPTIONS='-c client_min_messages=error' pgbench -n -c 16 -j 2 -T $seconds @files mixed >$dir/log 2>&1");
my ($number) = `cat $dir/log` =~ /actually processed: (\d+)/;
is($status, 0, 'sixteen clients, no error') or diag(join '', grep { /ERROR|aborted|DETAIL/ } `cat $dir/log`);
cmp_ok($number // 0, '>', 20 * $seconds, 'which were not idle');
diag("$number transactions in $seconds s");
is(sql(q{SELECT deadlocks FROM pg_stat_database WHERE datname = 'mixed'}), '0', 'no deadlock') or diag(qx(grep -A12 'mixed ERROR:  deadlock' '$ENV{PGHOST}/log' | head -n 80));

# what is left to do
sql("CALL arima_ops.run_$_()") for qw(etl monitoring retraining retention);
my %wrong = (
	'series without exactly one champion' => q{SELECT s.name FROM arima_ops.series s WHERE (SELECT count(*) FROM arima_ops.models m WHERE m.series = s.name AND m.status = 'champion') <> 1},
	'labels that are not what the values say' => q{SELECT p.id FROM arima_ops.predictions p LEFT JOIN LATERAL (SELECT a.ts, a.value FROM arima_ops.actuals a
			WHERE a.series = p.series AND a.ts > p.as_of ORDER BY a.ts OFFSET p.lead + p.horizon - 1 LIMIT 1) a ON true WHERE (p.target_ts, p.actual) IS DISTINCT FROM (a.ts, a.value)},
	'answers that are not in the log' => q{SELECT id FROM asked WHERE id NOT IN (SELECT id FROM arima_ops.predictions)},
	'requests answered twice' => q{SELECT request_id FROM arima_ops.predictions WHERE request_id IS NOT NULL GROUP BY series, request_id, horizon HAVING count(*) > 1},
	'champions that the last event of their series does not name' => q{SELECT m.series, m.version, e.version FROM arima_ops.models m, LATERAL (SELECT e.version FROM arima_ops.events e
			WHERE e.series = m.series AND e.kind IN ('promotion', 'rollback') ORDER BY e.id DESC LIMIT 1) e WHERE m.status = 'champion' AND m.version <> e.version},
	'versions without event' => q{SELECT m.series, m.version FROM arima_ops.models m WHERE NOT EXISTS (SELECT FROM arima_ops.events e
			WHERE e.series = m.series AND e.version = m.version AND e.kind IN ('training', 'promotion', 'rejection'))},
	'gaps between the versions' => q{SELECT series FROM arima_ops.models GROUP BY series HAVING max(version) <> count(*)},
	'versions without evaluation' => q{SELECT m.series, m.version FROM arima_ops.models m WHERE NOT EXISTS (SELECT FROM arima_ops.evaluations e WHERE e.series = m.series AND e.version = m.version)},
	'outbox that does not end with the status of the model' => q{SELECT m.series, m.version FROM arima_ops.models m WHERE m.status <> (SELECT o.stage FROM arima_ops.tracking_outbox o
			WHERE o.series = m.series AND o.version = m.version ORDER BY o.id DESC LIMIT 1)},
	'labelled sessions of champions without check' => q{SELECT DISTINCT p.series, p.target_ts FROM arima_ops.predictions p JOIN arima_ops.models m USING (series, version)
			WHERE m.status = 'champion' AND p.horizon = 1 AND p.placed IS NOT FALSE AND p.target_ts > m.champion_from AND NOT EXISTS (SELECT FROM arima_ops.drift_checks d WHERE d.series = p.series AND d.version = p.version AND d.ts = p.target_ts)},
	'checks that are not of the labels there are' => q{SELECT d.series, d.ts FROM arima_ops.drift_checks d JOIN arima_ops.models m USING (series, version), LATERAL (SELECT count(*) AS n, sqrt(avg(p.error ^ 2)) AS rmse
			FROM arima_ops.predictions p WHERE p.series = d.series AND p.version = d.version AND p.horizon = 1 AND p.placed IS NOT FALSE AND p.target_ts = d.ts
			GROUP BY p.history_len = 0 ORDER BY p.history_len = 0 DESC LIMIT 1) l
			WHERE m.status = 'champion' AND d.ts > m.champion_from AND (l.n <> d.predictions OR abs(l.rmse - d.session_rmse) > 1e-9 * l.rmse)},
	'jobs left open' => q{SELECT id FROM arima_ops.job_runs WHERE status = 'running'},
	'jobs that failed' => q{SELECT job, error FROM arima_ops.job_runs WHERE status = 'failed'},
	'errors that are events' => q{SELECT kind, series, message FROM arima_ops.events WHERE kind LIKE '%_failed'});
is(sql("SELECT string_agg(w::text, ' ') FROM (SELECT * FROM ($wrong{$_}) AS x LIMIT 5) AS w"), '', "no $_") for sort keys %wrong;
cmp_ok(sql("SELECT count(*) FROM arima_ops.events WHERE kind = '$_'"), '>', 0, "there were events of kind $_") for qw(promotion rollback restatement revision late);
$db->end;
$setup = do { local $ENV{PGDATABASE} = 'postgres'; Session->new };
once('DROP DATABASE mixed WITH (FORCE)');
done_testing();
