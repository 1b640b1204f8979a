# Postgrest.pm
#	What PostgREST does between HTTP and PostgreSQL, without PostgREST: it finds
#	routines in the catalog, sends what versions 12, 14 and 16 send (text and types
#	of statements as in their sources; versions differ in blanks), and makes
#	status, headers and body of what comes back.  See https://docs.postgrest.org.

package Postgrest;

use strict;
use warnings;

use JSON::PP;
use Wire;

my $json = JSON::PP->new->canonical->allow_nonref;

# The values of a configuration file, key = value with or without quotes.
sub configuration
{
	my ($path) = @_;
	my %values;

	open my $file, '<', $path or die "$path: $!";
	while (<$file>)
	{
		$values{$1} = $2 if /^([a-z-]+)\s*=\s*"?(.*?)"?\s*$/;
	}
	return \%values;
}

# PostgREST of a major version on a database, with a configuration.
sub new
{
	my ($class, $version, $database, $configuration) = @_;
	my $self = bless { version => $version, configuration => $configuration, schema => $configuration->{'db-schemas'} }, $class;

	$self->{user} = $configuration->{'db-uri'} =~ m{^postgres(?:ql)?://([^:\@/]+)} ? $1 : die 'db-uri names no user';
	$self->{session} = Wire->new($self->{user}, $database);
	$self->{session}->simple("SET client_encoding = 'UTF8'; SET client_min_messages TO WARNING;");
	return $self;
}

sub text { return { type => 705, value => $_[0] }; }
sub ident { (my $name = $_[0]) =~ s/"/""/g; return qq("$name"); }
sub object { return ident($_[0]->{schema}) . '.' . ident($_[1]); }

# Settings of a role that PostgREST applies for it, as its configuration query reads them.
sub role_settings
{
	my ($self, $role) = @_;
	my $answer = $self->{session}->execute(
		q{SELECT unnest(s.setconfig) FROM pg_catalog.pg_roles AS r JOIN pg_catalog.pg_db_role_setting AS s ON s.setrole = r.oid AND s.setdatabase = 0 WHERE r.rolname = $1::text ORDER BY 1}, text($role));

	return map { [ split /=/, $_->[0], 2 ] } @{ $answer->{rows} };
}

# The statement of settings that each request begins with.
sub settings
{
	my ($self, $request, $role) = @_;
	my $extra = $self->{configuration}{'db-extra-search-path'} // 'public';
	my @calls = ([ search_path => join ', ', map { ident($_) } $self->{schema}, grep { length } split / *, */, $extra ]);
	my @parameters;

	push @calls, [ undef, @$_ ] for $self->role_settings($role);
	push @calls, [ role => $role ], [ 'request.jwt.claims' => $json->encode({ role => $role, %{ $request->{claims} // {} } }) ],
	  [ 'request.method' => $request->{method} ], [ 'request.path' => $request->{path} ],
	  [ 'request.headers' => $json->encode({ map { lc $_ => $request->{headers}{$_} } keys %{ $request->{headers} // {} } }) ],
	  [ 'request.cookies' => '{}' ];
	my @sql = map {
		my ($name, @values) = @$_;
		push @parameters, map { text($_) } @values;
		my $at = @parameters;
		sprintf 'set_config(%s, $%d, true)', defined $name ? "'$name'" : '$' . ($at - 1), $at;
	} @calls;
	return ('select ' . join(', ', @sql), @parameters);
}

# A routine of the schema by its name, as in the schema cache; undef if there is none.
sub routine
{
	my ($self, $name) = @_;
	my $answer = $self->{session}->execute(
		q{SELECT p.provolatile, p.proretset, p.prorettype::pg_catalog.regtype::text, p.pronargs,
			coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_array(coalesce(p.proargnames[a.i], ''), pg_catalog.format_type(a.type, NULL), a.i > p.pronargs - p.pronargdefaults) ORDER BY a.i)
				FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, i)), '[]')
		FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
		WHERE n.nspname = $1::text AND p.proname = $2::text AND p.prokind = 'f'},
		text($self->{schema}), text($name));
	my ($found, @more) = @{ $answer->{rows} };

	die "$name is overloaded" if @more;
	return unless $found;
	my @arguments = map { { name => $_->[0], type => $_->[1], optional => $_->[2] } } @{ $json->decode($found->[4]) };
	return { name => $name, reads => $found->[0] ne 'v', set => ord $found->[1], type => $found->[2], arguments => \@arguments };
}

# The arguments of a routine that keys of a body or of a query mean; undef if they do not fit.
sub named
{
	my ($routine, @keys) = @_;
	my %given = map { $_ => 1 } @keys;
	my @used = grep { delete $given{ $_->{name} } || !$_->{optional} } @{ $routine->{arguments} };

	return if %given || grep { !length $_->{name} } @used;
	return if grep { my $name = $_->{name}; !grep { $_ eq $name } @keys } @used;
	return \@used;
}

# FROM clause and parameters of a call; undef where PostgREST finds no such routine.
sub call_source
{
	my ($self, $routine, $request) = @_;
	my $body = $request->{body} // '{}';
	my $document = $request->{method} eq 'POST' ? $json->decode($body) : $request->{query} // {};
	my $one = ref $document eq 'ARRAY' ? $document->[0] : $document;
	my $used = named($routine, ref $one eq 'HASH' ? keys %$one : ());
	my $function = object($self, $routine->{name});
	my $scalar = !$routine->{set};
	my $call = sub { $scalar ? "(SELECT $function($_[0]) pgrst_scalar) pgrst_call" : "$function($_[0]) pgrst_call" };

	if (!$used)
	{
		my ($only, @others) = @{ $routine->{arguments} };
		return if $request->{method} ne 'POST' || @others || length $only->{name} || $only->{type} !~ /^jsonb?$/;
		return ('FROM ' . $call->("\$1::$only->{type}"), text($body));
	}
	return 'FROM ' . $call->('') unless @$used;
	if ($request->{method} ne 'POST' && $self->{version} > 12)
	{
		my $n = 0;
		return ('FROM ' . $call->(join ', ', map { $n++; ident($_->{name}) . " := \$${n}::$_->{type}" } @$used), map { text($one->{ $_->{name} }) } @$used);
	}
	my $names = join ', ', map { ident($_->{name}) } @$used;
	my $columns = join ', ', map { ident($_->{name}) . " $_->{type}" } @$used;
	my $reader = ref $document eq 'ARRAY' ? 'json_to_recordset' : 'json_to_record';
	my $limit = ref $document eq 'ARRAY' ? 'LIMIT 1' : '';
	return ("FROM (SELECT \$1 AS json_data) pgrst_payload, LATERAL (SELECT $names FROM $reader(pgrst_payload.json_data) AS _($columns) $limit) pgrst_body , LATERAL "
		  . $call->(join ', ', map { ident($_->{name}) . ' := pgrst_body.' . ident($_->{name}) } @$used),
		{ type => 114, binary => 1, value => $request->{method} eq 'POST' ? $body : $json->encode($one) });
}

# Do PostgREST's versions count for Prefer: count=exact?  16 only if there may be more than what is shown.
sub counts
{
	my ($self, $request, $limited) = @_;

	return ($request->{headers}{Prefer} // '') =~ /count=exact/ && ($self->{version} < 16 || $limited);
}

# LIMIT and OFFSET of a request under db-max-rows; adds to the parameters.
sub limit
{
	my ($self, $request, $parameters) = @_;
	my $most = $self->{configuration}{'db-max-rows'};
	my $limit = $request->{limit};

	$limit = $most if defined $most && (!defined $limit || $limit > $most);
	return '' unless defined $limit || $request->{offset};
	push @$parameters, text($limit), text($request->{offset} // 0);
	return sprintf 'LIMIT $%d OFFSET $%d', $#$parameters, scalar @$parameters;
}

# What all main statements end with.
my $response = q{nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted };

# The main statement of /rpc/NAME: text and parameters; undef if there is no such routine.
sub call_statement
{
	my ($self, $routine, $request) = @_;
	my ($source, @parameters) = $self->call_source($routine, $request) or return;
	my $alias = ident($routine->{name});
	my $single = !$routine->{set};
	my $limit = $self->limit($request, \@parameters);
	my $count = $self->counts($request, $limit);
	my $value = $single ? '_postgrest_t.pgrst_scalar)->0' : '_postgrest_t)';
	my $nothing = $single ? 'null' : '[]';

	return (sprintf(q{WITH pgrst_source AS (SELECT %s %s)%s SELECT %s AS total_result_set, %s AS page_total, coalesce(json_agg(%s, '%s') AS body, %sFROM (SELECT %s.* FROM "pgrst_source" AS %s    %s) _postgrest_t},
		$single ? 'pgrst_call.pgrst_scalar' : '"pgrst_call".*', $source, $count ? qq(, pgrst_source_count AS (SELECT 1 FROM "pgrst_source" AS $alias)) : '',
		$count ? '(SELECT pg_catalog.count(*) FROM pgrst_source_count)' : 'null::bigint', $single ? '1' : 'pg_catalog.count(_postgrest_t)',
		$value, $nothing, $response, $alias, $alias, $limit), @parameters);
}

# The main statement of GET or HEAD of a view.
sub read_statement
{
	my ($self, $view, $request) = @_;
	my $table = object($self, $view);
	my (@parameters, @conditions);
	my $columns = join ', ', map { "$table." . ($_ eq '*' ? '*' : ident($_)) } @{ $request->{select} // ['*'] };

	for (@{ $request->{filters} // [] })
	{
		my ($column, $operator, $value) = @$_;
		push @parameters, text(ref $value ? '{' . join(',', map { qq("$_") } @$value) . '}' : $value);
		push @conditions, sprintf ref $value ? ' %s.%s = ANY ($%d) ' : ' %s.%s %s $%d', $table, ident($column), ref $value ? scalar @parameters : ($operator, scalar @parameters);
	}
	my $where = @conditions ? 'WHERE ' . join(' AND ', @conditions) : '';
	my $order = $request->{order} ? "ORDER BY $table." . ident($request->{order}[0]) . " $request->{order}[1]" : '';
	my $limit = $self->limit($request, \@parameters);
	my $count = $self->counts($request, $limit);
	# the count has parameters of its own
	my @again = $count ? @parameters[ 0 .. $#conditions ] : ();
	my $n = @parameters;
	(my $count_where = $where) =~ s/\$(\d+)/'$' . ($n + $1)/ge;

	return (sprintf(q{WITH pgrst_source AS ( SELECT %s FROM %s  %s %s %s ) %s SELECT %s AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, %s AS body, %sFROM ( SELECT * FROM pgrst_source ) _postgrest_t},
		$columns, $table, $where, $order, $limit, $count ? ", pgrst_source_count AS (SELECT 1 FROM $table $count_where)" : '',
		$count ? '(SELECT pg_catalog.count(*) FROM pgrst_source_count)' : 'null::bigint',
		$request->{method} eq 'HEAD' ? q{''::text} : q{coalesce(json_agg(_postgrest_t), '[]')}, $response), @parameters, @again);
}

# HTTP status of an error.
sub status_of
{
	my ($code, $anonymous) = @_;
	my @table = ([ qr/^PT(\d\d\d)$/ => 0 ], [ qr/^42501$/ => $anonymous ? 401 : 403 ], [ qr/^(42883|42P01)$/ => 404 ], [ qr/^25006$/ => 405 ],
		[ qr/^(23503|23505)$/ => 409 ], [ qr/^53400$/ => 500 ], [ qr/^(08...|53...|57P01)$/ => 503 ], [ qr/^P0001$/ => 400 ],
		[ qr/^(0L|0P|28)/ => 403 ], [ qr/^(09|25|2D|38|39|3B|40|54|55|57|58|F0|HV|XX|P0)/ => 500 ]);

	for (@table)
	{
		return $_->[1] || $1 if $code =~ $_->[0];
	}
	return 400;
}

# An answer of PostgREST's own.
sub refusal { return { status => $_[0], body => { code => $_[1], message => $_[2], details => undef, hint => undef } }; }

# Answers a request {method, path, headers, body, query, claims, filters, select, order, limit,
# offset}: {status, headers, body, total, rows, statement, transaction}.
sub answer
{
	my ($self, %request) = @_;
	my $role = $request{claims} ? $request{claims}{role} : $self->{configuration}{'db-anon-role'};
	my ($rpc, $name) = $request{path} =~ m{^/(rpc/)?(\w+)$} or return refusal(404, 'PGRST125', 'Invalid path');
	my $routine = $rpc ? $self->routine($name) : undef;
	my @main;

	if ($rpc)
	{
		my $sound = eval { $json->decode($request{body} // '{}'); 1 };
		return refusal(400, 'PGRST102', 'Empty or invalid json') unless $sound;
		@main = $self->call_statement($routine, \%request) if $routine;
		return refusal(404, 'PGRST202', "Could not find the function $self->{schema}.$name") unless @main;
	}
	else
	{
		@main = $self->read_statement($name, \%request);
	}
	my $access = $request{method} eq 'POST' && !($routine && $routine->{reads}) ? 'WRITE' : 'ONLY';
	my $result = $self->transaction("BEGIN ISOLATION LEVEL READ COMMITTED READ $access", [ $self->settings(\%request, $role) ], \@main);
	return { %$result, statement => $main[0], access => $access } unless $result->{error};
	return { status => status_of($result->{error}{code}, !$request{claims}), statement => $main[0], access => $access, headers => [],
		body => { map { $_ => $result->{error}{$_} } qw(code message details hint) } };
}

# Settings and main statement in a transaction; what they give, or the error.
sub transaction
{
	my ($self, $begin, @statements) = @_;
	my $session = $self->{session};
	my $answer = $session->execute($begin);

	for (@statements)
	{
		$answer = $session->execute(@$_) unless $answer->{error};
	}
	if ($answer->{error})
	{
		$session->execute('ABORT');
		return $answer;
	}
	my ($total, $rows, $body, $headers, $status) = @{ $answer->{rows}[0] };
	my $end = $session->execute('COMMIT');
	return $end if $end->{error};
	return {
		status => $status // 200,
		headers => $headers ? $json->decode($headers) : [],
		body => length $body ? $json->decode($body) : undef,
		total => defined $total ? unpack('q>', $total) : undef,
		rows => unpack(length $rows == 8 ? 'q>' : 'l>', $rows),
	};
}

sub end { $_[0]->{session}->end; }

1;
