#!/bin/bash
# title: D-Bus activation, on a bus of the user's manager and on the system's
# door: ssh
export XDG_RUNTIME_DIR=/run/user/$UID
unit=attack-bus-$$
services=$WORK/share/dbus-1/services
mkdir -p "$services"
trap 'systemctl --user --quiet stop "$unit"' EXIT
printf '#!/bin/sh\n"%s/probe" >"%s/out"\necho ran >>"%s/out"\n' "$ATTACK" "$WORK" "$WORK" >"$WORK/service"
chmod +x "$WORK/service"
printf '[D-BUS Service]\nName=attack.Probe\nExec=%s/service\n' "$WORK" >"$services/attack.Probe.service"
systemd-run --user --quiet --unit "$unit" -E XDG_DATA_HOME="$WORK/share" \
    dbus-daemon --session --nofork --nosyslog --address="unix:path=$XDG_RUNTIME_DIR/$unit" || exit
for ((i = 0; i < 50; i++)); do
    [[ ! -S $XDG_RUNTIME_DIR/$unit ]] || break
    sleep 0.1
done
dbus-send --reply-timeout=3000 --bus="unix:path=$XDG_RUNTIME_DIR/$unit" --dest=org.freedesktop.DBus --type=method_call --print-reply / \
    org.freedesktop.DBus.StartServiceByName string:attack.Probe uint32:0 >/dev/null 2>&1
for ((i = 0; i < 50; i++)); do
    if grep -qs '^ran' "$WORK/out"; then
        echo "tried: a service that the bus started"
        break
    fi
    sleep 0.1
done
cat "$WORK/out"
# The system's manager would run a transient unit as root.
busctl --system --timeout=5 call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit \
    'ssa(sv)a(sa(sv))' "$unit.service" fail 1 ExecStart 'a(sasb)' 1 "$ATTACK/probe" 1 "$ATTACK/probe" false 0 2>&1
