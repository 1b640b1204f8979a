# The promotion policy "significant" on simulated series: a candidate that is as good as
# the champion is promoted by chance no more often than alpha says; one that is better
# than a misspecified champion nearly always.
#
# SIMULATIONS: number of series (50; make soak takes 1,000).

use strict;
use warnings;

use Test::More;
use Session;

my $n = $ENV{SIMULATIONS} // 50;
my $session = Session->new(7200);
# white noise, as a model
my $noise = "arima_fit(ARRAY[0, 1, -1, 2, 0, -2, 1, 0, 3, -1, 0, 2], '(0,0,0) without constant')";

# Values of a query; dies on an error.
sub values_of
{
	my ($sql) = @_;
	my $out = $session->query($sql);

	die $session->error if $session->error =~ /ERROR/;
	return split /[|\n]/, $out;
}

values_of("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS arima_ops");

# Most false promotions that n series may have at alpha: the 99.9 % quantile of the
# binomial distribution, so that the test itself is wrong once in 1,000 times.
sub most_by_chance
{
	my ($alpha) = @_;
	my ($k, $p, $sum) = (0, (1 - $alpha)**$n, 0);

	while (($sum += $p) < 0.999)
	{
		$p *= ($n - $k) / ($k + 1) * $alpha / (1 - $alpha);
		$k++;
	}
	return $k;
}

# Paths of a model as series sim_1 .. sim_n in the tables: the first `trained` values of each are
# there when its champion is trained, the rest comes later; all retrained by the job.
# Gives the counts of promotions and of gates.
sub promotions
{
	my (%o) = @_;

	values_of("
		CREATE FUNCTION pg_temp.path(e float8[]) RETURNS float8[] LANGUAGE plpgsql AS \$\$
		DECLARE
			x float8[] := e;
		BEGIN
			FOR i IN 3 .. cardinality(e) LOOP
				x[i] := $o{phi}[0] * x[i - 1] + $o{phi}[1] * x[i - 2] + e[i];
			END LOOP;
			RETURN x;
		END \$\$;
		CREATE TEMP TABLE path AS
		SELECT k, i, 1000 + $o{value} AS value
		FROM (SELECT k, i - 100 AS i, x
			FROM (SELECT path AS k, pg_temp.path(array_agg(value ORDER BY step)) AS y
				FROM arima_simulate($noise, $o{length} + 100, $n, $o{seed}) GROUP BY path) AS paths, unnest(y) WITH ORDINALITY AS u (x, i)) AS p
		WHERE i > 0;
		SELECT count(arima_ops.create_series('sim_' || k, '$o{champion}', policy => '{\"backtest_length\": $o{folds}, \"cooldown\": 0, \"retrain_every\": 1}'))
		FROM generate_series(1, $n) AS k;
		INSERT INTO arima_ops.actuals (series, ts, value)
		SELECT 'sim_' || k, timestamptz '2000-01-01' + i * interval '1 day', value FROM path WHERE i <= $o{trained};
		CALL arima_ops.run_retraining();
		UPDATE arima_ops.series SET spec = '$o{candidate}' WHERE name LIKE 'sim\\_%';
		INSERT INTO arima_ops.actuals (series, ts, value) SELECT 'sim_' || k, timestamptz '2000-01-01' + i * interval '1 day', value FROM path WHERE i > $o{trained};
		CALL arima_ops.run_retraining();
		DROP TABLE path; DROP FUNCTION pg_temp.path");
	my @counts = values_of("
		SELECT count(*) FILTER (WHERE decision = 'promoted'), count(*), count(*) FILTER (WHERE dm_p_value < 0.05),
			count(*) FILTER (WHERE n_folds = $o{folds} AND policy = 'significant')
		FROM arima_ops.evaluations WHERE series LIKE 'sim\\_%' AND kind = 'gate'");
	values_of("SELECT count(arima_ops.drop_series(name)) FROM arima_ops.series WHERE name LIKE 'sim\\_%'");
	return @counts;
}

# Both know the truth: an AR(1), the champion estimated from 500 values before the folds, the candidate
# from these and those of the folds.
{
	my ($promoted, $gates, $significant, $asked) =
	  promotions(length => 750, trained => 500, folds => 250, seed => 1, phi => [ 0.6, 0 ], value => 'x',
		champion => '(1,0,0)', candidate => '(1,0,0)');

	is($asked, $n, "as good: $n candidates were compared");
	cmp_ok($promoted, '<=', 0.05 * $n, 'as good: promoted in no more than alpha');
	diag("as good, AR(1): $promoted of $gates promoted, $significant tests below alpha");
}

# An exact null: two forecasts that are the truth and independent noise of the same size.
{
	my ($promoted, $significant) = values_of("
		SELECT count(*) FILTER (WHERE promote), count(*) FILTER (WHERE dm_p_value < 0.05)
		FROM (SELECT path AS k, array_agg(value ORDER BY step) AS e
				FROM arima_simulate($noise, 750, $n, 2) GROUP BY path) AS noise,
			LATERAL (SELECT array_agg(e[i] + 0.5 * e[250 + i] ORDER BY i) AS candidate, array_agg(e[i] + 0.5 * e[500 + i] ORDER BY i) AS champion
				FROM generate_series(1, 250) AS i) AS errors,
			LATERAL arima_ops.judge('significant', 0, 0.05, candidate, champion, 1e9) AS j");

	cmp_ok($promoted, '<=', most_by_chance(0.05), 'independent errors of the same size, no minimum gain: promoted in alpha, up to chance');
	is($promoted, $significant, 'independent errors: the test alone decides');
	diag("independent errors: $promoted of $n promoted; up to @{[most_by_chance(0.05)]} are chance");
}

# First differences are AR(2), the champion is a random walk.
{
	my ($promoted, $gates) =
	  promotions(length => 1000, trained => 500, folds => 500, seed => 3, phi => [ 0.5, -0.3 ],
		value => 'sum(x) OVER (PARTITION BY k ORDER BY i)', champion => '(0,1,0)', candidate => '(2,1,0)');

	is($gates, $n, "misspecified champion: $n candidates were compared");
	cmp_ok($promoted, '>=', 0.99 * $n, 'misspecified champion: replaced in 99 %');
	diag("misspecified champion: replaced in $promoted of $gates");
}
$session->end;
done_testing();
