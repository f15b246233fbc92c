# shellcheck shell=bash
# The host: which packages it needs, which suite it is, which mirror its apt uses.

readonly -a HOST_PACKAGES=(debootstrap debian-archive-keyring systemd-container iproute2 openssh-client util-linux procps)

host_suite() {
    local codename
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    codename=${CLUSTERJAIL_SUITE:-$codename}
    [[ $codename =~ ^[a-z]+$ ]] || die "cannot tell the Debian suite: set CLUSTERJAIL_SUITE"
    echo "$codename"
}

package_installed() {
    [[ $(dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]
}

host_apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >&2; }

# Lists that are absent or older than a day name packages the mirror no longer has.
host_lists_fresh() {
    [[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null) ]]
}

# Debian 11 has no ansible-core; there the whole of ansible is the smallest that brings ansible-playbook.
host_ansible_package() {
    if apt-cache show ansible-core >/dev/null 2>&1; then echo ansible-core; else echo ansible; fi
}

host_install() {
    require_root
    local package ansible=
    local -a missing=()
    for package in "${HOST_PACKAGES[@]}"; do
        package_installed "$package" || missing+=("$package")
    done
    command -v ansible-playbook >/dev/null || ansible=yes
    if ((${#missing[@]} == 0)) && [[ -z $ansible ]]; then
        return 0
    fi
    host_lists_fresh || host_apt update
    [[ -z $ansible ]] || missing+=("$(host_ansible_package)")
    say "installing on this host: ${missing[*]}"
    if ! host_apt install --no-install-recommends "${missing[@]}"; then
        host_apt update
        host_apt install --no-install-recommends "${missing[@]}"
    fi
}

# The mirror of the host's own suite, as apt itself reads its sources, whatever their format and number. Another suite
# is on the same mirror. Sources of third parties are passed over: by origin where apt knows it, else by path.
host_mirror() {
    if [[ -n ${CLUSTERJAIL_MIRROR:-} ]]; then
        echo "$CLUSTERJAIL_MIRROR"
        return
    fi
    local codename site release component origin best='' fallback=''
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    while IFS='|' read -r site release component origin; do
        [[ $component == main ]] || continue
        case $release in
        "$codename" | stable | oldstable | testing | sid) ;;
        *) continue ;;
        esac
        site=$(host_mirror_resolve "$site")
        [[ -n $site ]] || continue
        if [[ $origin == Debian ]]; then
            best=$site
            break
        fi
        [[ ${site%/} != */debian ]] || fallback=${fallback:-$site}
    done < <(apt-get indextargets --format "\$(SITE)|\$(RELEASE)|\$(COMPONENT)|\$(ORIGIN)" 'Created-By: Packages')
    best=${best:-$fallback}
    [[ -n $best ]] || die "no Debian mirror in this host's apt sources: set CLUSTERJAIL_MIRROR"
    echo "${best%/}"
}

# apt's mirror+file: names a file that lists mirrors; the first that debootstrap can fetch from is taken.
host_mirror_resolve() {
    local uri=$1
    if [[ $uri == mirror+file:* ]]; then
        uri=${uri#mirror+file:}
        uri=$(awk '/^(https?|ftp|file):/ { print $1; exit }' "/${uri##/}" 2>/dev/null) || return 0
    fi
    case $uri in
    http:* | https:* | ftp:* | file:*) echo "$uri" ;;
    esac
}

# debootstrap fetches with wget, which knows the environment and not apt's configuration.
host_proxy_export() {
    local http_option='' https_option=''
    eval "$(apt-config shell http_option Acquire::http::Proxy https_option Acquire::https::Proxy)"
    [[ -z $http_option || $http_option == DIRECT ]] || export http_proxy=$http_option
    [[ -z $https_option || $https_option == DIRECT ]] || export https_proxy=$https_option
}
