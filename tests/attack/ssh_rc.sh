#!/bin/bash
# title: .ssh/rc, which sshd runs before the shell
# door: ssh
# One home for all nodes: every attack of this name writes the same file.
name=$ATTACK/rc-out
# shellcheck disable=SC2016 # expands where it runs
printf '"%s/probe" >"%s-$(hostname)-$(date +%%N)"\n' "$ATTACK" "$name" >"$WORK/rc"
mv "$WORK/rc" ~/.ssh/rc
ssh -o BatchMode=yes "$USER@$NODE" true
cat "$name-$NODE"* && echo "tried: a file that sshd ran"
