# Wire.pm
#	A client of PostgreSQL that speaks the protocol itself, so that a test decides
#	what is sent: named prepared statements, types of parameters, binary results.
#	Over the socket of PGHOST and PGPORT, without a password.

package Wire;

use strict;
use warnings;

use IO::Socket::UNIX;

# A session of a user; dies if it is refused.
sub new
{
	my ($class, $user, $database) = @_;
	my $path = "$ENV{PGHOST}/.s.PGSQL.$ENV{PGPORT}";
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!";
	my $self = bless { socket => $socket, user => $user }, $class;
	my $start = pack('N (Z*)*', 3 << 16, user => $user, database => $database, '');

	print $socket pack('N', 4 + length $start) . $start;
	my $answer = $self->receive;
	die "$user is refused: $answer->{error}{message}" if $answer->{error};
	return $self;
}

# Sends messages: kind and content in turn.
sub send
{
	my ($self, @messages) = @_;
	my $bytes = '';

	while (my ($kind, $content) = splice @messages, 0, 2)
	{
		$bytes .= $kind . pack('N', 4 + length $content) . $content;
	}
	$self->{socket}->print($bytes);
	$self->{socket}->flush;
}

# Exactly so many bytes from the server.
sub read_bytes
{
	my ($self, $n) = @_;
	my $bytes = '';

	while (length $bytes < $n)
	{
		$self->{socket}->read($bytes, $n - length $bytes, length $bytes) or die 'the server has closed the connection';
	}
	return $bytes;
}

# Reads until the server is ready: {error, rows, tag, state}, state I, T or E.
sub receive
{
	my ($self) = @_;
	my %answer = (rows => []);

	while (1)
	{
		my ($kind, $length) = unpack 'a N', $self->read_bytes(5);
		my $content = $self->read_bytes($length - 4);
		if ($kind eq 'D') { push @{ $answer{rows} }, row($content); }
		elsif ($kind eq 'C') { $answer{tag} = unpack 'Z*', $content; }
		elsif ($kind eq 'E') { $answer{error} = fields($content); }
		elsif ($kind eq 'R') { die "authentication is asked for\n" if unpack('N', $content) != 0; }
		elsif ($kind eq 'Z') { return { %answer, state => $content }; }
	}
}

# A DataRow: the values, undef for NULL.
sub row
{
	my ($content) = @_;
	my ($n, @values) = unpack 'n', $content;
	my $at = 2;

	for (1 .. $n)
	{
		my $length = unpack 'l>', substr($content, $at, 4);
		push @values, $length < 0 ? undef : substr($content, $at + 4, $length);
		$at += 4 + ($length < 0 ? 0 : $length);
	}
	return \@values;
}

# An ErrorResponse, by the names that PostgREST gives its parts.
sub fields
{
	my %names = (C => 'code', M => 'message', D => 'details', H => 'hint');
	my %error;

	for (split /\0/, $_[0])
	{
		$error{ $names{ substr $_, 0, 1 } } = substr $_, 1 if length && $names{ substr $_, 0, 1 };
	}
	return \%error;
}

# A simple query.
sub simple
{
	my ($self, $sql) = @_;

	$self->send('Q', pack 'Z*', $sql);
	return $self->receive;
}

# Runs a statement with parameters {type, binary, value}; by a name that it keeps, as
# long as text and types are the same.  Results are binary.
sub execute
{
	my ($self, $sql, @parameters) = @_;
	my @types = map { $_->{type} } @parameters;
	my $known = $self->{statements}{"$sql @types"};
	my $name = $known // 's' . keys %{ $self->{statements} // {} };
	my $values = join '', map { defined $_->{value} ? pack('N/a*', $_->{value}) : pack('l>', -1) } @parameters;

	if (!$known)
	{
		$self->send('P', pack('Z* Z* n N*', $name, $sql, scalar @types, @types), 'S', '');
		my $parsed = $self->receive;
		return $parsed if $parsed->{error};
		$self->{statements}{"$sql @types"} = $name;
	}
	$self->send('B', pack('Z* Z* n n*', '', $name, scalar @types, map { $_->{binary} ? 1 : 0 } @parameters) . pack('n', scalar @types) . $values . pack('n n', 1, 1),
		'D', pack('a Z*', 'P', ''), 'E', pack('Z* N', '', 0), 'S', '');
	return $self->receive;
}

sub end
{
	my ($self) = @_;

	$self->send('X', '');
	close $self->{socket};
}

1;
