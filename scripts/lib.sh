# lib.sh: what the scripts of this folder share; to be sourced by bash.
#
# Settings from outside: PG_CONFIG or PG_VERSION choose the PostgreSQL;
# CI=true makes a skipped test a failure (scripts/check has the exceptions).

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
make=${MAKE:-make}
# a make started from here has its own jobs
MAKEFLAGS=$(printf '%s' "${MAKEFLAGS:-}" | sed 's/ *--jobserver[^ ]*//g; s/ -j[0-9]*//g')
export MAKEFLAGS

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { warn "${0##*/}: $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif has sudo; then
		sudo "$@"
	else
		die "needs root for: $* (run it as root, or install sudo)"
	fi
}

# The Python of an environment under build that has these packages of PyPI: NAME PACKAGE...
# It is made if it is not there, or was not finished, or has others.
python_with()
{
	local place=$root/build/$1

	shift
	if [ "$(cat "$place/packages" 2>/dev/null)" != "$*" ]; then
		python3 -m venv --clear "$place" >&2 && "$place/bin/pip" -q install --prefer-binary "$@" >&2 && printf '%s\n' "$*" >"$place/packages" || return
	fi
	printf '%s\n' "$place/bin/python"
}

# The user that a private server runs as: PostgreSQL refuses root.
server_user()
{
	if [ "$(id -u)" != 0 ]; then
		id -un
	elif id postgres >/dev/null 2>&1; then
		echo postgres
	else
		echo nobody
	fi
}

# Runs a command as the server's user, from a folder that it can read.
as_server()
{
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u "$(server_user)" -- "$@")
	else
		"$@"
	fi
}

# Does this pg_config belong to a PostgreSQL that extensions can be built for?  The
# makefiles alone do not tell: on Debian they come with the client's package.
pg_config_usable()
{
	local pgxs headers

	pgxs=$("$1" --pgxs 2>/dev/null) && headers=$("$1" --includedir-server 2>/dev/null) &&
		[ -f "$pgxs" ] && [ -f "$headers/postgres.h" ]
}

# Sets PG_CONFIG: as given; of PG_VERSION; on the PATH; the newest one found.
find_pg_config()
{
	local candidate

	if [ -n "${PG_CONFIG:-}" ]; then
		pg_config_usable "$PG_CONFIG"
		return
	fi
	if [ -n "${PG_VERSION:-}" ]; then
		set -- "/usr/lib/postgresql/$PG_VERSION/bin/pg_config" "/usr/pgsql-$PG_VERSION/bin/pg_config"
	else
		set -- pg_config $(ls -dv /usr/lib/postgresql/*/bin/pg_config /usr/pgsql-*/bin/pg_config 2>/dev/null | sort -Vr)
	fi
	for candidate; do
		if pg_config_usable "$candidate"; then
			PG_CONFIG=$(command -v "$candidate")
			return 0
		fi
	done
	return 1
}

# As find_pg_config, and says what is missing; PG_CONFIG and pg_bindir are set.
require_postgres()
{
	find_pg_config ||
		die "no PostgreSQL${PG_VERSION:+ $PG_VERSION} with its development files; run scripts/install-dependencies"
	export PG_CONFIG
	pg_bindir=$("$PG_CONFIG" --bindir)
	[ -x "$pg_bindir/initdb" ] ||
		die "no server programs in $pg_bindir; run scripts/install-dependencies"
}

cores() { nproc 2>/dev/null || echo 1; }

# Builds and installs the extension; what make says is shown if it fails.
build_and_install()
{
	local log status=0

	log=$(mktemp)
	{
		"$make" -C "$root" --no-print-directory -j"$(cores)" all PG_CONFIG="$PG_CONFIG" &&
			as_root "$make" -C "$root" --no-print-directory install PG_CONFIG="$PG_CONFIG"
	} >"$log" 2>&1 || status=$?
	if [ "$status" != 0 ]; then
		cat "$log" >&2
		rm -f "$log"
		die "the build failed (see above)"
	fi
	grep -A5 'warning:' "$log" >&2 || true
	rm -f "$log"
}

# Copies the tree into a folder, without what was built and without git.
copy_tree()
{
	mkdir -p "$1"
	tar -C "$root" --exclude=./.git --exclude=./.demo --exclude=./build --exclude='*.o' --exclude='*.so' \
		-cf - . | tar -C "$1" --no-same-owner -xf -
}

# Seconds since a moment given by "date +%s.%N", with one decimal.
since() { awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }'; }

# A port of this machine that nobody listens on.
free_port()
{
	perl -MIO::Socket::INET -e \
		'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport'
}
