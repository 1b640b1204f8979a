# pg_dump and restore keep every row and every sequence of the operations schema.

use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;
use Session;

my $dir = tempdir(CLEANUP => 1);

sub psql { my ($database, $sql) = @_; local $ENV{PGDATABASE} = $database; my $s = Session->new; my $r = $s->query($sql); my $e = $s->error; $s->end; die "$sql: $e" if $e =~ /ERROR/; return $r; }

psql('postgres', 'DROP DATABASE IF EXISTS dump_from');
psql('postgres', 'DROP DATABASE IF EXISTS dump_to');
psql('postgres', "CREATE DATABASE $_") for qw(dump_from dump_to);

# a life: two series, models, predictions labelled and not, a revision, a split, drift checks, a provider of one's own
psql('dump_from', q{
	CREATE EXTENSION arima_ops;
	SELECT arima_ops.configure_tracking('http://127.0.0.1:9');
	SELECT arima_ops.create_series(name, '(0,1,1)', policy => '{"backtest_length": 40, "retention": "2 years"}') FROM unnest(ARRAY['one', 'two']) AS name;
	SELECT arima_ops.record_actuals(name, array_agg(ts ORDER BY ts), array_agg(100 + 3 * sin(i) + i / 10.0 ORDER BY ts))
	FROM unnest(ARRAY['one', 'two']) AS name, generate_series(1, 120) AS i, LATERAL (SELECT '2024-01-01'::timestamptz + i * interval '1 day' AS ts) AS t GROUP BY name;
	SELECT arima_ops.train(name) FROM arima_ops.series;
	SELECT arima_ops.predict('one', as_of => '2024-01-01'::timestamptz + i * interval '1 day') FROM generate_series(80, 120) AS i;
	SELECT arima_ops.predict('two', horizon => 3, request_id => 'asked');
	SELECT arima_ops.score_predictions();
	UPDATE arima_ops.actuals SET value = value + 0.5 WHERE series = 'one' AND ts = '2024-04-10'::timestamptz;
	SELECT arima_ops.restate('two', 0.5, '2024-03-01');
	SELECT arima_ops.detect_drift();
	SELECT arima_ops.retrain('one', force => true);
	INSERT INTO arima_ops.providers (name, url, format, value_field) VALUES ('our_own', 'https://prices.example.com/{symbol}', 'yahoo', 'close');
	UPDATE arima_ops.series SET provider = 'our_own', symbol = 'TWO' WHERE name = 'two';
	CALL arima_ops.run_retention();
	-- as where it comes from another machine: its time zone is not known here
	INSERT INTO arima_ops.providers (name, url, format, value_field) VALUES ('elsewhere', 'https://prices.example.org/{symbol}', 'yahoo', 'close');
	SET session_replication_role = replica;
	UPDATE arima_ops.providers SET time_zone = 'Mars/Olympus' WHERE name = 'elsewhere';
});

# every table and sequence of the schema is dumped, or the test says which is not
is(psql('dump_from', q{
		SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class AS c
		WHERE c.relnamespace = 'arima_ops'::regnamespace AND c.relkind IN ('r', 'p', 'S')
			AND NOT c.oid = ANY (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'arima_ops')}),
	'', 'every table and sequence is marked to be dumped');

