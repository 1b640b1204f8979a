# LossyProxy.pm
#	A proxy in front of a server that passes requests on, and now and then
#	loses the answer, keeps it for a while, or gives one of its own.

package LossyProxy;

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;

# A proxy before a port of this machine; it runs as a process of its own.
sub new
{
	my ($class, $behind) = @_;
	my $self = bless { behind => $behind, dir => tempdir(CLEANUP => 1), owner => $$ }, $class;

	$self->mode('pass');
	$self->start;
	return $self;
}

sub port { return $_[0]->{port}; }

# What it does from the next request on: pass; lose, the first answer to each
# request; slow, an answer after two seconds; or a whole answer, given to all.
sub mode
{
	my ($self, $mode) = @_;

	open my $file, '>', "$self->{dir}/new" or die $!;
	print $file $mode;
	close $file;
	rename "$self->{dir}/new", "$self->{dir}/mode";
}

# The requests since the start, or since the last call: method and path, headers, body.
sub requests
{
	my ($self) = @_;
	my @requests;

	open my $file, '<', "$self->{dir}/log" or return;
	seek $file, $self->{read} || 0, 0;
	local $/ = "\0";
	while (my $request = <$file>)
	{
		chomp $request;
		push @requests, $request;
	}
	$self->{read} = tell $file;
	return @requests;
}

sub start
{
	my ($self) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $self->{port} || 0, Listen => 64, ReuseAddr => 1)
	  or die "no socket: $!";

	$self->{port} = $listener->sockport;
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0)
	{
		local $SIG{PIPE} = 'IGNORE';
		while (my $client = $listener->accept)
		{
			$self->serve($client);
			close $client;
		}
		require POSIX;
		POSIX::_exit(0);
	}
}

# No connection is accepted from now on.
sub stop
{
	my ($self) = @_;

	return unless $self->{pid};
	local $?;
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	$self->{pid} = undef;
}

# One request of a client.
sub serve
{
	my ($self, $client) = @_;
	my ($head, $body) = ('', '');

	until ($head =~ /\r\n\r\n/)
	{
		return unless sysread $client, $head, 65536, length $head;
	}
	($head, $body) = split /\r\n\r\n/, $head, 2;
	my ($size) = $head =~ /^content-length: *(\d+)/im;
	while (length $body < ($size || 0))
	{
		return unless sysread $client, $body, 65536, length $body;
	}
	open my $log, '>>', "$self->{dir}/log" or die $!;
	print $log "$head\r\n\r\n$body\0";
	close $log;

	open my $file, '<', "$self->{dir}/mode" or die $!;
	my $mode = do { local $/; <$file> };
	my ($line) = $head =~ /^(.*?)\r\n/;
	return print $client $mode if $mode =~ /^HTTP/;
	my $answer = $self->pass($head, $body);
	return if $mode eq 'lose' && !$self->{lost}{"$line\n$body"}++;
	sleep 2 if $mode eq 'slow';
	print $client $answer;
}

# What the server behind answers.
sub pass
{
	my ($self, $head, $body) = @_;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{behind}) or return '';

	$head =~ s/^connection:.*\r\n//im;
	$head =~ s/\r\n/\r\nConnection: close\r\n/;
	print $server "$head\r\n\r\n$body";
	local $/;
	return scalar <$server>;
}

sub DESTROY { $_[0]->stop if $_[0]->{owner} == $$; }

1;
