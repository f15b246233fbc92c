# shellcheck shell=bash
# One node: its cgroups, its file systems, its init; starting, entering and stopping it.
#
# A node's supervisor is `testbed supervise NODE` in a session and mount namespace of its own; it mounts what the node
# needs and becomes systemd-nspawn. The host's mount table never has these mounts, and they end with the supervisor,
# however it ends.

# Prints the mount point of the hierarchy with controllers $1 (empty: the unified one).
cgroup_mount_point() {
    awk -v want="$1" '
        { for (i = 7; $i != "-"; i++) ; type = $(i + 1); options = "," $(i + 3) "," }
        want == "" && type == "cgroup2" { print $5; exit }
        want != "" && type == "cgroup" && index(options, "," want ",") { print $5; exit }
    ' /proc/self/mountinfo
}

cgroup_v1_host() { [[ -n $(cgroup_mount_point freezer) ]]; }

# Prints the directory of every cgroup that process $1 is in. v1's memory controller is left out: its limits are those of
# whoever starts the testbed, and nothing here needs it.
cgroup_directories() {
    local _ controllers path mount_point
    while IFS=: read -r _ controllers path; do
        [[ $controllers != memory ]] || continue
        mount_point=$(cgroup_mount_point "$controllers")
        [[ -z $mount_point ]] || echo "${mount_point}${path%/}"
    done <"/proc/$1/cgroup"
}

# Puts this shell into a new cgroup below its own in every hierarchy. nspawn makes these the roots of the node's cgroup
# namespace, so two slurmds on one kernel do not meet.
cgroup_isolate() {
    local node=$1 parent directory file directories
    directories=$(cgroup_directories $BASHPID)
    for parent in $directories; do
        directory=$parent/$(state_read bridge)-$node
        mkdir -- "$directory"
        echo "$directory" >>"$TESTBED/nodes/$node/cgroups"
        for file in cpuset.cpus cpuset.mems; do
            # On v1 a new cpuset has none, and takes no process before it has.
            [[ ! -e $parent/$file || -e $parent/cgroup.controllers ]] || cat -- "$parent/$file" >"$directory/$file"
        done
        echo $BASHPID >"$directory/cgroup.procs"
    done
}

# A frozen process does not die of SIGKILL on cgroup v1, and its node would not end.
cgroup_thaw() {
    local directory state
    while read -r directory; do
        while read -r state; do
            echo THAWED >"$state" || true
        done < <(find "$directory" -mindepth 2 -name freezer.state 2>/dev/null)
    done < <(cat "$TESTBED/nodes/$1/cgroups" 2>/dev/null)
}

cgroup_remove() {
    local directory list=$TESTBED/nodes/$1/cgroups
    [[ -f $list ]] || return 0
    while read -r directory; do
        [[ ! -d $directory ]] || wait_until 5 cgroup_remove_tree "$directory" ||
            say "$1: cannot remove $directory: $(find "$directory" -name cgroup.procs -exec cat {} + | wc -l) processes are left in it"
    done <"$list"
    rm -f -- "$list"
}

cgroup_remove_tree() {
    find "$1" -depth -type d -exec rmdir -- {} + 2>/dev/null
    [[ ! -d $1 ]]
}

# What makes the base tree this node. $2 is the mounted root.
node_configure() {
    local node=$1 root=$2 key
    echo "$node" >"$root/etc/hostname"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    network_hosts >"$root/etc/hosts"
    echo "$(node_address "$node")/24" >"$root/etc/testbed-address"
    key=$root/etc/ssh/ssh_host_ed25519_key
    install -m 0600 -- "$TESTBED/ssh/host-$node" "$key"
    install -m 0644 -- "$TESTBED/ssh/host-$node.pub" "$key.pub"
    install -m 0644 -- "$TESTBED/ssh/known_hosts" "$root/etc/ssh/ssh_known_hosts"
    install -d -m 0700 -- "$root/root/.ssh"
    install -m 0600 -- "$TESTBED/ssh/root.pub" "$root/root/.ssh/authorized_keys"
    install -m 0400 -- "$TESTBED/munge.key" "$root/etc/munge/munge.key"
    chown --reference="$root/etc/munge" -- "$root/etc/munge/munge.key"
    slurm_install "$node" "$root"
}

