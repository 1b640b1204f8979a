# Cost against size as an SVG chart with both axes logarithmic: a panel for each series of
# points, with the line of cost in proportion through its last point.
package Chart;
use strict;
use warnings;

my ($width, $height, $left, $bottom) = (330, 230, 52, 36);

# Slope of log y on log x by least squares; 1 is proportional.
sub slope
{
	my @points = map { [ log $_->[0], log $_->[1] ] } @_;
	my ($mx, $my, $sxx, $sxy) = (0, 0, 0, 0);

	$mx += $_->[0] / @points, $my += $_->[1] / @points for @points;
	$sxx += ($_->[0] - $mx)**2, $sxy += ($_->[0] - $mx) * ($_->[1] - $my) for @points;
	return $sxy / $sxx;
}

# Powers of ten around the values.
sub decades
{
	my @logs = sort { $a <=> $b } map { log($_) / log 10 } @_;
	my $first = int($logs[0] + 1000 + 1e-9) - 1000;
	my $last = -int(1000 - $logs[-1] + 1e-9) + 1000;

	return ($first, $last > $first ? $last : $first + 1);
}

sub number { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n }

sub panel
{
	my ($x0, $title, $label, $unit, @points) = @_;
	my ($xa, $xb) = decades(map { $_->[0] } @points);
	my ($ya, $yb) = decades(map { $_->[1] } @points);
	my $x = sub { $x0 + $left + ($width - $left - 20) * (log($_[0]) / log(10) - $xa) / ($xb - $xa) };
	my $y = sub { 30 + ($height - 30 - $bottom) * ($yb - log($_[0]) / log 10) / ($yb - $ya) };
	my ($n, $cost) = @{ $points[-1] };
	my $svg = sprintf qq(<text x="%d" y="18" class="t">%s: slope %.2f</text>\n), $x0 + $left, $title, slope(@points);

	for my $d ($xa .. $xb)
	{
		$svg .= sprintf qq(<path d="M%.1f 30V%d" class="g"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>\n),
			$x->(10**$d), $height - $bottom, $x->(10**$d), $height - $bottom + 14, number(10**$d);
	}
	for my $d ($ya .. $yb)
	{
		$svg .= sprintf qq(<path d="M%d %.1fH%d" class="g"/><text x="%d" y="%.1f" text-anchor="end">%s %s</text>\n),
			$x0 + $left, $y->(10**$d), $x0 + $width - 20, $x0 + $left - 5, $y->(10**$d) + 4, $d < 0 ? 10**$d : number(10**$d), $unit;
	}
	my $from = $points[0][0];
	my $least = $cost * $from / $n < 10**$ya ? 10**$ya * $n / $cost : $from;
	$svg .= sprintf qq(<path d="M%.1f %.1fL%.1f %.1f" class="p"/>\n), $x->($least), $y->($cost * $least / $n), $x->($n), $y->($cost);
	$svg .= sprintf qq(<circle cx="%.1f" cy="%.1f" r="3.5"><title>%s: %.4g %s</title></circle>\n), $x->($_->[0]), $y->($_->[1]), number($_->[0]), $_->[1], $unit
		for @points;
	return $svg . sprintf qq(<text x="%.1f" y="%d" text-anchor="middle">%s</text>\n), $x0 + $left + ($width - $left - 20) / 2, $height - 6, $label;
}

# Writes the file; panels: [title, what the axis counts, unit of cost, [size, cost], ..].
sub draw
{
	my ($file, @panels) = @_;
	my $i = 0;

	open my $out, '>', $file or die "$file: $!\n";
	printf $out qq(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">\n), $width * @panels, $height;
	print $out "<style>text{fill:#555}.t{font-size:13px}.g{stroke:#8884}.p{stroke:#c60;stroke-dasharray:4 3;fill:none}circle{fill:#06c}",
		"\@media(prefers-color-scheme:dark){text{fill:#bbb}circle{fill:#6af}}</style>\n";
	print $out panel($width * $i++, @$_) for @panels;
	print $out "</svg>\n";
	close $out;
	return;
}

1;
