# Simulated series: the same numbers on every machine and every run.
package Simulate;
use strict;
use warnings;

# Park and Miller's generator, with the multiplier of 1993.
my $state;

sub seed { $state = shift; return; }

sub uniform
{
	$state = ($state * 48271) % 2147483647;
	return $state / 2147483647;
}

# Standard normal by Box and Muller.
sub normal
{
	return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

# (1 - ar B) (1-B) (1-B^m)^D y = (1 + ma B) (1 + sma B^m) e; m = 0 for no season.
sub series
{
	my ($n, $ar, $ma, $m, $sma) = @_;
	my (@e, @w, @y);

	for my $t (0 .. $n - 1)
	{
		$e[$t] = normal();
		my $w = $e[$t];
		$w += $ma * $e[ $t - 1 ] + $ar * $w[ $t - 1 ] if $t >= 1;
		if ($m && $t >= $m)
		{
			$w += $sma * $e[ $t - $m ];
			$w += $ma * $sma * $e[ $t - $m - 1 ] if $t > $m;
		}
		$w[$t] = $w;
		$y[$t] = $w + ($t >= 1 ? $y[ $t - 1 ] : 0);
		if ($m && $t >= $m)
		{
			$y[$t] += $y[ $t - $m ] - ($t > $m ? $y[ $t - $m - 1 ] : 0);
		}
	}
	return \@y;
}

# A price like a stock's: geometric random walk, cents.
sub prices
{
	my ($n, $start) = @_;
	my $log = log $start;

	return [ map { $log += 0.0004 + 0.015 * normal(); sprintf '%.2f', exp $log } 1 .. $n ];
}

1;
