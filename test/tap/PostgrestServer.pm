# PostgrestServer.pm
#	Postgrest.pm behind a port, one request at a time, and nginx in front of it
#	with a configuration of scripts.

package PostgrestServer;

use strict;
use warnings;

use File::Temp qw(tempdir);
use FreePort;
use IO::Socket::INET;
use JSON::PP;
use Postgrest;

my $json = JSON::PP->new->canonical->allow_nonref;

# Starts a process that runs the code; its number.
sub background
{
	my ($code) = @_;
	my $pid = fork // die "fork: $!";

	return $pid if $pid;
	$code->();
	exit 1;
}

# The programs of nginx: of this system, else from its package, which is not installed, so
# that no service comes with it; undef and the reason if there is none.
sub nginx
{
	my ($path) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
	return $path if $path;
	my $log = '';
	for my $package ('nginx', 'nginx-light')
	{
		$log = qx(mkdir -p build/nginx && cd build/nginx && apt-get -qq download $package 2>&1 && dpkg -x $package\_*.deb . 2>&1);
		return 'build/nginx/usr/sbin/nginx' if -x 'build/nginx/usr/sbin/nginx';
	}
	return (undef, $log =~ /(\S.*)\n*\z/ ? $1 : 'apt-get download gives no nginx');
}

# PostgREST's part on a port of its own, and nginx on another.
sub new
{
	my ($class, $nginx, $configuration, @postgrest) = @_;
	my $self = bless { dir => tempdir(CLEANUP => 1), owner => $$ }, $class;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 50) or die "listen: $!";

	@$self{qw(upstream port)} = ($listener->sockport, free_port());
	$self->{pids} = [ background(sub { serve($listener, Postgrest->new(@postgrest)) }) ];
	open my $in, '<', $configuration or die "$configuration: $!";
	my $snippet = do { local $/; <$in> };
	$snippet =~ s/127\.0\.0\.1:3000/127.0.0.1:$self->{upstream}/g;
	open my $out, '>', "$self->{dir}/nginx.conf" or die $!;
	print $out join "\n", 'daemon off;', "pid $self->{dir}/pid;", "error_log $self->{dir}/log;", 'worker_processes 1;', 'events {}', 'http {', 'access_log off;',
	  (map { "${_}_temp_path $self->{dir}/$_;" } qw(client_body proxy fastcgi uwsgi scgi)), "server { listen 127.0.0.1:$self->{port};", $snippet, '}', '}', '';
	close $out;
	chmod 0755, $self->{dir};
	push @{ $self->{pids} }, background(sub { exec $nginx, '-p', $self->{dir}, '-c', "$self->{dir}/nginx.conf" });
	return $self;
}

sub port { return $_[0]->{port}; }

# Ends what is behind nginx.
sub end_upstream { my ($self) = @_; kill 'KILL', $self->{pids}[0]; waitpid $self->{pids}[0], 0; }

# Answers requests, each on a connection of its own.
sub serve
{
	my ($listener, $postgrest) = @_;

	while (my $client = $listener->accept)
	{
		my ($method, $target) = (readline($client) // '') =~ m{^(\w+) (\S+) HTTP/1} or next;
		my %headers;
		while (defined(my $line = readline $client)) { last unless $line =~ /^([\w-]+):\s*(.*?)\r?\n/; $headers{ lc $1 } = $2; }
		read $client, my $body, $headers{'content-length'} // 0;
		my ($path, $query) = split /\?/, $target, 2;
		my %query = map { split /=/, $_, 2 } split /&/, $query // '';
		my $answer = ($headers{'content-type'} // '') eq 'application/json' || $method ne 'POST'
		  ? $postgrest->answer(method => $method, path => $path, headers => \%headers, body => $method eq 'POST' ? $body : undef, query => \%query)
		  : Postgrest::refusal(415, 'PGRST102', 'Content-Type not acceptable');
		my $content = $json->encode($answer->{body});
		my $extra = join '', map { my $h = $_; map { "$_: $h->{$_}\r\n" } keys %$h } @{ $answer->{headers} // [] };
		print $client "HTTP/1.1 $answer->{status} x\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ", length $content, "\r\nConnection: close\r\n$extra\r\n$content";
		close $client;
	}
}

sub DESTROY
{
	my ($self) = @_;

	return if $self->{owner} != $$;
	local $?;
	kill 'TERM', @{ $self->{pids} };
	waitpid $_, 0 for @{ $self->{pids} };
}

1;
