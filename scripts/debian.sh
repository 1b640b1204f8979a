# debian.sh: small Debian systems made by debootstrap; to be sourced after lib.sh, as root.

# The mirror that this machine's own package sources name.
mirror()
{
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' |
		grep -E '/debian/?$' | head -n 1
}

# Lets this machine run the programs of another processor, by QEMU.
emulate()
{
	local formats=/proc/sys/fs/binfmt_misc name

	case $1 in
		arm64) name=qemu-aarch64 ;;
		*) die "no emulation of $1" ;;
	esac
	mountpoint -q "$formats" || mount -t binfmt_misc none "$formats"
	[ -e "$formats/$name" ] || cat "/usr/lib/binfmt.d/$name.conf" >"$formats/register"
}

# A minimal system of a release, for the processor ARCH, with this machine's way to the network.
bootstrap()
{
	local suite=$1 dir=$2 script=

	[ -e "/usr/share/debootstrap/scripts/$suite" ] || script=/usr/share/debootstrap/scripts/sid
	debootstrap ${ARCH:+--arch="$ARCH"} --variant=minbase "$suite" "$dir" "$(mirror)" $script || return 1
	cp /etc/resolv.conf /etc/hosts "$dir/etc/"
	find /etc/apt/apt.conf.d -maxdepth 1 -type f ! -name '*docker*' -exec cp {} "$dir/etc/apt/apt.conf.d/" \;
	[ ! -f /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$dir/etc/apt/"
	[ ! -d /usr/local/share/ca-certificates ] ||
		cp -R /usr/local/share/ca-certificates "$dir/usr/local/share/"
	# as in Docker's own images: a system that is thrown away need not wait for the disk
	echo force-unsafe-io >"$dir/etc/dpkg/dpkg.cfg.d/unsafe-io"
	# packages may not start services in there
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
}
