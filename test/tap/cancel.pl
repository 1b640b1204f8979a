# statement_timeout and pg_cancel_backend act within 100 ms, with SQLSTATE
# 57014, whatever the extension is doing.
#
# This is by the clock, as a user sees it.  Where other work keeps the processors everything
# is late: so the limit is over what PostgreSQL's own counting takes, tried in turn with ours,
# and a series of tries is made ROUNDS times at most.  test/unit/test_polls.c has the same by
# processor time, and is strict.

use strict;
use warnings;

use Test::More;
use Session;

use constant TRIES => 5;
use constant LIMIT => 100;    # ms, for the median of the tries
use constant ROUNDS => 4;

my $session = Session->new;
my $other = Session->new;
my $noise = 'hashint4(i) / 2147483648.0::float8';

# The middle one of some numbers.
sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return $sorted[ $#sorted / 2 ];
}

# The tries that a function makes, given the number of a try: those of the first round
# whose median is within the limit, else of the last one.
sub tries
{
	my ($try) = @_;
	my @late;

	for (1 .. ROUNDS)
	{
		@late = map { $try->($_) } 0 .. TRIES - 1;
		last if median(map { /^-?[\d.]+$/ ? $_ : 1e9 } @late) <= LIMIT;
	}
	return @late;
}

# Milliseconds over the time that a statement is given, or what happened instead.
sub overrun
{
	my ($sql, $given) = @_;

	$session->query("SET statement_timeout = $given");
	my $overrun = $session->query("SELECT pg_temp.overrun(\$sql\$$sql\$sql\$, $given)");
	$session->query('RESET statement_timeout');
	return $overrun;
}

# Milliseconds from the wish to cancel a statement to its end.
sub latency
{
	my ($sql) = @_;

	$session->send("SELECT pg_temp.cancelled_at(\$sql\$$sql\$sql\$)");
	my $asked = $other->query('SELECT pg_sleep(0.2); SELECT extract(epoch FROM clock_timestamp()) FROM pg_cancel_backend(' . $session->pid . ')');
	my $ended = $session->wait;
	$asked =~ s/^\s+//;
	return $ended =~ /^[\d.]+$/ ? 1000 * ($ended - $asked) : 1e9;
}

my $counting = 'SELECT count(*) FROM generate_series(1, 1000000000000) i WHERE i % 7 = 8';

# Each of these takes far longer than it is given.
my @work = (
	[ 'four million values', "SELECT arima_fit(y || y || y || y, '(1,1,1)') IS NULL FROM long" ],
	[ 'orders of 13', "SELECT arima_fit(y, '(13,0,13)') IS NULL FROM long" ],
	[ 'orders of 100', "SELECT arima_fit(y[1:20000], '(100,0,100)') IS NULL FROM long" ],
	[ 'a long season', "SELECT arima_fit(y[1:20000], '(1,0,1)(2,1,2)[366]') IS NULL FROM long" ],
	[ 'missing values', "SELECT arima_fit(gaps, '(5,1,5)') IS NULL FROM long" ],
	[ 'missing values and a long season', "SELECT arima_fit(gaps[1:20000], '(1,0,1)(0,1,1)[366]') IS NULL FROM long" ],
	[ 'regressors', "SELECT arima_fit(y[1:100000], '(1,0,1)', x) IS NULL FROM long, wide" ],
	[ 'conditional least squares', "SELECT arima_fit(y, '(5,0,5)', options => '{\"method\": \"css\"}') IS NULL FROM long" ],
	[ 'the aggregate', "SELECT arima_fit(u, '(5,1,5)') IS NULL FROM long, unnest(y) u" ],
	[ 'the choice of a model', "SELECT arima_fit(y, 'auto', options => '{\"stepwise\": false}') IS NULL FROM long" ],
	[ 'the choice of a seasonal model', "SELECT arima_fit(y[1:100000], 'auto[365]') IS NULL FROM long" ],
	[ 'the choice of a model with gaps', "SELECT arima_fit(gaps[1:20000], 'auto[52]', options => '{\"stepwise\": false}') IS NULL FROM long" ],
	[ 'candidates', "SELECT count(*) FROM long, arima_candidates(y, 'auto[24]')" ],
	[ 'many series', "SELECT count(*) FROM arima_fit_all('SELECT i, y[1:100000] FROM long, generate_series(1, 100) i', '(5,1,5)', 2)" ],
	[ 'many series without workers', "SELECT count(*) FROM arima_fit_all('SELECT i, y[1:100000] FROM long, generate_series(1, 100) i', '(5,1,5)', 0)" ],
	[ 'trainings', "SELECT count(*) FROM arima_ops.run_trainings(ARRAY[(SELECT training FROM task), (SELECT training FROM task)], 2)" ],
	[ 'trainings without workers', "SELECT count(*) FROM arima_ops.run_trainings(ARRAY[(SELECT training FROM task)], 0)" ],
	[ 'a refit', "SELECT arima_refit(m, y) IS NULL FROM long, high" ],
	[ 'residuals', "SELECT arima_residuals(m, gaps) IS NULL FROM long, high" ],
	[ 'an append', "SELECT arima_append(m, gaps) IS NULL FROM long, high" ],
	[ 'a backtest', "SELECT count(*) FROM long, arima_backtest(y[1:100000], '(1,0,1)', 1000)" ],
	[ 'a backtest of gaps', "SELECT count(*) FROM long, arima_backtest(gaps[1:20000], '(1,0,1)', 2000, \"window\" => 1500)" ],
	[ 'a backtest of long forecasts', "SELECT count(*) FROM long, arima_backtest(y[1:100000], '(1,0,1)', 1000, 100000, refit_every => 0)" ],
	[ 'autocorrelations', "SELECT count(*) FROM long, arima_acf(y, 900000)" ],
	[ 'a test with many lags', "SELECT p_value FROM long, arima_adf_test(y, lags => 300)" ],
	[ 'seasonal differences', "SELECT arima_nsdiffs(gaps || gaps || gaps || gaps, 7, 4) FROM long" ]);

