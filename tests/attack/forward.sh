#!/bin/bash
# title: ssh -N -L to a socket in a hidden home, -W, and -D
# door: ssh
# shellcheck source=tests/attack/forwards
. "$ATTACK/forwards"
forwards "$USER@$NODE"
