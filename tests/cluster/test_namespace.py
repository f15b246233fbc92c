#!/usr/bin/env python3
"""The same doors into a mount namespace of the session's own: the host as it is, minus what is hidden."""

import subprocess

import harness
import test_sessions
from harness import COMPUTE, NODES, ClusterTest, end_sessions, root, ssh, ssh_pty

KEPT = [{"bind": "/home/foo"}, {"bind": "/home/bar"}, {"bind": "/home/spack"}]
GUEST = {
    "confine": "namespace",
    "mounts": [
        {"hide": "/home"},
        {"bind": "/home/%u"},
        {"bind": "/home/spack"},
        {"private": "/tmp"},
        {"private": "/dev/shm", "backing": "memory"},
        {"proc": "/proc", "hidepid": "invisible"},
    ],
}


def in_namespaces(policy):
    policy["jails"] = {"partner": {"confine": "namespace", "mounts": [{"hide": "/home"}, *KEPT]}, "guest": GUEST}
    policy["rules"] = [
        {"groups": ["staff"], "jail": None},
        {"users": ["foo"], "jail": "partner"},
        {"groups": ["partners"], "jail": "partner"},
        {"match": "visitor[0-9]+", "jail": "guest"},
    ]


def begin(case):
    """Nobody's manager is left in the view that they had before."""
    case.admin = harness.Admin()
    case.admin.rollout(in_namespaces)
    for user in ("foo", "bar", "visitor1"):
        end_sessions(user)


def end(case):
    case.admin.reset()
    for user in ("foo", "bar", "visitor1"):
        end_sessions(user)


