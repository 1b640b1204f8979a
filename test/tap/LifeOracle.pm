# LifeOracle.pm
#	What the tables of the operations must say, kept in dictionaries beside them: the values of
#	each session, the predictions acknowledged, their labels, the rolling RMSE, the registry.
#	Nothing here asks the database; sessions are whole numbers, minutes after a beginning.

package LifeOracle;

use strict;
use warnings;

sub new { return bless { values => {}, ever => {}, revisions => {}, predictions => {}, requests => {} }, $_[0]; }

# A series with its first values, session => value.
sub add_series
{
	my ($self, $series, $values) = @_;

	$self->{values}{$series} = {%$values};
	$self->{ever}{$series} = { map { $_ => [ $values->{$_} ] } keys %$values };
	$self->{revisions}{$series} = [];
}

# The sessions of a series in their order.
sub sessions { my ($self, $series) = @_; return sort { $a <=> $b } keys %{ $self->{values}{$series} }; }

sub last_session { my ($self, $series) = @_; return ($self->sessions($series))[-1]; }

# What a series becomes by new values, session => value, undef: removed.  Nothing is changed yet.
sub changed
{
	my ($self, $series, $given) = @_;
	my %values = %{ $self->{values}{$series} };

	for (keys %$given)
	{
		defined $given->{$_} ? ($values{$_} = $given->{$_}) : delete $values{$_};
	}
	return \%values;
}

# The sessions in which recorded values differ from those of the oracle, or from others.
sub differs
{
	my ($self, $series, $found, $wanted) = @_;

	$wanted //= $self->{values}{$series};
	return grep { !defined $wanted->{$_} || !defined $found->{$_} || $wanted->{$_} != $found->{$_} } keys %{ { %$wanted, %$found } };
}

# The change has been made: values, the traces of those that were there before, and what a session ever was.
sub change
{
	my ($self, $series, $values) = @_;
	my $before = $self->{values}{$series};

	for my $ts (sort { $a <=> $b } keys %$before)
	{
		next if defined $values->{$ts} && $values->{$ts} == $before->{$ts};
		push @{ $self->{revisions}{$series} }, revision($ts, $before->{$ts}, $values->{$ts});
	}
	push @{ $self->{ever}{$series}{$_} }, $values->{$_} for keys %$values;
	$self->{values}{$series} = $values;
}

# What is kept of a change: session, old value, new value if there is one, to the last digit.
sub revision { return join ' ', map { defined && $_ ne '' ? sprintf '%.17g', $_ : 'removed' } @_; }

# All values up to a session are times a factor; predictions that were answered before the change began go with them.
sub restate
{
	my ($self, $series, $factor, $up_to, $began) = @_;
	my $ever = $self->{ever}{$series};

	$self->change($series, { map { $_ => $self->{values}{$series}{$_} * ($_ <= $up_to ? $factor : 1) } keys %{ $self->{values}{$series} } });
	for my $ts (grep { $_ <= $up_to } keys %$ever)
	{
		$ever->{$ts} = [ map { $_ * $factor } @{ $ever->{$ts} } ];
		push @{ $ever->{$ts} }, $self->{values}{$series}{$ts} if defined $self->{values}{$series}{$ts};
	}
	for my $p (grep { $_->{series} eq $series } values %{ $self->{predictions} })
	{
		if ($p->{raced} || !defined $p->{as_of} || $p->{ended} > $began) { $p->{raced} = 1; }
		elsif ($p->{as_of} <= $up_to) { $p->{adjustment} *= $factor; }
	}
}

# An acknowledged prediction: id, series, ended (when its answer was there) and what the answer said.
sub predicted
{
	my ($self, $p) = @_;

	$self->{predictions}{ $p->{id} } //= { adjustment => 1, %$p };
}

# Session and value that a prediction is to be labelled with, or nothing.
sub label
{
	my ($self, $series, $as_of, $steps) = @_;
	my @after = grep { $_ > $as_of } @{ $self->{sorted}{$series} };

	return @after >= $steps ? ($after[ $steps - 1 ], $self->{values}{$series}{ $after[ $steps - 1 ] }) : ();
}

# To be called before labels are asked for: the order of the sessions now.
sub settle { my ($self) = @_; $self->{sorted} = { map { $_ => [ $self->sessions($_) ] } keys %{ $self->{values} } }; }

