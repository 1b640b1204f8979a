# A server process has as many threads after fits as it had before the library
# was loaded: linear algebra that starts its own would break the server.

use strict;
use warnings;

use Test::More;
use Session;

my $session = Session->new;
my $before = $session->status('Threads');

is($before, 1, 'a new session has one thread');
$session->query('SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS arima_ops');

my $noise = 'hashint4(i) / 2147483648.0::float8';
my %work = (
	'a fit' => "SELECT arima_fit(array_agg($noise ORDER BY i), '(2,1,2)') IS NOT NULL FROM generate_series(1, 1000) i",
	'a seasonal fit' => "SELECT arima_fit(array_agg($noise ORDER BY i), '(1,0,1)(1,0,1)[52]') IS NOT NULL FROM generate_series(1, 1000) i",
	'a fit of high order' => "SELECT arima_fit(array_agg($noise ORDER BY i), '(30,0,0)') IS NOT NULL FROM generate_series(1, 1000) i",
	'regressors' => "SELECT arima_fit(array_agg($noise ORDER BY i), '(1,0,0)',
		array_agg((SELECT array_agg(hashint4(i * 64 + j) / 2147483648.0::float8) FROM generate_series(1, 40) j) ORDER BY i)) IS NOT NULL
		FROM generate_series(1, 3000) i",
	'missing values' => "SELECT arima_fit(array_agg(CASE WHEN i % 7 > 0 THEN $noise END ORDER BY i), '(3,1,2)') IS NOT NULL FROM generate_series(1, 1000) i",
	'the aggregate' => "SELECT arima_fit(timestamptz '2024-01-01' + i * interval '1 day', $noise, '(1,0,1)') IS NOT NULL FROM generate_series(1, 1000) i",
	'forecasts' => "SELECT bool_and(f.forecast IS NOT NULL) FROM (SELECT arima_fit(array_agg($noise ORDER BY i), '(1,1,1)') FROM generate_series(1, 500) i) x (m),
		arima_forecast(m, 100) f");

for my $name (sort keys %work)
{
	is($session->query($work{$name}), 't', "$name: done");
	diag($session->error) if $session->error ne '';
	is($session->status('Threads'), $before, "$name: threads");
}
$session->end;
done_testing();
