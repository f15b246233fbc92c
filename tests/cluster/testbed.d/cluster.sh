# shellcheck shell=bash
# The whole cluster: up, wait, down, list, and stopping and starting single nodes.

readonly WAIT_SECONDS=90

cluster_up() {
    local proctrack=linuxproc
    while (($# > 0)); do
        case $1 in
        --proctrack)
            (($# > 1)) || usage_error "--proctrack needs linuxproc or cgroup"
            proctrack=$2
            shift 2
            ;;
        *) usage_error "up: unknown argument '$1'" ;;
        esac
    done
    slurm_plugins "$proctrack" >/dev/null
    require_root
    host_install
    testbed_lock
    if [[ -e $TESTBED/state/ready ]] && cluster_all_alive; then
        say "already up in $TESTBED"
    else
        cluster_remove
        trap 'cluster_up_failed' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        cluster_make "$proctrack"
        state_write ready "$(date -u +%FT%TZ)"
        trap - EXIT INT TERM HUP
    fi
    echo "export CLUSTERJAIL_TESTBED=$TESTBED"
}

cluster_make() {
    local proctrack=$1 base node began=$SECONDS
    base=$(base_make)
    say "making a cluster in $TESTBED from ${base##*/}"
    mkdir -p -- "$TESTBED"
    chmod 0700 -- "$TESTBED"
    mkdir -- "$TESTBED/state" "$TESTBED/nodes" "$TESTBED/home"
    # Homes are the users' to enter through the nodes; everything else here is root's.
    state_write base "$base"
    state_write proctrack "$proctrack"
    network_make
    access_make_keys
    access_make_homes
    (umask 077 && head -c 1024 /dev/urandom >"$TESTBED/munge.key")
    for node in "${NODES[@]}"; do
        node_start "$node"
    done
    say "waiting for sshd, munge and SLURM"
    cluster_wait "$WAIT_SECONDS"
    say "ready after $((SECONDS - began)) s"
}

cluster_up_failed() {
    local status=$? node
    trap - EXIT
    trap '' INT TERM HUP
    say "not up: removing what was made"
    for node in "${NODES[@]}"; do
        node_console_tail "$node"
    done
    cluster_remove
    rm -f -- "$TESTBED.lock"
    exit "$status"
}

node_console_tail() {
    local log=$TESTBED/nodes/$1/console.log
    [[ ! -s $log ]] || tail -n 5 -- "$log" | sed "s/^/$1: /" >&2
}

cluster_all_alive() {
    local node
    for node in "${NODES[@]}"; do
        node_alive "$node" || return 1
    done
}

# True when a user could log in and use munge there: asked over ssh, so that the way in is part of the answer.
node_ready() {
    # shellcheck disable=SC2016
    ssh -F "$TESTBED/ssh/config" "root@$1" 'test ! -e /run/nologin && systemctl is-active --quiet cron atd munge &&
        munge -n </dev/null | unmunge >/dev/null' >/dev/null 2>&1 </dev/null 9>&-
}

cluster_wait() {
    local limit=${1:-$WAIT_SECONDS} node began=$SECONDS
    [[ $limit =~ ^[0-9]+$ ]] || usage_error "wait: '$limit' is not a number of seconds"
    testbed_require
    for node in "${NODES[@]}"; do
        node_wait "$node" $((limit - SECONDS + began))
    done
    wait_until $((limit - SECONDS + began)) slurm_nodes_idle ||
        cluster_wait_failed ctl "c1 and c2 are not both idle: $(slurm_state)" slurmctld
}

node_ready_or_dead() { node_dead "$1" || node_ready "$1"; }

# Waits $2 seconds at most for node $1 to be ready; dies when it is not, at once when it has ended.
node_wait() {
    local node=$1
    if ! wait_until "$2" node_ready_or_dead "$node"; then
        cluster_wait_failed "$node" "sshd, munge, cron and atd are not all up on $node" ssh munge cron atd
    elif node_dead "$node"; then
        node_console_tail "$node"
        die "$node has ended: see $TESTBED/nodes/$node/console.log"
    fi
}

slurm_state() { node_exec ctl sinfo --noheader --Node --format='%N %T (%E)' 2>&1 </dev/null | paste -sd'; '; }

cluster_wait_failed() {
    local node=$1 message=$2 unit
    shift 2
    node_dead "$node" || for unit in "$@"; do
        node_exec "$node" journalctl --quiet --no-pager --lines=5 --unit="$unit.service" >&2 </dev/null || true
    done
    die "$message"
}

cluster_down() {
    require_root
    testbed_lock
    cluster_remove
    rm -f -- "$TESTBED.lock"
}

# Removes whatever of this testbed there is, also what an interrupted `up` left, and nothing else.
cluster_remove() {
    local directory
    [[ -d $TESTBED ]] || return 0
    [[ -d $TESTBED/state && -d $TESTBED/nodes ]] || {
        rmdir -- "$TESTBED/state" "$TESTBED" 2>/dev/null || die "$TESTBED is not a testbed's directory: left as it is"
        return 0
    }
    say "stopping the nodes of $TESTBED"
    access_close_masters
    for directory in "$TESTBED/nodes"/*/; do
        [[ -d $directory ]] || continue
        node_stop "$(basename -- "$directory")" kill
    done
    network_remove
    mount_free_below "$TESTBED"
    rm -rf --one-file-system -- "$TESTBED"
}

# Dies unless nothing is mounted at or below $1: removing a tree removes through its mounts.
mount_free_below() {
    local mounted
    mounted=$(awk -v dir="$1" '$5 == dir || index($5, dir "/") == 1 { print $5; exit }' /proc/self/mountinfo)
    [[ -z $mounted ]] || die "something is mounted on $mounted: nothing below $1 was removed; unmount it and try again"
}

cluster_list() {
    local directory node states
    for directory in "$TESTBED_RUN"/*/ "$TESTBED/"; do
        [[ -d $directory/state && ($directory != "$TESTBED/" || ${directory%/*/} != "$TESTBED_RUN") ]] || continue
        TESTBED=${directory%/} states=
        for node in "${NODES[@]}"; do
            if node_alive "$node"; then states+=" $node=running"; else states+=" $node=stopped"; fi
        done
        echo "$TESTBED $(state_read bridge 2>/dev/null || echo -) $(state_read proctrack 2>/dev/null || echo -)$states"
    done
}

cluster_stop_node() {
    node_require "${1:-}"
    require_root
    testbed_require
    testbed_lock
    say "stopping $1"
    node_stop "$1" clean
}

cluster_start_node() {
    node_require "${1:-}"
    require_root
    testbed_require
    testbed_lock
    if node_alive "$1"; then return 0; fi
    # A node that shut itself down has left its cgroups.
    cgroup_remove "$1"
    node_start "$1"
}

cluster_reboot_node() {
    cluster_stop_node "$1"
    cluster_start_node "$1"
    node_wait "$1" 60
}