my $state = q{
	SELECT string_agg(line, E'\n' ORDER BY line) FROM (
		SELECT c.relname || ': ' || (xpath('/row/d/text()', query_to_xml(format(
			CASE WHEN c.relkind = 'S' THEN 'SELECT last_value || '' '' || is_called AS d FROM %s'
				ELSE 'SELECT count(*) || '' '' || coalesce(md5(string_agg(t::text, '','' ORDER BY t::text)), '''') AS d FROM %s AS t' END,
			c.oid::regclass), false, true, '')))[1]::text AS line
		FROM pg_class AS c WHERE c.relnamespace = 'arima_ops'::regnamespace AND c.relkind IN ('r', 'p', 'S')) AS lines};

# a way: its name, options of pg_dump, of one dump or of several, and how they are restored
my ($psql, $pg_restore) = ('psql -X -q -v ON_ERROR_STOP=1 -d dump_to -f', 'pg_restore --exit-on-error -d dump_to');
for my $way (
	[ 'plain', [''], $psql ],
	[ 'custom', ['-F custom'], $pg_restore ],
	[ 'sections', [ map { "--section=$_" } qw(pre-data data post-data) ], $psql ],
	[ 'schema and data', [ '--schema-only', '--data-only' ], $psql ],
	# before 14 there is no -e
	psql('postgres', 'SHOW server_version_num') >= 140000 ? [ 'the extension alone', ['-e arima_ops'], $psql ] : (),
	[ 'its tables alone', [q{-t 'arima_ops.*'}], $psql =~ s/-f$/-c 'CREATE EXTENSION arima_ops' -f/r ],
	# pg_restore does not keep the order that foreign keys want where it works in parallel
	[ 'parallel', ['-F directory -j 2'], "PGOPTIONS='-c session_replication_role=replica' $pg_restore -j 2" ])
{
	my ($format, $dumps, $restore) = @$way;
	my $log = "$dir/log";

	psql('postgres', 'DROP DATABASE dump_to');
	psql('postgres', 'CREATE DATABASE dump_to');
	my @files = map { "$dir/$format $_" } 1 .. @$dumps;
	is(join(' ', map { system("pg_dump $dumps->[$_] -f '$files[$_]' dump_from 2>'$log'") } 0 .. $#files), join(' ', (0) x @files), "$format: dumped") or diag(qx(cat '$log'));
	is(join(' ', map { system("$restore '$_' >'$log' 2>&1") } @files), join(' ', (0) x @files), "$format: restored") or diag(qx(cat '$log'));
	my ($from, $to) = map { psql($_, $state) } qw(dump_from dump_to);
	is($to, $from, "$format: every row and sequence is there again");
	cmp_ok(scalar(() = $from =~ /: [1-9]/g), '>=', 10, "$format: and there was something to keep");
}

unlike(scalar(qx(pg_dump -n arima_ops dump_from)), qr/^(COPY|CREATE)/m, 'the schema alone has nothing of it');
is(psql('dump_to', q{SELECT status || ': ' || finding FROM arima_ops.doctor() WHERE check_name = 'providers'}),
	'problem: time zones that are not known here: elsewhere (Mars/Olympus)', 'a time zone that is not known here is no obstacle, and the doctor names it');

# life goes on
is(psql('dump_to', q{SELECT count(*) FROM arima_ops.predict('two', horizon => 3, request_id => 'asked')}), '3', 'a request from before is known');
psql('dump_to', q{SELECT arima_ops.predict('one')});
is(psql('dump_to', q{SELECT max(id) = count(*) FROM arima_ops.predictions}), 't', 'new predictions go on with the numbers');
psql('dump_to', q{SELECT arima_ops.retrain('two', force => true)});
is(psql('dump_to', q{SELECT count(*) FROM arima_ops.models WHERE status = 'champion'}), '2', 'training goes on');

# the extension in a schema that not everyone may use: its roles work there, and where that is restored
my $work = q{
	SET ROLE arima_ops_admin;
	SELECT arima_ops.create_series('%1$s', '(0,1,1)', policy => '{"backtest_length": 20}');
	SELECT arima_ops.record_actuals('%1$s', array_agg('2024-01-01'::timestamptz + i * interval '1 day'), array_agg(100 + sin(i))) FROM generate_series(1, 60) AS i;
	SELECT arima_ops.train('%1$s');
	SELECT arima_ops.predict('%1$s', as_of => '2024-02-20');
	SELECT arima_ops.score_predictions('%1$s');
	SELECT arima_ops.detect_drift('%1$s');
	SELECT (arima_ops.retrain('%1$s', true)).outcome;
	SET ROLE arima_ops_reader;
	SELECT count(*) FROM arima_ops.monitoring, arima_ops.doctor();
	SELECT arima_ops.false_alarm_rate('%1$s') < 1};
psql('postgres', "DROP DATABASE $_") for qw(dump_from dump_to);
psql('postgres', "CREATE DATABASE $_") for qw(dump_from dump_to);
psql('dump_from', 'CREATE SCHEMA "its own"; CREATE EXTENSION arima_ops SCHEMA "its own"');
like(psql('dump_from', sprintf($work, 'one')), qr/^t$/m, 'its own schema: the roles can do their work');
is(system("pg_dump -f '$dir/schema' dump_from && $psql '$dir/schema' >'$dir/log' 2>&1"), 0, 'its own schema: dumped and restored') or diag(qx(cat '$dir/log'));
like(psql('dump_to', sprintf($work, 'two')), qr/^t$/m, 'its own schema: the roles can do their work where it is restored');
psql('postgres', "DROP DATABASE $_") for qw(dump_from dump_to);
done_testing();
