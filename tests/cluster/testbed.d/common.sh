# shellcheck shell=bash
# shellcheck disable=SC2034  # read by the other parts
# Names, messages and process bookkeeping that every other part uses.

readonly TESTBED_RUN=${CLUSTERJAIL_RUN:-/var/lib/clusterjail-testbed}
readonly TESTBED_CACHE=${CLUSTERJAIL_CACHE:-/var/cache/clusterjail-testbed}

readonly -a NODES=(ctl login1 c1 c2)
readonly -a COMPUTE_NODES=(c1 c2)
readonly -a LOGIN_USERS=(foo bar alice carol admin visitor1)
# Last byte of each node's address; the bridge itself has 1.
declare -rA NODE_HOST_BYTE=([ctl]=10 [login1]=11 [c1]=21 [c2]=22)

TESTBED= # the directory of the testbed we act on

say() { printf 'testbed: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

usage_error() {
    say "$* (see testbed --help)"
    exit 64
}

require_root() { ((EUID == 0)) || die "must be run as root: it boots systemd-nspawn nodes"; }

# Sets TESTBED from CLUSTERJAIL_TESTBED, which is a path or a name, and exports the path.
testbed_locate() {
    local wanted=${CLUSTERJAIL_TESTBED:-default}
    [[ $wanted == */* ]] || wanted=$TESTBED_RUN/$wanted
    wanted=$(realpath -ms -- "$wanted")
    # The path ends up in overlay and nspawn options, where these characters would need quoting that differs by version.
    [[ $wanted =~ ^/[A-Za-z0-9._/-]+$ ]] || usage_error "CLUSTERJAIL_TESTBED: '$wanted' has characters other than A-Za-z0-9._/-"
    TESTBED=$wanted
    export CLUSTERJAIL_TESTBED=$TESTBED
}

testbed_require() {
    [[ -f $TESTBED/state/bridge ]] || die "no testbed in $TESTBED: run 'testbed up' first, or set CLUSTERJAIL_TESTBED"
}

node_require() {
    local node=${1:-} known
    for known in "${NODES[@]}"; do
        [[ $node != "$known" ]] || return 0
    done
    usage_error "'$node' is not a node: use one of ${NODES[*]}"
}

state_read() { cat "$TESTBED/state/$1"; }

state_write() {
    printf '%s\n' "$2" >"$TESTBED/state/$1.new"
    mv -- "$TESTBED/state/$1.new" "$TESTBED/state/$1"
}

# Up, down, stop and start of one testbed exclude each other. The lock lies beside the directory, which `down` removes.
testbed_lock() {
    mkdir -p -- "$(dirname -- "$TESTBED")"
    while true; do
        exec 9>"$TESTBED.lock"
        flock --wait 300 9 || die "another testbed command has held $TESTBED.lock for five minutes"
        # `down` removes the file; a lock on one that is gone excludes nobody.
        [[ "$TESTBED.lock" -ef /proc/self/fd/9 ]] && return 0
    done
}

# A process is known by pid, start time and boot: a recycled pid is never taken for ours.
process_identity() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # Fields after the command name, which may hold spaces; field 22 of proc(5) is the start time.
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- "$1" $stat
    [[ $2 != Z ]] || return 1
    printf '%s %s %s\n' "$1" "${21}" "$(cat /proc/sys/kernel/random/boot_id)"
}

# Prints the pid recorded in file $1 if that very process still runs.
process_recorded() {
    local recorded pid
    recorded=$(cat "$1" 2>/dev/null) || return 1
    pid=${recorded%% *}
    [[ -n $pid && $(process_identity "$pid") == "$recorded" ]] || return 1
    echo "$pid"
}

# Calls "$2..." ten times a second until it succeeds or $1 seconds are over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}
