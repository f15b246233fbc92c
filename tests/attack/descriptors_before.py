#!/usr/bin/env python3
# title: a descriptor that a process from before the policy passes over a socket
# door: any
# before: setsid nohup python3 "$ATTACK/descriptors_before.py" serve >/dev/null 2>&1 </dev/null &
# expect: documented

import os
import socket
import sys

PLACE = os.environ["WORK"] + "/socket"


def serve():
    server = socket.socket(socket.AF_UNIX)
    server.bind(PLACE)
    server.listen()
    top = os.open("/", os.O_RDONLY)
    while True:
        client = server.accept()[0]
        socket.send_fds(client, [b"x"], [top])
        client.close()


def receive():
    client = socket.socket(socket.AF_UNIX)
    client.connect(PLACE)
    _, (top, *_), _, _ = socket.recv_fds(client, 1, 1)
    print("tried: a descriptor", flush=True)
    os.set_inheritable(top, True)
    os.execv(os.environ["ATTACK"] + "/probe", ["probe", f"/proc/self/fd/{top}"])


if len(sys.argv) > 1:
    serve()
else:
    receive()
