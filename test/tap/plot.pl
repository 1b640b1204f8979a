# How the picture of arima_plot looks: rendered, and looked at point by point.
use strict;
use warnings;
use Compress::Zlib;
use Test::More;

plan skip_all => 'no rsvg-convert' if system('rsvg-convert --version >/dev/null 2>&1') != 0;

# The pixels of a PNG of eight bits a channel, not interlaced: rows of [r, g, b].
sub read_png
{
	my ($png) = @_;
	my ($at, $data, $width, $height, $colour) = (8, '');
	while ($at < length $png)
	{
		my ($len, $type) = unpack 'N a4', substr $png, $at, 8;
		my $chunk = substr $png, $at + 8, $len;
		($width, $height, undef, $colour) = unpack 'N N C C', $chunk if $type eq 'IHDR';
		$data .= $chunk if $type eq 'IDAT';
		$at += 12 + $len;
	}
	my $size = $colour == 6 ? 4 : 3;
	$data = uncompress($data);
	my (@rows, @last);
	for my $y (0 .. $height - 1)
	{
		my ($filter, @row) = unpack 'C*', substr $data, $y * ($width * $size + 1), $width * $size + 1;
		for my $i (0 .. $#row)
		{
			my ($a, $b, $c) = ($i >= $size ? $row[ $i - $size ] : 0, $last[$i] // 0, $i >= $size ? $last[ $i - $size ] // 0 : 0);
			my ($pa, $pb, $pc) = (abs($b - $c), abs($a - $c), abs($a + $b - 2 * $c));
			my $guess = (0, $a, $b, int(($a + $b) / 2), $pa <= $pb && $pa <= $pc ? $a : $pb <= $pc ? $b : $c)[$filter];
			$row[$i] = ($row[$i] + $guess) & 255;
		}
		@last = @row;
		push @rows, [ map { [ @row[ $_ * $size .. $_ * $size + 2 ] ] } 0 .. $width - 1 ];
	}
	return \@rows;
}

# A picture from SQL, rendered at its own size; the style of dark pages if asked for.
sub render
{
	my ($sql, $dark) = @_;
	mkdir 'build';
	my $svg = `psql -X -q -A -t -v ON_ERROR_STOP=1 -c "CREATE EXTENSION IF NOT EXISTS arima_ops" -c "$sql" 2>&1`;
	$svg =~ s/\@media \(prefers-color-scheme:dark\)\{(.*?)\}<\/style>/$1<\/style>/ if $dark;
	open my $out, '>', 'build/plot.svg' or die "build/plot.svg: $!";
	print $out $svg;
	close $out;
	local $/;
	open my $in, '-|', 'rsvg-convert', '-w', 960, 'build/plot.svg' or die "rsvg-convert: $!";
	binmode $in;
	my $png = <$in>;
	close $in or return undef;
	return read_png($png);
}

# How far a point is from a colour, at most; the nearest of the points around it.
sub off
{
	my ($rows, $x, $y, @colour) = @_;
	my $best = 255;
	for my $row (@{$rows}[ $y - 2 .. $y + 2 ])
	{
		my @off = sort { $b <=> $a } map { abs($row->[$x][$_] - $colour[$_]) } 0 .. 2;
		$best = $off[0] if $off[0] < $best;
	}
	return $best;
}

$ENV{PGOPTIONS} = '-c client_min_messages=warning';
# flat at 10 but for one step, so that the lines are where they are known to be; the forecast lies in the middle of its fan
my $sql = "SELECT arima_plot(arima_fit(y, '(0,1,0)'), y, 10, 'Title', backtest => array_fill(8::float8, '{20}'), levels => '{0.9}')
	FROM (SELECT array_agg(10 + (i = 20)::int * 4 ORDER BY i)::float8[] AS y FROM generate_series(1, 40) i) s";
for my $dark (0, 1)
{
	my $rows = render($sql, $dark);
	my $look = $dark ? 'dark' : 'light';
	ok($rows, "$look: it can be rendered") or next;
	is(scalar @$rows, 440, "$look: height");
	is(scalar @{ $rows->[0] }, 960, "$look: width");
	open my $in, '<', 'build/plot.svg' or die "build/plot.svg: $!";
	my $svg = do { local $/; <$in> };
	my ($actual) = $svg =~ /class="ao-actual" d="M([\d.]+ [\d.]+)/;
	my ($back) = $svg =~ /class="ao-back" d="M([\d.]+ [\d.]+)/;
	my ($x, $y) = split ' ', $actual;
	my ($bx, $by) = split ' ', $back;
	my ($now, $level) = $svg =~ /class="ao-mean" d="M([\d.]+) ([\d.]+)/;
	my @colours = $dark
	  ? ([ 0x0d, 0x11, 0x17 ], [ 0xd1, 0xd9, 0xe0 ], [ 0x44, 0x93, 0xf8 ], [ 0xf0, 0x88, 0x3e ])
	  : ([ 255, 255, 255 ], [ 0x24, 0x29, 0x2f ], [ 0x09, 0x69, 0xda ], [ 0xd1, 0x57, 0x0a ]);
	cmp_ok(off($rows, 5, 5, @{ $colours[0] }), '<=', 2, "$look: page");
	cmp_ok(off($rows, $x + 30, $y, @{ $colours[1] }), '<=', 70, "$look: the line of the values");
	cmp_ok(off($rows, $now + 100, $level, @{ $colours[2] }), '<=', 40, "$look: the line of the forecast");
	cmp_ok(off($rows, $bx + 10, $by, @{ $colours[3] }), '<=', 70, "$look: the line of the backtest");
	my $fan = $rows->[ int($level) + 8 ][ int($now) + 150 ];
	cmp_ok($fan->[2] - $fan->[0], '>=', 20, "$look: the interval is blue");
	my $dark_points = grep { my $p = $_; abs($p->[0] - $colours[0][0]) > 60 } map { @{$_}[ 40 .. 90 ] } @{$rows}[ 15 .. 35 ];
	cmp_ok($dark_points, '>=', 40, "$look: a title is there");
}
done_testing();
