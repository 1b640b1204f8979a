# A year of real prices, session by session, as it goes in life: several requests a session, labels
# one to three sessions late and out of order, an outage, values sent twice, a split.  Whatever the
# order was, each prediction has in the end the label that an independent account gives it.

use strict;
use warnings;

use List::Util qw(max min sum);
use Test::More;
use Session;

my ($training, $sessions) = (650, 250);
my $split = $training + 150;    # 2:1 after this session
my @outage = ($training + 90 .. $training + 93);    # no jobs on these

# Closing prices and the days of their sessions, counted from 1; the prices before the split are those of before it.
my (@price, @day);
open my $file, '<', 'test/data/eustockmarkets.csv' or die "prices: $!";
while (<$file>)
{
	my ($series, $session, $close) = /^(\w+),(\d+),([\d.]+)$/ or next;
	$price[$session] = $close if $series eq 'DAX' && $session <= $training + $sessions + 3;
}
close $file;
$price[$_] /= 2 for $split + 1 .. $#price;
for my $s (1 .. $#price)
{
	# Mondays to Fridays from 2020-01-06 on
	my $days = int(($s - 1) / 5) * 7 + ($s - 1) % 5;
	my @t = gmtime(1578268800 + $days * 86400);
	$day[$s] = sprintf '%04d-%02d-%02d', $t[5] + 1900, $t[4] + 1, $t[3];
}
# a number from 0 to $n - 1 that looks random and is the same every time
sub pick { my ($i, $n) = @_; return int(abs(sin($i * 12.9898) * 43758.5453) * 1000) % $n; }

my $db = Session->new;
sub sql { return $db->must($_[0]); }

# The recorded price of a session, in the prices that are known after session $now.
sub quoted { my ($s, $now) = @_; return $s <= $split && $now > $split ? $price[$s] / 2 : $price[$s]; }
sub record
{
	my ($now, @sessions) = @_;
	my $ts = join ',', map { "\"$day[$_]\"" } @sessions;
	my $value = join ',', map { quoted($_, $now) } @sessions;
	return sql("SELECT inserted || ' ' || revised FROM arima_ops.record_actuals('replay', '{$ts}', '{$value}')");
}

sql("SET client_min_messages = warning; SET TimeZone = 'UTC'; CREATE EXTENSION IF NOT EXISTS arima_ops;
	SELECT arima_ops.create_series('replay', '(0,1,1)')");
record($training, 1 .. $training);
is(sql("SELECT arima_ops.train('replay')"), '1', 'the first model');

# each session: requests first, of which some know newer prices than are recorded; then what arrives; then the jobs
my (%made, %recorded, %late);
my $others = 0;    # answers to a retry
$recorded{$_} = 1 for 1 .. $training;
for my $now ($training + 1 .. $training + $sessions)
{
	push @{ $late{ $now + pick($now, 4) } }, $now;    # 0 to 3 sessions late
	for my $request (1 .. 1 + pick($now, 3))
	{
		my $key = "$now/$request";
		my $horizon = $request == 3 ? 3 : 1;
		my @recent = map { quoted($_, $now) } $now - 29 .. $now;
		# around the split the client's prices and the recorded ones differ, so that it must say where its own end
		my $as_of = $request == 2 || $now > $split && $now < $split + 5 ? ", as_of => '$day[$now]'" : '';
		my $ask = "SELECT string_agg(id || ':' || horizon || ':' || forecast, ' ' ORDER BY horizon)
			FROM arima_ops.predict('replay', ARRAY[" . join(',', @recent) . "]::float8[], $horizon, request_id => '$key'$as_of)";
		my $ids = sql($ask);
		for (split / /, $ids)
		{
			my ($id, $step, $forecast) = split /:/;
			$made{$id} = { target => $now + $step, forecast => $forecast, made => $now };
		}
		# a retry of the client
		$others++ if pick($now + $request, 7) == 0 && sql($ask) ne $ids;
	}
	next if grep { $_ == $now } @outage;
	my @arrived = map { @{ delete $late{$_} // [] } } grep { $_ <= $now } keys %late;
	# by the split all is there: of a session that comes after it nobody could say in which prices a forecast was
	push @arrived, grep { !$recorded{$_} } $now - 4 .. $now if $now == $split;
	if ($now == $split + 1)
	{
		# the provider restates the whole history
		record($now, (sort { $a <=> $b } keys %recorded), @arrived);
	}
	else
	{
		record($now, @arrived, pick($now, 5) == 0 ? ($now - 8 .. $now - 5) : ()) if @arrived;
		record($now, @arrived) if pick($now, 3) == 0;
	}
	$recorded{$_} = 1 for @arrived;
	sql('SELECT arima_ops.score_predictions()');
	# what is scored now is scored by the sessions there are
	if ($now % 50 == 0)
	{
		is(sql("SELECT count(*) FROM arima_ops.predictions p WHERE series = 'replay' AND target_ts IS NOT NULL AND NOT EXISTS
				(SELECT FROM arima_ops.actuals a WHERE a.series = 'replay' AND a.ts = p.target_ts AND a.value = p.actual)"),
			'0', "session $now: every label is a recorded value");
	}
}
my $end = $training + $sessions;
record($end, grep { !$recorded{$_} } $training + 1 .. $end);
sql('SELECT arima_ops.score_predictions()');

# the account
my %row = map { my ($id, @rest) = split /\|/; $id => \@rest }
	split /\n/, sql("SELECT id, target_ts::date, actual, error, forecast FROM arima_ops.predictions WHERE series = 'replay'");
is(scalar(keys %row), scalar(keys %made), 'a row for each answer, none twice');
is($others, 0, 'a retry gets the first answer');
cmp_ok(scalar(keys %made), '>', 500, 'there are many');
my ($wrong_label, $wrong_value, $wrong_error, $changed, $pending, $due) = (0) x 6;
my %square;
for my $id (keys %made)
{
	my ($target, $actual, $error, $forecast) = @{ $row{$id} // [] };
	my $wanted = $made{$id}{target};
	$changed++ if $forecast != $made{$id}{forecast};
	if ($wanted > $end) { $pending++ unless $target; $due++; next; }
	$wrong_label++ if ($target // '') ne $day[$wanted];
	my $value = quoted($wanted, $end);
	my $factor = $made{$id}{made} <= $split ? 0.5 : 1;
	$wrong_value++ if !$actual || abs($actual - $value) > 1e-9;
	my $own = $value - $made{$id}{forecast} * $factor;
	$wrong_error++ if !$actual || abs($error - $own) > 1e-9;
	push @{ $square{$wanted} }, $own**2 if $wanted == $made{$id}{made} + 1;
}
is($wrong_label, 0, 'each prediction is labelled by the session after the one that it was made in');
is($wrong_value, 0, 'with the price of that session');
is($wrong_error, 0, 'and the error is that of the forecast, taken over to the new prices after the split');
is($changed, 0, 'no answer was changed');
is($pending, $due, 'only those for sessions to come are pending');
is(sql("SELECT count(*) FROM arima_ops.events WHERE series = 'replay' AND kind = 'restatement'"), '1', 'the split was noticed');

# rolling RMSE over the last 14 sessions: a session's requests count once
my @last = (sort { $b <=> $a } keys %square)[ 0 .. 13 ];
my $rolling = sqrt(sum(map { sum(@{ $square{$_} }) / @{ $square{$_} } } @last) / 14);
my $told = sql("SELECT rolling_rmse FROM arima_ops.detect_drift('replay')");
cmp_ok(abs($told / $rolling - 1), '<', 1e-9, "rolling RMSE $told is that of the account");
my @checks = split /\n/, sql("SELECT ts::date || ' ' || rolling_rmse FROM arima_ops.drift_checks WHERE series = 'replay' AND rolling_rmse IS NOT NULL ORDER BY ts");
cmp_ok(scalar(@checks), '>', 200, 'a drift check for each session');
my %number = map { $day[$_] => $_ } 1 .. $#day;
my $wrong = 0;
for (@checks)
{
	my ($date, $rmse) = split / /;
	my @window = (grep { $_ <= $number{$date} } sort { $b <=> $a } keys %square)[ 0 .. 13 ];
	next if !defined $window[13];
	my $own = sqrt(sum(map { sum(@{ $square{$_} }) / @{ $square{$_} } } @window) / 14);
	$wrong++ if abs($rmse / $own - 1) > 1e-9;
}
is($wrong, 0, 'and each has the rolling RMSE of the account');
$db->end;
done_testing();
