#!/usr/bin/env python3
"""SLURM's other door: spank_jail.so puts each task into its view after SLURM's own namespaces (job_container/tmpfs), with both kinds
of jail, task/cgroup on. What the job has of its own, /tmp and /dev/shm, stays its own."""

import pathlib
import re
import shlex
import shutil
import tempfile

import harness
import test_namespace
from harness import COMPUTE, PARTNER, ClusterTest, ansible, end_sessions, root, ssh, testbed
from test_sessions import SEEN_BY_PARTNERS, batch, wait_idle

CONTAINER = "JobContainerType=job_container/tmpfs # test_spank"
CONTAIN = "PrologFlags=Contain # test_spank"
# Kernels that hand out namespace identifiers per CPU refuse to pin one that comes from another CPU than an earlier one.
ONE_CPU = "/run/systemd/system/slurmd.service.d/one-cpu.conf"
BATCH = """#!/bin/bash
#SBATCH -N2
#SBATCH -o /home/{user}/batch.out
echo batch $(ls /home)
touch /tmp/of-the-batch
srun -N2 -l bash -c 'echo step $(ls /home) / $(ls /tmp) / $(pwd)'
echo done
"""


def as_user(user, command):
    """A command line for root: from the host as it is, without a PAM session, whoever the user."""
    shell = f"export HOME=/home/{user} USER={user} LOGNAME={user}; cd; {command}"
    return f"setpriv --reuid={user} --regid=$(id -g {user}) --init-groups bash -c {shlex.quote(shell)}"


def slurm_is_new():
    """slurmctld first, then those that ask it."""
    root("ctl", "systemctl restart slurmctld")
    for node in COMPUTE:
        root(node, "systemctl daemon-reload; systemctl restart slurmd")
    testbed("wait", timeout=180)


def containers(on):
    for node in ("ctl",) + harness.NODES:
        root(node, "sed -i '/# test_spank$/d' /etc/slurm/slurm.conf")
        if on:
            root(node, f"printf '%s\\n' '{CONTAINER}' '{CONTAIN}' >> /etc/slurm/slurm.conf")
    for node in COMPUTE:
        if on:
            root(node, f"mkdir -p $(dirname {ONE_CPU}); printf '[Service]\\nCPUAffinity=0\\n' > {ONE_CPU};"
                       " printf 'AutoBasePath=true\\nBasePath=/var/lib/slurm/containers\\n' > /etc/slurm/job_container.conf")
        else:
            root(node, f"rm -f {ONE_CPU} /etc/slurm/job_container.conf")
    slurm_is_new()


def deploy(*arguments):
    result = ansible(*arguments)
    if result.rc != 0:
        raise AssertionError(result.text)
    testbed("wait", timeout=180)
    return result


def setUpModule():  # pylint: disable=invalid-name
    testbed("slurm-mode", "cgroup", timeout=180)


def tearDownModule():  # pylint: disable=invalid-name
    containers(False)
    deploy()
    for node in COMPUTE:
        assert root(node, "grep -c '^session.*pam_jail' /etc/pam.d/slurm").out == "1\n", node
        assert root(node, "grep -r spank_jail /etc/slurm; dpkg -l clusterjail-slurm | grep ^ii", check=False).out == "", node
    harness.Admin().reset()
    for user in ("foo", "bar", "visitor1"):
        end_sessions(user)
    testbed("slurm-mode", "linuxproc", timeout=180)


def log(node, job=""):
    return root(node, f"tail -n 200 /var/log/slurm/slurmd.log | grep 'spank_jail: .*{job}'", check=False).out


EPILOG = "printf '#!/bin/sh\\nexec > ~/epilog.out\\necho $(ls /home) in $(pwd)\\n' > epilog.sh; chmod 755 epilog.sh; rm -f epilog.out; "


def epilog(user, node):
    """What the user's own --task-epilog sees: slurmstepd runs it, past every hook for tasks."""
    return ssh(user, "login1", EPILOG + f"srun -w {node} -n2 --task-epilog=$HOME/epilog.sh true; cat epilog.out", timeout=90)


