# arima_restd under load: 64 connections while PostgreSQL is restarted twice and a
# backend is killed; then 10,000 idle connections and 1,000 that write slowly.
#
# LOAD_SECONDS says how long the first lasts: 10; make soak has 60.

use strict;
use warnings;

use Test::More;
use IPC::Run qw(start finish run);
use JSON::PP;
use Time::HiRes qw(sleep time);
use Cluster;
use Restd;
use Session;

my $seconds = $ENV{LOAD_SECONDS} || 10;
my $cluster = Cluster->new;
my $session = Session->new;

is(Restd::prepare($session, 'load'), '', 'set up');
$session->end;
my $restd = Restd->new(database => "host=$ENV{PGHOST} port=$ENV{PGPORT} dbname=postgres user=arima_restd");

sub ready
{
	for (1 .. 400)
	{
		return 1 if $restd->get('/ready')->{status} == 200;
		sleep 0.05;
	}
	return 0;
}

# Runs the clients; what they say.
sub clients
{
	my ($meanwhile, @arguments) = @_;
	my ($out, $err) = ('', '');
	my $clients = start([ 'python3', 'test/tap/restd_load.py', $arguments[0], $restd->port, @arguments[ 1 .. $#arguments ] ], '>', \$out, '2>', \$err);

	$meanwhile->();
	finish $clients;
	is($err, '', "clients: $arguments[0]");
	return decode_json($out || '{}');
}

# ---- restarts ----

ok(ready(), 'ready');
clients(sub { }, 'load', 2, 64);
my ($kb, $files) = ($restd->status('VmRSS'), $restd->files);
my $before = Session->new;
$before->query('TRUNCATE arima_ops.predictions');
$before->end;
my $said = clients(sub {
	sleep $seconds / 5;
	$cluster->crash;
	$cluster->start_again;
	sleep $seconds / 5;
	my $killer = Session->new;
	my $victim = $killer->query("SELECT min(pid) FROM pg_stat_activity WHERE usename = 'arima_restd'");
	$killer->query("SELECT pg_terminate_backend($victim)");
	$killer->end;
	sleep $seconds / 5;
	$cluster->crash;
	$cluster->start_again;
}, 'load', $seconds, 64);
my %statuses = %{ $said->{statuses} };
diag(join ' ', map { "$_: $statuses{$_}" } sort keys %statuses);
cmp_ok($statuses{200}, '>', 100, 'answers');
cmp_ok($statuses{503}, '>', 0, 'and refusals');
is_deeply([ grep { !/^(200|503)$/ } keys %statuses ], [], 'nothing else');
is(scalar(grep { $_->[0] != $_->[1] } @{ $said->{answered} }), 0, 'each its own forecast');

$session = Session->new;
my %logged = map { my ($id, $forecast, $key) = split /\|/; ($id => [ $forecast, $key ]) } split /\n/, $session->query('SELECT id, forecast, request_id FROM arima_ops.predictions');
my @lost = grep { my $row = $logged{ $_->[2] }; !$row || $row->[0] != $_->[1] || ($row->[1] // '') ne ($_->[3] // '') } @{ $said->{answered} };
is(scalar @lost, 0, 'every answer has its row');
my %sent = map { ($_ => 1) } @{ $said->{sent} };
is(scalar(grep { !$sent{ $_->[0] } } values %logged), 0, 'no row without a request');
is($session->query('SELECT count(*) FROM (SELECT FROM arima_ops.predictions WHERE request_id IS NOT NULL GROUP BY request_id HAVING count(*) > 1) AS d'), 0, 'no key twice');
is($session->query('SELECT count(*) FROM (SELECT FROM arima_ops.predictions GROUP BY forecast HAVING count(*) > 1) AS d'), 0, 'no request twice');
my %answers;
$answers{ $_->[3] // "no key $_->[0]" }{ $_->[2] } = 1 for @{ $said->{answered} };
is(scalar(grep { keys %$_ > 1 } values %answers), 0, 'one answer for each');
ok(ready(), 'ready again');
clients(sub { }, 'load', 2, 64);
# a sanitizer keeps what was freed
cmp_ok($restd->status('VmRSS') - $kb, '<', $ENV{RESTD} ? 100_000 : 4000, 'kB more than before');
cmp_ok($restd->files, '<=', $files + 2, 'no more files open');

# ---- a crowd ----

my ($limit) = `sh -c 'ulimit -n 12000 2>/dev/null; ulimit -H -n'` =~ /(\d+)/;
my ($idle, $slow) = (10_000, 1_000);
($idle, $slow) = (int(($limit - 300) * 10 / 11), int(($limit - 300) / 11)) if $limit && $limit < 11_300;
note("$idle idle, $slow slow: the limit of open files is $limit") if $idle < 10_000;
my $alone = clients(sub { }, 'crowd', 0, 0);
my $crowd = clients(sub { }, 'crowd', $idle, $slow);
diag(sprintf 'alone: median %.1f, p95 %.1f ms; in the crowd of %d: median %.1f, p95 %.1f, worst %.1f ms', 1000 * $alone->{median}, 1000 * $alone->{p95},
	$crowd->{connections}, map { 1000 * $crowd->{$_} } qw(median p95 worst));
is($crowd->{connections}, $idle + $slow, 'connections');
is_deeply($crowd->{statuses}, { 200 => 200 }, 'the others are served');
cmp_ok($crowd->{median}, '<', 0.05 + 5 * $alone->{median}, 's, and as soon as before');
is($restd->stop, 0, 'a stop with all of them there');
$session->end;
done_testing();
