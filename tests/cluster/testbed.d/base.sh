# shellcheck shell=bash
# The base tree: what all nodes have in common, made once per suite and cached.

# The second column of the package list holds from trixie on.
base_packages() {
    awk -v suite="$1" '
        /^[[:space:]]*(#|$)/ { next }
        { print (NF > 1 && suite != "bullseye" && suite != "bookworm") ? $2 : $1 }
    ' "$TESTBED_LIB/packages"
}

base_path() {
    local suite=$1 hash
    hash=$( (base_packages "$suite" && cat -- "$TESTBED_LIB/customize") | sha256sum)
    echo "$TESTBED_CACHE/$suite-${hash:0:12}"
}

# Prints the path of the nodes' base tree, which it makes when it is not there.
base_make() {
    local suite
    suite=$(host_suite)
    base_make_of "$suite" "$suite" "$(base_packages "$suite" | paste -sd,)" "$(<"$TESTBED_LIB/customize")"
}

# Prints the path of the tree that these packages and this script, run inside it, make of a suite. Only one caller at a
# time makes it.
base_make_of() { # SUITE NAME PACKAGES SCRIPT
    require_root
    local hash tree lock
    hash=$(printf '%s\n' "$3" "$4" | sha256sum)
    tree=$TESTBED_CACHE/$2-${hash:0:12}
    if [[ ! -d $tree ]]; then
        mkdir -p -- "$TESTBED_CACHE"
        exec {lock}>"$tree.lock"
        flock "$lock"
        [[ -d $tree ]] || base_build "$1" "$tree" "$3" "$4"
        exec {lock}>&-
    fi
    echo "$tree"
}

# debootstrap mounts /proc and /sys inside the tree, so it works in a mount namespace of its own: when it is killed, its
# mounts go with it. The tree appears under its name only when it is whole.
base_build() { # SUITE TREE PACKAGES SCRIPT
    local suite=$1 tree=$2 mirror
    local -a script=() cacert=()
    command -v debootstrap >/dev/null || host_install
    mirror=$(host_mirror)
    host_proxy_export
    [[ -e /usr/share/debootstrap/scripts/$suite ]] || script=(/usr/share/debootstrap/scripts/sid)
    base_cacert
    base_remove "$tree.new"
    say "making a tree of Debian's $suite, once; this takes about a minute (log: $tree.log)"
    if ! unshare --mount --propagation slave debootstrap --variant=minbase --include="$3" \
        "${cacert[@]}" "$suite" "$tree.new" "$mirror" "${script[@]}" >"$tree.log" 2>&1 9>&- ||
        ! chroot "$tree.new" /bin/bash -s <<<"$4" >>"$tree.log" 2>&1 9>&-; then
        tail -n 15 -- "$tree.log" >&2
        die "could not make the tree: see $tree.log"
    fi
    mv -- "$tree.new" "$tree"
}

# A mirror behind a private certificate authority that apt has been told about.
base_cacert() {
    local ca_option=''
    eval "$(apt-config shell ca_option Acquire::https::CAInfo)"
    [[ -z $ca_option ]] || cacert=(--ca-certificate="$ca_option")
}

# Removes what an interrupted build left.
base_remove() {
    [[ -e $1 ]] || return 0
    mount_free_below "$1"
    rm -rf --one-file-system -- "$1"
}