class Open:
    """A session that stays open; commands are typed into it one by one."""

    def __init__(self, user, node, command=""):
        loop = "while read -r line; do eval \"$line\"; echo END; done"
        self.process = subprocess.Popen([harness.TESTBED, "ssh", f"{user}@{node}", command + f" bash -c '{loop}'"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __call__(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = []
        for answer in self.process.stdout:
            if answer == "END\n":
                return " ".join(" ".join(said).split())
            said.append(answer.rstrip("\n"))
        raise AssertionError(f"the session ended: {said}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


class NamespaceSessions(test_sessions.Sessions):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        begin(cls)
        cls.addClassCleanup(end, cls)

    def test_nothing_is_on_the_host(self):
        """Neither a root nor a mount of it; the marker's place is the run directory as ever."""
        for node in NODES:
            self.assertEqual(root(node, "findmnt -rno TARGET | grep -E 'clusterjail/(roots/partner|marker)'", check=False).out, "", node)
            self.assertEqual(root(node, "test -e /run/clusterjail/status.json && jail-agent --check", check=False).rc, 0, node)
            self.assertEqual(root(node, "grep -c '^foo ' /etc/chroot.conf", check=False).out, "0\n", node)


class CgroupNamespaceSessions(NamespaceSessions, test_sessions.CgroupSessions):
    """And with proctrack/cgroup and task/cgroup, as far as jobs are concerned."""


for _name in dir(CgroupNamespaceSessions):
    if _name.startswith("test_") and not any(word in _name for word in ("srun", "sbatch", "job", "cgroup", "left")):
        setattr(CgroupNamespaceSessions, _name, None)


class Guest(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        begin(cls)
        cls.addClassCleanup(end, cls)

    def test_a_match_needs_no_list(self):
        for node in NODES:
            self.assertSees(ssh("visitor1", node, "ls /home"), ["spack", "visitor1"], node)
            self.assertSees(root(node, "su - visitor1 -c 'ls /home'"), ["spack", "visitor1"], node)
        result = ssh("visitor1", "login1", "srun -N2 -l bash -c 'ls /home | tr \"\\n\" \" \"'", timeout=60)
        for task in "01":
            self.assertIn(f"{task}: spack visitor1", result.out, result.text)

    def test_private_is_one_for_all_sessions_of_a_node(self):
        ssh("visitor1", "c1", "echo t > /tmp/note; echo m > /dev/shm/note", check=True)
        self.assertEqual(ssh("visitor1", "login1", "srun -w c1 cat /tmp/note /dev/shm/note").out, "t\nm\n")
        self.assertEqual(ssh("visitor1", "c2", "ls /tmp").out, "")
        self.assertEqual(root("c1", "ls /tmp/note /dev/shm/note 2>/dev/null", check=False).out, "")
        self.assertNotIn("note", ssh("foo", "c1", "ls /tmp /dev/shm").out)
        self.assertEqual(ssh("visitor1", "c1", "stat -c '%a %U' /tmp /dev/shm").out, "1777 root\n" * 2)

    def test_work_goes_on(self):
        checks = ("munge -n | unmunge >/dev/null", "squeue -h", "test -c /dev/null", "test -n \"$(ls /sys/fs/cgroup)\"", "ps -p $$ >/dev/null",
                  "unshare -Ur id -u | grep -qx 0", "python3 -c 'import tempfile; tempfile.TemporaryFile()'")
        for node in NODES:
            for check in checks:
                result = ssh("visitor1", node, check)
                self.assertEqual(result.rc, 0, f"{node}: {result.text}")
        screen = ssh_pty("visitor1", "login1", "srun --pty bash --norc\ntty; echo [$(ls /home)]; exit\nexit\n")
        self.assertRegex(screen, r"(?m)^/dev/pts/\d+\s*$", screen)
        self.assertIn("[spack visitor1]", screen)

    def test_the_mask_cannot_be_lifted(self):
        tries = (
            "unshare -Urm sh -c 'umount -l /home; umount /home; ls /home'",
            "unshare -Urm sh -c 'mount --bind / /mnt 2>/dev/null; ls /mnt/home'",
            "unshare -Urm sh -c 'mount -t tmpfs any:clusterjail /run; ls /home'",
            "ls /proc/1/root/home; ls /proc/*/root/home; true",
            "for fd in /proc/self/fd/*; do ls $fd/home $fd/../home $fd/../../home; done; true",
            "cd /home/visitor1; ls ..; ls ../../home",
        )
        for node in ("login1", "c1"):
            for attack in tries:
                result = ssh("visitor1", node, attack)
                for other in ("alice", "carol", "admin"):
                    self.assertNotIn(other, result.out, f"{node}: {result.text}")
            self.assertIn("visitor1", ssh("visitor1", node, tries[0]).out, node)

    def test_a_manager_is_inside(self):
        for node in ("login1", "c1"):
            root(node, "loginctl enable-linger visitor1; systemctl start user@$(id -u visitor1)")
            try:
                listed = root(node, "ls /proc/$(pgrep -u visitor1 -x systemd)/root/home").out.split()
                self.assertEqual(listed, ["spack", "visitor1"], node)
            finally:
                root(node, "loginctl disable-linger visitor1", check=False)

    def test_explain_says_whether_it_opens(self):
        said = root("c1", "jail-agent --explain visitor1").out
        self.assertIn("guest (namespace)", said)
        self.assertRegex(said, r"(?m)^opens +yes$")
        self.assertIn("alice", root("c1", "ls /home").out)

    def test_audit_knows_who_is_inside(self):
        """A session from before the policy confined its user is reported; one from after is not, nor a forged marker believed."""
        def confined(policy):
            in_namespaces(policy)
            policy["rules"].insert(0, {"users": ["carol"], "jail": "guest"})

        before = Open("carol", "c1")
        forged = Open("carol", "c1", "unshare -Urm")
        self.admin.rollout(confined)
        after = Open("carol", "c1")
        try:
            self.assertEqual(forged("mount -t tmpfs -o mode=700 clusterjail /run && mkdir -m 700 /run/clusterjail && echo there"), "there")
            outside, pretending, inside = before("echo $$"), forged("echo $$"), after("echo $$")
            audit = root("c1", "jail-agent --audit", check=False)
            self.assertEqual(audit.rc, 2, audit.text)
            for pid in (outside, pretending):
                self.assertRegex(audit.out, rf"\b{pid}\b", audit.text)
            self.assertNotRegex(audit.out, rf"\b{inside}\b", audit.text)
        finally:
            for session in (before, forged, after):
                session.close()
            self.admin.rollout(in_namespaces)
            end_sessions("carol")

    def test_a_view_that_cannot_be_made_is_no_session(self):
        def missing(policy):
            policy["jails"]["guest"]["mounts"].append({"bind": "/home/nowhere"})

        self.admin.rollout(missing)
        try:
            for node in ("login1", "c1"):
                self.assertRefused("visitor1", node)
                self.assertIn("/home/nowhere", root(node, "journalctl -o cat --since -1min | grep 'session of visitor1 refused'").out)
            self.assertSees(ssh("foo", "login1", "ls /home"), ["bar", "foo", "spack"])
        finally:
            self.admin.rollout(in_namespaces)
        self.assertSees(ssh("visitor1", "login1", "ls /home"), ["spack", "visitor1"])

    def test_a_change_reaches_open_sessions(self):
        sessions = [Open("visitor1", "login1"), Open("visitor1", "c1"), Open("visitor1", "login1", "srun -w c2 --unbuffered")]
        for session in sessions:
            self.addCleanup(session.close)

        def everywhere(line, expected):
            for session in sessions:
                self.assertEqual(session(line), expected, line)

        def mounts(*more):
            def change(policy):
                in_namespaces(policy)
                policy["jails"]["guest"] = {"confine": "namespace", "mounts": [*GUEST["mounts"], *more]}
            return change

        self.addCleanup(self.admin.rollout, in_namespaces)
        root("login1", "mkdir -p /opt/sw && touch /opt/sw/here", check=True)
        self.addCleanup(root, "login1", "rm -r /opt/sw")
        everywhere("ls /home", "spack visitor1")
        self.admin.rollout(mounts({"bind": "/home/carol"}))
        everywhere("ls /home", "carol spack visitor1")
        everywhere("touch /home/x 2>/dev/null || echo sealed", "sealed")
        for node in NODES:
            self.assertEqual(root(node, "jail-agent --sync --detailed-exitcode", check=False).rc, 0, node)
        self.admin.rollout(mounts({"bind": "/home/shown", "from": "/home/bar"}, {"hide": "/opt"}, {"private": "/var/tmp"}))
        everywhere("ls /home", "shown spack visitor1")
        everywhere("ls /opt; touch /var/tmp/mine; ls /var/tmp", "mine")
        self.admin.rollout(in_namespaces)
        everywhere("ls /home", "spack visitor1")
        self.assertEqual(sessions[0]("ls /opt/sw"), "here")
        everywhere("ls /var/tmp | grep mine || echo hosts", "hosts")
        for node in NODES:
            self.assertEqual(root(node, "jail-agent --sync --detailed-exitcode", check=False).rc, 0, node)

    def test_a_session_of_somebody_who_is_moved(self):
        """Their view stays closed, and the agent says that it is no longer theirs."""
        session = Open("visitor1", "c1")
        self.addCleanup(session.close)

        def free(policy):
            in_namespaces(policy)
            policy["rules"].insert(0, {"users": ["visitor1"], "jail": None})

        self.addCleanup(self.admin.rollout, in_namespaces)
        self.admin.rollout(free)
        self.assertEqual(session("ls /home"), "spack visitor1")
        said = harness.sync("c1")
        self.assertIn("no longer theirs", said.text)
        self.assertOnHost("visitor1", "c1")

    def test_zz_nodes_are_idle_and_clean(self):
        test_sessions.wait_idle(self)
        for node in COMPUTE:
            self.assertEqual(root(node, "pgrep -u visitor1 -a | grep -vE 'systemd|\\(sd-pam\\)'", check=False).out, "", node)


if __name__ == "__main__":
    harness.main()
