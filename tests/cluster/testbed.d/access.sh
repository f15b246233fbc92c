# shellcheck shell=bash
# Ways into the nodes: keys, a real ssh client, Ansible's inventory, files.

readonly ACCESS_ALL_USERS="root ${LOGIN_USERS[*]}"

# One key for each user and one host key for each node, so that a test can come as anyone and must trust nobody blindly.
access_make_keys() {
    local user node keys=$TESTBED/ssh
    mkdir -m 0700 -- "$keys" "$keys/cp"
    for user in $ACCESS_ALL_USERS; do
        ssh-keygen -q -t ed25519 -N '' -C "$user@testbed" -f "$keys/$user"
    done
    for node in "${NODES[@]}"; do
        ssh-keygen -q -t ed25519 -N '' -C "$node" -f "$keys/host-$node"
        echo "$node,$(node_address "$node") $(cut -d' ' -f1,2 "$keys/host-$node.pub")"
    done >"$keys/known_hosts"
    access_client_config >"$keys/config"
}

access_client_config() {
    local node
    for node in "${NODES[@]}"; do
        printf 'Host %s\n    HostName %s\n    HostKeyAlias %s\n' "$node" "$(node_address "$node")" "$node"
    done
    cat <<END
Host *
    IdentityFile $TESTBED/ssh/%r
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile $TESTBED/ssh/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 5
    ServerAliveInterval 10
    ControlMaster no
    LogLevel ERROR
END
}

# The shared /home as other sites have it: everybody can read everybody, which is the leak that confinement closes.
access_make_homes() {
    local user uid=2000 home skel
    skel=$(state_read base)/etc/skel
    for user in "${LOGIN_USERS[@]}"; do
        uid=$((uid + 1))
        home=$TESTBED/home/$user
        mkdir -- "$home" && mkdir -m 0700 -- "$home/.ssh"
        cp -rT -- "$skel" "$home"
        echo "secret of $user" >"$home/secret.txt"
        chmod 0644 -- "$home/secret.txt"
        cp -- "$TESTBED/ssh/$user" "$home/.ssh/id_ed25519"
        cp -- "$TESTBED/ssh/$user.pub" "$home/.ssh/authorized_keys"
        chown -R -- "$uid:$uid" "$home"
        chmod 0755 -- "$home"
    done
    mkdir -m 0755 -- "$TESTBED/home/spack" "$TESTBED/home/intel"
    echo '# stands for the Spack installation' >"$TESTBED/home/spack/setup-env.sh"
    echo '# stands for the Intel compilers' >"$TESTBED/home/intel/setvars.sh"
    chmod 0755 -- "$TESTBED/home"
}

# testbed ssh|sftp [OPTION...] USER@NODE ...
access_client() {
    local client=$1
    shift
    (($# > 0)) || usage_error "$client needs USER@NODE"
    testbed_require
    exec "$client" -F "$TESTBED/ssh/config" "$@"
}

access_srun() {
    (($# > 1)) || usage_error "srun-as needs a user and srun's arguments"
    local user=$1 quoted
    shift
    quoted=$(printf ' %q' "$@")
    access_client ssh "$user@login1" "srun$quoted"
}

# testbed copy FILE... NODE:PATH; PATH is a directory when it ends in / or is one, or when there are several files.
access_copy() {
    (($# > 1)) || usage_error "copy needs FILE... NODE:PATH"
    local target=${*: -1} node path file mode
    local -a files=("${@:1:$#-1}")
    [[ $target == *:/* ]] || usage_error "copy: '$target' is not NODE:/PATH"
    node=${target%%:*} path=${target#*:}
    if [[ $path != */ ]] && ((${#files[@]} == 1)) && ! node_exec "$node" test -d "$path"; then
        file=${files[0]}
        [[ -e $file ]] || die "copy: there is no '$file'"
        [[ -f $file ]] || die "copy: '$file' is not a file: to copy a directory, give one to copy into"
        mode=$(stat -Lc %a -- "$file")
        node_exec "$node" install -D -m "$mode" /dev/stdin "$path" <"$file"
        return
    fi
    node_exec "$node" mkdir -p "$path"
    for file in "${files[@]}"; do
        tar -C "$(dirname -- "$file")" --owner=0 --group=0 -chf - -- "$(basename -- "$file")" |
            node_exec "$node" tar -C "$path" -xpf -
    done
}

access_inventory() {
    testbed_require
    cat <<END
[policy_server]
ctl ansible_host=$(node_address ctl)

[login]
login1 ansible_host=$(node_address login1)

[compute]
c1 ansible_host=$(node_address c1)
c2 ansible_host=$(node_address c2)

[all:vars]
ansible_user=root
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_private_key_file=$TESTBED/ssh/root
ansible_ssh_common_args='-o UserKnownHostsFile=$TESTBED/ssh/known_hosts -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o ConnectTimeout=5'
ansible_control_path_dir=$TESTBED/ssh/cp
END
}

access_address() {
    node_require "${1:-}"
    testbed_require
    node_address "$1"
}

access_key() {
    testbed_require
    [[ " $ACCESS_ALL_USERS " == *" ${1:-} "* ]] || usage_error "'${1:-}' has no key: use one of $ACCESS_ALL_USERS"
    echo "$TESTBED/ssh/$1"
}

# Ansible leaves ssh masters behind for a minute; one that outlives its testbed would answer for the next at this address.
access_close_masters() {
    local socket
    for socket in "$TESTBED"/ssh/cp/*; do
        [[ -S $socket ]] || continue
        ssh -F /dev/null -o ControlPath="$socket" -O exit testbed >/dev/null 2>&1 || rm -f -- "$socket"
    done
}
