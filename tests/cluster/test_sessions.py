#!/usr/bin/env python3
"""What a confined user's sessions see, through every door of this issue, with both ways of tracking processes."""

import re
import time

import harness
from harness import COMPUTE, NODES, SERVICE, ClusterTest, home_listing, root, ssh, ssh_pty, testbed

SEEN_BY_PARTNERS = ["bar", "foo", "spack"]
BATCH = """#!/bin/bash
#SBATCH -N2
#SBATCH -o /home/{user}/batch.out
echo batch $(ls /home)
srun -N2 bash -c 'echo step $SLURMD_NODENAME $(ls /home)'
echo done
"""
# Until a job is over. sbatch --wait looks less and less often, half a minute apart in the end.
OVER = "while squeue -h -j {job} | grep -q .; do sleep 0.2; done"
# A job that submits one, as chains of jobs do, and waits for it.
CHAIN = """#!/bin/bash
#SBATCH -N1
#SBATCH -o /home/{user}/batch.out
echo outer $(ls /home)
inner=$(sbatch --parsable -N2 -o /home/{user}/inner.out --wrap '
    echo inner $(ls /home)
    srun -N2 bash -c "echo step \\$SLURMD_NODENAME \\$(ls /home)"')
{over}
cat inner.out
rm inner.out
"""
LOG = "/var/log/slurm/slurmctld.log"


def batch(user, script, timeout=90, node="login1"):
    """sbatch as user on a node; waits for the job's end and returns what it wrote."""
    submitted = ssh(user, node, f"cat > job.sh <<'E'\n{script}\nE\nrm -f batch.out; sbatch --parsable job.sh")
    assert submitted.rc == 0, submitted.text
    root("ctl", OVER.format(job=submitted.out.strip()), timeout=timeout)
    return ssh(user, node, "cat batch.out", check=True).out


