# Sourced by ./test and ./demo: what they say, what they install on a fresh Debian machine, and how they end.
# shellcheck shell=bash

PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH # what is installed below is what runs, not another Python that comes first
export LC_ALL=C.UTF-8 # whatever the machine has; Python and Ansible refuse to guess
export TERM=${TERM:-dumb}
umask 022 # ansible and nodes read what we make as other users
exec </dev/null # nothing here asks; and where CI closed it, bash gives commands in $( ) the end of their own pipe

say() { printf '%s== %s%s\n' "$bold" "$*" "$plain" >&2; }
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}
bold='' dim='' plain=''
# shellcheck disable=SC2034 # ./demo uses dim
if [ -t 1 ] && [ -t 2 ]; then
	bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'
fi

need_root() {
	[ "$(id -u)" -eq 0 ] || die "needs root, for namespaces and the test cluster: sudo ./${0##*/}"
	[ -r /etc/debian_version ] || die "this is not Debian: the test cluster is made of Debian nodes"
	[[ $PWD != *[^[:alnum:]._/@~+=,-]* ]] || die "'$PWD': CMake and Ansible cannot take every such name: use a path without blanks and quotes"
}

# Prints the lines of the lists of which no name is installed.
missing_packages() { # LIST...
	local line
	local -A installed=()
	while read -r line; do
		installed[${line% *}]=${line##* }
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n')
	while read -r line; do
		case $line in '' | '#'*) continue ;; esac
		local name found=
		for name in ${line//|/ }; do
			[ "${installed[$name]-}" != installed ] || found=1
		done
		[ -n "$found" ] || printf '%s\n' "$line"
	done < <(cat "$@")
}

# Of each "a|b" the first that this release has; one line each, or the message that there is none.
available_packages() { # LINE...
	local line name known chosen
	# shellcheck disable=SC2048,SC2086
	known=$(apt-cache madison ${*//|/ } 2>/dev/null | awk '$NF == "Packages" { print $1 }')
	for line in "$@"; do
		chosen=
		for name in ${line//|/ }; do
			if [ -z "$chosen" ] && grep -qxF "$name" <<<"$known"; then
				chosen=$name
			fi
		done
		[ -n "$chosen" ] || { printf 'no package %s in the apt sources of this machine\n' "${line//|/ or }" >&2; return 1; }
		printf '%s\n' "$chosen"
	done
}

# Installs what is missing of the lists. Names in them are Debian 12's; "a|b" takes the first that this release has.
install_packages() { # LIST...
	local missing names log=$PWD/build/packages.log
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	mkdir -p build
	say "installing ${#missing[@]} packages and what they need, once: a few minutes (log: ${log#"$PWD/"})"
	export DEBIAN_FRONTEND=noninteractive
	local apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
	"${apt[@]}" update >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "apt-get update failed; all of it is in $log"; }
	names=$(available_packages "${missing[@]}") || die "cannot install what is needed"
	# Nothing that gets installed here may start a service on this machine.
	local policy=/usr/sbin/policy-rc.d made='' status=0
	if [ ! -e "$policy" ]; then
		made=1
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	# shellcheck disable=SC2086
	"${apt[@]}" --no-install-recommends install $names >>"$log" 2>&1 || status=$?
	if [ -n "$made" ]; then
		rm -f "$policy"
		trap - EXIT
	fi
	[ "$status" -eq 0 ] || { tail -n 30 "$log" >&2; die "apt-get install failed; all of it is in $log"; }
}

# Runs a function in a process group of its own, so that a signal to this script ends all of that at once, and the cluster
# is taken down whatever happens. The function's exit status is the script's.
supervise() { # FUNCTION ARGUMENT...
	local status=0
	trap 'supervise_end $?' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	set -m
	(
		trap - EXIT INT TERM HUP
		"$@"
	) &
	supervised=$!
	set +m
	wait "$supervised" || status=$?
	exit "$status"
}

supervise_end() { # STATUS
	trap - EXIT
	trap '' INT TERM HUP
	if kill -TERM -- "-$supervised" 2>/dev/null; then
		local tenths
		for ((tenths = 0; tenths < 50; tenths++)); do
			kill -0 -- "-$supervised" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL -- "-$supervised" 2>/dev/null || :
	fi
	cleanup "$1"
	exit "$1"
}
