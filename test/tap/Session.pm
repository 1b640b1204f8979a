# Session.pm
#	A psql session that lives through a test, against the cluster that PGHOST,
#	PGPORT and PGDATABASE name.

package Session;

use strict;
use warnings;

use IPC::Run qw(start pump finish timeout);

my $mark = '== end of statement ==';

# A new session, which is given so many seconds altogether; dies if there is no server.
sub new
{
	my ($class, $seconds) = @_;
	my $self = bless { in => '', out => '', err => '' }, $class;

	$self->{run} = start(
		[ 'psql', '-X', '-A', '-t', '-q', '-v', 'VERBOSITY=verbose' ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
		timeout($seconds // 300));
	$self->{pid} = eval { $self->query('SELECT pg_backend_pid()') } // $@;
	return $self if $self->{pid} =~ /^\d+$/;
	$self->{run}->kill_kill;
	die "no session: $self->{err}$self->{pid}";
}

# Process id of the server process.
sub pid { return $_[0]->{pid}; }

# Starts SQL without waiting for its end.
sub send
{
	my ($self, $sql) = @_;

	$self->{out} = $self->{err} = '';
	$self->{in} .= "$sql;\n\\echo $mark\n\\warn $mark\n";
	$self->{run}->pump_nb;
}

# Waits for the SQL's end; its rows as text.  Errors are in error().
sub wait
{
	my ($self) = @_;

	$self->{run}->pump
	  until $self->{out} =~ /^\Q$mark\E\n/m && $self->{err} =~ /^\Q$mark\E\n/m;
	s/^\Q$mark\E\n//m for $self->{out}, $self->{err};
	$self->{out} =~ s/\n\z//;
	return $self->{out};
}

# Has the SQL come to its end, so that wait() would not wait?  Undefined: the session is lost.
sub ready
{
	my ($self) = @_;

	eval { $self->{run}->pump_nb; 1 } or return undef;
	return 1 if $self->{out} =~ /^\Q$mark\E\n/m && $self->{err} =~ /^\Q$mark\E\n/m;
	return $self->{run}->pumpable ? 0 : undef;
}

# Runs SQL; its rows as text.
sub query
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->wait;
}

# Runs SQL that must not fail; its rows as text.
sub must
{
	my ($self, $sql) = @_;
	my $rows = $self->query($sql);

	die "$sql: $self->{err}" if $self->{err} =~ /ERROR/;
	return $rows;
}

# What the last SQL wrote to standard error.
sub error { return $_[0]->{err}; }

# A number from /proc/PID/status of the server process, such as Threads or RssAnon (kB).
sub status
{
	my ($self, $field) = @_;

	open my $file, '<', "/proc/$self->{pid}/status" or die "/proc/$self->{pid}/status: $!";
	my ($value) = map { /^\Q$field\E:\s+(\d+)/ ? $1 : () } <$file>;
	close $file;
	die "no $field in /proc/$self->{pid}/status" unless defined $value;
	return $value;
}

# Ends the session, also one whose server process is gone: what was open to psql is closed, or every
# program that is started later would have it too.
sub end
{
	my ($self) = @_;
	my $ended;

	$self->{in} .= "\\q\n";
	return $ended if eval { $ended = $self->{run}->finish; 1 };
	my $error = $@;
	$self->{run}->kill_kill;
	die $error;
}

1;
