#!/usr/bin/env python3
"""A hostile home, and two jails that both bind /var."""

import re

import harness
from harness import BINDS, NODES, PARTNER, ROOTS, ClusterTest, end_sessions, root, ssh, status

# Where foo may write, and where the jail binds what foo has there.
SWAPPED = {"/data": "/home/foo/data", "/work": "/home/foo/work", "/shm": "/dev/shm/foo-data", "/tmpdata": "/tmp/foo-data",
           "/vartmp": "/var/tmp/foo-data", "/lockdata": "/run/lock/foo-data", "/userdata": "/run/user/%d/foo-data"}
# And a directory whose parent is not always a directory.
DEEP = {"/deep": "/home/foo/a/b"}

# Run as foo on the node: swaps what it may write between directory, file and symlink as fast as it can. The parent is exchanged with
# a symlink in one call, so that there is no moment without either.
SWAPPER = """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, RENAME_EXCHANGE = -100, 2
end = time.time() + %(seconds)d
names = %(names)r
targets = ["/etc", "/root", "/home/alice", "/var/lib/clusterjail", "/", "/proc/1/root", "/home/foo/real"]
parents = ["/home/alice", "/home/foo/real", "/proc/1/root/home/alice"]
os.makedirs("/home/foo/real/b", exist_ok=True)
os.makedirs("/home/foo/a/b", exist_ok=True)
os.symlink(parents[0], "/home/foo/a.link")
n = 0
while time.time() < end:
    if os.path.islink("/home/foo/a.link"):
        os.unlink("/home/foo/a.link")
        os.symlink(parents[n %% len(parents)], "/home/foo/a.link")
    if libc.renameat2(AT_FDCWD, b"/home/foo/a", AT_FDCWD, b"/home/foo/a.link", RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")
    for name in names:
        n += 1
        try:
            if os.path.islink(name) or os.path.isfile(name):
                os.unlink(name)
            elif os.path.isdir(name):
                os.rmdir(name)
        except OSError:
            pass
        try:
            kind = n %% 3
            if kind == 0:
                os.mkdir(name)
            elif kind == 1:
                os.symlink(targets[n %% len(targets)], name)
            else:
                os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        except OSError:
            pass
        if n %% (743 * len(names)) == 0:  # a breath, with other names being directories each time: some syncs are to get through
            time.sleep(0.1)
"""

# Mount points that systemd makes for a session or a service; what a user has below them is none of it.
SYSTEMDS = "/run/user/[0-9]+ |/run/credentials/"


def mounts_outside(node):
    """Mount points that are not below the directory of all roots, but those that systemd makes."""
    lines = root(node, "awk '{print $5, $4, $3}' /proc/self/mountinfo").lines
    return [line for line in lines if not re.match(f"{ROOTS}|{SYSTEMDS}", line)]


# Run as root while the swapper swaps: one sync after the other; what each returned, what it mounted, and whether any mount point
# outside the roots is other than before. It goes on until a sync got through whole, and what is deep and something else was mounted.
ROUNDS = f"""
outside() {{ awk '{{print $5, $4, $3}}' /proc/self/mountinfo | grep -vE '^({ROOTS}|{SYSTEMDS})'; }}
before=$(outside) rounds=0 whole=0
declare -A seen
setpriv --reuid foo --regid foo --init-groups python3 /tmp/swap.py & swapper=$!
until [ $rounds -ge 40 ] && [ $whole -ge 1 ] && [ ${{#seen[@]}} -ge 2 ] && [ -n "${{seen[{PARTNER}/deep]}}" ]; do
    kill -0 $swapper 2>/dev/null || break
    jail-agent --sync --offline >/dev/null 2>&1
    rc=$?
    echo "rc $rc"
    [ $rc -ne 0 ] || whole=$((whole + 1))
    rounds=$((rounds + 1))
    while read -r path source; do
        echo "mounted $path $source"
        seen[$path]=1
    done < <(awk '$5 ~ "^{PARTNER}({"|".join(SWAPPED | DEEP)})$" {{print $5, $4}}' /proc/self/mountinfo)
    now=$(outside)
    [ "$now" = "$before" ] || {{ echo OUTSIDE; diff <(echo "$before") <(echo "$now"); }}
done
kill $swapper && echo "swapper was at it to the end"
rm -f /tmp/swap.py
"""
SECONDS = 90  # at most


