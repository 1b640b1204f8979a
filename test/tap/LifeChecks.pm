# LifeChecks.pm
#	Compares the tables of the operations with what LifeOracle.pm says.

package LifeChecks;

use strict;
use warnings;

use Test::More;
use LifeOracle;

my ($oracle, $session, $names, $rule, $cut_asks, $cut_calls);
my %wrong;

# What is wrong, to be called when nobody else is at work: the oracle, a session, the names of the series, the drift rule, the rows
# (series => number) that may be there although nobody got them, and the number of runs of jobs that may have been abandoned.
sub all_wrong
{
	($oracle, $session, $names, $rule, $cut_asks, $cut_calls) = @_;
	%wrong = ();
	$session->must('SELECT arima_ops.score_predictions()');
	check_values();
	check_drift(check_predictions());
	check_told();
	check_registry();
	check_jobs();
	return join '; ', map { "$_ ($wrong{$_})" } sort keys %wrong;
}

sub rows { my ($sql) = @_; return map { [ split /\|/, $_, -1 ] } split /\n/, $session->must($sql); }

# The values of a series that are recorded, session => value.
sub found { my ($name) = @_; return { map { ($_->[0] => $_->[1]) } rows("SELECT k(ts), value FROM arima_ops.actuals WHERE series = '$name'") }; }

sub wrong { my ($what, $example) = @_; diag("$what: $example") if ++$wrong{$what} <= 3; }
sub near { my ($a, $b) = @_; return $a eq $b || ($a ne '' && $b ne '' && abs($a - $b) <= 1e-9 * (abs($a) + abs($b)) + 1e-12); }

sub check_values
{
	for my $name (@$names)
	{
		wrong('values that are not those recorded', "$name $_") for $oracle->differs($name, found($name));
		next if $name eq 'forgets';
		my %left;
		$left{$_}++ for map { LifeOracle::revision(@$_) } rows("SELECT k(ts), old_value, new_value FROM arima_ops.actual_revisions WHERE series = '$name'");
		$left{$_}-- for @{ $oracle->{revisions}{$name} };
		wrong('revisions that are not those made', "$name $_: $left{$_}") for grep { $left{$_} } sort keys %left;
	}
}

