# The binary form of arima_model, as a client can send it: every byte changed in
# several ways and every length is refused with SQLSTATE 22P03, or is a model
# that can be used.

use strict;
use warnings;

use File::Temp;
use IPC::Run qw(run);
use Test::More;

my @models = (
	'{"arima_model":4,"spec":"(2,1,1) with drift","method":"ml","n_xreg":0,"n":100,"n_missing":0,"n_gap":0,"n_used":99,"estimated_to":100,'
	  . '"sigma2":2.5,"loglik":-185.25,"lambda":null,"bias_adjust":false,"interval":"conformal","df":95,"remarks":[],"iterations":12,'
	  . '"coef":{"ar1":0.5,"ar2":-0.25,"ma1":0.125,"drift":0.0625},'
	  . '"cov":[0.04,0,0.04,0,0,0.09,0,0,0,1],"calibration":[0.25,0.5,0.625,0.75,1,1.25,1.5,2,2.5,3],"state":[1.5,0.25,101.25],"state_cov":null}',
	'{"arima_model":4,"spec":"(0,1,1)(0,0,1)[2]","method":"ml","n_xreg":0,"n":60,"n_missing":7,"n_gap":2,"n_used":52,"estimated_to":58,'
	  . '"sigma2":0.1,"loglik":-12.125,"lambda":0.5,"bias_adjust":true,"interval":"student","df":50,"remarks":["ma_boundary","budget"],"iterations":240,'
	  . '"coef":{"ma1":0.25,"sma1":-1},"cov":[0.01,null,null],"calibration":null,"state":[0.5,0.25,0.125,20],'
	  . '"state_cov":[1,0,1,0,0,1,0.25,0,0,2]}');

my $folder = File::Temp->newdir;

# Runs a psql script; its output as lines, errors as SQLSTATE only.
sub psql
{
	my ($script) = @_;
	my $out;

	run([ 'psql', '-X', '-A', '-t', '-q', '-v', 'VERBOSITY=sqlstate' ], '<', \$script, '>&', \$out)
	  or die "psql failed: $out";
	return split /\n/, $out;
}

# Writes a file that COPY in binary format takes: one row of one value.
sub copy_file
{
	my ($name, $value) = @_;

	open my $file, '>:raw', "$folder/$name" or die "$folder/$name: $!";
	print $file "PGCOPY\n\377\r\n\0", pack('NN', 0, 0), pack('nN', 1, length $value), $value, pack('n', 0xffff);
	close $file or die "$folder/$name: $!";
	return "\\copy received FROM '$folder/$name' (FORMAT binary)\n";
}

# The verdict on each received model: 'usable', or what is wrong with it.
my $use = <<'SQL';
CREATE FUNCTION pg_temp.use(m arima_model) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	bad bigint;
BEGIN
	IF arima_model_send(m::text::arima_model) <> arima_model_send(m) THEN
		RETURN 'reads back as another';
	END IF;
	IF arima_summary(m) IS NULL OR (SELECT count(*) FROM arima_coefficients(m)) = 0 OR
		(SELECT s.n FROM arima_stats(m) AS s) < 1 THEN
		RETURN 'cannot be read';
	END IF;
	SELECT count(*) INTO bad
	FROM arima_forecast(m, 20) AS f, unnest(ARRAY[f.forecast, f.std_error, f.lower, f.upper]) AS x
	WHERE (x > '-Infinity' AND x < 'Infinity') IS NOT TRUE;
	RETURN CASE WHEN bad = 0 THEN 'usable' ELSE 'gives a forecast that is no number' END;
EXCEPTION WHEN invalid_binary_representation OR numeric_value_out_of_range THEN
	RETURN 'usable';	-- an error that says so is an answer too
END $$;
SQL
my $prologue = "SET client_min_messages = warning;\nCREATE EXTENSION IF NOT EXISTS arima_ops;\n"
  . "CREATE TEMP TABLE received (model arima_model);\n$use";

# Sends the values and checks the answers; gives the number accepted.
sub try_values
{
	my ($name, @values) = @_;
	my $i = 0;
	my @copies = map { copy_file($i++, $_) } @values;
	my @answers = psql(join '', $prologue, @copies,
		"SELECT 'models ' || count(*) FROM received;\n",
		"SELECT DISTINCT 'verdict ' || pg_temp.use(model) FROM received;\n");
	my ($accepted) = map { /^models (\d+)$/ ? $1 : () } @answers;
	my @errors = grep { /ERROR/ } @answers;
	my @verdicts = map { /^verdict (.*)$/ ? $1 : () } @answers;

	ok(defined $accepted, "$name: the server is there to the end")
	  or diag(join "\n", splice(@answers, -10));
	is(join("\n", grep { !/ERROR:  22P03$/ } @errors), '', "$name: the only error is 22P03");
	is(($accepted // 0) + @errors, scalar(@values), "$name: each is refused or accepted");
	is(join('; ', @verdicts), $accepted ? 'usable' : '', "$name: those accepted are usable");
	return $accepted // 0;
}

for my $i (0 .. $#models)
{
	my ($hex) = psql("SET client_min_messages = warning;\nCREATE EXTENSION IF NOT EXISTS arima_ops;\n"
		  . "SELECT encode(arima_model_send('$models[$i]'), 'hex');\n");
	my $good = pack('H*', $hex);
	my $length = length $good;

	is(try_values("model $i", $good), 1, "model $i: accepted as it is");

	my @changed;
	for my $at (0 .. $length - 1)
	{
		for my $pattern (0x01, 0x08, 0x80, 0xff)
		{
			my $value = $good;

			substr($value, $at, 1) = chr(ord(substr $value, $at, 1) ^ $pattern);
			push @changed, $value;
		}
	}
	my $accepted = try_values("model $i, bytes changed", @changed);
	cmp_ok($accepted, '<', @changed - 200, "model $i: most changes in the fixed part are refused");
	cmp_ok($accepted, '>', 100, "model $i: others are just another model");

	my @lengths = map { $_ <= $length ? substr($good, 0, $_) : $good . "\0" x ($_ - $length) }
	  grep { $_ != $length } 0 .. $length + 16;
	is(try_values("model $i, lengths", @lengths), 0, "model $i: no other length is accepted");
}

# Zero with a sign and other NaNs are brought to the one form.
my ($hex) = psql("SELECT encode(arima_model_send('$models[1]'), 'hex');\n");
my @wild = (
	$hex =~ s/7ff8000000000000/fff8000000000001/r,
	$hex =~ s/7ff8000000000000\K7ff8000000000000/7ff0000000000001/r,
	$hex =~ s/0{16}(?=.{16}$)/8000000000000000/r);
is(scalar(grep { $_ ne $hex } @wild), 3, 'three other forms');
my @copies = map { copy_file("wild$_", pack('H*', $wild[$_])) } 0 .. $#wild;
is_deeply(
	[ psql(join '', $prologue, @copies, "SELECT encode(arima_model_send(model), 'hex') FROM received;\n") ],
	[ ($hex) x 3 ], 'are read as the one');

done_testing();
