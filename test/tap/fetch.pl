# Fetching prices: what providers answer, right and wrong, and what is recorded
# of it.  The providers are a server on this machine.

use strict;
use warnings;

use Test::More;
use JSON::PP;
use Time::HiRes qw(sleep);
use Time::Local qw(timegm);
use FreePort;
use Session;
use WebServer;

my $web = WebServer->new;
my $session = Session->new;
my $json = JSON::PP->new->allow_nonref->canonical;
my $base = $web->url('');

sub quote
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

# Runs SQL that must succeed; its rows as text.
sub query
{
	my ($sql) = @_;
	my $rows = $session->query($sql);
	die "$sql\n" . $session->error if $session->error ne '';
	return $rows;
}

# Fetches a series; counts, or the error's detail.
sub fetch
{
	my ($series) = @_;
	my $counts = $session->query('CALL arima_ops.fetch_actuals(' . quote($series) . ')');
	return $counts if $session->error eq '';
	return $session->error =~ /38000.*\nDETAIL:  (.*)\nHINT/ ? $1 : $session->error;
}

# What is recorded, as day=value.
sub recorded
{
	my ($series) = @_;
	return query("SELECT string_agg(to_char(ts AT TIME ZONE 'UTC', CASE WHEN ts = date_trunc('day', ts, 'UTC') THEN 'MMDD' ELSE 'MMDD HH24:MI' END) || '=' || value, ' ' ORDER BY ts)
		FROM arima_ops.actuals WHERE series = " . quote($series));
}

# Seconds of a time by UTC, "2024-03-08 14:30".
sub epoch
{
	my ($y, $m, $d, $h, $min) = $_[0] =~ /^(\d+)-(\d+)-(\d+)(?: (\d+):(\d+))?$/ or die $_[0];
	return timegm(0, $min || 0, $h || 0, $d, $m - 1, $y);
}

# A chart as Yahoo gives it.  Bars: [time, close, adjusted close].  The market is
# closed after the last session unless its state is given.
sub chart
{
	my ($bars, %with) = @_;
	my %quote = (close => [ map { $_->[1] } @$bars ]);
	$quote{open} = $quote{high} = $quote{low} = $quote{close};
	$quote{volume} = [ map { 1000 } @$bars ];
	my $start = defined $with{start} ? epoch($with{start}) : @$bars ? epoch($bars->[-1][0]) : 0;
	my %result = (
		meta => {
			currency => 'USD', symbol => 'X', regularMarketTime => $start + 23400, gmtoffset => -18000, timezone => 'EST',
			exchangeTimezoneName => 'America/New_York', priceHint => 2, dataGranularity => '1d',
			currentTradingPeriod => { regular => { start => $start, end => $start + 23400, gmtoffset => -18000 } }, %{ $with{meta} || {} }
		},
		indicators => { quote => [ @$bars ? \%quote : {} ] });
	$result{timestamp} = [ map { epoch($_->[0]) } @$bars ] if @$bars;
	$result{indicators}{adjclose} = [ { adjclose => [ map { @$_ > 2 ? $_->[2] : $_->[1] } @$bars ] } ] unless $with{no_adjclose};
	$result{events} = $with{events} if $with{events};
	return { chart => { result => [ \%result ], error => undef } };
}

# Sets what the chart API answers for a symbol, and makes a series of it.
sub yahoo { my ($symbol, @answers) = @_; $web->define("/v8/finance/chart/$symbol", @answers); }
sub series
{
	my ($name, $provider) = @_;
	# of the second one comes a notice, that requests have to name theirs
	query('SET client_min_messages = warning; SELECT arima_ops.create_series(' . quote($name) . ", '(0,1,1)', provider => " . quote($provider || 'chart') . '); RESET client_min_messages');
}

query("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS arima_ops; RESET client_min_messages;
	SET arima_ops.http_allowed_hosts = 'localhost:" . $web->port . "'; SET arima_ops.http_retry_delay = '10ms'; SET arima_ops.http_retries = 1;
	SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Tokyo'; SET extra_float_digits = -5;
	INSERT INTO arima_ops.providers (name, url, headers, format, value_field)
	SELECT n.name, replace(url, 'https://query1.finance.yahoo.com', '$base'), headers, format, value_field
	FROM arima_ops.providers AS p, (VALUES ('chart', 'yahoo'), ('chart_close', 'yahoo_close')) AS n (name, builtin) WHERE p.name = n.builtin;
	INSERT INTO arima_ops.providers (name, url, headers, format, rows_path, date_field, value_field, request_format, time_zone)
	SELECT 'my_' || name, regexp_replace(url, 'https://[^/]*', '$base'), '{}', format, rows_path, date_field, value_field, request_format, time_zone
	FROM arima_ops.providers WHERE name IN ('tiingo', 'stooq');
	INSERT INTO arima_ops.providers (name, url, format, rows_path, date_field, value_field) VALUES
		('my_vantage', '$base/vantage/{symbol}', 'json', '\$.\"Time Series (Daily)\".keyvalue()', '\$.key', '\$.value.\"4. close\"'),
		('my_table', '$base/table/{symbol}', 'json', '\$.dataset.data[*]', '\$[0]', '\$[2]');
	INSERT INTO arima_ops.providers (name, url, format, date_field, value_field, date_format, separator, decimal_comma, time_zone, scale)
		VALUES ('my_kurs', '$base/kurs/{symbol}', 'csv', 'Datum', 'Kurs', 'DD.MM.YYYY', ';', true, 'Europe/Berlin', 10)");
series('X');

# ---- days that have values of someone else's, at the midnights of this session ----

series('Tokyo');
yahoo('Tokyo', { body => chart([ map { [ "2024-03-0$_ 14:30", $_ ] } 4 .. 8 ]) });
query("SELECT arima_ops.record_actuals('Tokyo', '{2024-03-05, 2024-03-06}', '{5,6}')");
like(fetch('Tokyo'), qr/a value of 2024-03-04 15:00.* already, at another time of the day than midnight UTC/, 'a day is not made two sessions');
is(recorded('Tokyo'), '0304 15:00=5 0305 15:00=6', 'nothing is recorded');
query("DELETE FROM arima_ops.actuals WHERE series = 'Tokyo'; SELECT arima_ops.record_actuals('Tokyo', '{2024-03-01 16:30+00, 2024-03-04 00:00+00}', '{1,4}')");
is(fetch('Tokyo'), '4|0|1', 'what is of other days is no obstacle');

# ---- what is asked ----

yahoo('X', { body => chart([ [ '2024-03-07 14:30', 10 ], [ '2024-03-08 14:30', 11 ] ]) });
is(fetch('X'), '2|0|0', 'two sessions');
is(recorded('X'), '0307=10 0308=11', 'the trade dates, at midnight UTC');
my ($asked) = $web->requests;
like($asked->{headers}{'User-Agent'}, qr/^Mozilla/, 'user agent of the provider');
my ($from, $to) = $asked->{path} =~ m{^/v8/finance/chart/X\?period1=(\d+)&period2=(\d+)&interval=1d&events=div%2Csplits%2CcapitalGains&includePrePost=false$};
cmp_ok(abs(time - 10 * 365.25 * 86400 - $from), '<', 4 * 86400, 'at first ten years');
cmp_ok($to - time, '>', 0, 'to the end of today');
is(fetch('X'), '0|0|2', 'again: nothing new');
($from) = ($web->requests)[-1]{path} =~ /period1=(\d+)/;
is($from, epoch('2024-02-22'), 'then from fourteen days, and one for the time zones, before the last');
is(query("SELECT count(*) FROM arima_ops.events WHERE series = 'X' AND kind <> 'series'"), 0, 'nothing to tell');

# a session of a wrong year: what comes before it is asked for and recorded all the same, with what was paid
series('far');
yahoo('far', { body => chart([ [ '2024-03-07 14:30', 10 ], [ '2024-03-08 14:30', 11 ] ]) });
fetch('far');
query("SELECT arima_ops.record_actuals('far', '{2235-01-02 00:00+00}', '{12}')");
my $day = epoch('2024-03-11 13:30');
yahoo('far', { body => chart([ [ '2024-03-08 14:30', 11 ], [ '2024-03-11 13:30', 12 ] ], events => { dividends => { $day => { amount => 0.5, date => $day } } }) });
is(fetch('far') . ' ' . recorded('far'), '1|0|1 0307=10 0308=11 0311=12 0102=12', 'after a session of a wrong year');
is(join(' ', map { /period1=(\d+)/ } ($web->requests)[-1]{path}), epoch('2024-02-22'), 'it is asked from before the last of the right year');
is(fetch('far') . ' ' . query("SELECT string_agg(message, '; ') FROM arima_ops.events WHERE series = 'far' AND kind = 'dividend'"), '0|0|2 dividend of 0.5 on 2024-03-11', 'nothing is lost or told twice');
query("DELETE FROM arima_ops.actuals WHERE series = 'far' AND ts < '2200-01-01'");
is(fetch('far') . ' ' . recorded('far'), '2|0|0 0308=11 0311=12 0102=12', 'nor where it is the only one');
($from) = ($web->requests)[-1]{path} =~ /period1=(\d+)/;
cmp_ok(abs(time - 10 * 365.25 * 86400 - $from), '<', 4 * 86400, 'of which all years are asked for');
query("SELECT arima_ops.drop_series('far')");

series('^A B/é');
yahoo('%5EA%20B%2F%C3%A9', { body => chart([ [ '2024-03-08 14:30', 5 ] ]) });
is(fetch('^A B/é'), '1|0|0', 'a symbol is encoded');
series('{secret:x}');
like(fetch('{secret:x}'), qr/^status 404/, 'a symbol is no template');
like(($web->requests)[-1]{path}, qr{chart/%7Bsecret%3Ax%7D\?}, 'and is sent as it is');

# ---- pitfalls of the chart ----

# name, bars, other parts, what is recorded
for my $case (
	[ 'dst', [ [ '2024-03-08 14:30', 1 ], [ '2024-03-11 13:30', 2 ] ], {}, '0308=1 0311=2' ],
	[ 'east', [ [ '2024-01-02 00:00', 1 ], [ '2024-01-03 00:00', 2 ] ], { meta => { exchangeTimezoneName => 'Asia/Tokyo' } }, '0102=1 0103=2' ],
	[ 'auckland', [ [ '2024-01-01 21:00', 1 ], [ '2024-07-01 22:00', 2 ] ], { meta => { exchangeTimezoneName => 'Pacific/Auckland' } }, '0102=1 0702=2' ],
	[ 'offset', [ [ '2024-01-02 23:00', 1 ] ], { meta => { exchangeTimezoneName => 'Nowhere/At all', gmtoffset => 39600 } }, '0103=1' ],
	[ 'nulls', [ [ '2024-03-06 14:30', 1 ], [ '2024-03-07 14:30', undef ], [ '2024-03-08 14:30', 0 ], [ '2024-03-11 13:30', 4 ] ], {}, '0306=1 0311=4' ],
	[ 'no numbers', [ [ '2024-03-06 14:30', 1 ], [ '2024-03-07 14:30', 'NaN' ], [ '2024-03-08 14:30', '-Infinity' ] ], {}, '0306=1' ],
	[ 'negative', [ [ '2020-04-20 04:00', -37.63 ] ], {}, '0420=-37.63' ],
	[ 'open', [ [ '2024-03-07 14:30', 1 ], [ '2024-03-08 14:30', 2 ] ], { meta => { regularMarketTime => epoch('2024-03-08 17:00') } }, '0307=1' ],
	[ 'just closed', [ [ '2024-03-07 14:30', 1 ], [ '2024-03-08 14:30', 2 ] ], { meta => { regularMarketTime => epoch('2024-03-08 21:00') } }, '0307=1 0308=2' ],
	[ 'before opening', [ [ '2024-03-07 14:30', 1 ], [ '2024-03-08 14:30', 2 ] ], { start => '2024-03-11 13:30', meta => { regularMarketTime => epoch('2024-03-08 21:00') } }, '0307=1 0308=2' ],
	[ 'twice, closed', [ [ '2024-03-07 14:30', 1 ], [ '2024-03-08 14:30', 2 ], [ '2024-03-08 21:00', 2.5 ] ], { start => '2024-03-08 14:30' }, '0307=1 0308=2.5' ],
	[ 'twice, open', [ [ '2024-03-07 14:30', 1 ], [ '2024-03-08 14:30', 2 ], [ '2024-03-08 18:00', 2.5 ] ],
		{ start => '2024-03-08 14:30', meta => { regularMarketTime => epoch('2024-03-08 18:00') } }, '0307=1' ],
	[ 'twice, live one empty', [ [ '2024-03-08 14:30', 2 ], [ '2024-03-08 21:00', undef ] ], { start => '2024-03-08 14:30' }, '0308=2' ],
	[ 'noise', [ [ '2024-03-07 14:30', 1.2999999523162842 ], [ '2024-03-08 14:30', 172.28074645996094 ], [ '2024-03-11 13:30', 0.1 ] ], {}, '0307=1.3 0308=172.28075 0311=0.1' ],
	[ 'adjusted', [ [ '2024-03-07 14:30', 100, 98.5 ], [ '2024-03-08 14:30', 101, 101 ] ], {}, '0307=98.5 0308=101' ],
	[ 'pence', [ [ '2024-03-08 08:00', 123.45 ] ], { meta => { currency => 'GBp', exchangeTimezoneName => 'Europe/London' } }, '0308=123.45' ])
{
	my ($name, $bars, $with, $result) = @$case;
	series($name);
	(my $symbol = $name) =~ s/ /%20/g;
	$symbol =~ s/,/%2C/g;
	yahoo($symbol, { body => chart($bars, %$with) });
	my $said = fetch($name);
	is(query('SET extra_float_digits = 1') . recorded($name), $result, "chart: $name") or diag($said);
	query('SET extra_float_digits = -5');
}
query("UPDATE arima_ops.providers SET major_units = true WHERE name = 'chart'; DELETE FROM arima_ops.actuals WHERE series = 'pence'");
is(fetch('pence') . ' ' . recorded('pence'), '1|0|0 0308=1.2345', 'pence as pounds, where that is wanted');
query("UPDATE arima_ops.providers SET major_units = false WHERE name = 'chart'");

series('raw', 'chart_close');
yahoo('raw', { body => chart([ [ '2024-03-07 14:30', 100, 98.5 ], [ '2024-03-08 14:30', 101, 101 ] ], no_adjclose => 1) });
is(fetch('raw') . ' ' . recorded('raw'), '2|0|0 0307=100 0308=101', 'the close as it was, where that is wanted');
series('unadjusted');
yahoo('unadjusted', { body => chart([ [ '2024-03-08 14:30', 101 ] ], no_adjclose => 1) });
is(fetch('unadjusted'), 'the answer has 1 times and no values of "adjclose"', 'no adjusted close');

# ---- failures ----

my $not_found = { chart => { result => undef, error => { code => 'Not Found', description => 'No data found, symbol may be delisted' } } };
series('bad');
for my $case (
	[ 'unknown symbol', { status => 404, body => $not_found }, 'status 404: No data found, symbol may be delisted' ],
	[ 'the same with status 200', { body => $not_found }, 'No data found, symbol may be delisted' ],
	[ 'unprocessable', { status => 422, body => { chart => { result => undef, error => { code => 'Unprocessable', description => "Invalid input\n - interval" } } } }, 'status 422: Invalid input - interval' ],
	[ 'too many requests', { status => 429, headers => { 'Retry-After' => 3600 }, body => 'Too Many Requests' }, 'status 429: the answer begins "Too Many Requests"' ],
	[ 'HTML', { body => "<!DOCTYPE html>\n<html><head><title>Will be right back</title>" }, 'HTML in place of values: Will be right back' ],
	[ 'half an answer', { body => '{"chart": {"res' }, 'the answer begins "{"chart": {"res"' ],
	[ 'nothing', { body => '' }, 'the answer is empty' ],
	[ 'not UTF-8', { hex => 'ff00ff' }, qr/invalid byte sequence/ ],
	[ 'other json', { body => [ 1, 2 ] }, 'the answer begins "[1, 2]"' ],
	[ 'null', { body => 'null' }, 'the answer begins "null"' ],
	[ 'no result', { body => { chart => { result => [], error => undef } } }, 'there are no values in the answer' ],
	[ 'no bars', { body => chart([]) }, 'there are no values in the answer' ],
	[ 'only nulls', { body => chart([ [ '2024-03-08 14:30', undef ] ]) }, 'there are no values in the answer' ],
	[ 'lengths', { body => do { my $c = chart([ [ '2024-03-08 14:30', 1 ] ]); push @{ $c->{chart}{result}[0]{timestamp} }, 1; $c } }, 'the answer has 2 times and 1 values of "adjclose"' ],
	[ 'an overflow', { body => chart([ [ '2024-03-08 14:30', '1e999' ] ]) }, 'the value of 2024-03-08 is too large or too small: "1e999"' ],
	[ 'a word', { body => chart([ [ '2024-03-08 14:30', 'many' ] ]) }, 'a value of the answer is not understood: "many"' ],
	[ 'a broken connection', { mode => 'reset' }, qr/^host localhost, port \d+: / ])
{
	my ($name, $answer, $reason) = @$case;
	yahoo('bad', $answer);
	ref $reason ? like(fetch('bad'), $reason, "failure: $name") : is(fetch('bad'), $reason, "failure: $name");
}
is(query("SELECT count(*) FROM arima_ops.actuals WHERE series = 'bad'"), 0, 'nothing is recorded');
is(query("SELECT count(*) || ' ' || count(details->>'fault') FROM arima_ops.events WHERE series = 'bad' AND kind = 'fetch_failed'"), '15 1', 'each reason is an event');
is(query("SELECT details - 'url' FROM arima_ops.events WHERE series = 'bad' AND kind = 'fetch_failed' AND message LIKE 'status 429%'"),
	'{"status": 429, "symbol": "bad", "attempts": 1, "provider": "chart", "retry_after": 3600}', 'with the particulars');
yahoo('X', { body => chart([]) });
is(fetch('X'), '0|0|0', 'no new bars of a series that has some is no failure');
$session->query("SET arima_ops.http_allowed_hosts = ''");
like(fetch('X'), qr/is not in arima_ops.http_allowed_hosts/, 'a host that is not allowed');
$session->query("SET arima_ops.http_allowed_hosts = 'localhost:" . $web->port . "'");
query("SELECT arima_ops.create_series('none')");
like(fetch('none'), qr/55000.*no provider.*HINT/s, 'a series without provider');
like(fetch('nobody'), qr/42704.*there is no series "nobody"/, 'no such series');
$session->query("BEGIN; CALL arima_ops.fetch_actuals('X'); ROLLBACK");
like($session->error, qr/25001.*transaction block.*HINT.*autocommit/s, 'not within a transaction block');

# ---- json and CSV ----

series('j', 'my_tiingo');
$web->define('/tiingo/daily/j/prices', { body => [ map { { date => "2024-01-0${_}T00:00:00.000Z", close => $_, adjClose => $_ / 2 } } 2 .. 4 ] });
is(fetch('j') . ' ' . recorded('j'), '3|0|0 0102=1 0103=1.5 0104=2', 'json: an array of rows');
like(($web->requests)[0]{path}, qr{\?startDate=\d{4}-\d\d-\d\d&endDate=\d{4}-\d\d-\d\d$}, 'dates in the URL');
$web->define('/tiingo/daily/j/prices', { body => [] });
is(fetch('j'), '0|0|0', 'no rows');
$web->define('/tiingo/daily/j/prices', { status => 404, body => { detail => 'Error: Ticker not found' } });
is(fetch('j'), 'status 404: Error: Ticker not found', 'what it complains of');
series('v', 'my_vantage');
$web->define('/vantage/v', { body => { 'Meta Data' => { '1. Information' => 'Daily Prices' }, 'Time Series (Daily)' =>
			{ '2024-01-03' => { '1. open' => '1.0', '4. close' => '185.64' }, '2024-01-02' => { '4. close' => '184.25' }, '2024-01-04' => { '4. close' => 'None' } } } });
is(fetch('v') . ' ' . recorded('v'), '2|0|0 0102=184.25 0103=185.64', 'json: dates as keys, numbers as text');
for my $case ([ 'Error Message', 'Invalid API call.' ], [ 'Note', 'Thank you for using us! 5 calls per minute' ], [ 'Information', 'The rate limit is 25 requests per day.' ])
{
	$web->define('/vantage/v', { body => { $case->[0] => $case->[1] } });
	is(fetch('v'), $case->[1], "status 200 with \"$case->[0]\"");
}
series('t', 'my_table');
$web->define('/table/t', { body => { dataset => { column_names => [qw(Date Open Close)], data => [ [ '2024-01-03', 1, 2.5 ], [ '2024-01-02', 1, 2 ] ] } } });
is(fetch('t') . ' ' . recorded('t'), '2|0|0 0102=2 0103=2.5', 'json: rows as arrays');
$web->define('/table/t', { status => 429, body => { quandl_error => { code => 'QELx01', message => 'You have exceeded the limit' } } });
is(fetch('t'), 'status 429: You have exceeded the limit', 'an error further down');

# a provider that changes its answers, and one that has nothing new
for my $case (
	[ 'an empty array', { dataset => { data => [] } }, '0|0|0' ],
	[ 'an empty array of what the path goes through', { dataset => [] }, '0|0|0' ],
	[ 'null in the place of rows', { dataset => { data => undef } }, '0|0|0' ],
	[ 'a row without a value yet', { dataset => { data => [ [ '2024-01-04', undef, undef ] ] } }, '0|0|0' ],
	[ 'another name', { dataset => { rows => [ [ '2024-01-04', 1, 2 ] ] } }, 'rows_path $."dataset"."data"[*] of the provider finds nothing: the answer begins "{"dataset": {"rows": [["2024-01-04", 1, 2]]}}"' ],
	[ 'an empty object', {}, 'rows_path $."dataset"."data"[*] of the provider finds nothing: the answer begins "{}"' ],
	[ 'an empty object further down', { dataset => {} }, 'rows_path $."dataset"."data"[*] of the provider finds nothing: the answer begins "{"dataset": {}}"' ],
	[ 'an array', [ [ '2024-01-04', 1, 2 ] ], 'rows_path $."dataset"."data"[*] of the provider finds nothing: the answer begins "[["2024-01-04", 1, 2]]"' ],
	[ 'rows without the value', { dataset => { data => [ [ '2024-01-03', 1 ], [ '2024-01-04', 1 ] ] } },
		'value_field $[2] of the provider finds nothing: the answer begins "{"dataset": {"data": [["2024-01-03", 1], ["2024-01-04", 1]]}}"' ],
	[ 'rows without the date', { dataset => { data => [ [], [] ] } }, 'date_field $[0] of the provider finds nothing: the answer begins "{"dataset": {"data": [[], []]}}"' ],
	[ 'a complaint in the place of rows', { dataset => { data => [ { error => 'Try later.' } ] } }, 'date_field $.day of the provider finds nothing: Try later.' ])
{
	my ($name, $body, $said) = @$case;
	$web->define('/table/t', { body => $body });
	# a row that is an object is no array, but lax paths take it for one of one element
	query("UPDATE arima_ops.providers SET date_field = CASE WHEN " . quote($name) . " LIKE 'a complaint%' THEN '\$.day' ELSE '\$[0]' END WHERE name = 'my_table'");
	is(fetch('t'), $said, "json: $name");
}
query("UPDATE arima_ops.providers SET date_field = '\$[0]' WHERE name = 'my_table'");
for my $case ([ '$.a[*]', '{"a": {}}', 'f' ], [ '$.a.keyvalue()', '{"a": {}}', 'f' ], [ '$.a.keyvalue()', '{"b": {}}', 't' ], [ '$.a.*', '{"a": {}}', 'f' ], [ '$[*]', '[]', 'f' ],
	[ '$.a[*] ? (@.kind == "x").b[*]', '{"a": [{"kind": "y"}]}', 'f' ], [ '$.a[*] ? (@.kind == "x")', '{"b": [{"kind": "y"}]}', 't' ], [ '$."a?(.[".b', '{"a?(.[": {"c": 1}}', 't' ],
	[ '$."a?(.[".b', '{"a?(.[": []}', 'f' ], [ 'strict $.a.b[*]', '{"a": {"c": []}}', 't' ], [ 'strict $.a.b[*]', '{"a": {"b": []}}', 'f' ], [ '$.**.prices[*]', '{"x": 1}', 't' ],
	[ '$.a[last].b', '{"a": []}', 'f' ], [ '$.a[0].b', '{"a": [{"c": 1}]}', 't' ], [ '$.a', 'null', 't' ],
	[ '$."a\\"?b".c', '{"a\\"?b": []}', 'f' ], [ '$."a\\"?b".c', '{"a\\"?b": {"d": []}}', 't' ])
{
	my ($path, $body, $nowhere) = @$case;
	is(query('SELECT arima_ops.leads_nowhere(' . quote($body) . ', ' . quote($path) . ')'), $nowhere, "a path that leads nowhere, or no rows: $path, $body");
}
$web->define('/table/t', { body => { dataset => { data => [] } } });
is(fetch('t'), '0|0|0', 'as before');

series('c', 'my_stooq');
$web->define('/q/d/l/', { body => "Date,Open,High,Low,Close,Volume\r\n2024-01-02,1,1,1,184.25,10\r\n2024-01-03,1,1,1,N/D,10\r\n\r\n2024-01-04,1,1,1,181.91,10\r\n" });
is(fetch('c') . ' ' . recorded('c'), '2|0|0 0102=184.25 0104=181.91', 'CSV');
like(($web->requests)[0]{path}, qr{\?s=c&i=d&d1=\d{8}&d2=\d{8}$}, 'dates as the provider wants them');
for my $text ('No data', 'Exceeded the daily hits limit', "Get your apikey:\n1. Go")
{
	(my $line = $text) =~ s/\n/ /;
	$web->define('/q/d/l/', { body => $text });
	is(fetch('c'), "the answer begins \"$line\"", "status 200 with \"$line\"");
}
$web->define('/q/d/l/', { body => '<html><body>proof of work' });
is(fetch('c'), 'HTML in place of values', 'or a page');
series('k', 'my_kurs');
$web->define('/kurs/k', { body => "\x{ef}\x{bb}\x{bf}\"Datum\";\"Kurs; in EUR\";\"Kurs\"\n\"03.01.2024\";\"\";\"1.234,5\"\n02.01.2024;;1.200\n" });
is(fetch('k') . ' ' . recorded('k'), '2|0|0 0102=12000 0103=12345', 'CSV: quotes, another separator, commas, a scale, dates by a pattern');
$web->define('/kurs/k', { body => "Datum;\"Notiz\nzum Tag\";Kurs\n02.01.2024;;1.200\n03.01.2024;;1.234,5\n04.01.2024;\"zwei\nZeilen; \"\"so\"\"\n\nund so\";1.300\n05.01.2024;5\" Rohr;\"1.400\"\n\"08.01.2024\";\"\";1.500\n" });
is(fetch('k') . ' ' . recorded('k'), '3|0|2 0102=12000 0103=12345 0104=13000 0105=14000 0108=15000', 'CSV: line ends within quotes');
$web->define('/kurs/k', { body => "Datum;Notiz;Kurs\n09.01.2024;;1.600\n10.01.2024;\"cut off;1.700\n11.01.2024;;1.800\n" });
is(fetch('k'), 'a field of the answer has no closing quote: "10.01.2024;"cut off;1.700"', 'CSV: a quote that is not closed');

# the row of today is left out until its session is over
my $today = query("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')");
$web->define('/table/t', { body => { dataset => { data => [ [ '2024-01-03', 1, 2.5 ], [ $today, 1, 3 ], [ '2999-01-01', 1, 3 ] ] } } });
query("UPDATE arima_ops.providers SET session_end = '24:00' WHERE name = 'my_table'");
is(fetch('t'), '0|0|1', 'a session that is not over, and one to come');
query("UPDATE arima_ops.providers SET session_end = '00:00' WHERE name = 'my_table'");
is(fetch('t'), '1|0|1', 'one that is over');

# ---- splits, dividends, revisions ----

my @days = map { sprintf '2024-0%d-%02d 14:30', $_ > 29 ? 2 : 1, $_ > 29 ? $_ - 29 : $_ + 2 } 1 .. 40;
# Bars of the first n days, in prices times a factor up to a day; asked from a day on.
sub bars
{
	my ($n, $factor, $until, $from) = @_;
	return [ map { my $v = (100 + $_ % 7) * ($_ < $until ? $factor : 1); [ $days[$_], $v, $v ] } ($from || 0) .. $n - 1 ];
}
series('S');
yahoo('S', { body => chart(bars(30, 1, 0)) });
is(fetch('S'), '30|0|0', 'before the split');
query("INSERT INTO arima_ops.models (series, version, status, spec, model, trained_from, trained_to, n, data_hash, promoted_at, champion_from)
	SELECT 'S', 1, 'champion', '(0,1,1)', arima_fit(value, '(0,1,1)' ORDER BY ts), min(ts), max(ts), 30, 'x', now(), max(ts) FROM arima_ops.actuals WHERE series = 'S'");
my $forecast = query("SELECT round(forecast::numeric, 4) FROM arima_ops.predict('S')");
my %events = (splits => { epoch($days[31]) => { date => epoch($days[31]), numerator => 4, denominator => 1, splitRatio => '4:1' } },
	dividends => { epoch($days[20]) => { amount => 0.5, date => epoch($days[20]) } });
yahoo('S', { body => chart(bars(33, 0.25, 31, 15), events => \%events) }, { body => chart(bars(33, 0.25, 31), events => \%events) });
is(fetch('S'), '3|30|0', 'a 4:1 split: the whole history is fetched once more');
my @asked = $web->requests;
is(scalar @asked, 2, 'in two requests');
is(($asked[1]{path} =~ /period1=(\d+)/)[0], epoch('2024-01-02'), 'the second from the first session');
is(query("SELECT min(value) || ' ' || max(value) FROM arima_ops.actuals WHERE series = 'S' AND ts < '2024-02-02 UTC'"), '25 26.5', 'all values are in the new prices');
is(query("SELECT abs(forecast * adjustment * 4 - $forecast) < 0.001, adjustment FROM arima_ops.predictions WHERE series = 'S'"), 't|0.25', 'and the forecast made before');
is(query("SELECT string_agg(kind || ': ' || message, '; ' ORDER BY id) FROM arima_ops.events WHERE series = 'S' AND kind IN ('split', 'dividend', 'restatement')"),
	'restatement: values up to 2024-02-01 times 0.25; split: split 4:1 on 2024-02-03', 'what is told: the split, not the old dividend');
yahoo('S', { body => chart(bars(33, 0.25, 31, 15), events => \%events) });
is(fetch('S'), '0|0|18', 'again: nothing new');
is(query("SELECT count(*) FROM arima_ops.events WHERE series = 'S' AND kind = 'split'"), 1, 'the split is told once');
my $noisy = bars(33, 0.25, 31, 15);
$_->[2] *= 1 + 3e-7 for @$noisy;
yahoo('S', { body => chart($noisy) });
is(fetch('S'), '0|0|18', 'noise of the adjustment is no revision');
my $mended = bars(33, 0.25, 31, 15);
$mended->[5][2] = 24;
yahoo('S', { body => chart($mended) });
is(fetch('S'), '0|1|17', 'a value that was corrected is');
is(scalar $web->requests, 1, 'without the whole history');
my $dividend = bars(34, 0.25, 31, 16);
$_->[2] *= 0.997 for @$dividend[0 .. 16];
my $after = bars(34, 0.25, 31);
$_->[2] *= 0.997 for @$after[0 .. 32];
yahoo('S', { body => chart($dividend, events => { dividends => { 1 => { amount => 0.3, date => epoch($days[33]) } } }) },
	{ body => chart($after, events => { dividends => { 1 => { amount => 0.3, date => epoch($days[33]) } } }) });
is(fetch('S'), '1|33|0', 'a dividend restates the adjusted closes');
is(query("SELECT message FROM arima_ops.events WHERE series = 'S' AND kind = 'dividend'"), 'dividend of 0.3 on 2024-02-05', 'and is told');
my $before = recorded('S');
yahoo('S', { body => chart(bars(35, 0.125, 34, 17)) }, { status => 500 });
like(fetch('S'), qr/^status 500/, 'the whole history cannot be had');
is(recorded('S'), $before, 'then nothing is recorded: no prices of two kinds');
yahoo('S', { body => chart(bars(35, 0.125, 34, 17)) });
like(fetch('S'), qr/^the values up to 2024-02-05 have changed, as by a split, and the provider gives none before 2024-01-20/, 'a provider that does not give the whole history');
is(recorded('S'), $before, 'nothing is recorded then either');

# ---- all series ----

query('UPDATE arima_ops.series SET active = false');
for my $i (1 .. 70)
{
	series(sprintf 'many%02d', $i);
	yahoo(sprintf('many%02d', $i), $i % 10 == 3 ? { status => 404, body => $not_found } : { delay => 0.02, body => chart([ [ '2024-03-08 14:30', $i ] ]) });
}
query("UPDATE arima_ops.series SET active = false WHERE name = 'many70'");
is(query('CALL arima_ops.fetch_all()'), '62|7', 'all active series, the failures do not touch the others');
is(query("SELECT count(*), sum(value) FROM arima_ops.actuals WHERE series LIKE 'many%'"), '62|' . (69 * 70 / 2 - (3 + 13 + 23 + 33 + 43 + 53 + 63)), 'each its own value');
is(query("SELECT count(DISTINCT series) FROM arima_ops.events WHERE series LIKE 'many%' AND kind = 'fetch_failed'"), 7, 'each failure is told');
cmp_ok($web->most, '>=', 3, 'many at once');
my $told = 'SELECT string_agg(coalesce(series, message), \' \' ORDER BY id) FROM arima_ops.events WHERE kind = \'fetch_failed\' AND id > ';
my $event = query('SELECT max(id) FROM arima_ops.events');
is(join(' ', map { query('CALL arima_ops.fetch_all()') } 1, 2), '62|7 62|7', 'again and again');
is(query($told . $event), join(' ', ('provider "chart": 7 series as before: many03, many13, many23, many33, many43 and 2 more') x 2), 'those that fail as before are told by one event for each run');
is(query('SELECT details FROM arima_ops.events ORDER BY id DESC LIMIT 1'),
	'{"again": true, "series": ["many03", "many13", "many23", "many33", "many43", "many53", "many63"], "failing": 7, "provider": "chart"}', 'with their names');
my $failures = q{SELECT series, failing, failures, since < last_at, message, details->>'status', cardinality(reasons) FROM arima_ops.fetch_failures WHERE series = 'many03'};
is(query($failures), 'many03|t|3|t|status 404: No data found, symbol may be delisted|404|1', 'each is in fetch_failures');
is(query("SELECT status || ': ' || finding FROM arima_ops.doctor() WHERE check_name = 'fetching'"), 'problem: 7 series could not be fetched: many03, many13, many23, many33, many43 and 2 more', 'and the doctor says so');
$event = query('SELECT max(id) FROM arima_ops.events');
yahoo('many03', { status => 500, body => 'at 10:23' });
like(fetch('many03'), qr/^status 500/, 'another reason');
yahoo('many03', { status => 500, body => 'at 10:24' });
like(fetch('many03'), qr/^status 500.*10:24/, 'the same but for a number');
is(query($told . $event) . ' ' . query($failures), 'many03 many03|t|5|t|status 500: the answer begins "at 10:24"|500|2', 'the former is told, and the latter in fetch_failures');
yahoo('many03', { body => chart([ [ '2024-03-08 14:30', 3 ] ]) });
is(fetch('many03') . ' ' . query($failures), '1|0|0 many03|f|5|t|status 500: the answer begins "at 10:24"|500|2', 'it can be fetched');
$event = query('SELECT max(id) FROM arima_ops.events');
yahoo('many03', { status => 404, body => $not_found });
fetch('many03');
is(query($told . $event) . ' ' . query("SELECT details->'again' FROM arima_ops.events WHERE id > $event") . ' ' . query($failures),
	'many03 true many03|t|1|f|status 404: No data found, symbol may be delisted|404|2', 'and cannot again: an event, which is no news');
yahoo('many03', { body => chart([ [ '2024-03-08 14:30', 3 ] ]) });
fetch('many03');
query("UPDATE arima_ops.fetch_failures SET last_at = last_at - interval '5 days'");
$event = query('SELECT max(id) FROM arima_ops.events');
yahoo('many03', { status => 404, body => $not_found });
fetch('many03');
is(query("SELECT series, details->'again' FROM arima_ops.events WHERE id > $event") . query($failures),
	'many03|many03|t|1|f|status 404: No data found, symbol may be delisted|404|1', 'after days without it is');
query('DELETE FROM arima_ops.actuals WHERE series = \'many03\'');
cmp_ok($web->most, '<=', 8, 'but not too many');
is(query("SELECT count(DISTINCT xmin::text) FROM arima_ops.actuals WHERE series LIKE 'many%'"), 62, 'each in a transaction of its own');

query("DO \$\$ DECLARE run bigint; a bigint; b bigint; BEGIN run := arima_ops.begin_job('etl'); COMMIT; CALL arima_ops.fetch_all(run, a, b); PERFORM arima_ops.end_job(run); END \$\$");
is(query("SELECT status, done, total FROM arima_ops.job_runs WHERE job = 'etl' ORDER BY id DESC LIMIT 1"), 'succeeded|69|69', 'progress of a job');
$session->query("DO \$\$ DECLARE run bigint; a bigint; b bigint; BEGIN run := arima_ops.begin_job('etl'); PERFORM arima_ops.end_job(run); COMMIT;
	CALL arima_ops.fetch_all(run, a, b); IF a IS NOT NULL THEN RAISE 'went on'; END IF; END \$\$");
unlike($session->error, qr/went on/, 'it ends where its run has been closed');
like($session->error, qr/this run of job "etl" has been closed/, 'and says so');

yahoo('many01', { status => 429, headers => { 'Retry-After' => '3600' }, body => 'Too Many Requests' });
is(query('CALL arima_ops.fetch_all()'), '28|41', 'a provider that asks for a pause');
is(scalar $web->requests, 32, 'is asked no more');
is(query("SELECT message FROM arima_ops.events WHERE kind = 'fetch_failed' AND message LIKE '%pause%'"), 'provider "chart" asks for a pause: 37 series left out', 'which is told');
query('CALL arima_ops.fetch_all()');
is(query("SELECT string_agg((details ? 'again')::text, ' ' ORDER BY id) FROM arima_ops.events WHERE kind = 'fetch_failed' AND message LIKE '%pause%'"),
	'false true', 'and is no news, to be alerted, the next time');
query("SET session_replication_role = replica; UPDATE arima_ops.events SET at = at - interval '5 days' WHERE message LIKE '%pause%'; RESET session_replication_role");
query('CALL arima_ops.fetch_all()');
is(query("SELECT details ? 'again' FROM arima_ops.events WHERE kind = 'fetch_failed' AND message LIKE '%pause%' ORDER BY id DESC LIMIT 1"), 'f', 'but after days without it is');

# who loses its provider while it is fetched takes none of the others with it
yahoo('many01', { delay => 1, status => 429, headers => { 'Retry-After' => '3600' }, body => 'Too Many Requests' });
my $other = Session->new;
$session->send('CALL arima_ops.fetch_all()');
sleep 0.5;
$other->query("UPDATE arima_ops.series SET provider = NULL WHERE name = 'many01'");
is($session->wait, '61|8', 'all the others are fetched');
query("UPDATE arima_ops.series SET provider = 'chart' WHERE name = 'many01'");

# a provider that answers for none of eight series or more is not waited for hundreds of times; one that answers for some is
my $closed = free_port();
query("SET arima_ops.http_allowed_hosts = 'localhost:*';
	INSERT INTO arima_ops.providers (name, format, url, date_field, value_field) SELECT n, 'csv', u, 'Date', 'Close'
		FROM (VALUES ('gone', 'http://localhost:$closed/{symbol}'), ('some', '$base/some/{symbol}')) AS v (n, u);
	UPDATE arima_ops.series SET active = false;
	SET client_min_messages = warning;
	SELECT count(arima_ops.create_series(p || to_char(i, 'FM00'), '(0,1,0)', provider => p, calendar => 'none')) FROM generate_series(1, 40) AS i, (VALUES ('gone'), ('some')) AS v (p);
	RESET client_min_messages");
$web->define("/some/some$_", { mode => 'reset' }) for map { sprintf '%02d', $_ } 1 .. 40;
$web->define('/some/some05', { body => "Date,Close\n2024-03-08,5\n", headers => { 'Content-Type' => 'text/csv' } });
$event = query('SELECT max(id) FROM arima_ops.events');
is(query('CALL arima_ops.fetch_all()'), '1|79', 'all series of a provider that is away count as failed');
is(query("SELECT count(*) FILTER (WHERE series LIKE 'gone%'), count(*) FILTER (WHERE series LIKE 'some%') FROM arima_ops.fetch_failures"), '32|39', 'it is asked for a part of them, another one for all');
is(query("SELECT message, details ->> 'reason' FROM arima_ops.events WHERE id > $event AND series IS NULL"), 'provider "gone" does not answer: 8 series left out|does not answer', 'which is told');
is(query('CALL arima_ops.fetch_all()'), '1|79', 'and once more');
is(query("SELECT string_agg((details ? 'again')::text, ' ' ORDER BY id) FROM arima_ops.events WHERE message LIKE '%does not answer%'"), 'false true', 'which is no news');
query("SELECT count(arima_ops.drop_series(name)) FROM arima_ops.series WHERE provider IN ('gone', 'some')");
query("DELETE FROM arima_ops.providers WHERE name IN ('gone', 'some'); SET arima_ops.http_allowed_hosts = 'localhost:" . $web->port . "'");

# a series that goes while its answer is waited for takes nobody else's values with it
$web->define("/v8/finance/chart/many$_->[0]", { delay => 0.5, body => chart([ [ '2024-03-08 14:30', $_->[1] ] ]) }) for [ '01', 101 ], [ '02', 102 ], [ '04', 104 ];
query("UPDATE arima_ops.series SET active = name IN ('many01', 'many02', 'many04')");
$session->send('CALL arima_ops.fetch_all()');
$other->query("SELECT pg_sleep(0.2); UPDATE arima_ops.series SET provider = NULL WHERE name = 'many01'");
$session->wait;
is(query("SELECT string_agg(value::text, ' ' ORDER BY series) FROM arima_ops.actuals WHERE series IN ('many01', 'many02', 'many04')"), '1 102 104', 'a provider is taken away in between');
is(query("SELECT message FROM arima_ops.events WHERE series = 'many01' ORDER BY id DESC LIMIT 1"), 'the series or its provider was removed in between', 'which is told');
is(query("SELECT array_to_string(arima_ops.prepare_fetch('{many02,many01,nobody,many04}'), ' ')"), 'many02 many04', 'only what has a provider is asked for');
$other->end;

# ---- providers ----

is(query("SELECT arima_ops.check_provider('chart') IS NULL"), 't', 'a provider that can be asked');
is(query("SELECT arima_ops.check_provider('yahoo')"), 'host query1.finance.yahoo.com, port 443, is not in arima_ops.http_allowed_hosts', 'one that is not allowed');
query("UPDATE arima_ops.providers SET headers = '{\"X-Key\": \"{secret:k}\"}' WHERE name = 'my_table'");
like(query("SELECT arima_ops.check_provider('my_table')"), qr/^there is no secret "k": arima_ops.http_secrets_file is not set/, 'one without its secret');
is(query("SELECT arima_ops.check_provider('nowhere')"), 'there is no such provider', 'none');

for my $bad ("UPDATE arima_ops.providers SET url = 'https://evil.test/' WHERE name = 'yahoo'", "DELETE FROM arima_ops.providers WHERE name = 'stooq'",
	"UPDATE arima_ops.providers SET builtin = true WHERE name = 'chart'",
	"INSERT INTO arima_ops.providers (name, builtin, url, format, value_field) VALUES ('x', true, 'https://x.test/', 'yahoo', 'close')")
{
	$session->query($bad);
	like($session->error, qr/55000.*belongs to the extension.*HINT/s, $bad);
}
for my $bad ("url = 'file:///etc/passwd'", "value_field = 'price'", "format = 'xml'", "rows_path = '\$'", "date_field = 'x'", "scale = 0", "headers = '[]'", "name = 'A b'", "separator = ''")
{
	$session->query("UPDATE arima_ops.providers SET $bad WHERE name = 'chart'");
	like($session->error, qr/23514/, "not allowed: $bad");
}
for my $bad ("headers = '{\"Authorization\": \"Bearer abc\"}'", "headers = '{\"X-Api-Key\": \"abc\"}'", "url = 'https://x.test/q?s={symbol}&apikey=abc'", "url = 'https://me:abc\@x.test/'")
{
	$session->query("UPDATE arima_ops.providers SET $bad WHERE name = 'chart'");
	like($session->error, qr/23514.*credentials_are_for_the_secrets_file/, "not allowed: $bad");
}
for my $bad ("url = 'https://'", "url = 'https:///x'", "url = 'https://x.test:0/'", "url = 'https://x.test:70000/'", "url = 'https://x.test:x/'", "url = 'https://x.test/a b'", "url = 'https://x.test/a\\b'",
	"url = 'https://x.test/\x{e9}'", "url = 'https://{secret:k}.test/'", "headers = '{\"X Team\": \"a\"}'", "headers = '{\"Host\": \"a\"}'", "headers = '{\"X-Team\": \"a\\nb\"}'", "headers = '{\"X-Team\": null}'")
{
	my $sql = "UPDATE arima_ops.providers SET $bad WHERE name = 'chart'";
	utf8::encode($sql);
	$session->query($sql);
	like($session->error, qr/22023: +arima_ops.providers cannot have this address for "chart": (the URL|a header) .*HINT/s, "not an address: $bad" =~ s/[^ -~]/?/gr);
}
$session->query("UPDATE arima_ops.providers SET time_zone = 'Europe/Nowhere' WHERE name = 'chart'");
like($session->error, qr/22023: +time zone "Europe\/Nowhere" of provider "chart" is not known\nHINT/, 'not a time zone');
query("BEGIN; UPDATE arima_ops.providers SET url = '$_', time_zone = 'Asia/Tokyo' WHERE name = 'chart'; ROLLBACK")
	for 'https://x.test', 'http://x.test:80?a={symbol}#b', 'http://[::1]:8080/', 'https://[2001:db8::1]', 'https://x.test/{secret:k}/{symbol}:70000', 'http://{symbol}.x.test/';
query("UPDATE arima_ops.providers SET headers = '{\"X-Api-Key\": \"{secret:k}\"}', url = url || '&token={secret:k}&x=y' WHERE name = 'chart'");
$session->query("UPDATE arima_ops.providers SET headers = DEFAULT, url = replace(url, '&token={secret:k}&x=y', '') WHERE name = 'chart'");
$session->query("UPDATE arima_ops.providers SET value_field = '\$[' WHERE name = 'my_table'");
like($session->error, qr/42601.*jsonpath/, 'not a path');
$session->query("SELECT arima_ops.create_series('y', provider => 'nowhere')");
like($session->error, qr/23503/, 'a series of an unknown provider');
$session->query("SELECT * FROM arima_ops.parse_answer('nowhere', '')");
like($session->error, qr/42704.*HINT/s, 'an answer of an unknown provider');
is(query("SELECT string_agg(session || '=' || value, ' ') FROM arima_ops.parse_answer('stooq', E'date,CLOSE\\n2024-01-02,5')"), '02/01/2024=5', 'an answer can be tried out');
is(query("SELECT string_agg(session || '=' || value, ' ') FROM arima_ops.parse_answer('stooq', E'date,CLOSE\\n2024-01-02,5\\n2024-01-03,\\n2024-01-04,N/D\\n,6\\n')"), '02/01/2024=5', 'what is missing is left out');
for ([ '2024-01-03,"1,234.5"', qr/value .* not understood: "1,234.5".*HINT/s ], [ '03.01.2024,5', qr/date .* not understood: "03.01.2024".*HINT:.*date_format/s ])
{
	my ($row, $error) = @$_;
	$session->query("SELECT * FROM arima_ops.parse_answer('stooq', E'date,CLOSE\\n2024-01-02,5\\n$row\\n')");
	like($session->error, $error, "but not what is there and not understood: $row");
}
is(query("SELECT string_agg(value::text, ' ') FROM arima_ops.parse_answer('my_kurs', E'Datum;Kurs\\n02.01.2024;1.234,5\\n03.01.2024;1.234\\n04.01.2024;7,25\\n05.01.2024;n.a.\\n')"), '12345 12340 72.5', 'decimal commas');
$session->query("SELECT * FROM arima_ops.parse_answer('my_kurs', E'Datum;Kurs\\n02.01.2024;3.5\\n')");
like($session->error, qr/value .* not understood: "3.5".*decimal_comma/s, 'a point that is none for thousands');

# ---- one run at a time, however long a provider takes ----

query("UPDATE arima_ops.series SET active = name = 'many01', provider = CASE WHEN name = 'many01' THEN 'chart' ELSE provider END");
yahoo('many01', { delay => 1, body => chart([ [ '2024-03-08 14:30', 1 ], [ '2024-03-11 13:30', 7 ] ]) });
my $second = Session->new;
$session->send('CALL arima_ops.run_etl()');
sleep 0.05 until $web->requests;
$second->query('CALL arima_ops.run_etl()');
like($second->error, qr/NOTICE:.* job "etl" is running already/, 'a run waits for its provider: another one does not begin');
$session->wait;
is($session->error, '', 'the first one goes on');
is(query("SELECT status || ' ' || value FROM arima_ops.job_runs, arima_ops.actuals WHERE job = 'etl' AND series = 'many01' ORDER BY id DESC, ts DESC LIMIT 1"), 'succeeded 7', 'and what it was told is recorded');
yahoo('many01', { delay => 5, body => '' }, { body => chart([ [ '2024-03-08 14:30', 1 ], [ '2024-03-11 13:30', 8 ] ]) });
$session->send('CALL arima_ops.run_etl()');
sleep 0.05 until $web->requests;
$second->query("SELECT pg_cancel_backend(pid) FROM arima_ops.job_runs WHERE job = 'etl' AND status = 'running'");
$session->wait;
like($session->error, qr/57014/, 'a run that is cancelled');
$second->query("SET arima_ops.http_allowed_hosts = 'localhost:" . $web->port . "'");
$second->query('CALL arima_ops.run_etl()');
is($second->error, '', 'keeps nobody from the next');
is(query("SELECT string_agg(status, ' ' ORDER BY id DESC) FROM (SELECT * FROM arima_ops.job_runs WHERE job = 'etl' ORDER BY id DESC LIMIT 2) AS r"), 'succeeded abandoned', 'which closes it');
$second->end;


# ---- dates and numbers that are none ----

query("SET DateStyle = 'ISO'; INSERT INTO arima_ops.providers (name, url, format, date_field, value_field, date_format, scale)
	SELECT 'd_' || row_number() OVER (), '$base/', 'csv', 'd', 'v', f, s FROM (VALUES ('DD.MM.YYYY', 1), ('DD.MM.YY', 1), ('epoch', 1), ('epoch_ms', 1), ('iso', 1), ('iso', 1e10)) AS f (f, s)");
for my $case (
	[ 1, '02.01.2024,5', '2024-01-02=5' ], [ 1, '2.1.2024,5', '2024-01-02=5' ], [ 1, 'no date,5', '' ], [ 1, '02.01.24,5', '02.01.24' ], [ 1, '02.13.2024,5', '02.13.2024' ], [ 1, '1 x,5', '1 x' ],
	[ 1, '02.01.12024,5', '02.01.12024' ], [ 2, '02.01.24,5', '2024-01-02=5' ], [ 3, '1704153600,5', '2024-01-02=5' ], [ 3, '1.7041536e9,5', '2024-01-02=5' ], [ 3, '2024-01-02,5', '2024-01-02' ],
	[ 3, ',5', '' ], [ 3, '1e999,5', '1e999' ], [ 3, '1704153600000,5', '1704153600000' ], [ 3, '-99999999999,5', '-99999999999' ], [ 4, '1704153600000,5', '2024-01-02=5' ],
	[ 4, '2024-01-02,5', '2024-01-02' ], [ 5, '2024-02-31,5', '2024-02-31' ], [ 5, '0024-01-02,5', '0024-01-02' ], [ 5, '02.01.2024,5', '02.01.2024' ])
{
	my ($provider, $row, $result) = @$case;
	my $rows = $session->query("SELECT string_agg(session || '=' || value, ' ') FROM arima_ops.parse_answer('d_$provider', E'd,v\\n$row\\n')");
	if ($result =~ /=/ || $result eq '')
	{
		is($rows, $result, "a date, or none: $row") or diag($session->error);
	}
	else
	{
		like($session->error, qr/22000: +a date of the answer is not understood: "\Q$result\E".*HINT:.*date_format/s, "not a date: $row");
	}
}
for my $case ([ 5, '1e400', '"1e400"' ], [ 5, '1e-400', '"1e-400"' ], [ 5, '-' . '9' x 400, '"-' . '9' x 59 . '"' ], [ 6, '1e300', '"1' . '0' x 59 . '"' ])
{
	my ($provider, $value, $said) = @$case;
	$session->query("SELECT * FROM arima_ops.parse_answer('d_$provider', E'd,v\\n2024-01-01,5\\n2024-01-02,$value\\n')");
	like($session->error, qr/22003: +the value of 2024-01-02 is too large or too small: \Q$said\E.*HINT:.*scale/s, 'a number that cannot be kept: ' . substr $value, 0, 10);
}
$session->query("SELECT * FROM arima_ops.parse_answer('my_tiingo', '[{\"date\": \"2024-01-02\", \"adjClose\": 1e400}]')");
like($session->error, qr/22003: +the value of 2024-01-02 is too large or too small: "10{59}".*HINT/s, 'nor one in json');

# ---- a secret in an answer, spelled as JSON, URLs or HTML do it: a message that is taken out of it has it decoded ----

my $secrets = $web->dir . '/secrets';
open my $file, '>', $secrets or die $!;
print $file 'k localhost:' . $web->port . " abc/def+ghi&jklmnop\n";
close $file;
chown((stat "/proc/$session->{pid}")[4], -1, $secrets);
chmod 0600, $secrets;
query("SET arima_ops.http_secrets_file = '$secrets'; INSERT INTO arima_ops.providers (name, url, format, date_field, value_field)
	VALUES ('php', '$base/php?s={symbol}&key={secret:k}', 'csv', 'd', 'v')");
series('leak', 'php');
query("UPDATE arima_ops.series SET active = name = 'leak'");
my @spelled = ('abc/def+ghi&jklmnop', 'abc\/def+ghi&jklmnop', 'abc\u002fdef\u002Bghi\u0026jklmnop', '{\"error\":\"abc\\\\\\/def+ghi\\\\u0026jklmnop\"}', 'abc%2fdef%2bghi%26jklmnop', 'abc/def+ghi&amp;jklmnop');
for my $spelled (@spelled)
{
	$web->define('/php', { status => 403, body => qq({"error":"bad key $spelled"}) });
	query('CALL arima_ops.fetch_all()');
	like(query("SELECT message FROM arima_ops.fetch_failures WHERE series = 'leak'"), qr/^status 403: bad key .*\*{19}/, "blotted out: $spelled");
}
query("SELECT arima_ops.record_actuals('leak', array_agg('2024-01-01Z'::timestamptz + i * interval '1 day'), array_agg(100 + sin(i))) FROM generate_series(1, 100) AS i;
	SELECT arima_ops.configure_tracking('$base', headers => ARRAY['Authorization: Bearer {secret:k}']); SELECT arima_ops.train('leak')");
for my $spelled (@spelled)
{
	$web->define('/api/2.0/mlflow/experiments/get-by-name', { status => 403, body => qq({"error_code":"PERMISSION_DENIED","message":"token $spelled is not known"}) });
	query("UPDATE arima_ops.tracking_outbox SET status = 'waiting', next_attempt_at = now() WHERE status = 'parked' OR next_attempt_at > now()");
	query('CALL arima_ops.run_tracking()');
	like(query("SELECT o.last_error || j.error FROM arima_ops.tracking_outbox AS o, arima_ops.job_runs AS j WHERE o.series = 'leak' AND j.job = 'tracking' ORDER BY j.id DESC LIMIT 1"),
		qr/PERMISSION_DENIED, token .*\*{19}.*PERMISSION_DENIED, token .*\*{19}/, "to MLflow, too: $spelled");
}
is(query("SELECT count(*) FROM (SELECT f::text FROM arima_ops.fetch_failures AS f UNION ALL SELECT e::text FROM arima_ops.events AS e
	UNION ALL SELECT o::text FROM arima_ops.tracking_outbox AS o UNION ALL SELECT j::text FROM arima_ops.job_runs AS j) AS t (said) WHERE said ~ 'abc|jklmnop'"), 0, 'no table has anything of it');
query('SELECT arima_ops.configure_tracking(NULL); RESET arima_ops.http_secrets_file');

# ---- who may ----

query("CREATE ROLE fetch_admin LOGIN; GRANT arima_ops_admin TO fetch_admin; CREATE ROLE fetch_reader LOGIN; GRANT arima_ops_reader, arima_ops_user TO fetch_reader");
yahoo('X', { body => chart([ [ '2024-03-08 14:30', 11 ], [ '2024-03-11 13:30', 12 ] ]) });
query('SET ROLE fetch_admin');
is(fetch('X'), '1|0|1', 'the admin fetches');
$session->query("SELECT arima_ops.http_prepare(ARRAY[ROW('GET', '$base/', NULL, NULL, NULL)]::arima_ops.http_request[])");
like($session->error, qr/42501/, 'but sends nothing else');
query('RESET ROLE; SET ROLE fetch_reader');
for my $sql ("CALL arima_ops.fetch_actuals('X')", 'CALL arima_ops.fetch_all()', "SELECT arima_ops.prepare_fetch('{X}')", "SELECT arima_ops.store_answer('X', NULL)",
	"UPDATE arima_ops.providers SET url = 'https://x.test/' WHERE name = 'chart'")
{
	$session->query($sql);
	like($session->error, qr/42501/, "a reader may not: $sql");
}
query('RESET ROLE; DROP ROLE fetch_admin, fetch_reader');

$session->end;
done_testing();