$session->query("SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS arima_ops;
	CREATE TEMP TABLE long AS SELECT array_agg($noise ORDER BY i) AS y, array_agg(CASE WHEN i % 9 > 0 THEN $noise END ORDER BY i) AS gaps
		FROM generate_series(1, 1000000) i;
	CREATE TEMP TABLE wide AS SELECT array_agg(r ORDER BY i) AS x
		FROM (SELECT i, array_agg(hashint4(i * 64 + j) / 2147483648.0::float8 ORDER BY j) AS r
			FROM generate_series(1, 100000) i, generate_series(1, 30) j GROUP BY i) rows;
	CREATE TEMP TABLE high AS SELECT arima_fit(y[1:2000], '(1,0,1)(1,1,1)[24]') AS m FROM long;
	CREATE TEMP TABLE task AS SELECT ROW ('x', y[1:100000], '(5,1,5)', '{}', 1000, 1, NULL, NULL, NULL, NULL,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL)::arima_ops.training AS training FROM long;
	CREATE TEMP TABLE late (at timestamptz);
	CREATE FUNCTION pg_temp.overrun(sql text, given float8) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		EXECUTE sql;
		RETURN 'finished after ' || round(1000 * extract(epoch FROM clock_timestamp() - statement_timestamp())) || ' ms';
	EXCEPTION WHEN query_canceled THEN
		RETURN round(1000 * extract(epoch FROM clock_timestamp() - statement_timestamp()) - given);
	END \$\$;
	CREATE FUNCTION pg_temp.cancelled_at(sql text) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		EXECUTE sql;
		RETURN 'finished';
	EXCEPTION WHEN query_canceled THEN
		RETURN extract(epoch FROM clock_timestamp());
	END \$\$;");
like($session->error, qr{^\s*$}, 'tables');

for my $work (@work)
{
	my ($name, $sql) = @$work;
	my @given = (20, 60, 100, 150, 230);
	my @overrun = tries(
		sub {
			my $given = $given[ $_[0] ];
			my $usual = overrun($counting, $given);
			my $overrun = overrun($sql, $given);

			return $overrun =~ /^-?\d+$/ && $usual =~ /^\d+$/ ? $overrun - $usual : $overrun;
		});
	my @late = grep { !/^-?\d+$/ } @overrun;
	is("@late", '', "$name: timed out each time");
	cmp_ok(median(grep { /^-?\d+$/ } @overrun, 1e9), '<=', LIMIT, "$name: ms over the time") or diag("@overrun");
}

$session->query("SET statement_timeout = 50");
$session->query($work[1][1]);
like($session->error, qr/ERROR:  57014: canceling statement due to statement timeout/, 'what the client is told');
$session->query('RESET statement_timeout');

for my $work (@work[ 1, 4, 6, 10, 13 ])
{
	my ($name, $sql) = @$work;
	my @latency = tries(
		sub {
			my $usual = latency($counting);

			return latency($sql) - ($usual < 1e9 ? $usual : 0);
		});
	cmp_ok(median(@latency), '<=', LIMIT, "$name: ms from pg_cancel_backend to the end") or diag("@latency");
}

is($session->query("SELECT (arima_stats(arima_fit(y[1:100], '(1,1,1)'))).n FROM long"), 100, 'the session goes on');
$session->end;
$other->end;
done_testing();
