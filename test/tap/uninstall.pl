# What "make install" puts into a folder "make uninstall" takes away again.

use strict;
use warnings;

use File::Temp;
use Test::More;

my $folder = File::Temp->newdir;

# How many files there are after a target was made.
sub files_after
{
	my ($target) = @_;

	my $output = `make --no-print-directory $target DESTDIR=$folder 2>&1`;
	is($?, 0, "make $target") or diag $output;
	return scalar(() = `find $folder -type f`);
}

cmp_ok(files_after('install'), '>', 3, 'files are installed');
is(files_after('uninstall'), 0, 'none is left');

done_testing;
