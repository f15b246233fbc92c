#!/usr/bin/env python3
"""An edited policy reaches every node and every session, open ones too; and a sync does no more than it must."""

import subprocess
import time

import harness
from harness import COMPUTE, MOUNTS, NODES, PARTNER, ROOTS, TESTBED, URL, ClusterTest, end_sessions, root, ssh, status, sync

CHROOT_CONFS = "/etc/chroot.conf /etc/security/chroot.conf"
BEFORE = ["bar", "foo", "spack"]


WATCH = "cd /; while read -r line; do echo $(ls /home); done"


def watcher(node, command=WATCH):
    """A session of foo's that stays open and says what it sees each time it is asked. Returns ask(), close()."""
    process = subprocess.Popen([str(TESTBED), "ssh", f"foo@{node}", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask():
        process.stdin.write("\n")
        process.stdin.flush()
        return process.stdout.readline().split()

    def close():
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=20)

    return ask, close


def trace(node, command):
    """The calls by which a command of root's could change mounts or files."""
    calls = ("mount,umount2,move_mount,open_tree,mount_setattr,fsopen,fsmount,rename,renameat,renameat2,mkdir,mkdirat,rmdir,unlink,"
             "unlinkat,symlink,symlinkat,link,linkat,chmod,fchmodat,openat,openat2,creat,open,ftruncate,truncate")
    result = root(node, f"rm -f /tmp/trace; strace -f -qq -e trace={calls} -o /tmp/trace {command}; echo rc=$?; cat /tmp/trace")
    return result.out


class Change(ClusterTest):
    @classmethod
    def tearDownClass(cls):
        cls.admin.reset()

    @staticmethod
    def everything(node):
        """Mounts and files of the agent's; what the views show is not its own."""
        return root(node, f"{MOUNTS}; find /var/lib/clusterjail {CHROOT_CONFS} -path {ROOTS}/partner -prune -o "
                          "-printf '%p %T@ %C@\\n' | sort").out

    def test_1_home_added_then_removed(self):
        open_sessions = {node: watcher(node) for node in NODES}
        for node in COMPUTE:
            open_sessions[f"a step on {node}"] = watcher("login1", f"srun --unbuffered -w {node} -t 5 bash -c '{WATCH}'")
        try:
            for node, (ask, _) in open_sessions.items():
                self.assertEqual(ask(), BEFORE, node)
            policy = self.admin.rollout(lambda p: p["jails"]["partner"]["mounts"].append({"bind": "/home/intel"}))
            for node, (ask, _) in open_sessions.items():
                self.assertEqual(ask(), ["bar", "foo", "intel", "spack"], f"{node}: open session, added")
            self.assertEqual(root("ctl", "squeue -h -t RUNNING -u foo -o %N | sort").lines, list(COMPUTE), "the steps are the same ones")
            for node in NODES:
                self.assertSees(ssh("foo", node, "ls /home; test -e /home/intel/setvars.sh"), ["bar", "foo", "intel", "spack"], node)
                self.assertEqual(status(node)["policy_version"], policy["version"])
            result = ssh("foo", "login1", "srun -N2 -l ls /home")
            self.assertEqual(result.out.count("intel"), 2, result.text)
            self.admin.rollout(lambda p: p["jails"]["partner"]["mounts"].pop())
            for node, (ask, _) in open_sessions.items():
                self.assertEqual(ask(), BEFORE, f"{node}: open session, removed")
            for node in NODES:
                self.assertSees(ssh("foo", node, "ls /home"), BEFORE, node)
                self.assertEqual(root(node, f"test -e {PARTNER}/home/intel", check=False).rc, 1, "the mount point is gone too")
        finally:
            for _, close in open_sessions.values():
                close()
        self.assertEqual(len({status(node)["view_sha256"] for node in NODES}), 1)

    def test_2_busy_mount_goes_too(self):
        self.admin.rollout(lambda p: p["jails"]["partner"]["mounts"].append({"bind": "/home/intel"}))
        holder = subprocess.Popen([str(TESTBED), "ssh", "foo@login1", "cd /home/intel && echo in && exec sleep 60"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(holder.stdout.readline(), "in\n")
            self.admin.rollout(lambda p: p["jails"]["partner"]["mounts"].pop())
            self.assertEqual(root("login1", f"grep -c ' {PARTNER}/home/intel ' /proc/self/mountinfo", check=False).out, "0\n")
            self.assertSees(ssh("foo", "login1", "ls /home"), BEFORE)
            self.assertEqual(root("login1", "cat /home/intel/setvars.sh").rc, 0, "the source is untouched")
        finally:
            holder.terminate()
            holder.wait(timeout=20)
            holder.stdout.close()

    def test_3_user_moves_in_and_out(self):
        self.assertOnHost("carol", "login1")
        end_sessions("carol")
        self.admin.rollout(lambda p: p["rules"].append({"users": ["carol"], "nodes": ["login[1-2]", "c[1-9]"], "jail": "partner"}))
        for node in NODES:
            self.assertSees(ssh("carol", node, "ls /home"), ["bar", "carol", "foo", "spack"], node)
        end_sessions("carol")
        self.admin.rollout(lambda p: p["rules"].pop())
        for node in NODES:
            self.assertOnHost("carol", node)

    def test_4_nodes_of_a_rule(self):
        self.admin.rollout(lambda p: p["rules"].append({"users": ["carol"], "nodes": ["c[1-9]"], "jail": "partner"}))
        self.assertOnHost("carol", "login1")
        self.assertSees(ssh("carol", "c2", "ls /home"), ["bar", "carol", "foo", "spack"])
        self.admin.rollout(lambda p: p["rules"].pop())

    def test_5_second_sync_does_nothing(self):
        for node in NODES:
            sync(node)
            before = self.everything(node)
            traced = trace(node, "jail-agent --sync")
            self.assertIn("rc=0", traced)
            for line in traced.splitlines():
                for call in ("mount(", "umount2(", "move_mount(", "open_tree(", "mount_setattr(", "fsopen(", "mkdir", "rmdir", "symlink"):
                    self.assertNotIn(" " + call, line, f"{node}: a mount or directory call in a sync with nothing to do")
                if ("O_WRONLY" in line or "O_RDWR" in line or "rename" in line or "unlink" in line) and "ENOENT" not in line:
                    self.assertRegex(line, r"status\.json|/dev/null|\block\b|/run/clusterjail", f"{node}: writes besides status")
            after = self.everything(node)
            self.assertEqual(before, after, node)
            self.assertEqual(root(node, "jail-agent --sync --detailed-exitcode", check=False).rc, 0)
            check = root(node, "jail-agent --check", check=False)
            self.assertEqual(check.rc, 0, check.text)

    def test_6_one_bind_unmounted(self):
        for node in NODES:
            ids = "awk '$5 ~ \"^" + ROOTS + "/partner\" {print $1, $5}' /proc/self/mountinfo | grep -v /home/spack"
            before = root(node, ids).out
            root(node, f"umount {PARTNER}/home/spack")
            check = root(node, "jail-agent --check", check=False)
            self.assertEqual(check.rc, 2, check.text)
            self.assertIn("/home/spack", check.out)
            self.assertNotIn("/home/foo", check.out, "only what differs")
            result = root(node, "jail-agent --sync --detailed-exitcode", check=False)
            self.assertEqual(result.rc, 2, result.text)
            self.assertEqual(root(node, ids).out, before, f"{node}: the other mounts are the same mounts as before")
            self.assertEqual(root(node, "jail-agent --check", check=False).rc, 0)
            self.assertSees(ssh("foo", node, "ls /home; test -e /home/spack/setup-env.sh"), BEFORE, node)

    def test_7_two_at_once(self):
        both = root("login1", "jail-agent --sync & jail-agent --sync; a=$?; wait $!; echo $a $?")
        self.assertEqual(both.lines[-1], "0 0", both.text)

    def test_8_same_policy_from_nginx(self):
        """The published directory behind stock nginx: the agent can't tell."""
        root("ctl", "cat > /tmp/nginx.conf <<'E'\nworker_processes 1; pid /run/nginx-jail.pid; error_log /tmp/nginx.err;\n"
                    "events {} http { access_log off; server { listen 8481; root /srv/clusterjail; } }\nE\nnginx -c /tmp/nginx.conf")
        try:
            for node in NODES:
                root(node, f"sed 's#{URL}#http://ctl:8481/v1/policy.json#' /etc/clusterjail/agent.conf > /tmp/nginx-agent.conf")
            policy = self.admin.edit(lambda p: p["jails"]["partner"]["mounts"].append({"bind": "/home/intel"}))
            for node in NODES:
                sync(node, arguments="--config /tmp/nginx-agent.conf")
                self.assertEqual(status(node)["policy_version"], policy["version"])
                self.assertSees(ssh("foo", node, "ls /home"), ["bar", "foo", "intel", "spack"], node)
                again = root(node, "jail-agent --sync --detailed-exitcode --config /tmp/nginx-agent.conf", check=False)
                self.assertEqual(again.rc, 0, again.text)
        finally:
            root("ctl", "kill $(cat /run/nginx-jail.pid)")
        # Where the timer's own address serves the same bytes, nothing changes.
        for node in NODES:
            self.assertEqual(root(node, "jail-agent --sync --detailed-exitcode", check=False).rc, 0)

    def test_9_timer_brings_it_without_anybody(self):
        """The timer alone, twice: with the time between two syncs made short, and nothing else changed."""
        dropin = "/run/systemd/system/clusterjail.timer.d"
        for node in NODES:
            self.assertEqual(root(node, "systemctl is-enabled clusterjail.timer").out, "enabled\n", node)
            root(node, f"mkdir -p {dropin}; printf '[Timer]\\nOnUnitInactiveSec=\\nOnActiveSec=2s\\nOnUnitInactiveSec=4s\\nRandomizedDelaySec=0\\n' > {dropin}/short.conf;"
                       "systemctl daemon-reload; systemctl restart clusterjail.timer")
        try:
            for _ in range(2):
                policy = self.admin.edit(lambda p: p)
                end = time.monotonic() + 60
                while time.monotonic() < end and any(status(node)["policy_version"] != policy["version"] for node in NODES):
                    time.sleep(1)
                for node in NODES:
                    self.assertEqual(status(node)["policy_version"], policy["version"], node)
        finally:
            for node in NODES:
                root(node, f"rm -r {dropin}; systemctl daemon-reload; systemctl restart clusterjail.timer")

    def test_9b_no_two_nodes_ask_together(self):
        """The timers as deployed: each node adds an offset of its own to the time between two syncs, always the same one."""
        offsets = {node: [self.timer_offset(node) for _ in range(2)] for node in NODES}
        for node, (first, second) in offsets.items():
            self.assertEqual(first, second, f"{node}: another offset each time")
            self.assertIn(first, range(60_000_001), f"{node}: the shipped unit says a minute at most")
        self.assertEqual(len({first for first, _ in offsets.values()}), len(NODES), offsets)

    @staticmethod
    def timer_offset(node):
        """The microseconds between what OnActiveSec or OnUnitInactiveSec says, whichever is next, and when the timer will elapse."""
        unit, bus = "/org/freedesktop/systemd1/unit/clusterjail_2e", "org.freedesktop.systemd1"
        # When the service ends systemd reckons again, from the very moments that it shows; until then there is no next time.
        # reset-failed sets the limit of starts in ten seconds back.
        numbers = root(node, f"""set -e; systemctl reset-failed clusterjail.timer clusterjail.service
            systemctl restart clusterjail.timer; systemctl start clusterjail.service
            until next=$(busctl get-property {bus} {unit}timer {bus}.Timer NextElapseUSecMonotonic) && [ "$next" != "t {2**64 - 1}" ]; do sleep 0.1; done
            echo "$next"; busctl get-property {bus} {unit}timer {bus}.Unit InactiveExitTimestampMonotonic
            busctl get-property {bus} {unit}service {bus}.Unit InactiveEnterTimestampMonotonic""")
        elapses, timer_began, service_ended = (int(line.split()[1]) for line in numbers.lines)
        later = elapses - service_ended - 120_000_000
        return later if later >= 0 else elapses - timer_began - 5_000_000


if __name__ == "__main__":
    harness.main()
