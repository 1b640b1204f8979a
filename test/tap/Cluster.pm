# Cluster.pm
#	A private server of a test's own, which the test may stop and kill.
#	Sessions made while it is current go to it.

package Cluster;

use strict;
use warnings;

use File::Temp qw(tempdir);
use Scalar::Util qw(weaken);

my @clusters;    # that a test's own subroutines may hold until it ends
# before File::Temp removes what tells where they are
END { $_->remove for grep { defined } @clusters; }

# A new server with these settings (name => value), made current; dies if it does not start.
sub new
{
	my ($class, %settings) = @_;
	my $state = tempdir(CLEANUP => 1);
	my $self = bless { state => $state, owner => $$, settings => [ map { "$_=$settings{$_}" } sort keys %settings ] }, $class;

	weaken($clusters[@clusters] = $self);
	$self->start;
	$ENV{PGDATABASE} = 'postgres';
	return $self;
}

# Starts it again after a stop, and makes it current.
sub start
{
	my ($self) = @_;

	system('scripts/cluster', 'start', $self->{state}, @{ $self->{settings} }) == 0 or die "no cluster";
	for (split /\n/, qx(scripts/cluster env '$self->{state}'))
	{
		while (/(PG\w+)='?([^\s']+)'?/g) { $ENV{$1} = $2; }
	}
}

# Stops it at once, as a crash would: no shutdown, recovery at the next start.
sub crash
{
	my ($self) = @_;
	my $pid = $self->postmaster;

	kill 'QUIT', $pid;
	for (1 .. 300)
	{
		return unless kill 0, $pid;
		select undef, undef, undef, 0.05;
	}
	die "the server does not stop";
}

# Starts it again after a crash, on the port that it had: for clients that stay.
sub start_again
{
	my ($self) = @_;
	my @as = $> == 0 ? ('runuser', '-u', 'postgres', '--') : ();

	system(@as, 'sh', '-c', 'cd / && exec "$@"', 'sh', 'pg_ctl', '-s', '-w', '-D', "$ENV{PGHOST}/data", '-l', "$ENV{PGHOST}/log",
		'-o', "-p $ENV{PGPORT}", 'start') == 0 or die "the server does not start again";
}

# Process id of the postmaster.
sub postmaster
{
	open my $file, '<', "$ENV{PGHOST}/data/postmaster.pid" or die "postmaster.pid: $!";
	chomp(my $pid = <$file>);
	close $file;
	return $pid;
}

# Stops it and removes its data; what a test has forked does not.
sub remove
{
	my ($self) = @_;
	local $?;

	system("scripts/cluster remove '$self->{state}' >/dev/null 2>&1") if $self->{owner} == $$ && !$self->{removed}++;
}

sub DESTROY { $_[0]->remove; }

1;