# The log of predictions, row by row; gives the rows.
sub check_predictions
{
	my %spec = map { ("$_->[0] $_->[1]" => $_->[2]) } rows('SELECT series, version, spec FROM arima_ops.models');
	my (%seen, %extra, %log);

	$oracle->settle;
	for (rows(q{SELECT id, series, version, k(as_of), lead, horizon, history_len, forecast, lower, upper, adjustment, k(target_ts), actual, error, placed, request_id FROM arima_ops.predictions ORDER BY id}))
	{
		my %p;
		@p{qw(id series version as_of lead horizon given forecast lower upper adjustment target actual error placed key)} = @$_;
		$log{ $p{id} } = \%p;
		my ($ts, $value) = $oracle->label($p{series}, $p{as_of}, $p{lead} + $p{horizon});
		wrong('labels that are not the value of their session', "$p{id} of $p{series} as of $p{as_of}, $p{lead} + $p{horizon}: $p{target} $p{actual}, not " . ($ts // '') . ' ' . ($value // ''))
			if $p{target} ne ($ts // '') || (defined $ts && $p{actual} != $value);
		wrong('errors that are not actual - forecast', $p{id}) if defined $ts && !near($p{error}, $value - $p{forecast} * $p{adjustment});
		wrong('requests answered twice', "$p{series} $p{key}") if $p{key} ne '' && $seen{"$p{series} $p{key} $p{horizon}"}++;
		my $known = $oracle->{predictions}{ $p{id} };
		if (!$known)
		{
			next if $p{key} ne '' && $p{horizon} <= ($oracle->{requests}{"$p{series} $p{key} steps"} // 0);
			$extra{ $p{series} }++;
			next;
		}
		wrong('answers that are not what the log has', $p{id}) if $known->{forecast} != $p{forecast} || grep { defined $known->{$_} && $known->{$_} ne $p{$_} } qw(series version as_of lead horizon lower upper key);
		$known->{$_} //= $p{$_} for qw(as_of lead);
		wrong('adjustments that are not those of the restatements', "$p{id} of $p{series}: $p{adjustment}, not $known->{adjustment}") if !$known->{raced} && $p{adjustment} != $known->{adjustment};
		wrong('forecasts of a random walk that are not its last value', "$p{id} of $p{series} as of $p{as_of}: $p{forecast} x $p{adjustment}")
			if $p{given} == 0 && $spec{"$p{series} $p{version}"} eq '(0,1,0)' && !$oracle->was_value($p{series}, $p{as_of}, $p{forecast} * $p{adjustment});
		$known->{adjustment} = $p{adjustment};
		$known->{raced} = 0;
	}
	for my $known (values %{ $oracle->{predictions} })
	{
		next if $log{ $known->{id} };
		wrong('answers that are not in the log', "$known->{id} of $known->{series}")
			unless $known->{series} eq 'forgets' && (!defined $known->{as_of} || $oracle->label($known->{series}, $known->{as_of}, $known->{lead} + $known->{horizon}));
		delete $oracle->{predictions}{ $known->{id} };
	}
	wrong('rows that nobody asked for', "$_: $extra{$_}") for grep { $extra{$_} > ($cut_asks->{$_} // 0) } keys %extra;
	return values %log;
}

# The checks for drift, the rolling figures and what the views say of them.
sub check_drift
{
	my @log = @_;

	$session->must('SELECT count(*) FROM arima_ops.detect_drift()');
	for my $name (grep { $_ ne 'forgets' } @$names)
	{
		my ($version, $from, $reference) = @{ (rows("SELECT version, k(champion_from), reference_rmse * adjustment FROM arima_ops.models WHERE series = '$name' AND status = 'champion'"))[0] };
		my @wanted = LifeOracle::checks([ grep { $_->{series} eq $name && $_->{version} == $version && $_->{horizon} == 1 && $_->{target} ne '' && $_->{target} > $from && $_->{placed} ne 'f' } @log ], $reference, $rule);
		my @columns = qw(ts predictions session_rmse session_error labels rolling_rmse consecutive drift coverage);
		my @found = rows("SELECT k(ts), predictions, session_rmse, session_error, labels, rolling_rmse, consecutive, drift::int, coverage FROM arima_ops.drift_checks
			WHERE series = '$name' AND version = $version AND ts > t($from) ORDER BY ts");
		wrong('sessions of champions without check, or with one too many', "$name: " . @found . ', not ' . @wanted) if @found != @wanted;
		for my $i (0 .. (@found < @wanted ? $#found : $#wanted))
		{
			my %found;
			@found{@columns} = @{ $found[$i] };
			wrong('checks that are not those of the labels', "$name $version, session $found{ts}, $_: $found{$_}, not $wanted[$i]{$_}") for grep { !near($found{$_}, $wanted[$i]{$_}) } @columns;
		}
		my ($champion, $labels, $rolling, $drift, $pending) = @{ (rows("SELECT champion, coalesce(labels, 0), rolling_rmse, drift::int, pending FROM arima_ops.monitoring WHERE series = '$name'"))[0] };
		my $last = $wanted[-1] // { labels => 0, rolling_rmse => '', drift => 0 };
		wrong('lines of monitoring that are not so', "$name: $champion $labels $rolling $drift $pending") if $champion != $version || $labels != $last->{labels} || !near($rolling, $last->{rolling_rmse})
			|| $drift != $last->{drift} || $pending != grep { $_->{series} eq $name && $_->{target} eq '' } @log;
	}
	check_metrics(@log);
}

# rolling_... over the last predictions of a series.
sub check_metrics
{
	my @log = @_;

	for my $name (@$names)
	{
		my @last = sort { $a->{target} <=> $b->{target} || $a->{id} <=> $b->{id} } grep { $_->{series} eq $name && $_->{horizon} == 1 && $_->{target} ne '' } @log;
		next if @last < 14;
		my @found = @{ (rows("SELECT rolling_rmse(f, a) OVER w, rolling_mae(f, a) OVER w, rolling_mape(f, a) OVER w, rolling_smape(f, a) OVER w, rolling_bias(f, a) OVER w
			FROM (SELECT id, target_ts, forecast * adjustment AS f, actual AS a FROM arima_ops.predictions WHERE series = '$name' AND horizon = 1 AND target_ts IS NOT NULL) AS p
			WINDOW w AS (ORDER BY target_ts, id ROWS 13 PRECEDING) ORDER BY target_ts DESC, id DESC LIMIT 1"))[0] };
		@last = @last[ -14 .. -1 ];
		my $wanted = LifeOracle::metrics([ map { $_->{forecast} * $_->{adjustment} } @last ], [ map { $_->{actual} } @last ]);
		my @kinds = qw(rmse mae mape smape bias);
		wrong('rolling metrics that are not so', "$name $kinds[$_]: $found[$_], not $wanted->{$kinds[$_]}") for grep { abs($found[$_] - $wanted->{ $kinds[$_] }) > 1e-9 * $last[0]{actual} } 0 .. 4;
	}
}

# Drift and its end are told in turn, of each champion anew.
sub check_told
{
	# what is forgotten may be told again
	for my $name (grep { $_ ne 'forgets' } @$names)
	{
		my ($told, $of) = ('recovery', 0);

		for (rows("SELECT kind, version FROM arima_ops.events WHERE series = '$name' AND kind IN ('promotion', 'rollback', 'drift', 'recovery') ORDER BY id"))
		{
			my ($kind, $version) = @$_;
			($told, $of) = ('recovery', $version), next if $kind =~ /promotion|rollback/;
			wrong('drift that is told twice', "$name $version $kind") if $kind eq $told || $version != $of;
			$told = $kind;
		}
		my ($drift) = map { $_->[0] } rows("SELECT arima_ops.in_drift('$name')::int");
		wrong('drift that is not told', $name) if $drift != ($told eq 'drift' ? 1 : 0);
	}
}

# The registry against its events, the gates against their numbers.
sub check_registry
{
	for my $name (@$names)
	{
		my $wanted = LifeOracle::registry(rows("SELECT kind, version, details ->> 'by' FROM arima_ops.events WHERE series = '$name' AND kind IN ('training', 'rejection', 'promotion', 'rollback') ORDER BY id"));
		my @models = rows("SELECT version, status, coalesce(former::text, ''), coalesce(promoted_by, '') FROM arima_ops.models WHERE series = '$name'");
		my $champions = grep { $_->[1] eq 'champion' } @models;

		wrong('series without exactly one champion', "$name: $champions") if $champions != 1;
		wrong('registries that are not what the events say', "$name: $wanted"), next unless ref $wanted;
		wrong('registries that are not what the events say', "$name: " . @models . ' versions, not ' . keys %$wanted) if @models != keys %$wanted;
		for (@models)
		{
			my $found = join ' ', @$_[ 1 .. 3 ];
			my $told = join ' ', map { $_ // '' } @{ $wanted->{ $_->[0] } }{qw(status former by)};
			wrong('registries that are not what the events say', "$name $_->[0]: $found, not $told") if $found ne $told;
		}
	}
	for (rows(q{SELECT id, policy, decision, actuals, forecasts, champion_forecasts, rmse, champion_rmse, gain FROM arima_ops.evaluations WHERE kind = 'gate'}))
	{
		my ($id, $rule, $decision, @rest) = @$_;
		my ($actuals, $forecasts, $champion) = map { [ split /,/, $_ =~ tr/{}//dr ] } @rest[ 0 .. 2 ];
		my ($rmse, $champion_rmse) = map { LifeOracle::metrics($_, $actuals)->{rmse} } $forecasts, $champion;

		wrong('gates whose numbers are not so', $id) if !near($rest[3], $rmse) || !near($rest[4], $champion_rmse) || abs($rest[5] - (1 - $rmse / $champion_rmse)) > 1e-9;
		wrong('gates with the wrong decision', $id) if $rule eq 'rmse_only' ? ($decision eq 'promoted') != ($rest[3] < $rest[4]) : $decision eq 'promoted' && $rest[5] < 0.01;
	}
}

sub check_jobs
{
	$session->must("CALL arima_ops.run_$_()") for qw(etl monitoring retraining retention);
	my %runs = map { ($_->[0] => $_->[1]) } rows('SELECT status, count(*) FROM arima_ops.job_runs GROUP BY 1');
	wrong('jobs that are said to run', $runs{running}) if $runs{running};
	wrong('jobs that failed', $session->must(q{SELECT string_agg(job || ': ' || error, ', ') FROM arima_ops.job_runs WHERE status = 'failed'})) if $runs{failed};
	wrong('jobs abandoned by nobody', "$runs{abandoned} of $cut_calls") if ($runs{abandoned} // 0) > $cut_calls;
	wrong('failures that are events', $_->[0]) for rows(q{SELECT series || ' ' || kind || ' ' || message FROM arima_ops.events WHERE kind ~ '_failed$'});
	wrong('alerts that wait for nobody, or events without', $_->[0]) for rows(q{SELECT e.id FROM (SELECT * FROM arima_ops.events WHERE kind IN ('promotion', 'rollback', 'restatement')) AS e
		FULL JOIN arima_ops.alert_outbox AS o ON o.event = e.id WHERE e.id IS NULL OR o.event IS NULL});
	wrong('leftovers of series that are gone', $_->[0]) for rows(q{SELECT DISTINCT series FROM (SELECT series FROM arima_ops.predictions UNION ALL SELECT series FROM arima_ops.models
		UNION ALL SELECT series FROM arima_ops.actuals UNION ALL SELECT series FROM arima_ops.actual_revisions UNION ALL SELECT series FROM arima_ops.drift_checks) AS s
		WHERE series NOT IN (SELECT name FROM arima_ops.series) OR series ~ '^p[0-9]'});
}

1;
