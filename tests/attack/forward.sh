#!/bin/bash
# title: ssh -N -L to a socket in a hidden home, -W, and -R into a hidden directory
# door: ssh
# shellcheck source=tests/attack/forwards
. "$ATTACK/forwards"
forwards "$USER@$NODE"
