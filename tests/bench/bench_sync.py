#!/usr/bin/env python3
"""A sync against what does the same work today: the recipe's shell loop, bare mount(2) calls, one curl.

usage: bench_sync.py apply BENCH-APPLY | noop

Runs in a mount namespace of its own, against jail-policyd on loopback. Prints medians and ratios of one run, each kind of work in
turn in every round; fails only when something does not work or could not be measured, never because of a time.
"""

import ctypes
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

BUILD = pathlib.Path(os.environ["CLUSTERJAIL_BUILD"])
AGENT = BUILD / "agent" / "jail-agent"
POLICY = BUILD / "api" / "policy" / "jail-policy"
POLICYD = BUILD / "api" / "policyd" / "jail-policyd"
LIBC = ctypes.CDLL(None, use_errno=True)
LOG = "/tmp/bench-sync.log"  # of the last command
MS_REC, MNT_DETACH = 16384, 2
CLONE_NEWNS, MS_PRIVATE = 0x20000, 1 << 18
LOOP = "recipe's shell loop"


def call(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def timed(command, **options):
    """Wall seconds of one process."""
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], [str(word) for word in command], dict(os.environ, **options.get("env", {})),
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                                       (os.POSIX_SPAWN_DUP2, 1, 2)])
    _, status = os.waitpid(pid, 0)
    seconds = time.perf_counter() - began
    rc = os.waitstatus_to_exitcode(status)
    if rc not in options.get("allowed", (0,)):
        raise SystemExit(f"{' '.join(map(str, command))}: exit {rc}\n{pathlib.Path(LOG).read_text()}")
    return seconds


def peak_memory(command):
    """KiB, of the largest process of it. By time(1): what this interpreter forks begins with its own size."""
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(done.stderr.split()[-1])


def median(values):
    return statistics.median(values)


