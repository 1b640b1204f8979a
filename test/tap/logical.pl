# Logical replication of the operations to another cluster, as for an upgrade of the server: how the first copy
# gets through, that changes come as they are, and how the copy takes over.

use strict;
use warnings;

use Test::More;
use Cluster;
use Session;

sub run_sql { my ($session, $sql) = @_; my $r = $session->query($sql); die "$sql: " . $session->error if $session->error =~ /ERROR/; return $r; }

# Waits until a query gives this.
sub becomes
{
	my ($session, $sql, $wanted) = @_;
	my $got;

	for (1 .. 300)
	{
		$got = run_sql($session, $sql);
		return 1 if $got eq $wanted;
		select undef, undef, undef, 0.1;
	}
	diag("$sql: $got");
	return 0;
}

my $from_cluster = Cluster->new(wal_level => 'logical');
my $connection = "host=$ENV{PGHOST} port=$ENV{PGPORT} user=$ENV{PGUSER} dbname=postgres";
my $from = Session->new;
my $to_cluster = Cluster->new;
my $to = Session->new;

run_sql($from, q{
	SET client_min_messages = warning;
	CREATE EXTENSION arima_ops;
	SELECT arima_ops.create_series(name, '(0,1,1)', policy => '{"backtest_length": 20}') FROM unnest(ARRAY['one', 'two']) AS name;
	SELECT arima_ops.record_actuals(name, array_agg('2024-01-01'::timestamptz + i * interval '1 day'), array_agg(100 + 3 * sin(i)))
	FROM unnest(ARRAY['one', 'two']) AS name, generate_series(1, 60) AS i GROUP BY name;
	SELECT arima_ops.train('one');
	SELECT arima_ops.predict('one', as_of => '2024-01-01'::timestamptz + i * interval '1 day') FROM generate_series(40, 60) AS i;
	INSERT INTO arima_ops.providers (name, url, format, value_field) VALUES ('our_own', 'https://prices.example.com/{symbol}', 'yahoo', 'close');
	CREATE PUBLICATION operations FOR ALL TABLES});
run_sql($to, q{SET client_min_messages = warning; CREATE EXTENSION arima_ops});

# as doc/administration.md says
my $text = do { local $/; open my $file, '<', 'doc/administration.md' or die; <$file> };
my ($before) = $text =~ /`(SET session_replication_role = replica; DELETE FROM [^`]+)`/ or die 'administration.md: before the subscription';
my ($take_over) = $text =~ /```\n(SELECT format\('SELECT setval.*?) \\gexec\n```/s or die 'administration.md: taking over';

run_sql($to, "$before; RESET session_replication_role");
run_sql($to, "CREATE SUBSCRIPTION operations CONNECTION '$connection' PUBLICATION operations");
ok(becomes($to, q{SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'}, '0'), 'the first copy is complete');

run_sql($from, q{
	SELECT arima_ops.score_predictions();
	UPDATE arima_ops.actuals SET value = value + 0.5 WHERE series = 'one' AND ts = '2024-02-15'::timestamptz;
	SELECT arima_ops.retrain('one', force => true);
	SELECT arima_ops.detect_drift();
	SELECT arima_ops.drop_series('two');
	DELETE FROM arima_ops.providers WHERE name = 'our_own'});
ok(becomes($to, "SELECT latest_end_lsn >= '" . run_sql($from, 'SELECT pg_current_wal_lsn()') . "' FROM pg_stat_subscription WHERE relid IS NULL", 't'), 'changes have come');
my $state = q{
	SELECT string_agg(line, E'\n' ORDER BY line) FROM (
		SELECT c.relname || ': ' || (xpath('/row/d/text()', query_to_xml(format(
			'SELECT count(*) || '' '' || coalesce(md5(string_agg(t::text, '','' ORDER BY t::text)), '''') AS d FROM %s AS t', c.oid::regclass), false, true, '')))[1]::text AS line
		FROM pg_class AS c WHERE c.relnamespace = 'arima_ops'::regnamespace AND c.relkind = 'r') AS lines};
is(run_sql($to, $state), run_sql($from, $state), 'and both sides have the same');

# numbers that are taken are not passed over in silence
run_sql($to, 'DROP SUBSCRIPTION operations');
$to->query(q{SELECT arima_ops.predict('one')});
like($to->error, qr/ERROR:  23505.*HINT/s, 'before it takes over a prediction is an error');
run_sql($to, $_) for split /\n/, run_sql($to, $take_over);
is(run_sql($to, q{SELECT count(*) FROM arima_ops.predict('one')}), '1', 'after that it goes on');
run_sql($to, q{SELECT arima_ops.retrain('one', force => true)});
is(run_sql($to, q{SELECT count(DISTINCT id) = count(*) FROM arima_ops.events}), 't', 'with its events');

$_->end for $from, $to;
$_->remove for $from_cluster, $to_cluster;
done_testing();
