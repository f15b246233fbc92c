# shellcheck shell=bash
# slurm.conf and cgroup.conf of the plain cluster: no UsePAM, which is for the roles under test to set.

slurm_plugins() {
    case $1 in
    linuxproc) echo "ProctrackType=proctrack/linuxproc TaskPlugin=task/none" ;;
    cgroup) echo "ProctrackType=proctrack/cgroup TaskPlugin=task/cgroup" ;;
    *) usage_error "'$1' is not a way to track processes: use linuxproc or cgroup" ;;
    esac
}

slurm_conf() {
    local proctrack=$1 cpus
    cpus=$(nproc)
    cat <<END
ClusterName=testbed
SlurmctldHost=ctl
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
$(slurm_plugins "$proctrack" | tr ' ' '\n')
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MailProg=/bin/true
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=5,bf_interval=5
NodeName=$(IFS=, && echo "${COMPUTE_NODES[*]}") CPUs=$cpus RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE OverSubscribe=FORCE:8 State=UP
END
}

# $1: how processes are tracked; $2: the root of a node. Only 22.05 and later know CgroupPlugin, and from 24.05 slurmd
# asks for it even when nothing uses cgroups.
slurm_cgroup_conf() {
    local version plugin=
    version=$(dpkg-query --admindir="$2/var/lib/dpkg" --show --showformat="\${Version}" slurmd)
    if dpkg --compare-versions "$version" ge 22.05; then
        if [[ $1 == cgroup ]]; then
            plugin=autodetect
            ! cgroup_v1_host || plugin=cgroup/v1
        elif dpkg --compare-versions "$version" ge 23.11; then
            plugin=disabled
        fi
    fi
    [[ -z $plugin ]] || echo "CgroupPlugin=$plugin"
    dpkg --compare-versions "$version" ge 23.11 || echo "CgroupAutomount=no"
    echo "CgroupMountpoint=/sys/fs/cgroup"
    [[ $1 != cgroup ]] || echo "ConstrainCores=yes"
}

slurm_install() {
    local node=$1 root=$2 proctrack wants=$2/etc/systemd/system/multi-user.target.wants
    proctrack=$(state_read proctrack)
    slurm_conf "$proctrack" >"$root/etc/slurm/slurm.conf"
    slurm_cgroup_conf "$proctrack" "$root" >"$root/etc/slurm/cgroup.conf"
    case $node in
    ctl) ln -s /lib/systemd/system/slurmctld.service "$wants/slurmctld.service" ;;
    c1 | c2) ln -s /lib/systemd/system/slurmd.service "$wants/slurmd.service" ;;
    esac
}

# Rewrites only the two lines it is about, so what a role put into slurm.conf stays.
slurm_switch() {
    (($# == 1)) || usage_error "slurm-mode needs linuxproc or cgroup"
    local proctrack=$1 node sed_script='' setting root
    require_root
    testbed_require
    for setting in $(slurm_plugins "$proctrack"); do
        sed_script+="s|^${setting%%=*}=.*|$setting|;"
    done
    state_write proctrack "$proctrack"
    for node in "${COMPUTE_NODES[@]}"; do
        node_exec "$node" systemctl stop slurmd.service
    done
    node_exec ctl systemctl stop slurmctld.service
    root=$(state_read base)
    for node in "${NODES[@]}"; do
        node_exec "$node" sed -i "$sed_script" /etc/slurm/slurm.conf
        slurm_cgroup_conf "$proctrack" "$root" | node_exec "$node" tee /etc/slurm/cgroup.conf >/dev/null
    done
    node_exec ctl systemctl start slurmctld.service
    for node in "${COMPUTE_NODES[@]}"; do
        node_exec "$node" systemctl start slurmd.service
    done
    cluster_wait "$WAIT_SECONDS"
}

slurm_nodes_idle() {
    local states
    states=$(node_exec ctl sinfo --noheader --Node --format=%T 2>/dev/null </dev/null) || return 1
    [[ $states == $'idle\nidle' ]]
}