# Was the forecast a value that its session ever had, in the prices of today?
sub was_value
{
	my ($self, $series, $ts, $value) = @_;

	return scalar grep { abs($_ - $value) <= 1e-9 * abs $value } @{ $self->{ever}{$series}{$ts} // [] };
}

sub mean { my $sum = 0; $sum += $_ for @_; return $sum / @_; }

# The errors that rolling_... are to give for forecasts and actual values.
sub metrics
{
	my ($forecast, $actual) = @_;
	my @i = 0 .. $#$forecast;

	return {
		rmse => sqrt mean(map { ($forecast->[$_] - $actual->[$_])**2 } @i),
		mae => mean(map { abs($forecast->[$_] - $actual->[$_]) } @i),
		mape => mean(map { 100 * abs(($forecast->[$_] - $actual->[$_]) / $actual->[$_]) } @i),
		smape => mean(map { 200 * abs($forecast->[$_] - $actual->[$_]) / (abs($forecast->[$_]) + abs $actual->[$_]) } @i),
		bias => mean(map { $forecast->[$_] - $actual->[$_] } @i)
	};
}

# The checks for drift by a rolling RMSE.  $rows: predictions one step ahead, as hashes, of which those from recorded values alone go first; $rule: window, multiplier, consecutive, min_labels, recovery.
sub checks
{
	my ($rows, $reference, $rule) = @_;
	my (%of, @checks, @squares, @inside);
	my ($labels, $consecutive, $drift) = (0, 0, 0);

	push @{ $of{ $_->{target} } }, $_ for @$rows;
	for my $ts (sort { $a <=> $b } keys %of)
	{
		my @own = grep { !$_->{given} } @{ $of{$ts} };
		$of{$ts} = \@own if @own;
		my @errors = map { $_->{actual} - $_->{forecast} * $_->{adjustment} } @{ $of{$ts} };

		push @squares, mean(map { $_**2 } @errors);
		push @inside, mean(map { $_->{actual} >= $_->{lower} * $_->{adjustment} && $_->{actual} <= $_->{upper} * $_->{adjustment} ? 1 : 0 } @{ $of{$ts} });
		my $from = @squares > $rule->{window} ? @squares - $rule->{window} : 0;
		my $rolling = sqrt mean(@squares[ $from .. $#squares ]);
		my $breach = ++$labels >= $rule->{min_labels} && $rolling > $rule->{multiplier} * $reference;
		$consecutive = $breach ? $consecutive + 1 : 0;
		$drift = 1 if $consecutive >= $rule->{consecutive};
		$drift = 0 if $rolling < $rule->{recovery} * $reference;
		push @checks, { ts => $ts, predictions => scalar @errors, session_rmse => sqrt $squares[-1], session_error => mean(@errors), labels => $labels,
			rolling_rmse => $rolling, consecutive => $consecutive, drift => $drift, coverage => mean(@inside[ $from .. $#inside ]) };
	}
	return @checks;
}

# The registry that the events of a series lead to, version => status, former champion and how it came; or what is wrong with them.
sub registry
{
	my (@events) = @_;
	my (%models, $champion);

	for my $e (@events)
	{
		my ($kind, $version, $by) = @$e;
		my $new = !$models{$version};

		return "version $version after " . keys %models if $new && $version != 1 + keys %models;
		return "$kind of version $version, which was there" if !$new && ($kind =~ /training|rejection/ || ($by // '') =~ /first|gate/);
		return "$kind of version $version, which was not there" if $new && ($kind eq 'rollback' || ($by // '') eq 'hand');
		return "rollback to $version, but the former champion is " . ($models{$champion}{former} // 'none') if $kind eq 'rollback' && $version != ($models{$champion}{former} // 0);
		$models{$version} //= { status => $kind eq 'rejection' ? 'rejected' : 'candidate' };
		next if $kind =~ /training|rejection/;
		if (defined $champion)
		{
			return "$kind of version $version, the champion" if $champion == $version;
			$models{$champion}{status} = 'archived';
			delete $models{$champion}{former} if $kind eq 'rollback';
		}
		$models{$version}{former} = $champion if $kind ne 'rollback';
		@{ $models{$version} }{qw(status by)} = ('champion', $kind eq 'rollback' ? 'rollback' : $by);
		$champion = $version;
	}
	return \%models;
}

1;
