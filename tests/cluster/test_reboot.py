#!/usr/bin/env python3
"""A node that boots while the endpoint is down: confined before sshd accepts anybody."""

import harness
from harness import ClusterTest, root, ssh, status, testbed

SEEN = ["bar", "foo", "spack"]


# What gives users sessions, and where it runs.
DOORS = {"ssh.service": ("login1", "c1"), "cron.service": ("login1", "c1"), "atd.service": ("login1", "c1"), "slurmd.service": ("c1",),
         "systemd-user-sessions.service": ("login1", "c1"), "systemd-logind.service": ("login1", "c1")}


class Reboot(ClusterTest):
    @staticmethod
    def microseconds(node, unit, moment):
        """When, since the kernel's start; 0: not in this boot."""
        return int(root(node, f"systemctl show -p {moment} --value {unit}").out)

    def assertBootSyncCameFirst(self, node):
        synced = self.microseconds(node, "clusterjail-boot.service", "ActiveEnterTimestampMonotonic")
        self.assertGreater(synced, 0, f"{node}: the boot sync ran and succeeded")
        for unit, nodes in DOORS.items():
            if node not in nodes:
                continue
            self.assertEqual(root(node, f"systemctl is-active {unit}", check=False).out, "active\n", f"{node} {unit}")
            # The first time that it began to start in this boot.
            self.assertLess(synced, self.microseconds(node, unit, "InactiveExitTimestampMonotonic"), f"{node}: {unit} began after the boot sync")

    def test_endpoint_down(self):
        root("ctl", "systemctl stop jail-policyd")
        try:
            for node in ("login1", "c1"):
                testbed("reboot", node, timeout=120)
                self.assertSees(ssh("foo", node, "ls /home"), SEEN, node)
                self.assertOnHost("alice", node)
                self.assertBootSyncCameFirst(node)
                self.assertEqual(status(node)["source"], "cache")
            testbed("wait", timeout=120)
            result = ssh("foo", "login1", "srun -N2 -l ls /home", timeout=60)
            self.assertEqual(result.out.count("spack"), 2, result.text)
            self.assertNotIn("alice", result.out)
        finally:
            root("ctl", "systemctl start jail-policyd")
        for node in ("login1", "c1"):
            self.assertEqual(root(node, "jail-agent --sync", check=False).rc, 0)

    def test_broken_agent_cannot_keep_sshd_from_starting(self):
        root("login1", "mv /etc/clusterjail/agent.conf /root/agent.conf; echo '[nonsense' > /etc/clusterjail/agent.conf")
        try:
            testbed("reboot", "login1", timeout=120)
            self.assertOnHost("root", "login1")
            self.assertRefused("foo", "login1")
            self.assertOnHost("alice", "login1")
            self.assertEqual(root("login1", "systemctl is-failed clusterjail-boot.service").out, "failed\n")
        finally:
            root("login1", "mv /root/agent.conf /etc/clusterjail/agent.conf; jail-agent --sync")
        self.assertSees(ssh("foo", "login1", "ls /home"), SEEN)

    def test_agent_that_hangs_cannot_keep_sshd_from_starting(self):
        """It takes neither the end of its time nor SIGTERM for an answer. The limit is made short here; as shipped it is a minute."""
        dropin = "/etc/systemd/system/clusterjail-boot.service.d"
        limits = root("c1", "systemctl show -p TimeoutStartUSec -p TimeoutStopUSec clusterjail-boot.service").lines
        self.assertEqual(sorted(limits), ["TimeoutStartUSec=1min", "TimeoutStopUSec=10s"])
        root("c1", f"mkdir -p {dropin}; printf '[Service]\\nTimeoutStartSec=6\\nTimeoutStopSec=2\\n' > {dropin}/short.conf;"
                   "mv /usr/sbin/jail-agent /root/jail-agent.kept;"
                   "printf '#!/bin/sh\\ntrap \"\" TERM\\nwhile :; do sleep 1; done\\n' > /usr/sbin/jail-agent; chmod 755 /usr/sbin/jail-agent")
        try:
            testbed("reboot", "c1", timeout=120)
            self.assertOnHost("root", "c1")
            self.assertOnHost("alice", "c1")
            self.assertRefused("foo", "c1")
            self.assertEqual(root("c1", "systemctl is-failed clusterjail-boot.service").out, "failed\n")
            self.assertEqual(root("c1", "systemctl show -p Result --value clusterjail-boot.service").out, "timeout\n")
            began = self.microseconds("c1", "clusterjail-boot.service", "InactiveExitTimestampMonotonic")
            ended = self.microseconds("c1", "clusterjail-boot.service", "InactiveEnterTimestampMonotonic")
            listening = self.microseconds("c1", "ssh.service", "InactiveExitTimestampMonotonic")
            self.assertGreater(ended - began, 5_900_000, "it did hang")
            self.assertLess(ended - began, 15_000_000, "and was ended in time")
            self.assertLess(ended, listening, "sshd waits for it")
            self.assertLess(listening - began, 30_000_000, "but no longer than it may take")
        finally:
            root("c1", "mv /root/jail-agent.kept /usr/sbin/jail-agent;"
                       f"systemctl kill -s KILL clusterjail.service; rm -r {dropin}; systemctl daemon-reload; jail-agent --sync", check=False)
        self.assertSees(ssh("foo", "c1", "ls /home"), SEEN)
        testbed("wait", timeout=120)


if __name__ == "__main__":
    harness.main()
