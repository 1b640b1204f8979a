# The life cycle against an oracle: clients record, correct, restate and remove values, ask for predictions, label, train,
# promote and run the jobs at random, each statement perhaps cut short by a time-out, a killed server process or a crash of
# the server.  After each round the tables must say what LifeOracle.pm says: what was acknowledged is there once, with the
# label that the values of now give it, and errors, rolling figures, drift and registry follow from these.
#
# LIFE_SEED (1), LIFE_ROUNDS (2; "make soak": 60) of LIFE_OPERATIONS (300).

use strict;
use warnings;

use JSON::PP;
use List::Util qw(shuffle sum0);
use Test::More;
use Time::HiRes qw(sleep);
use Cluster;
use LifeChecks;
use LifeOracle;
use Session;

# a session whose server process is gone
$SIG{PIPE} = 'IGNORE';

my $rounds = $ENV{LIFE_ROUNDS} // 2;
my $operations = $ENV{LIFE_OPERATIONS} // 300;
my $seed = $ENV{LIFE_SEED} // 1;
srand $seed;

my $day = 1440;
my %rule = (window => 6, min_labels => 4, consecutive => 2, multiplier => 1.5, recovery => 1.25);
my $policy = '{"backtest_length": 20, "retrain_every": 3, "cooldown": 1, "probation": 8, "drift_window": 6, "drift_min_labels": 4, "drift_consecutive": 2, "min_recent": 2, ';
# the last one forgets: its labelled predictions may be removed
my %series = (
	walk => [ '(0,1,0)', '"promotion_policy": "rmse_only"}' ],
	ma => [ '(0,1,1)', '"promotion_policy": "rmse_only"}' ],
	strict => [ '(0,1,0)', '"promotion_policy": "significant"}' ],
	forgets => [ '(0,1,0)', '"retention": "1 second"}' ]);
my @names = sort keys %series;

my $cluster = Cluster->new;
my $oracle = LifeOracle->new;
my $clock = 0;          # counts statements sent and ended
my %wording;            # series and key => SQL of the request
my $tags = 0;           # keys of requests, names of passing series
my %restates;           # series => [ [ began, ended ], … ]
my %cut_asks;           # series => rows that may be there although nobody got them
my $cut_calls = 0;      # jobs cut short, or perhaps by another run
my %count;              # of what was done
my @faults;             # what should not have happened
my $control;

sub connect_to_server
{
	for (1 .. 300)
	{
		my $session = eval { Session->new(3600) };
		return $session if $session;
		sleep 0.1;
	}
	die 'the server does not come back';
}

sub rows { my ($sql) = @_; return map { [ split /\|/, $_, -1 ] } split /\n/, $control->must($sql); }
sub one { my ($sql) = @_; return $control->must($sql); }
sub list { return join ',', map { /^[A-Z]/i ? $_ : sprintf '%.17g', $_ } @_; }
sub pick { return $_[ rand @_ ]; }
sub fault { my ($what) = @_; push @faults, $what; diag($what) if @faults <= 10; }

