# shellcheck shell=bash
# The testbed's bridge and its subnet.

# Takes the first of cjt0, cjt1, ... whose name and subnet 10.231.N.0/24 are both free. Making the bridge is the test
# for the name, so two testbeds that start together do not get the same one.
network_make() {
    local number bridge routes mark
    mark=$(network_mark)
    for ((number = 0; number < 100; number++)); do
        bridge=cjt$number
        routes=$(ip -4 route show table all)
        [[ $routes != *10.231.$number.* ]] || continue
        ip link add name "$bridge" address "$mark" type bridge 2>/dev/null || continue
        state_write bridge "$bridge"
        state_write subnet "10.231.$number"
        ip address add "10.231.$number.1/24" dev "$bridge"
        ip link set "$bridge" up
        return 0
    done
    die "no free bridge cjtN with a free subnet 10.231.N.0/24 on this host"
}

# A hardware address that stands for this testbed. The kernel sets it while it makes the bridge (an alias it would
# ignore), so `down` knows its bridge even when `up` was killed before it wrote anything.
network_mark() {
    local hash
    hash=$(sha256sum <<<"$TESTBED")
    echo "02:${hash:0:2}:${hash:2:2}:${hash:4:2}:${hash:6:2}:${hash:8:2}"
}

network_remove() {
    local mark directory bridge
    mark=$(network_mark)
    for directory in /sys/class/net/cjt*/bridge; do
        bridge=${directory%/bridge}
        [[ -d $directory && $(cat "$bridge/address" 2>/dev/null) == "$mark" ]] || continue
        ip link delete "${bridge##*/}" type bridge
    done
}

node_address() { echo "$(state_read subnet).${NODE_HOST_BYTE[$1]}"; }

network_hosts() {
    local node
    echo "127.0.0.1 localhost"
    for node in "${NODES[@]}"; do
        echo "$(node_address "$node") $node"
    done
}
