# The figures of the Python system that this project starts from: its stored predictions of a
# year of one share, and a walk-forward of the same model over another adjustment of the prices.
# The prices are not part of the source; SHARED_DATA or ../shared/data has them.

use strict;
use warnings;

use Test::More;
use Session;

my $data = $ENV{SHARED_DATA} // '../shared/data';
my @files = ("$data/aapl_2024_seed_predictions.csv", "$data/aapl_2020_2024.csv");
my @missing = grep { !-r } @files;

plan skip_all => "@missing: data that is not part of this repository (SHARED_DATA names the folder)" if @missing;

my $session = Session->new;

$session->query("SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS arima_ops;
	CREATE TEMP TABLE seed (day date, prediction float8, actual float8);
	CREATE TEMP TABLE price (day date, ticker text, close float8);
	\\copy seed from '$files[0]' with (format csv, header)
	\\copy price from '$files[1]' with (format csv, header)
	CREATE TEMP TABLE walk AS
		SELECT b.*, y[origin] AS naive
		FROM (SELECT array_agg(close ORDER BY day) AS y, count(*) FILTER (WHERE day < '2024-01-01')::int AS before FROM price) p,
			LATERAL arima_backtest(y, '(0,1,0)', before) b;");
like($session->error, qr{^\s*$}, 'data loaded');

sub is_row
{
	my ($sql, $wanted, $name) = @_;

	is($session->query($sql), $wanted, $name);
}

my $figures = 'n, round(mae::numeric, 5), round(rmse::numeric, 5), round(mape::numeric, 5)';

is_row("SELECT $figures FROM (SELECT (arima_accuracy(prediction, actual)).* FROM seed) a",
	'251|2.14323|2.91559|1.04279', 'stored predictions by arima_accuracy');
is_row('SELECT round(rolling_mae(prediction, actual)::numeric, 5), round(rolling_rmse(prediction, actual)::numeric, 5),
		round(rolling_mape(prediction, actual)::numeric, 5) FROM seed',
	'2.14323|2.91559|1.04279', 'stored predictions by the rolling metrics');
is_row('SELECT abs(mae / 2.1432264715551836 - 1) < 1e-13 AND abs(rmse / 2.9155860751107063 - 1) < 1e-13 AND abs(mape / 1.042787512333179 - 1) < 1e-13
		FROM (SELECT (arima_accuracy(prediction, actual)).* FROM seed) a', 't', 'to 13 digits');
is_row('SELECT count(*) FROM (SELECT prediction, lag(actual) OVER (ORDER BY day) AS before FROM seed) s WHERE prediction <> before',
	'0', 'each stored prediction is the price before it');
is_row("SELECT $figures, theil_u FROM (SELECT (arima_accuracy(forecast, actual, naive)).* FROM walk) a",
	'251|2.12477|2.89057|1.04277|1', 'walk-forward of (0,1,0) over 2024');
is_row('SELECT count(*) FROM walk WHERE forecast <> naive', '0', 'each of its forecasts is the price before it');
$session->end;
done_testing();
