# A server process does not grow: 10,000 fits, with and without errors and
# cancellations among them, take less than 1 MB for good.

use strict;
use warnings;

use Test::More;
use Session;

use constant LIMIT => 1024;    # kB

my $session = Session->new;
my $contexts = $session->query("SELECT to_regclass('pg_backend_memory_contexts') IS NOT NULL") eq 't';
my $noise = 'hashint4(i) / 2147483648.0::float8';

# What the process holds of its own, in kB: resident, and in memory contexts where the
# server can tell (since version 14).
sub held
{
	my $used = $contexts ? $session->query('SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts') : 0;

	return ($session->status('RssAnon'), int($used));
}

# Runs SQL that does the work once for warming up and then $times over, and
# compares what is held.
sub grows_not
{
	my ($name, $times, $work) = @_;

	$work->(200);
	my ($rss, $used) = held();
	$work->($times);
	my ($rss_after, $used_after) = held();

	cmp_ok($rss_after - $rss, '<', LIMIT, "$name: resident memory, kB");
	cmp_ok($used_after - $used, '<', LIMIT, "$name: memory contexts, kB") if $contexts;
}

# As many statements in one PL/pgSQL block, which may catch their errors.
sub block
{
	my ($statement) = @_;

	return sub {
		my ($times) = @_;
		my $done = $session->query("DO \$\$ BEGIN FOR i IN 1 .. $times LOOP $statement END LOOP; END \$\$; SELECT 'done'");
		is($done, 'done', "$times times") or diag($session->error);
	};
}

# the memory of the JIT compiler, which long statements load, is not ours
$session->query("SET jit = off;
	SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS arima_ops;
	CREATE TEMP TABLE series AS SELECT array_agg($noise ORDER BY i) AS y, array_agg(i::float8 ORDER BY i) AS x,
		array_agg(CASE WHEN i % 9 > 0 THEN $noise END ORDER BY i) AS gaps FROM generate_series(1, 200) i;
	CREATE TEMP TABLE long AS SELECT array_agg($noise ORDER BY i) AS y FROM generate_series(1, 200000) i;
	CREATE TEMP TABLE models AS SELECT arima_fit(y, '(1,1,1)') AS m FROM series;
	ANALYZE;");

grows_not('fits, a statement each', 10_000, block("PERFORM arima_fit(y, '(1,1,1)') FROM series;"));
grows_not(
	'fits in one statement',
	10_000,
	sub {
		my ($times) = @_;
		is($session->query("SELECT count(arima_fit(y || i::float8, '(1,0,1)')) FROM series, generate_series(1, $times) i"),
			$times, "$times times") or diag($session->error);
	});
grows_not('fits by the aggregate', 400,
	block("PERFORM arima_fit(u, '(1,0,0)'), arima_try_fit(u, '(1,0') FROM series, unnest(y) u;"));
grows_not('missing values, regressors and the other methods', 300,
	block("PERFORM arima_fit(gaps, '(2,1,1)'), arima_fit(y, '(1,0,0)', x), arima_fit(y, '(0,1,1)', options => '{\"method\": \"css\"}') FROM series;"));
grows_not('what is done with a model', 3_000,
	block("PERFORM arima_predict(m, y), arima_append(m, y), arima_residuals(m, y), (SELECT count(*) FROM arima_forecast(m, 20)) FROM models, series;"));
grows_not('refits', 500, block("PERFORM arima_refit(m, y) FROM models, series;"));
grows_not('errors', 3_000,
	block("BEGIN PERFORM arima_fit(y || 'Infinity'::float8, '(1,1,1)') FROM series; EXCEPTION WHEN invalid_parameter_value THEN END;"));

# cancelled in the middle of a fit of 200,000 values
grows_not(
	'cancelled fits',
	20,
	sub {
		my ($times) = @_;
		my $caught = 0;

		$times = 20 if $times > 20;
		$session->query("SET statement_timeout = '30ms'");
		for (1 .. $times)
		{
			$session->query("SELECT arima_fit(y, '(5,1,5)') IS NULL FROM long");
			$caught++ if $session->error =~ /57014/;
		}
		$session->query('RESET statement_timeout');
		is($caught, $times, "$times times");
	});
$session->end;
done_testing();
