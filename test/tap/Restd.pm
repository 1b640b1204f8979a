# Restd.pm
#	An arima_restd of a test's own on a free port, and a plain HTTP client for it.

package Restd;

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes qw(sleep time);

# The program as it is built, or another build of it (RESTD).
my $program = $ENV{RESTD} || 'build/proxy/arima_restd';

# Starts one with these settings, name => value; dies if it does not listen.  As root it
# becomes the server's user, which need not see the folder of the tree.
sub new
{
	my ($class, %settings) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my $self = bless { dir => $dir, log => "$dir/log", owner => $$ }, $class;
	my @user = $> == 0 ? ('--user', $ENV{RESTD_USER} || 'postgres') : ();
	my @command = ($program, @user, map { ("--$_", $settings{$_}) } sort keys %settings);

	push @command, '--listen', '127.0.0.1:0' unless $settings{listen};
	unshift @command, split ' ', $ENV{RESTD_UNDER} if $ENV{RESTD_UNDER};
	chmod 0755, $dir;
	defined($self->{pid} = fork) or die $!;
	if (!$self->{pid})
	{
		open STDERR, '>', $self->{log} or die $!;
		exec @command or die "@command: $!";
	}
	for (1 .. 400)
	{
		($self->{port}) = map { $_->{port} } grep { ($_->{event} || '') eq 'listening' } $self->log;
		return $self if $self->{port};
		waitpid($self->{pid}, 1) and last;
		sleep 0.05;
	}
	die "no arima_restd: " . $self->log_text;
}

# The extension, the role of arima_restd, and a series with a model, by a session; gives the error, if any.
sub prepare
{
	my ($session, $series) = @_;

	$session->query(qq{SET client_min_messages = warning; CREATE EXTENSION arima_ops;
		CREATE ROLE arima_restd LOGIN; GRANT arima_ops_user, arima_ops_reader TO arima_restd;
		SELECT arima_ops.create_series('$series', '(0,1,0)', policy => '{"backtest_length": 30}');
		SELECT arima_ops.record_actuals('$series', array_agg('2024-01-01'::timestamptz + i * interval '1 day' ORDER BY i), array_agg(100 + sin(i) ORDER BY i))
		FROM generate_series(1, 100) AS i;
		SELECT arima_ops.train('$series')});
	return $session->error;
}

sub pid { return $_[0]->{pid}; }
sub port { return $_[0]->{port}; }

sub log_text
{
	my ($self) = @_;

	open my $file, '<', $self->{log} or return '';
	local $/;
	my $text = <$file>;
	return defined $text ? $text : '';
}

# The log's lines as hashes.
sub log { return map { eval { decode_json($_) } || {} } grep { /^\{/ } split /\n/, $_[0]->log_text; }

# Sends a signal and waits for the end; gives the exit status.
sub stop
{
	my ($self, $signal) = @_;

	kill $signal || 'TERM', $self->{pid};
	return $self->wait;
}

sub wait
{
	my ($self) = @_;

	waitpid($self->{pid}, 0);
	delete $self->{pid};
	return $? >> 8 || $? & 127;
}

# A figure of /proc/PID/status, or the number of its open files.
sub status
{
	my ($self, $name) = @_;

	open my $file, '<', "/proc/$self->{pid}/status" or die $!;
	for (<$file>) { return $1 if /^$name:\s+(\d+)/; }
	die "no $name";
}
sub files { my @files = glob "/proc/$_[0]->{pid}/fd/*"; return scalar @files; }

sub connect
{
	my ($self) = @_;

	return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 20) || die "no connection: $!";
}

# What has been read of the next reply already, by socket.
my %ahead;

# Reads one reply from a socket: status, headers by lower-case name, body; undef if there is none.
sub read_reply
{
	my ($socket, $head_only) = @_;
	my $text = delete $ahead{$socket} // '';
	my $head;

	while ($text !~ /\r\n\r\n/)
	{
		return undef unless sysread $socket, $text, 65536, length $text;
	}
	($head, $text) = split /\r\n\r\n/, $text, 2;
	my ($first, @lines) = split /\r\n/, $head;
	# libmicrohttpd refuses by 1.0 what it has not read the version of, before 0.9.75
	my ($status) = $first =~ m{^HTTP/1\.[01] (\d+)} or die "no reply: $first";
	if ($status == 100)
	{
		$ahead{$socket} = $text;
		return read_reply($socket, $head_only);
	}
	my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } @lines;
	my $length = $head_only || $status == 304 ? 0 : $headers{'content-length'} || 0;
	while (length $text < $length)
	{
		last unless sysread $socket, $text, 65536, length $text;
	}
	$ahead{$socket} = substr $text, $length if length $text > $length;
	return { status => $status, headers => \%headers, body => substr $text, 0, $length };
}

# The text of a request.
sub text
{
	my ($method, $path, %with) = @_;
	my %headers = (Host => 'localhost', %{ $with{headers} || {} });

	$headers{'Content-Type'} = 'application/json' if defined $with{body} && !exists $headers{'Content-Type'};
	$headers{'Content-Length'} = length $with{body} if defined $with{body} && !exists $headers{'Transfer-Encoding'};
	return "$method $path HTTP/1.1\r\n" . join('', map { defined $headers{$_} ? "$_: $headers{$_}\r\n" : () } sort keys %headers) . "\r\n"
	  . (defined $with{body} ? $with{body} : '');
}

# One request over a connection of its own.
sub request
{
	my ($self, $method, $path, %with) = @_;
	my $socket = $self->connect;

	local $SIG{PIPE} = 'IGNORE';
	print $socket text($method, $path, %with);
	my $reply = read_reply($socket, $method eq 'HEAD');
	delete $ahead{$socket};
	close $socket;
	return $reply;
}

sub get { my ($self, $path, %with) = @_; return $self->request('GET', $path, %with); }
sub post { my ($self, $path, $body, %with) = @_; return $self->request('POST', $path, body => $body, %with); }

sub DESTROY
{
	my ($self) = @_;
	local $?;

	return unless $self->{pid} && $self->{owner} == $$;
	kill 'KILL', $self->{pid};
	waitpid($self->{pid}, 0);
}

1;