def wait_idle(case, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        states = set(root("ctl", "sinfo -h -N -o '%N %T'").out.split("\n")) - {""}
        if states == {"c1 idle", "c2 idle"}:
            return
        time.sleep(0.5)
    case.fail(root("ctl", "sinfo -N -l; squeue").text)


class Sessions(ClusterTest):
    expected = SEEN_BY_PARTNERS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.log_begins = int(root("ctl", f"stat -c %s {LOG}").out)

    def test_ssh_command(self):
        for node in NODES:
            self.assertSees(ssh("foo", node, "ls /home"), self.expected, node)

    def test_ssh_nobody_elses_file(self):
        for node in NODES:
            for path in ("/home/alice/secret.txt", "/home/../home/carol/secret.txt", "/proc/self/root/home/alice/secret.txt"):
                result = ssh("foo", node, f"cat {path}")
                self.assertNotEqual(result.rc, 0, result.text)
                self.assertNotIn("secret of", result.out)
            self.assertEqual(ssh("foo", node, "cat secret.txt; pwd").out, "secret of foo\n/home/foo\n")

    def test_ssh_pty(self):
        for node in NODES:
            screen = ssh_pty("foo", node, "tty; echo [$(ls /home)]; echo $((40+2)); exit\n")
            self.assertRegex(screen, r"(?m)^/dev/pts/\d+\s*$", screen)
            self.assertIn(f"[{' '.join(self.expected)}]", screen)
            self.assertIn("\n42", screen)

    def test_sftp(self):
        for node in NODES:
            result = testbed("sftp", "-b", "-", f"foo@{node}", stdin="ls -1 /home\nget secret.txt /dev/null\npwd\n", check=False)
            self.assertEqual(result.rc, 0, result.text)
            self.assertEqual(re.findall(r"^/home/(\w+)", result.out, re.M), self.expected, result.text)
            stolen = testbed("sftp", "-b", "-", f"foo@{node}", stdin="get /home/alice/secret.txt /dev/null\n", check=False)
            self.assertNotEqual(stolen.rc, 0, stolen.text)

    def test_su(self):
        for node in NODES:
            self.assertSees(root(node, "su - foo -c 'ls /home'"), self.expected, node)
            self.assertEqual(root(node, "su - foo -c 'ls /home' >/dev/null; ls /home").lines, root(node, "ls /home").lines)

    def test_su_inside(self):
        """foo in the jail becomes foo again with a password: the view stays, nothing is refused."""
        root("login1", "echo foo:kettle | chpasswd")
        screen = ssh_pty("foo", "login1", "su - foo\nkettle\necho [$(ls /home)] inside\nexit\nexit\n")
        self.assertIn(f"[{' '.join(self.expected)}] inside", screen)

    def test_service_with_a_line_of_its_own(self):
        """clusterjail_pam_services: its file includes neither shared stack."""
        for node in NODES:
            self.assertEqual(root(node, f"grep -c common-session /etc/pam.d/{SERVICE}", check=False).out, "0\n")
            self.assertSees(root(node, "runuser foo -c 'ls /home'"), SEEN_BY_PARTNERS, node)
            self.assertIn("alice", root(node, "runuser alice -c 'ls /home'").out.split())

    def test_srun(self):
        result = ssh("foo", "login1", "srun -N2 -l ls /home", timeout=60)
        self.assertEqual(result.rc, 0, result.text)
        for task in "01":
            self.assertEqual(re.findall(rf"^{task}: (\w+)$", result.out, re.M), self.expected, result.text)

    def test_sbatch_with_nested_srun(self):
        lines = batch("foo", BATCH.format(user="foo")).split("\n")
        listing = " ".join(self.expected)
        self.assertIn(f"batch {listing}", lines, lines)
        for node in COMPUTE:
            self.assertIn(f"step {node} {listing}", lines, lines)
        self.assertIn("done", lines)

    def test_sbatch_from_inside(self):
        """sbatch in a session on a compute node, and in the job itself."""
        for user, seen in (("foo", self.expected), ("alice", root("login1", "ls /home").lines)):
            listing = " ".join(seen)
            lines = batch(user, CHAIN.format(user=user, over=OVER.format(job="$inner")), timeout=120, node="c1").split("\n")
            for part in ("outer", "inner", "step c1", "step c2"):
                self.assertIn(f"{part} {listing}", lines, f"{user}: {lines}")

    def test_srun_pty(self):
        screen = ssh_pty("foo", "login1", "srun --pty bash --norc\ntty; echo [$(ls /home)]; exit\nexit\n")
        self.assertIn(f"[{' '.join(self.expected)}]", screen)
        self.assertRegex(screen, r"(?m)^/dev/pts/\d+\s*$", screen)

    def test_work_goes_on_inside(self):
        for node in NODES:
            checks = ("echo x > /dev/shm/jail-$$ && rm /dev/shm/jail-$$", "test -n \"$(ls /sys/fs/cgroup)\"",
                      "munge -n | unmunge >/dev/null", "squeue -h", "sinfo -h >/dev/null", "test -w /tmp", "ps -p $$ >/dev/null",
                      "test -c /dev/null && echo > /dev/null", "test -d /home/spack")
            for check in checks:
                result = ssh("foo", node, check)
                self.assertEqual(result.rc, 0, f"{node}: {result.text}")
        submitted = ssh("foo", "login1", "sbatch --wait -o /dev/null --wrap 'sbatch --version; squeue -h; munge -n | unmunge'")
        self.assertEqual(submitted.rc, 0, submitted.text)

    def test_shared_memory_is_the_hosts(self):
        """MPI over shared memory needs one /dev/shm for a session and the step beside it."""
        ssh("foo", "c1", "echo ring > /dev/shm/jail-ring", check=True)
        try:
            self.assertEqual(ssh("foo", "login1", "srun -w c1 cat /dev/shm/jail-ring").out, "ring\n")
            self.assertEqual(root("c1", "cat /dev/shm/jail-ring").out, "ring\n")
        finally:
            root("c1", "rm /dev/shm/jail-ring")

    def test_group_member_without_a_rule_of_their_own(self):
        for node in NODES:
            self.assertSees(ssh("bar", node, "ls /home"), self.expected, node)

    def test_unconfined_as_before(self):
        host = root("login1", "ls /home").lines
        for user in ("alice", "carol", "admin"):
            for node in NODES:
                self.assertSees(ssh(user, node, "ls /home"), host, node)
                self.assertSees(root(node, f"su - {user} -c 'ls /home'"), host, node)
            result = ssh(user, "login1", "srun -N2 -l ls /home", timeout=60)
            self.assertEqual(home_listing(re.sub(r"(?m)^\d: ", "", result.out)), sorted(host * 2), result.text)
            self.assertIn("/dev/pts/", ssh_pty(user, "login1", "srun --pty tty\nexit\n"))
            screen = ssh_pty(user, "c1", "tty; echo [$(ls /home)]; exit\n")
            self.assertRegex(screen, r"(?m)^/dev/pts/\d+\s*$", screen)
            self.assertIn(f"[{' '.join(host)}]", re.sub(r"\s+", " ", screen), screen)
            for node in NODES:
                listed = testbed("sftp", "-b", "-", f"{user}@{node}", stdin="ls -1 /home\nget /home/foo/secret.txt /dev/null\n", check=False)
                self.assertEqual(listed.rc, 0, listed.text)
                self.assertEqual(sorted(re.findall(r"^/home/(\S+)", listed.out, re.M)), sorted(host), listed.text)
            lines = batch(user, BATCH.format(user=user)).split("\n")
            for node in COMPUTE:
                self.assertIn(f"step {node} {' '.join(sorted(host))}", lines, user)

    def test_zz_nothing_is_left(self):
        wait_idle(self)
        for node in COMPUTE:
            left = root(node, "find /sys/fs/cgroup/ -maxdepth 6 -path '*slurm*' -name 'job_*' 2>/dev/null", check=False).out
            self.assertEqual(left, "", f"{node}: cgroups of finished jobs")
            self.assertEqual(root(node, "pgrep -u foo,bar -a | grep -vE 'systemd|\\(sd-pam\\)'", check=False).out, "", node)

    def test_zz_no_node_left_service(self):
        """Not for a moment: a node that was drained or down and came back would be idle at the end as well."""
        said = root("ctl", f"tail -c +{self.log_begins + 1} {LOG}").out
        self.assertRegex(said, r"(?m)_job_complete: JobId=\d+ done", "the log is of these sessions")
        self.assertNotRegex(said, r"\bDRAIN|\bDOWN\b|reason set")
        self.assertEqual(set(root("ctl", "sinfo -h -N -o %E").lines), {"none"})


class CgroupSessions(Sessions):
    """The same with proctrack/cgroup and task/cgroup."""

    @classmethod
    def setUpClass(cls):
        testbed("slurm-mode", "cgroup", timeout=180)
        super().setUpClass()  # the log of slurmctld from here on
        # The role's UsePAM line is part of slurm.conf: switching must not have lost it.
        assert "UsePAM=1" in root("c1", "cat /etc/slurm/slurm.conf").out

    @classmethod
    def tearDownClass(cls):
        testbed("slurm-mode", "linuxproc", timeout=180)

    def test_a_step_is_in_a_cgroup_of_slurm(self):
        """What this class is about: without it all of it would hold with linuxproc again."""
        for user in ("foo", "alice"):
            result = ssh(user, "login1", "srun -N2 -l cat /proc/self/cgroup", timeout=60)
            for task in "01":
                self.assertRegex(result.out, rf"(?m)^{task}: \d+:[^:]*:\S*slurm\S*/job_\d+/step_", result.text)
            # task/cgroup is at work too: the step may use the cores of its job only.
            self.assertRegex(result.out, r"(?m)^0: \d+:cpuset:\S*/job_\d+/step_|(?m)^0: 0::\S*/job_\d+/step_".replace("|(?m)", "|"), result.text)


if __name__ == "__main__":
    harness.main()
