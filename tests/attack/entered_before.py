#!/usr/bin/env python3
# title: a process from before the policy that takes the view's root and keeps its working directory, before the eyes of jail-agent --audit
# door: any
# before: setsid nohup python3 "$ATTACK/entered_before.py" wait >/dev/null 2>&1 </dev/null &
# judge: audit
# expect: documented
"""The old process chroots, in a user namespace, into the root of one inside, which tells it to through a socket."""

import ctypes
import os
import signal
import socket
import sys

PLACE = os.environ["WORK"] + "/socket"
CLONE_NEWUSER = 0x10000000


def wait():
    os.chdir("/")
    server = socket.socket(socket.AF_UNIX)
    server.bind(PLACE)
    server.listen()
    client = server.accept()[0]
    inside = f"/proc/{int(client.recv(20))}"
    view = os.open(f"{inside}/root", os.O_PATH)
    os.open(f"{inside}/ns/mnt", os.O_RDONLY)  # else the view is unmounted when the session ends
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) == 0:
        os.chroot(f"/proc/self/fd/{view}")
        client.sendall(str(os.getpid()).encode())
    while True:
        signal.pause()


def tell():
    client = socket.socket(socket.AF_UNIX)
    client.connect(PLACE)
    client.sendall(str(os.getpid()).encode())
    pid = client.recv(20).decode()
    if pid:
        print(f"tried: process {pid} in this root\nforged: {pid}")


if len(sys.argv) > 1:
    wait()
else:
    tell()