class Hostile(ClusterTest):
    @staticmethod
    def sources():
        """What is bound where, with foo's uid in it."""
        return {target: source.replace("%d", root("login1", "id -u foo").out.strip()) for target, source in (SWAPPED | DEEP).items()}

    def swap_and_sync(self, node, sources):
        before = mounts_outside(node)
        swapper = SWAPPER % {"seconds": SECONDS, "names": [sources[target] for target in SWAPPED]}
        root(node, f"cat > /tmp/swap.py <<'E'\n{swapper}\nE\nchmod 644 /tmp/swap.py")
        result = root(node, ROUNDS, timeout=2 * SECONDS)
        self.assertNotIn("OUTSIDE", result.out, f"{node}: in no round was anything outside the roots mounted on")
        self.assertEqual(mounts_outside(node), before, node)
        # Else nothing was tried: syncs that got through, mounts that were made, swaps that were in the way, to the end.
        codes = [line.split()[1] for line in result.lines if line.startswith("rc ")]
        mounted = [line.split() for line in result.lines if line.startswith("mounted ")]
        self.assertGreaterEqual(len(codes), 40, result.text)
        self.assertIn("0", codes, result.text)
        self.assertIn(f"{PARTNER}/deep", [path for _, path, _ in mounted], result.text)
        self.assertLess(len(mounted), len(sources) * len(codes), result.text)
        self.assertIn("swapper was at it to the end", result.lines)
        for _, path, source in mounted:
            # What got mounted is what foo made there, never what foo's links point to: neither alice's b nor that in foo's real. Where a
            # is a link now, the directory that was a is a.link.
            own = ("/foo/a/b", "/foo/a.link/b") if path == PARTNER + "/deep" else ("/foo/data", "/foo/work", "/foo-data")
            self.assertTrue(source.replace("//deleted", "").endswith(own), f"{path} {source}\n{result.text}")
        for path in sources:
            for secret in ("shadow", "secret.txt", "policy.cache"):
                self.assertEqual(root(node, f"test -e {PARTNER}{path}/{secret}", check=False).rc, 1)
        for path in ("/etc/shadow", "/root", "/home/alice/secret.txt", "/home/alice/b/secret.txt"):
            self.assertEqual(root(node, f"test -e {path}", check=False).rc, 0)

    @staticmethod
    def clear(node, sources):
        """Takes away what a swapper left; a link goes, and not what it points to."""
        left = [sources[target] for target in SWAPPED] + ["/home/foo/real", "/home/foo/a", "/home/foo/a.link"]
        root(node, "rm -rf --one-file-system " + " ".join(left))

    def test_swapped_sources(self):
        sources = self.sources()
        ssh("alice", "login1", "mkdir -p ~/b && cp ~/secret.txt ~/b/", check=True)
        self.admin.edit(lambda p: p["jails"]["partner"]["mounts"].extend(
            {"bind": target, "from": source, "optional": True} for target, source in sources.items()))
        try:
            for node in ("login1", "c1"):
                self.clear(node, sources)
                # The manager keeps /run/user/UID, which is foo's to write, where it is.
                root(node, "systemctl start user@$(id -u foo).service; systemctl stop clusterjail.timer; jail-agent --sync", check=False)
                self.assertEqual(status(node)["policy_version"], self.admin.policy["version"], node)
                for target in SWAPPED:
                    ssh("foo", node, f"test -w $(dirname {sources[target]})", check=True)
                self.swap_and_sync(node, sources)
        finally:
            for node in ("login1", "c1"):
                self.clear(node, sources)
                root(node, "systemctl start clusterjail.timer")
            root("login1", "rm -r /home/alice/b")
            self.admin.reset()
        targets = "|".join(sources)
        for node in ("login1", "c1"):
            self.assertEqual(root(node, f"grep -cE ' {PARTNER}({targets}) ' /proc/self/mountinfo", check=False).out, "0\n", node)

    def test_two_jails_that_bind_var(self):
        mounts = [{"bind": path} for path in BINDS]
        self.admin.rollout(lambda p: p["jails"].update(
            {"guest": {"confine": "chroot", "root": ROOTS + "/guest", "shared": True, "mounts": mounts + [{"bind": "/home/%u"}]}})
            or p["rules"].append({"users": ["visitor1"], "jail": "guest"}))
        try:
            for node in NODES:
                self.assertSees(ssh("visitor1", node, "ls /home"), ["visitor1"], node)
                self.assertSees(ssh("foo", node, "ls /home"), ["bar", "foo", "spack"], node)
                for user in ("foo", "visitor1"):
                    for path in (ROOTS, ROOTS + "/guest/home/visitor1", ROOTS + "/partner/home/foo", "/var/lib/clusterjail/roots/partner"):
                        result = ssh(user, node, f"ls {path}")
                        self.assertNotEqual(result.rc, 0, result.text)
                for jail in ("guest", "partner"):
                    # As root inside the tree: it is not permissions alone that hide the other's homes.
                    inside = root(node, f"chroot {ROOTS}/{jail} find {ROOTS} -mindepth 3 ! -type d", check=False)
                    self.assertEqual(inside.out, "", inside.text)
                    self.assertEqual(root(node, f"grep -c '{ROOTS}/{jail}{ROOTS}' /proc/self/mountinfo", check=False).out, "0\n")
        finally:
            end_sessions("visitor1")
            self.admin.reset()

    def test_roots_are_not_enterable_by_others(self):
        for node in NODES:
            for user in ("alice", "carol"):
                self.assertNotEqual(ssh(user, node, f"ls {ROOTS}").rc, 0)
                self.assertNotEqual(ssh(user, node, f"ls {ROOTS}/partner").rc, 0)

    def test_out_of_the_root(self):
        """Ways of an ordinary user out of a chroot; the full catalogue needs more than a chroot can hold."""
        for node in NODES:
            for command in ("ls /../home", "cd / && ls ../../home", "ls /proc/self/cwd/../../../home", "unshare -Ur ls /home",
                            "mknod /tmp/disk b 254 0", "chroot / ls /home"):
                result = ssh("foo", node, command)
                self.assertNotIn("alice", result.out, result.text)


if __name__ == "__main__":
    harness.main()