# The supervisor. Runs under unshare --mount, started by node_start, with nothing of the caller's open.
node_supervise() {
    local node=$1 directory=$TESTBED/nodes/$1 bridge
    [[ $(readlink /proc/self/ns/mnt) != "$(cat "$directory/host-namespace")" ]] ||
        die "supervise is what 'up' starts; it must not run in the host's mount namespace"
    cgroup_isolate "$node"
    bridge=$(state_read bridge)
    # nspawn keeps run-time files here and would leave them behind.
    mkdir -p /run/systemd
    mount -t tmpfs -o mode=0755 testbed /run/systemd
    mount -t overlay -o "lowerdir=$(state_read base),upperdir=$directory/upper,workdir=$directory/work" \
        "testbed-$node" "$directory/root"
    if [[ ! -e $directory/configured ]]; then
        node_configure "$node" "$directory/root"
        : >"$directory/configured"
    fi
    # Writable /proc/sys and no system call filter, as on a machine: user namespaces and mounts are what is tested.
    export SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes SYSTEMD_SECCOMP=0
    exec systemd-nspawn --quiet --register=no --keep-unit --boot --capability=all --console=pipe \
        --resolv-conf=off --timezone=off --link-journal=no --network-bridge="$bridge" \
        --machine="$bridge-$node" --hostname="$node" --bind="$TESTBED/home:/home" --directory="$directory/root"
}

# Starts a node's supervisor and returns at once.
node_start() {
    local node=$1 directory=$TESTBED/nodes/$1
    say "booting $node"
    mkdir -p -- "$directory/upper" "$directory/work" "$directory/root"
    readlink /proc/self/ns/mnt >"$directory/host-namespace"
    rm -f -- "$directory/supervisor"
    (
        trap - EXIT INT TERM HUP
        close_inherited
        # setsid, unshare and nspawn keep this process id, so it is known before there is anything to clean up.
        process_identity $BASHPID >"$directory/supervisor"
        exec setsid unshare --mount --propagation slave "$TESTBED_SELF" supervise "$node"
    ) </dev/null >>"$directory/console.log" 2>&1 &
    disown
    wait_until 10 test -s "$directory/supervisor" || {
        tail -n 5 -- "$directory/console.log" >&2
        die "$node did not start: see $directory/console.log"
    }
}

# A pipe or lock of the caller's that stayed open in a node would keep ctest waiting and the lock held.
close_inherited() {
    local link fd
    for link in "/proc/$BASHPID/fd"/*; do
        fd=${link##*/}
        if ((fd > 2)); then exec {fd}>&-; fi
    done
}

# Prints the pid of the node's init as the host sees it.
node_init() {
    local supervisor child
    local -a children=()
    supervisor=$(process_recorded "$TESTBED/nodes/$1/supervisor") || return 1
    read -ra children <"/proc/$supervisor/task/$supervisor/children" || true
    for child in "${children[@]}"; do
        if grep -q $'^NSpid:.*\t1$' "/proc/$child/status" 2>/dev/null; then
            echo "$child"
            return 0
        fi
    done
    return 1
}

node_alive() { process_recorded "$TESTBED/nodes/$1/supervisor" >/dev/null; }
node_dead() { ! node_alive "$1"; }

# Runs a command in all of the node's namespaces and in its init's cgroups, as root with a clean environment. The
# subshell is what moves into the cgroups, not this testbed command.
node_exec() {
    local node=${1:-} init directory directories
    node_require "$node"
    testbed_require
    shift
    (($# > 0)) || set -- /bin/bash -l
    init=$(node_init "$node") || die "$node is not running: see 'testbed list'"
    directories=$(cgroup_directories "$init")
    (
        for directory in $directories; do
            echo $BASHPID >"$directory/cgroup.procs"
        done
        exec nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wd \
            env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM="${TERM:-dumb}" LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    )
}

# Ends a node: cleanly ($2 is clean: SIGTERM makes nspawn shut it down), or by killing its init, which ends all of it.
node_stop() {
    local node=$1 how=$2 supervisor init
    supervisor=$(process_recorded "$TESTBED/nodes/$node/supervisor") || supervisor=
    if [[ -n $supervisor && $how == clean ]]; then
        kill -TERM "$supervisor" 2>/dev/null || true
        wait_until 30 node_dead "$node" || say "$node does not shut down in 30 s: killing it"
    fi
    cgroup_thaw "$node"
    if [[ -n $supervisor ]] && init=$(node_init "$node"); then
        # nspawn then cleans up after itself.
        kill -KILL "$init" 2>/dev/null || true
        wait_until 10 node_dead "$node" || true
    fi
    if supervisor=$(process_recorded "$TESTBED/nodes/$node/supervisor"); then
        kill -KILL "$supervisor" 2>/dev/null || true
        wait_until 10 node_dead "$node" || die "$node: its supervisor, process $supervisor, does not end"
    fi
    cgroup_remove "$node"
    rm -f -- "$TESTBED/nodes/$node/supervisor"
}