class Site:
    """A signed policy with many binds, served on loopback, and an agent's configuration, all in one folder."""

    def __init__(self, folder, binds):
        self.folder, self.binds = folder, binds
        for name in ("src", "state", "run", "publish"):
            (folder / name).mkdir()
        os.chmod(folder / "publish", 0o755)
        for number in range(binds):
            (folder / "src" / f"d{number:04}").mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/policy.json"
        subprocess.run([POLICY, "keygen", "--out", folder / "k"], check=True, capture_output=True)
        subprocess.run([POLICY, "trust", "init", "--cluster", "bench", "--key", folder / "k.pub", "-o", folder / "trust.json"], check=True,
                       capture_output=True)
        policy = {"format": 1, "cluster": "bench", "version": 1, "issued": "2026-01-01T00:00:00Z", "expires": "2036-01-01T00:00:00Z",
                  "jails": {"j": {"confine": "chroot", "root": str(folder / "state/roots/j"), "mounts": [
                      {"bind": f"/d{n:04}", "from": str(folder / "src" / f"d{n:04}")} for n in range(binds)]}},
                  "rules": [{"users": ["nobody"], "jail": "j"}]}
        (folder / "policy.json").write_text(json.dumps(policy))
        subprocess.run([POLICY, "sign", folder / "policy.json", "--key", folder / "k.key", "-o", folder / "envelope"], check=True,
                       capture_output=True)
        subprocess.run([POLICY, "publish", folder / "envelope", "--to", folder / "publish"], check=True, capture_output=True)
        self.config = folder / "agent.conf"
        self.config.write_text(f"[policy]\nurl = {self.url}\ntrust = {folder}/trust.json\n[node]\nname = n1\n"
                               f"[paths]\nstate = {folder}/state\nrun = {folder}/run\nchroot_conf = {folder}/chroot.conf\n"
                               "[safety]\nhost_namespace = any\n")
        self.server = subprocess.Popen([POLICYD, "--dir", folder / "publish", "--listen", f"127.0.0.1:{self.port}", "--user", "nobody"],
                                       stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    break
            except OSError:
                time.sleep(0.05)
        else:
            raise SystemExit("jail-policyd does not answer")

    def agent(self, *arguments, **options):
        return timed([AGENT, *arguments, "--config", self.config], **options)

    def close(self):
        self.server.terminate()
        self.server.wait()


class Recipe:
    """The shell loop as clusters write it, with the check that a second run needs."""

    def __init__(self, folder, binds):
        self.folder, self.binds, self.script = folder, binds, folder / "recipe.sh"
        self.script.write_text(f"""#!/bin/bash
for d in {folder}/src/*; do
    t={folder}/recipe/${{d##*/}}
    mkdir -p "$t"
    mountpoint -q "$t" || mount --bind "$d" "$t"
done
""")
        self.script.chmod(0o755)
        (folder / "recipe").mkdir()

    def __call__(self):
        return timed(["/bin/bash", self.script])

    def undo(self):
        for number in range(self.binds):
            call(LIBC.umount2(f"{self.folder}/recipe/d{number:04}".encode(), MNT_DETACH), "umount")


def calls_and_apply(program, binds):
    """Bare mount(2) calls and apply, alternating in one process; seconds by name."""
    done = subprocess.run([program, str(binds), "3", "lines"], check=True, capture_output=True, text=True)
    found = {name: float(value) / 1e3 for name, value in (line.split("\t") for line in done.stdout.splitlines())}
    if len(found) < 6 or min(found.values()) <= 0:
        raise SystemExit(f"{program} measured too little: {done.stdout}")
    return found


def table(title, rows):
    print(f"\n{title}")
    width = max(len(name) for name, *_ in rows)
    for name, value, ratio in rows:
        print(f"  {name:<{width}}  {value:>12}  {ratio}")


def applying(folder, program, binds=1000, rounds=3):
    site = Site(folder, binds)
    try:
        loop = Recipe(folder, binds)
        first = site.agent("--sync")
        times = {}

        def note(name, seconds):
            times.setdefault(name, []).append(seconds)

        for number_of_round in range(rounds):
            for name, seconds in calls_and_apply(program, binds).items():
                note(name, seconds)
            note("whole sync, nothing to do", site.agent("--sync"))
            for number in range(binds):
                call(LIBC.umount2(f"{folder}/state/roots/j/d{number:04}".encode(), MNT_DETACH), "umount")
            note("whole sync, mount points exist", site.agent("--sync"))
            if number_of_round == 0:  # seconds, each: once is enough
                note(LOOP, loop())
                note(LOOP + ", nothing to do", loop())
                loop.undo()
        rows = {name: median(values) for name, values in times.items()}
        rows["whole first sync, mount points made (once)"] = first
        base = next(seconds for name, seconds in rows.items() if name.startswith("bare mount(2)"))
        recipe = next(seconds for name, seconds in rows.items() if "as the recipe's" in name)
        apply = rows["apply, mount points exist"]
        same = next(seconds for name, seconds in rows.items() if "MS_SLAVE" in name)
        aims = {"apply, mount points exist": f"   {apply / same:.2f} x of mount(2) for the same mounts (to stay within 1.5), "
                                             f"{apply / recipe:.2f} x of where the recipe has them",
                "whole sync, mount points exist": f"   {rows[LOOP] / rows['whole sync, mount points exist']:.0f} x faster than the loop",
                "whole sync, nothing to do":
                    f"   {rows[LOOP + ', nothing to do'] / rows['whole sync, nothing to do']:.0f} x faster than the loop"}
        table(f"{binds} binds, against bare mount(2)", [
            (name, f"{seconds * 1e3:.1f} ms", f"{seconds / base:.2f} x{aims.get(name, '')}") for name, seconds in rows.items()])
        site.agent("--teardown")
    finally:
        site.close()


def nothing_to_do(folder, rounds=21):
    """A node's usual sync: 304, twenty binds, all there. Against one curl process that gets the same 304."""
    site = Site(folder, 20)
    try:
        site.agent("--sync")
        with urllib.request.urlopen(site.url) as answer:
            etag = answer.headers["ETag"]
        curl = [shutil.which("curl"), "-s", "-f", "-o", "/dev/null", "-H", f"If-None-Match: {etag}", site.url]
        syncs, curls = [], []
        for _ in range(rounds):
            curls.append(timed(curl))
            syncs.append(site.agent("--sync", "--detailed-exitcode"))
        memory = peak_memory([AGENT, "--sync", "--config", site.config])
        ratios = [sync / one for sync, one in zip(syncs, curls)]
        table("no-op sync on a 304, 20 binds", [
            ("one bare curl process", f"{median(curls) * 1e3:.1f} ms", "1.00"),
            ("jail-agent --sync", f"{median(syncs) * 1e3:.1f} ms", f"{median(ratios):.2f} x curl (to stay within 2)"),
            ("peak memory of one bare curl", f"{peak_memory(curl) / 1024:.1f} MB", ""),
            ("peak memory of jail-agent --sync", f"{memory / 1024:.1f} MB", "(to stay under 16)")])
        site.agent("--teardown")
    finally:
        site.close()


def main():
    works = {"noop": nothing_to_do, "apply": applying}
    if len(sys.argv) < 2 or sys.argv[1] not in works:
        raise SystemExit(__doc__)
    call(LIBC.unshare(CLONE_NEWNS), "unshare")
    call(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "private")
    base = pathlib.Path(tempfile.mkdtemp(prefix="bench-sync-", dir="/var/lib"))
    # All of it lies on a tmpfs of this namespace, which goes with the process.
    call(LIBC.mount(b"tmpfs", str(base).encode(), b"tmpfs", 0, b"mode=755"), "tmpfs")
    try:
        works[sys.argv[1]](base, *sys.argv[2:])
    finally:
        LIBC.umount2(str(base).encode(), MNT_DETACH)
        base.rmdir()
        pathlib.Path(LOG).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
