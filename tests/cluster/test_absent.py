#!/usr/bin/env python3
"""Taking everything back loses no file of anybody's: absent, purge, and a teardown that is killed half-way."""

import contextlib
import json
import re
import subprocess

import harness
from harness import NODES, PARTNER, ROOTS, SERVICE, TESTBED, ClusterTest, ansible, pam_files, root, ssh, sync

LEFT = ("find / /run -xdev \\( -name '*clusterjail*' -o -name '*jail-agent*' -o -name '*pam_jail*' -o -name '*jail-policy*' \\)"
        " -not -path '/proc/*' -not -path '/sys/*' -not -path '/var/log/*' -not -path '/root/*' -not -path '/var/lib/dpkg/*'"
        " -not -path '/var/cache/apt/*' -not -path '/tmp/*' -not -path '/var/lib/systemd/*' 2>/dev/null")


class Absent(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.homes = root("login1", "cd /home && find . -type f ! -name '*.out' ! -name '.bash_history' ! -name job.sh | sort | xargs -d '\\n' sha256sum").out

    def homes_now(self):
        return root("login1", "cd /home && find . -type f ! -name '*.out' ! -name '.bash_history' ! -name job.sh | sort | xargs -d '\\n' sha256sum").out

    def test_1_killed_half_way_with_a_busy_mount(self):
        """strace kills it at a call, not at a moment: so each kill lands where it is meant to, however fast the node is."""
        for call, when in (("umount2", 1), ("umount2", 2), ("umount2", 7), ("umount2", 12), ("unlinkat", 1), ("unlinkat", 9)):
            with self.subTest(call=call, when=when), self.at_home("c1"):
                self.kill_teardown("c1", call, when)
                result = root("c1", "jail-agent --teardown", check=False)
                self.assertEqual(result.rc, 0, result.text)
                self.assertEqual(root("c1", f"grep -c {ROOTS} /proc/self/mountinfo", check=False).out, "0\n")
                self.assertEqual(root("c1", f"ls -A {ROOTS} 2>/dev/null", check=False).out, "")
                self.assertEqual(self.homes_now(), self.homes)
        # What is half gone is as well what a sync makes whole.
        with self.at_home("c1"):
            self.kill_teardown("c1", "umount2", 7)
        sync("c1")
        self.assertSees(ssh("foo", "c1", "ls /home"), ["bar", "foo", "spack"])

    @contextlib.contextmanager
    def at_home(self, node):
        """A whole tree, and a session of foo's that keeps the mount of the home busy."""
        sync(node)
        holder = subprocess.Popen([str(TESTBED), "ssh", f"foo@{node}", "cd ~ && echo in && exec sleep 120"], stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(holder.stdout.readline(), "in\n")
            self.assertIn("busy", root(node, f"umount {PARTNER}/home/foo", check=False).err)
            yield
        finally:
            holder.terminate()
            holder.wait(timeout=20)
            holder.stdout.close()

    def kill_teardown(self, node, call, when):
        """A teardown that SIGKILL ends at its when-th call of this name."""
        mounts = f"grep -c ' {PARTNER}/' /proc/self/mountinfo"
        before = int(root(node, mounts).out)
        killed = root(node, f"strace -f -qq -o /dev/null -e trace={call} -e inject={call}:signal=KILL:when={when} jail-agent --teardown; echo $?")
        self.assertEqual(killed.lines[-1], "137", killed.text)
        left = int(root(node, mounts, check=False).out)
        if call == "umount2":
            self.assertLess(0, left, f"not half-way: {left} of {before} mounts are left")
            # At the first one nothing is gone yet.
            self.assertLess(left, before + (when == 1), f"not half-way: {left} of {before} mounts are left")
        else:
            self.assertEqual(left, 0, "a directory went while something was mounted")
        self.assertEqual(self.homes_now(), self.homes)
        self.assertRefusedOrConfined(node)

    def assertRefusedOrConfined(self, node):
        result = ssh("foo", node, "echo RAN; ls /home")
        self.assertNotIn("alice", result.out, result.text)

    def test_2_package_purged_by_hand(self):
        """dpkg --purge without Ansible: the maintainer scripts keep homes as they are."""
        purge = "DEBIAN_FRONTEND=noninteractive dpkg --purge clusterjail-pam clusterjail-agent"
        refused = root("c2", purge, check=False)
        self.assertNotEqual(refused.rc, 0, "a module that /etc/pam.d/slurm names must not go")
        for service in ("slurm", SERVICE):
            self.assertIn(f"/etc/pam.d/{service}", refused.out + refused.err)
        self.assertRefusedOrConfined("c2")
        root("c2", f"rm /etc/pam.d/slurm; sed -i '/^# BEGIN clusterjail/,/^# END clusterjail/d' /etc/pam.d/{SERVICE}")
        root("c2", purge)
        self.assertEqual(self.homes_now(), self.homes)
        self.assertEqual(root("c2", f"grep -c {PARTNER} /proc/self/mountinfo", check=False).out, "0\n")
        self.assertEqual(root("c2", "grep -rl pam_jail /etc/pam.d/common-session /etc/pam.d/common-session-noninteractive", check=False).out, "")
        self.assertOnHost("alice", "c2")

    def test_3_absent(self):
        for node in NODES:
            root(node, "systemctl start user@$(id -u foo).service")
        result = ansible("-v", "-e", "jail_state=absent")
        self.assertEqual(result.rc, 0, result.text)
        self.assertTakenBackInOrder(result)
        self.assertEqual(self.homes_now(), self.homes)
        before = json.loads(self.admin.pam_before.read_text())
        for node in NODES:
            self.assertEqual(pam_files(node), before[node], f"{node}: PAM is what it was before the deployment")
            # As Debian packages do, these leave their user (README): its number must not become another's.
            self.assertRegex(root(node, "getent passwd clusterjail").out, "^clusterjail:.*:/nonexistent:/usr/sbin/nologin$")
            # A manager whose view is gone hangs when it is stopped, and the next login with it.
            root(node, "timeout 20 systemctl stop user@$(id -u foo).service")
            self.assertOnHost("foo", node)
            self.assertOnHost("alice", node)
            self.assertEqual(root(node, "grep -rlE '^[^#]*pam_jail' /etc/pam.d", check=False).out, "", node)
            self.assertEqual(root(node, "grep -cE ' /(var/lib|run)/clusterjail/' /proc/self/mountinfo", check=False).out, "0\n", node)
            self.assertNotIn("UsePAM", root(node, "cat /etc/slurm/slurm.conf").out)
            self.assertEqual(root(node, "grep -s clusterjail /etc/chroot.conf /etc/security/chroot.conf", check=False).out, "", node)
            self.assertEqual(root(node, LEFT, check=False).out, "", f"{node}: files are left")
        self.assertEqual(root("ctl", LEFT, check=False).out, "", "ctl: files are left")
        self.assertNotEqual(root("ctl", "test -e /var/cache/clusterjail", check=False).rc, 0, "the packages' copies")
        harness.testbed("wait")
        self.assertIn("alice", ssh("foo", "login1", "srun -N1 ls /home").out)

    def assertTakenBackInOrder(self, result):
        """PAM first, so that nobody is refused by a module whose policy is gone; the mounts by jail-agent while it is still there."""
        at = -1
        # What test_2 has purged by hand from c2 is not there any more.
        for task, nodes, words in (("slurm : Take UsePAM=1 back", ("ctl",) + NODES, "line(s) removed"),
                                   ("slurm : Put back the one from before", ("c1",), "/etc/pam.d/slurm"),
                                   ("pam : Take it out of services with a line of their own", ("login1", "c1"), SERVICE),
                                   ("pam : Take it out of the session stacks", ("login1", "c1"), "pam-auth-update"),
                                   ("pam : Remove the package", ("login1", "c1"), "clusterjail-pam"),
                                   ("agent : Take the mounts back", ("login1", "c1"), '"cmd": ["jail-agent", "--teardown"]'),
                                   ("agent : Remove the package", ("login1", "c1"), "clusterjail-agent"),
                                   ("endpoint : Remove the packages", ("ctl",), "clusterjail-endpoint")):
            found = result.out.find(f"TASK [{task}]")
            self.assertGreater(found, at, f"{task}\n{result.text}")
            at = found
            said = result.out[at:].split("\n\n", 1)[0]
            for node in nodes:
                self.assertRegex(said, rf"(?m)^changed: \[{node}\].*{re.escape(words)}", f"{task}\n{result.text}")

    def test_4_absent_again(self):
        result = ansible("-e", "jail_state=absent")
        self.assertEqual(result.rc, 0, result.text)
        self.assertRegex(result.out, r"c1 .*changed=0")


if __name__ == "__main__":
    harness.main()