class AnotherSeries(ClusterTest):
    def test_the_role_refuses_it(self):
        """The package of another SLURM: said clearly, and the door that was closed stays closed."""
        with tempfile.TemporaryDirectory() as folder:
            for package in harness.BUILD.glob("clusterjail-*.deb"):
                shutil.copy(package, folder)
            package = next(pathlib.Path(folder).glob("clusterjail-slurm_*.deb"))
            tree = pathlib.Path(folder) / "tree"
            harness.run("dpkg-deb", "-R", package, tree)
            control = tree / "DEBIAN" / "control"
            control.write_text(re.sub(r"slurmd \(>= [^)]*\), slurmd \(<< [^)]*\)", "slurmd (>= 99.02), slurmd (<< 99.03)", control.read_text()))
            harness.run("dpkg-deb", "--root-owner-group", "-b", tree, package)
            shutil.rmtree(tree)
            result = ansible("--limit", "c1", "-e", "clusterjail_slurm_door=spank", "-e", f"clusterjail_packages={folder}")
        self.assertNotEqual(result.rc, 0, result.text)
        self.assertIn("spank_jail.so is for the series of SLURM that it was built with", re.sub(r"\s+", " ", result.out))
        self.assertNotIn("spank_jail", root("c1", "cat /etc/slurm/plugstack.conf").out)
        self.assertSees(ssh("foo", "login1", "srun -w c1 ls /home"), SEEN_BY_PARTNERS)


