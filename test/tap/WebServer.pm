# WebServer.pm
#	The server of test/http beside a test, and requests to it by SQL.

package WebServer;

use strict;
use warnings;

use File::Temp qw(tempdir);
use HTTP::Tiny;
use IPC::Open2;
use JSON::PP;

# Starts the server; with a certificate for localhost by an authority of its own.
sub new
{
	my ($class) = @_;
	my $self = bless { dir => tempdir(CLEANUP => 1), pid => $$ }, $class;

	chmod 0755, $self->{dir};
	$self->make_certificate;
	$self->{child} = open2($self->{out}, $self->{in}, 'python3', 'test/http/server.py',
		"$self->{dir}/server.pem", "$self->{dir}/server.key");
	my $line = readline $self->{out};
	die "the web server does not start\n" unless defined $line && $line =~ /^(\d+) (\d+)$/;
	@$self{qw(port tls_port)} = ($1, $2);
	$self->{client} = HTTP::Tiny->new(timeout => 10);
	return $self;
}

# A certificate for the name localhost, signed by the authority in authority.pem.
sub make_certificate
{
	my ($self) = @_;
	my $dir = $self->{dir};

	open my $extensions, '>', "$dir/extensions" or die $!;
	print $extensions "subjectAltName=DNS:localhost\n";
	close $extensions;
	for my $command (
		"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout $dir/authority.key -out $dir/authority.pem",
		"req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout $dir/server.key -out $dir/server.csr",
		"x509 -req -in $dir/server.csr -CA $dir/authority.pem -CAkey $dir/authority.key -CAcreateserial -days 2 -extfile $dir/extensions -out $dir/server.pem")
	{
		system("openssl $command >$dir/openssl.log 2>&1") == 0 or die `cat $dir/openssl.log`;
	}
	chmod 0644, "$dir/authority.pem";
}

sub port { return $_[0]->{port}; }
sub tls_port { return $_[0]->{tls_port}; }
sub dir { return $_[0]->{dir}; }
sub url { return "http://localhost:$_[0]->{port}$_[1]"; }
sub tls_url { return "https://localhost:$_[0]->{tls_port}$_[1]"; }

# Sets what a path answers: hashes as the server's own text describes them.
sub define
{
	my ($self, $path, @answers) = @_;
	my $answer = $self->{client}->post("http://127.0.0.1:$self->{port}/define",
		{ content => JSON::PP->new->encode({ path => $path, answers => \@answers }) });
	die "/define: $answer->{status} $answer->{content}\n" unless $answer->{success};
}

# The value at one of the server's own paths.
sub _ask
{
	my ($self, $path) = @_;
	my $answer = $self->{client}->get("http://127.0.0.1:$self->{port}$path");
	die "$path: $answer->{status} $answer->{content}\n" unless $answer->{success};
	return JSON::PP->new->allow_nonref->decode($answer->{content});
}

# The requests since the last definition, in order of their coming.
sub requests { return @{ $_[0]->_ask('/log') }; }

# Most requests that were under way at once.
sub most { return $_[0]->_ask('/most'); }

sub DESTROY
{
	my ($self) = @_;

	return unless $self->{child} && $self->{pid} == $$;
	local $?;
	kill 'TERM', $self->{child};
	waitpid $self->{child}, 0;
}

1;
