# MlflowServer.pm
#	A real MLflow tracking server beside a test, with its data in a temporary
#	folder.  Its Python environment is made by pip under build/, of the packages
#	in mlflow.txt, and is kept for the next time.

package MlflowServer;

use strict;
use warnings;

use Cwd qw(getcwd);
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use FreePort;
use HTTP::Tiny;
use JSON::PP;

my $packages = 'test/tap/mlflow.txt';

# Runs a command with its output in a log; whether it succeeded.
sub run
{
	my ($log, @command) = @_;
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		open STDOUT, '>>', $log or die "$log: $!";
		open STDERR, '>&', \*STDOUT;
		exec @command or die "$command[0]: $!";
	}
	waitpid $pid, 0;
	return $? == 0;
}

# Makes the environment if need be: its folder, or undef and the reason why not.
sub environment
{
	my ($folder, $log) = (getcwd . '/build/mlflow', getcwd . '/build/mlflow.log');

	system('mkdir', '-p', 'build');
	unlink $log;
	my $made = run($log, 'bash', '-c', '. scripts/lib.sh && python_with mlflow $(grep -v "^#" "$0")', $packages)
	  && (-f "$folder/empty.db"
		|| run($log, "$folder/bin/mlflow", 'db', 'upgrade', "sqlite:///$folder/new.db") && rename "$folder/new.db", "$folder/empty.db");
	return ($folder) if $made;
	open my $said, '<', $log or die "$log: $!";
	my @lines = grep { /\S/ } <$said>;
	chomp(my $reason = $lines[-1] // 'the environment of MLflow could not be made');
	return (undef, $reason);
}

# Starts a server of an environment; ready() waits for it.
sub new
{
	my ($class, $environment) = @_;
	my $self = bless { dir => tempdir(CLEANUP => 1), client => HTTP::Tiny->new(timeout => 60), owner => $$ }, $class;
	my $dir = $self->{dir};

	$self->{port} = free_port;
	copy("$environment/empty.db", "$dir/mlflow.db") or die "$environment/empty.db: $!";
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0)
	{
		setpgrp;
		%ENV = (%ENV, HOME => $dir, MLFLOW_DISABLE_TELEMETRY => 'true', DO_NOT_TRACK => 'true',
			MLFLOW_SERVER_ENABLE_JOB_EXECUTION => 'false');
		chdir $dir or die "$dir: $!";
		open STDOUT, '>', "$dir/log" or die "$dir/log: $!";
		open STDERR, '>&', \*STDOUT;
		exec "$environment/bin/mlflow", 'server', '--host', '127.0.0.1', '--port', $self->{port}, '--workers', 1,
		  '--backend-store-uri', "sqlite:///$dir/mlflow.db", '--artifacts-destination', "$dir/artifacts",
		  '--serve-artifacts', '--gunicorn-opts', '--timeout 120'
		  or die "mlflow: $!";
	}
	return $self;
}

sub port { return $_[0]->{port}; }

# Waits until the server answers.
sub ready
{
	my ($self) = @_;

	for (1 .. 600)
	{
		return if $self->{client}->get("http://127.0.0.1:$self->{port}/health")->{success};
		die "the MLflow server ended: " . `tail -n 5 $self->{dir}/log` if waitpid($self->{pid}, 1) > 0;
		select undef, undef, undef, 0.2;
	}
	die "the MLflow server does not answer: " . `tail -n 5 $self->{dir}/log`;
}

# Content at a path below api/2.0; dies unless it is there.
sub content
{
	my ($self, $path) = @_;
	my $answer = $self->{client}->get("http://127.0.0.1:$self->{port}/api/2.0/$path");

	die "$path: $answer->{status} $answer->{content}" unless $answer->{success};
	return $answer->{content};
}

# What MLflow answers to a GET, or with a body to a POST or another method, as a structure.
sub ask
{
	my ($self, $path, $body, $method) = @_;

	return decode_json($self->content("mlflow/$path")) unless $body;
	my $answer = $self->{client}->request($method // 'POST', "http://127.0.0.1:$self->{port}/api/2.0/mlflow/$path",
		{ headers => { 'Content-Type' => 'application/json' }, content => encode_json($body) });
	die "$path: $answer->{status} $answer->{content}" unless $answer->{success};
	return decode_json($answer->{content});
}

# The runs of an experiment, oldest first, with tags, params and metrics as hashes.
sub runs
{
	my ($self, $experiment) = @_;
	my $id = $self->ask("experiments/get-by-name?experiment_name=$experiment")->{experiment}{experiment_id};
	my $found = $self->ask('runs/search', { experiment_ids => [$id], order_by => ['attributes.start_time ASC'] });

	return map {
		my $data = $_->{data};
		+{ %{ $_->{info} }, map { my $kind = $_; $kind => { map { $_->{key} => $_->{value} } @{ $data->{$kind} || [] } } } qw(tags params metrics) }
	} @{ $found->{runs} || [] };
}

sub DESTROY
{
	my ($self) = @_;

	return if $self->{owner} != $$ || !$self->{pid};
	local $?;
	kill 'TERM', -$self->{pid};
	for (1 .. 50)
	{
		return if waitpid($self->{pid}, 1) != 0;
		select undef, undef, undef, 0.1;
	}
	kill 'KILL', -$self->{pid};
	waitpid $self->{pid}, 0;
}

1;