class Both(ClusterTest):
    """PAM puts stepd there, and the plugin finds its tasks inside: no namespace of SLURM's undoes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        deploy("-e", "clusterjail_slurm_door=both")

    def check(self):
        for node in COMPUTE:
            root(node, "truncate -s 0 /var/log/slurm/slurmd.log")
        result = ssh("foo", "login1", "srun -N2 -n4 -l ls /home", timeout=60)
        for task in "0123":
            self.assertEqual(re.findall(rf"^{task}: (\w+)$", result.out, re.M), SEEN_BY_PARTNERS, result.text)
        for node in COMPUTE:
            self.assertIn("spank_jail.so", root(node, "cat /etc/slurm/plugstack.conf").out)
            self.assertEqual(log(node), "", "they were inside already")
        self.assertIn("alice", ssh("alice", "login1", "srun -N2 ls /home", timeout=60).out)
        self.assertEqual(epilog("foo", "c1").out, f"{' '.join(SEEN_BY_PARTNERS)} in /home/foo\n")

    def test_chroot(self):
        self.admin.reset()
        self.check()

    def test_namespace(self):
        self.admin.rollout(test_namespace.in_namespaces)
        self.check()


class Tasks:
    """What holds with job_container/tmpfs, whatever the kind of jail."""

    user, seen = "foo", SEEN_BY_PARTNERS
    deployed = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not Tasks.deployed:
            containers(True)
            deploy()
            Tasks.deployed = True
        cls.rollout()
        end_sessions(cls.user)

    @classmethod
    def rollout(cls):
        cls.admin.rollout(test_namespace.in_namespaces)

    def run_as(self, command, user=None):
        return ssh(user or self.user, "login1", command, timeout=90)

    def test_the_role_closed_one_door_and_opened_the_other(self):
        for node in COMPUTE:
            self.assertEqual(root(node, "grep '^session.*pam_jail' /etc/pam.d/slurm", check=False).out, "", node)
            self.assertIn("required spank_jail.so", root(node, "cat /etc/slurm/plugstack.conf").out)
            self.assertNotRegex(root(node, "jail-agent --audit", check=False).out, r"slurm\.conf|plugstack|pam\.d/slurm")

    def test_srun(self):
        listing = " ".join(self.seen)
        result = self.run_as("mkdir -p deeper; srun -D ~/deeper -N2 -n4 -l bash -c 'echo home $(ls /home); echo tmp $(ls /tmp); pwd; id -un'")
        for task in "0123":
            for line in (f"home {listing}", "tmp", f"/home/{self.user}/deeper", self.user):
                self.assertRegex(result.out, rf"(?m)^{task}: {re.escape(line)}$", result.text)
        stolen = self.run_as("srun cat /home/alice/secret.txt /proc/1/root/home/alice/secret.txt")
        self.assertNotEqual(stolen.rc, 0, stolen.text)
        self.assertNotIn("secret of", stolen.out)

    def test_sbatch_with_nested_srun(self):
        listing = " ".join(self.seen)
        lines = batch(self.user, BATCH.format(user=self.user), timeout=90).split("\n")
        self.assertIn(f"batch {listing}", lines, lines)
        for task in "01":
            files = [line for line in lines if re.fullmatch(rf"{task}: step {listing} /( of-the-batch)? / /home/{self.user}", line)]
            self.assertEqual(len(files), 1, lines)
        self.assertIn("done", lines)

    def test_the_users_epilog(self):
        self.assertEqual(epilog(self.user, "c1").out, f"{' '.join(self.seen)} in /home/{self.user}\n")
        result = epilog("alice", "c1")
        self.assertIn("carol", result.out, result.text)
        self.assertNotIn("error", result.err)

    def test_pty(self):
        screen = harness.ssh_pty(self.user, "login1", "srun --pty bash --norc\ntty; echo [$(ls /home)]; exit\nexit\n")
        self.assertRegex(screen, r"(?m)^/dev/pts/\d+\s*$", screen)
        self.assertIn(f"[{' '.join(self.seen)}]", screen)

    def test_tmp_is_the_jobs_own(self):
        """Shared by its tasks, empty at its start, nobody else's, and gone after it."""
        both = ("srun -w c1 -n2 -l bash -c 'echo before $(ls /tmp /dev/shm); sleep 1; echo x > /tmp/of-{0}-$SLURM_PROCID;"
                " echo x > /dev/shm/of-{0}-$SLURM_PROCID; sleep 3; echo tmp $(ls /tmp); echo shm $(ls /dev/shm)'")
        result = self.run_as(f"({both.format('one')}) & ({both.format('two')}) & wait")
        self.assertEqual(result.rc, 0, result.text)
        for task in "01":
            self.assertEqual(result.out.count(f"{task}: before /dev/shm: /tmp:\n"), 2, result.text)
            for job in ("one", "two"):
                for place in ("tmp", "shm"):
                    self.assertIn(f"{task}: {place} of-{job}-0 of-{job}-1\n", result.out, result.text)
        self.assertNotRegex(self.run_as("srun -w c1 ls /tmp /dev/shm").out, "of-(one|two)")
        self.assertEqual(root("c1", "find /tmp /dev/shm /var/lib/slurm/containers -name 'of-*'").out, "")

    def test_an_unconfined_user_as_before(self):
        host = root("login1", "ls /home").lines
        result = self.run_as("srun -N2 -l bash -c 'ls /home; touch /tmp/of-alice'; srun ls /tmp", user="alice")
        self.assertEqual(sorted(re.sub(r"(?m)^\d: ", "", result.out).split()), sorted(host * 2), result.text)
        self.assertIn("secret of alice", self.run_as("sbatch --wait -i ~/secret.txt -o out.txt --wrap cat; cat out.txt; rm out.txt", user="alice").out)
        root("login1", as_user("admin", "srun -N2 true"))

    def test_nothing_is_read_through_standard_input(self):
        """stepd opens it on the host, before the task is inside."""
        for path, why in (("/home/alice/secret.txt", "the view does not show it"), ("/home", "a directory"), (f"/home/{self.user}", "a directory")):
            result = self.run_as(f"rm -f out.txt; sbatch --wait -i {path} -o out.txt --wrap 'cat; ls /proc/self/fd/0/ /proc/self/fd/0/..'; cat out.txt")
            self.assertNotRegex(result.out, r"(?m)^(secret of alice|alice|carol)$", result.text)
            self.assertIn(why, result.out, result.text)
        result = self.run_as("sbatch --wait -i ~/secret.txt -o out.txt --wrap cat; cat out.txt; sbatch --wait -i /etc/hostname -o out.txt --wrap cat; cat out.txt")
        self.assertIn(f"secret of {self.user}\n", result.out, result.text)
        self.assertRegex(result.out, r"(?m)^c[12]$", result.text)

    def assertNoTask(self, node, reason):
        """Neither a task nor a batch script runs; the user and the log are told; the node stays in use."""
        for command in (f"{EPILOG} srun -w {node} --task-epilog=$HOME/epilog.sh sh -c 'echo RAN; ls /home'; rc=$?; test ! -e epilog.out || echo RAN; exit $rc", f"rm -f out.txt; sbatch -w {node} --wait -o out.txt --wrap 'echo RAN'; echo $?; cat out.txt"):
            # The login node's view may be as broken: not by ssh.
            result = root("login1", as_user(self.user, command), check=False, timeout=90)
            self.assertNotIn("RAN", result.out, result.text)
            self.assertIn(f"task of {self.user} refused", result.out + result.err, result.text)
            self.assertIn(reason, result.out + result.err, result.text)
            self.assertTrue(result.rc != 0 or "\n1\n" in result.out, result.text)
        self.assertIn(reason, log(node))
        self.assertIn("alice", self.run_as(f"srun -w {node} ls /home", user="alice").out)
        wait_idle(self)

    def test_without_a_policy_no_task_runs(self):
        root("c1", f"mv {harness.CACHE} {harness.CACHE}.away")
        try:
            for user in (self.user, "carol"):
                result = root("login1", as_user(user, "srun -w c1 echo RAN"), check=False)
                self.assertNotIn("RAN", result.out, result.text)
                self.assertIn("no usable policy on this node", result.err, result.text)
            self.assertIn("RAN", root("login1", as_user("admin", "srun -w c1 echo RAN")).out)
            self.assertIn("RAN", root("login1", "srun -w c1 echo RAN").out)
        finally:
            root("c1", f"mv {harness.CACHE}.away {harness.CACHE}")
        wait_idle(self)

    def test_optional_is_no_way_round(self):
        root("c2", f"sed -i 's/^required spank_jail/optional spank_jail/' /etc/slurm/plugstack.conf; mv {harness.CACHE} {harness.CACHE}.away")
        try:
            result = root("login1", as_user(self.user, "srun -w c2 echo RAN"), check=False)
            self.assertNotIn("RAN", result.out, result.text)
        finally:
            root("c2", f"sed -i 's/^optional spank_jail/required spank_jail/' /etc/slurm/plugstack.conf; mv {harness.CACHE}.away {harness.CACHE}")

    def test_zz_nothing_is_left(self):
        wait_idle(self)
        for node in COMPUTE:
            self.assertEqual(root(node, f"pgrep -u {self.user} -a | grep -vE 'systemd|\\(sd-pam\\)'", check=False).out, "", node)
            self.assertEqual(root(node, "grep -c '/containers/[0-9]' /proc/self/mountinfo", check=False).out, "0\n", node)
            checked = root(node, "jail-agent --check", check=False)
            self.assertEqual(checked.rc, 0, f"{node}: {checked.text}")


class ChrootTasks(Tasks, ClusterTest):
    @classmethod
    def rollout(cls):
        cls.admin.reset()

    def test_a_view_that_is_not_there_is_no_task(self):
        root("c1", f"umount -l {PARTNER}/.clusterjail")
        try:
            self.assertNoTask("c1", "nothing is mounted on it")
        finally:
            root("c1", "jail-agent --sync", check=False)
        self.assertIn("spack", self.run_as("srun -w c1 ls /home").out)


class NamespaceTasks(Tasks, ClusterTest):
    def test_a_view_that_cannot_be_made_is_no_task(self):
        def broken(policy):
            for jail in policy["jails"].values():
                jail["mounts"].append({"bind": "/home/nowhere"})

        self.admin.rollout(broken)
        try:
            self.assertNoTask("c1", "/home/nowhere")
        finally:
            self.rollout()
        self.assertIn("spack", self.run_as("srun -w c1 ls /home").out)


class PrivateTasks(NamespaceTasks):
    """A jail with private directories of its own at the job's places."""

    user, seen = "visitor1", ["spack", "visitor1"]


if __name__ == "__main__":
    harness.main()