$control = connect_to_server();
one(q{SET client_min_messages = warning;
	CREATE EXTENSION arima_ops;
	CREATE FUNCTION t(bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT timestamptz '2020-01-01 00:00+00' + $1 * interval '1 min' $$;
	CREATE FUNCTION k(timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT ((extract(epoch FROM $1) - 1577836800) / 60)::bigint $$;
	CREATE FUNCTION ts(bigint[]) RETURNS timestamptz[] LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(t(k) ORDER BY i) FROM unnest($1) WITH ORDINALITY AS u (k, i) $$;
	INSERT INTO arima_ops.webhooks (name, url, kinds) VALUES ('told', 'http://127.0.0.1:9/', ARRAY['promotion', 'rollback', 'restatement'])});
for my $name (@names)
{
	my $value = 100;
	my %values = map { $_ * $day => ($value = 0 + sprintf '%.2f', $value + rand(2) - 1) } 1 .. 100;

	one("SELECT arima_ops.create_series('$name', '$series{$name}[0]', policy => '$policy$series{$name}[1]')");
	one("SELECT inserted FROM arima_ops.record_actuals('$name', ts('{" . join(',', keys %values) . "}'), '{" . join(',', values %values) . "}')");
	$oracle->add_series($name, \%values);
	one("SELECT arima_ops.train('$name'), arima_ops.train('$name', '(1,0,0)')");
}

# ---- operations; each gives { sql, done => sub (rows, error), lost => sub (), may_fail => pattern } ----

# A change of a series that its owner makes: $given, session => value or undef; $sql does it.
sub change
{
	my ($name, $given, $sql, $expected) = @_;
	my $after = $oracle->changed($name, $given);

	return {
		sql => $sql,
		done => sub {
			my ($rows) = @_;
			$oracle->change($name, $after);
			fault("$sql gave $rows, not $expected") if defined $expected && $rows ne $expected;
		},
		lost => sub { $oracle->change($name, $after) if differs($name) && !differs($name, $after) } };
}

# Do the recorded values differ from the oracle's, or from others?
sub differs
{
	my ($name, $values) = @_;
	my %found = map { ($_->[0] => $_->[1]) } rows("SELECT k(ts), value FROM arima_ops.actuals WHERE series = '$name'");

	return scalar $oracle->differs($name, \%found, $values);
}

sub recording
{
	my ($name, @pairs) = @_;
	my (%given, $inserted, $revised, $unchanged);
	my $now = $oracle->{values}{$name};

	$given{ $_->[0] } = $_->[1] for grep { $_->[1] ne 'NULL' } @pairs;
	$inserted = grep { !defined $now->{$_} } keys %given;
	$unchanged = grep { defined $now->{$_} && $now->{$_} == $given{$_} } keys %given;
	$revised = keys(%given) - $inserted - $unchanged;
	return change($name, \%given, sprintf(q{SELECT inserted, revised, unchanged FROM arima_ops.record_actuals('%s', ts('{%s}'), '{%s}')}, $name,
		join(',', map { $_->[0] } @pairs), list(map { $_->[1] } @pairs)), "$inserted|$revised|$unchanged");
}

sub new_value
{
	my ($name, $ts) = @_;
	my ($last) = reverse grep { $_ < $ts } $oracle->sessions($name);

	return 0 + sprintf '%.2f', $oracle->{values}{$name}{$last} * (1 + (rand(2) - 1) * (rand() < 0.1 ? 0.05 : 0.01));
}

# One of the last sessions of a series.
sub recent { my ($name, $n) = @_; my @all = $oracle->sessions($name); return @all[ -$n .. -1 ]; }

sub next_session { my ($name) = @_; return (int($oracle->last_session($name) / $day) + (rand() < 0.15 ? 2 : 1)) * $day; }

sub restating
{
	my ($name) = @_;
	my $up_to = pick($oracle->last_session($name), recent($name, 3));
	my $factor = $oracle->{values}{$name}{ $oracle->last_session($name) } > 200 ? 0.25 : $oracle->{values}{$name}{$up_to} < 40 ? 4 : pick(0.5, 2);
	my %given = map { $_ => $oracle->{values}{$name}{$_} * $factor } grep { $_ <= $up_to } $oracle->sessions($name);
	my $began = ++$clock;
	my $mark = [ $began, 9**9**9 ];
	my $finish = sub { $mark->[1] = ++$clock; $oracle->restate($name, $factor, $up_to, $began); };
	my $after = $oracle->changed($name, \%given);

	push @{ $restates{$name} }, $mark;
	return {
		sql => rand() < 0.5 ? "SELECT arima_ops.restate('$name', $factor, t($up_to))"
			: sprintf(q{SELECT revised FROM arima_ops.record_actuals('%s', ts('{%s}'), '{%s}')}, $name, join(',', keys %given), list(values %given)),
		done => sub { fault("$name times $factor: $_[0] values, not " . keys %given) if $_[0] != keys %given; $finish->(); },
		failed => sub { $mark->[1] = ++$clock; },
		lost => sub { differs($name) && !differs($name, $after) ? $finish->() : ($mark->[1] = ++$clock) } };
}

my %changes = (
	arrives => [ 30, sub { my ($name) = @_; my $ts = next_session($name); return recording($name, [ $ts, new_value($name, $ts) ]); } ],
	inserted => [ 8, sub {
		my ($name) = @_; my $ts = next_session($name); my $value = new_value($name, $ts);
		return change($name, { $ts => $value }, "INSERT INTO arima_ops.actuals (series, ts, value) VALUES ('$name', t($ts), $value)"); } ],
	# out of order, some twice, some missing
	many => [ 6, sub {
		my ($name) = @_; my $ts = next_session($name); my @pairs = map { [ $ts + $_ * $day, new_value($name, $ts) ] } 0 .. int rand 4;
		push @pairs, [ $ts + 9 * $day, 'NULL' ] if rand() < 0.5;
		push @pairs, [ pick(recent($name, 3)), new_value($name, $ts) ] if rand() < 0.5;
		push @pairs, map { [ $_->[0], new_value($name, $ts) ] } grep { rand() < 0.3 } @pairs;
		return recording($name, shuffle @pairs); } ],
	late => [ 8, sub {
		my ($name) = @_; my $ts = pick(recent($name, 8)) - 1 - int rand($day - 1);
		return recording($name, [ $ts, new_value($name, $ts) ]); } ],
	revised => [ 12, sub { my ($name) = @_; return recording($name, map { [ $_, new_value($name, $_) ] } (shuffle recent($name, 8))[ 0 .. int rand 3 ]); } ],
	updated => [ 4, sub {
		my ($name) = @_; my $ts = pick(recent($name, 5)); my $value = new_value($name, $ts);
		return change($name, { $ts => $value }, "UPDATE arima_ops.actuals SET value = $value WHERE series = '$name' AND ts = t($ts)"); } ],
	same => [ 4, sub { my ($name) = @_; return recording($name, map { [ $_, $oracle->{values}{$name}{$_} ] } recent($name, 3)); } ],
	removed => [ 6, sub {
		my ($name) = @_; my $ts = pick(recent($name, 4));
		return recording($name, [ $oracle->last_session($name), new_value($name, $oracle->last_session($name)) ]) if $name eq 'forgets';
		return change($name, { $ts => undef }, "DELETE FROM arima_ops.actuals WHERE series = '$name' AND ts = t($ts)"); } ],
	restated => [ 4, \&restating ],
	refused => [ 3, sub {
		my ($name) = @_; my $ts = next_session($name);
		return { sql => "SELECT arima_ops.record_actuals('$name', ts('{$ts,@{[$ts + $day]}}'), '{1," . pick('NaN', 'Infinity') . "}')", wanted_error => qr/22023/ }; } ]);

# What a request may get is known where nobody changes the series meanwhile; $quiet tells, when it ends, whether nobody has.
sub quiet { my ($name) = @_; my $version = $count{"changes of $name"} // 0; return sub { !busy_with($name) && ($count{"changes of $name"} // 0) == $version }; }

# As arima_ops.predict gives them.
my $columns = 'id, version, k(as_of), lead, horizon, forecast, lower, upper, coalesce(request_id, \'\')';

sub prediction
{
	my ($name, $began, $row) = @_;
	my ($id, $version, $as_of, $lead, $horizon, $forecast, $lower, $upper, $key) = @$row;
	my $p = { id => $id, series => $name, version => $version, as_of => $as_of, lead => $lead, horizon => $horizon, forecast => $forecast, lower => $lower,
		upper => $upper, key => $key, ended => ++$clock, raced => scalar grep { $_->[1] > $began } @{ $restates{$name} } };

	if ($key ne '')
	{
		my $first = $oracle->{requests}{"$name $key $horizon"} //= $p;
		fault("request $key of $name was answered by $id, before by $first->{id}") if $first->{id} != $id && $name ne 'forgets';
	}
	$oracle->predicted($p);
}

sub asking
{
	my ($name) = @_;
	my $horizon = pick(1, 1, 1, 2, 3, 5);
	my $key = rand() < 0.5 ? 'k' . ++$tags : undef;
	my $began = ++$clock;
	my $quiet = quiet($name);
	my $last = $oracle->last_session($name);
	my ($recent, $newer) = ('', 0);
	my @values;

	$quiet = sub { 0 } if busy_with($name);
	if (rand() < 0.1)
	{
		# as of an earlier session, or a moment after it
		$last = pick(recent($name, 12));
		$recent = ', as_of => t(' . ($last + pick(0, 0.5)) . '::bigint)';
	}
	elsif (rand() < 0.4)
	{
		# the last ones that are recorded, and some that are not
		@values = map { $oracle->{values}{$name}{$_} } recent($name, 12);
		$newer = int rand 4;
		push @values, $values[-1] * 1.31 for 1 .. $newer;
		$recent = ", ARRAY[@{[list(@values)]}]";
	}
	my $sql = "SELECT $columns FROM arima_ops.predict('$name'$recent, horizon => $horizon" . ($key ? ", request_id => '$key'" : '') . ')';
	$wording{"$name $key"} = $sql if $key;
	my $done = sub {
		my ($rows) = @_;
		my @rows = map { [ split /\|/, $_, -1 ] } split /\n/, $rows;

		prediction($name, $began, $_) for @rows;
		fault("$sql gave " . @rows . ' rows') if @rows != $horizon;
		return unless $quiet->();
		$count{'asked in quiet'}++;
		fault("$sql: as of $rows[0][2], lead $rows[0][3], not $last, $newer") if $rows[0][2] != $last || $rows[0][3] != $newer;
	};
	return { sql => $sql, done => $done, lost => sub {
		if ($key) { $done->($control->must($sql)); }
		else { $cut_asks{$name} += $horizon; } } };
}

# A request that has been answered, once more: the first answer comes.  Another one with its key is refused.
sub asking_again
{
	my ($name, $key) = split / /, pick(grep { !/steps/ && !/^forgets/ } keys %{ $oracle->{requests} }) // return asking(pick(@names));
	my $steps = grep { $oracle->{requests}{"$name $key $_"} } 1 .. 5;

	my $again = $wording{"$name $key"};

	return { sql => "SELECT $columns FROM arima_ops.predict('$name', horizon => 7, request_id => '$key')", wanted_error => qr/22023/ } if !$again || rand() < 0.3;
	return { sql => $again, done => sub {
		my ($rows) = @_;
		my @rows = map { [ split /\|/, $_, -1 ] } split /\n/, $rows;

		fault("$name $key once more: " . @rows . " rows, not $steps") if @rows != ($oracle->{requests}{"$name $key steps"} // $steps);
		$oracle->{requests}{"$name $key 1"}{id} == $rows[0][0] or fault("$name $key once more: $rows[0][0]"); } };
}

# Two things or three in one transaction, which may come to nothing; it locks one series, or all in their order.
sub in_transaction
{
	my ($client) = @_;
	my $ask = asking(pick(@names));
	my $name = pick(@{ $client->{owns} });
	my $change = $name ? recording($name, [ $oracle->last_session($name) + $day, new_value($name, $oracle->last_session($name) + $day) ]) : undef;
	my $kept = rand() < 0.6;
	my @parts = grep { defined } $ask, $change;

	return { changes => $kept ? $name : undef,
		sql => join(";\n", 'BEGIN', (map { $_->{sql} } @parts), 'SELECT arima_ops.score_predictions(' . ($name ? "'$name'" : '') . ')', $kept ? 'COMMIT' : 'ROLLBACK'),
		done => sub {
			my @rows = split /\n/, $_[0];

			return unless $kept;
			# the number labelled comes last, what was recorded before it
			pop @rows;
			$change->{done}->(pop @rows) if $change;
			$ask->{done}->(join "\n", @rows); },
		lost => sub {
			# both or none
			$change->{lost}->() if $kept && $change;
			$ask->{lost}->() if $kept; } };
}

# Several requests at once as arima_restd sends them, some with a key, one of them no request at all.
sub asking_together
{
	my $began = ++$clock;
	my @asked = map { { name => pick(@names), horizon => pick(1, 1, 2, 4), key => rand() < 0.5 ? 'r' . ++$tags : undef } } 1 .. 1 + int rand 5;
	$_->{key} //= 'r' . ++$tags for grep { $_->{horizon} > 1 } @asked;
	push @asked, { %{ $asked[0] } } if $asked[0]{key} && rand() < 0.3;
	my @bodies = map { my $a = $_; sprintf '{"series": "%s", "horizon": %d, "recent_prices": [%s]}', $a->{name}, $a->{horizon}, list(map { $oracle->{values}{ $a->{name} }{$_} } recent($a->{name}, 10)) } @asked;
	my $sql = sprintf q{SELECT to_json(u.status)::text, u.reply FROM unnest(arima_ops.answer_requests(ARRAY['%s'], ARRAY[%s]::text[])) AS u},
		join("','", @bodies, '{"recent_prices": 3}'), join(',', (map { $_->{key} ? "'$_->{key}'" : 'NULL' } @asked), 'NULL');
	my $done = sub {
		my ($rows) = @_;
		my @rows = split /\n/, $rows;

		fault("$sql gave $rows") if @rows != @asked + 1 || $rows[-1] !~ /^422\|/;
		for my $i (0 .. $#asked)
		{
			my ($name, $key) = @{ $asked[$i] }{qw(name key)};
			my ($status, $json) = $rows[$i] =~ /^(\d+)\|(.*)/;
			my $reply = decode_json($json);

			fault("$bodies[$i]: $rows[$i]") if $status != 200;
			# the rest of the row is read when all is quiet
			my $p = { id => $reply->{prediction_id}, series => $name, version => $reply->{model_version}, horizon => 1, forecast => $reply->{prediction}, key => $key // '',
				ended => ++$clock, raced => scalar grep { $_->[1] > $began } @{ $restates{$name} } };
			$oracle->predicted($p);
			next unless $key;
			$oracle->{requests}{"$name $key steps"} = $asked[$i]{horizon};
			my $first = $oracle->{requests}{"$name $key 1"} //= $p;
			fault("request $key of $name was answered by $p->{id}, before by $first->{id}") if $first->{id} != $p->{id} && $name ne 'forgets';
		}
	};
	return { sql => $sql, done => $done, lost => sub {
		# a retry with the same keys; what had none may be there twice
		$cut_asks{ $_->{name} }++ for grep { !$_->{key} } @asked;
		$began = ++$clock;
		$done->($control->must($sql)); } };
}

sub job { my ($call) = @_; return { sql => "CALL arima_ops.$call", job => 1, lost => sub { $cut_calls++ }, failed => sub { $cut_calls++ } }; }

my %others = (
	ask => [ 40, sub { return asking(pick(@names)); } ],
	ask_again => [ 5, \&asking_again ],
	ask_together => [ 20, \&asking_together ],
	transaction => [ 8, \&in_transaction ],
	score => [ 8, sub { return { sql => 'SELECT arima_ops.score_predictions(' . pick('', "'" . pick(@names) . "'") . ')' }; } ],
	drift => [ 8, sub { return { sql => 'SELECT count(*) FROM arima_ops.detect_drift(' . pick('', "'" . pick(@names) . "'") . ')' }; } ],
	question => [ 1, sub { return { sql => "SELECT drift FROM arima_ops.detect_drift('" . pick(@names) . "', training_rmse => 1)" }; } ],
	train => [ 3, sub { return { sql => "SELECT arima_ops.train('" . pick(@names) . "'" . pick('', ", '(0,1,1)'", ", '(1,0,0)'") . ')' }; } ],
	retrain => [ 5, sub { return { sql => "SELECT outcome FROM arima_ops.retrain('" . pick(@names) . "', " . pick('true', 'false') . ')' }; } ],
	promote => [ 4, sub { my $name = pick(@names); return { sql => "SELECT arima_ops.promote('$name', (SELECT version FROM arima_ops.models WHERE series = '$name' ORDER BY hashint4(version + $clock) LIMIT 1))" }; } ],
	rollback => [ 4, sub { return { sql => "SELECT arima_ops.rollback('" . pick(@names) . "')", may_fail => qr/55000/ }; } ],
	etl => [ 2, sub { return job('run_etl(' . pick('', 2) . ')'); } ],
	monitoring => [ 2, sub { return job('run_monitoring(' . pick('', 2) . ')'); } ],
	retraining => [ 2, sub { return job('run_retraining(' . pick('', 'true') . ')'); } ],
	retention => [ 2, sub { return job('run_retention()'); } ],
	look => [ 2, sub { return { sql => pick('SELECT count(*) FROM arima_ops.monitoring', 'SELECT count(*) FROM arima_ops.doctor()', "SELECT length(arima_api.series_detail('" . pick(@names) . "')::text)") }; } ],
	passing => [ 2, sub {
		my $name = 'p' . ++$tags;
		return { sql => "SELECT arima_ops.create_series('$name', '(0,1,0)');
			SELECT arima_ops.record_actuals('$name', array_agg(t(i * 1440)), array_agg(i)) FROM generate_series(1, 60) AS i;
			SELECT arima_ops.train('$name'); SELECT count(*) FROM arima_ops.predict('$name', horizon => 3)",
			end => sub { $control->must("SELECT arima_ops.drop_series('$name') FROM arima_ops.series WHERE name = '$name'"); } }; } ]);

# One of a table of weights.
sub draw
{
	my ($table) = @_;
	my $left = rand sum0(map { $_->[0] } values %$table);

	for (sort keys %$table)
	{
		return $_ if ($left -= $table->{$_}[0]) < 0;
	}
	return (sort keys %$table)[0];
}

# ---- clients ----

my @clients = map { { session => connect_to_server(), owns => [] } } 1 .. 5;

# Is somebody changing the series now?
sub busy_with { my ($name) = @_; return scalar grep { ($_->{changes} // '') eq $name } @clients; }

sub begin_operation
{
	my ($client) = @_;
	my $name = @{ $client->{owns} } && rand() < 0.4 ? pick(@{ $client->{owns} }) : undef;
	my $kind = draw($name ? \%changes : \%others);
	my $operation = $name ? $changes{$kind}[1]->($name) : $others{$kind}[1]->($client);
	my $timeout = rand() < 0.08 ? 1 + int rand 25 : 0;

	# in the moment between two of its transactions another run may come
	$cut_calls++ if $operation->{job} && grep { $_->{operation} && $_->{operation}{job} } @clients;
	$name //= $operation->{changes};
	@$client{qw(operation changes timeout kind)} = ($operation, $name, $timeout, $kind);
	$count{$kind}++;
	$count{"changes of $name"}++ if $name;
	# the end of a time-out may be cut short by it: twice
	$client->{session}->send($timeout ? "SET statement_timeout = $timeout;\n$operation->{sql}" . ";\nSET statement_timeout = 0" x 2 : $operation->{sql});
}

# An operation has come to its end, or its session has.
sub end_operation
{
	my ($client, $lost) = @_;
	my $operation = delete $client->{operation};
	my $rows = $lost ? '' : $client->{session}->wait;
	my $error = $client->{session}->error;

	# psql may go on for a moment after that
	$lost ||= $error =~ /FATAL|terminating connection|server closed|connection to server was lost/;
	if ($lost)
	{
		$count{'sessions lost'}++;
		eval { $client->{session}->end };
		$client->{session} = connect_to_server();
		# the statement may go on until the server process has noticed
		sleep 0.02 while one("SELECT count(*) FROM pg_stat_activity WHERE pid = $client->{pid}");
		$operation->{lost}->() if $operation->{lost};
	}
	elsif ($error =~ /ERROR/)
	{
		my $cut = $client->{timeout} && $error =~ /57014/;
		$count{'time-outs'}++ if $cut;
		fault("$client->{kind}: $operation->{sql}: $error")
			unless $cut || grep { defined && $error =~ $_ } @$operation{qw(may_fail wanted_error)};
		$operation->{failed}->() if $operation->{failed};
	}
	else
	{
		fault("$operation->{sql}: no error") if $operation->{wanted_error};
		$operation->{done}->($rows) if $operation->{done};
	}
	$operation->{end}->() if $operation->{end};
	delete $client->{changes};
}

# Each client's next statement, until so many are done; then all come to their end.
sub run_round
{
	my ($n, $crash_at) = @_;
	my $begun = 0;
	my @owners = shuffle map { $_ % @clients } 0 .. $#names;

	$clients[$_]{owns} = [ grep { $owners[$_] == $_[0] } () ] for 0 .. $#clients;
	push @{ $clients[ $owners[$_] ]{owns} }, $names[$_] for 0 .. $#names;
	$_->{pid} = $_->{session}->pid for @clients;
	while ($begun < $n || grep { $_->{operation} } @clients)
	{
		my $moved = 0;
		for my $client (@clients)
		{
			if (!$client->{operation})
			{
				next if $begun >= $n;
				$begun++;
				$client->{pid} = $client->{session}->pid;
				begin_operation($client);
				one("SELECT pg_terminate_backend($client->{pid})") if rand() < 0.01;
			}
			elsif ($crash_at >= 0 && $begun >= $crash_at)
			{
				crash();
				$crash_at = -1;
			}
			my $ready = $client->{session}->ready;
			next if defined $ready && !$ready;
			end_operation($client, !defined $ready);
			$moved = 1;
		}
		sleep 0.0005 unless $moved;
	}
}

# The server crashes with all that its clients are doing.
sub crash
{
	$count{crashes}++;
	$cluster->crash;
	eval { $control->end };
	$cluster->start_again;
	$control = connect_to_server();
}

for my $round (1 .. $rounds)
{
	run_round($operations, $round % 3 == 2 ? int rand 0.9 * $operations : -1);
	is(LifeChecks::all_wrong($oracle, $control, \@names, \%rule, \%cut_asks, $cut_calls), '', "round $round of seed $seed: the tables say what the oracle says") or last;
}
is(scalar @faults, 0, 'every statement did what it should');
diag(join ', ', map { "$_ $count{$_}" } sort keys %count) if $ENV{LIFE_ROUNDS};
cmp_ok($count{$_} // 0, '>', 0, "there were $_") for 'crashes', 'time-outs', 'asked in quiet';
eval { $_->{session}->end } for @clients;
$control->end;
done_testing();
