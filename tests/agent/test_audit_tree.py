#!/usr/bin/env python3
"""--audit over trees of files: what is open, where, and what to change.

tests/fixtures/audit/CASE/{tree,expected.txt}; `like` names a case whose tree lies below this one's. The rest of a case is what
its tree cannot say (tests/agent/audittree.c). Nothing is said of cases whose name ends in _closed, those that end in _warned
have warnings only, and all others have something open. With REGENERATE=1 in the environment expected.txt is written anew, to be
read before it is committed.
"""

import os
import pathlib
import shutil
import tempfile

import node
from node import PROGRAMS, run, unittest

CASES = pathlib.Path(PROGRAMS["fixtures"]) / "audit"


class Tree(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.tree = pathlib.Path(tempfile.mkdtemp(prefix="audit."))
        self.addCleanup(shutil.rmtree, self.tree)

    def write(self, name, text="", mode=0o644):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def audit(self, world="/nonexistent"):
        return run(PROGRAMS["audittree"], self.tree, world)


def lay(case, tree):
    if (case / "like").exists():
        lay(CASES / (case / "like").read_text().strip(), tree)
    if (case / "tree").exists():
        shutil.copytree(case / "tree", tree, dirs_exist_ok=True)


class Fixtures(Tree):
    def test_cases(self):
        cases = sorted(CASES.iterdir())
        self.assertGreaterEqual(len(cases), 80)
        for case in cases:
            with self.subTest(case.name), tempfile.TemporaryDirectory(prefix="audit.") as tree:
                lay(case, tree)
                result = run(PROGRAMS["audittree"], tree, case)
                if os.environ.get("REGENERATE"):
                    (case / "expected.txt").write_text(result.out)
                self.assertEqual(result.err, "")
                self.assertEqual(result.out, (case / "expected.txt").read_text())
                kinds = {line.split(":")[0] for line in result.out.splitlines()}
                closed, warned = case.name.endswith("_closed"), case.name.endswith("_warned")
                self.assertEqual(result.rc, 0 if closed or warned else 2)
                self.assertEqual((not kinds, kinds == {"warning"}, "open" in kinds), (closed, warned, not closed and not warned))


class Files(Tree):
    """What git does not keep: modes, links, FIFOs."""

    def test_setuid(self):
        self.write("usr/bin/fusermount3", mode=0o4755)
        self.write("usr/bin/pmount", mode=0o755)
        (self.tree / "bin").symlink_to("usr/bin")
        self.write("usr/libexec/apptainer/bin/starter-suid", mode=0o4755)
        result = self.audit()
        self.assertEqual([line.split()[1] for line in result.out.splitlines()],
                         ["/usr/bin/fusermount3", "/usr/libexec/apptainer/bin/starter-suid"])
        self.assertEqual(result.rc, 0, result.text)

    def test_setuid_of_others(self):
        os.chown(self.write("usr/bin/fusermount3"), 5001, 5001)
        os.chmod(self.tree / "usr/bin/fusermount3", 0o4755)
        self.assertEqual(self.audit().out, "")

    def test_locate(self):
        path = self.write("var/lib/plocate/plocate.db", mode=0o640)
        self.assertEqual((self.audit().rc, self.audit().out), (0, ""))
        path.chmod(0o644)
        result = self.audit()
        self.assertEqual(result.rc, 2)
        self.assertIn("open: /var/lib/plocate/plocate.db: ", result.out)

    def test_links_stay_in_the_tree(self):
        self.write("etc/authselect/system-auth", "session required pam_permit.so\n")
        (self.tree / "etc/pam.d").mkdir()
        (self.tree / "etc/pam.d/sshd").write_text("session include system-auth\n")
        (self.tree / "etc/pam.d/system-auth").symlink_to("/etc/authselect/system-auth")
        result = self.audit()
        self.assertEqual(result.rc, 2, result.text)
        self.assertIn("/etc/pam.d/system-auth:1: ", result.out)
        (self.tree / "etc/authselect/system-auth").unlink()
        self.assertIn("warning: /etc/pam.d/sshd:1: includes system-auth", self.audit().out)

    def test_fifo(self):
        (self.tree / "etc/pam.d").mkdir(parents=True)
        os.mkfifo(self.tree / "etc/pam.d/sshd")
        self.write("etc/pam.d/other", "session required pam_permit.so\n")
        self.assertEqual(self.audit().rc, 2, "libpam would wait for it; the audit takes it for no file")

    def test_huge_stack(self):
        self.write("etc/pam.d/sshd", "session include a\n" * 20)
        for name, below in zip("abcd", "bcde"):
            self.write(f"etc/pam.d/{name}", f"session include {below}\n" * 20)
        self.write("etc/pam.d/e", "session required pam_permit.so\n")
        result = self.audit()
        self.assertEqual(result.rc, 1, result.text)
        self.assertIn("more than 4096 lines", result.err)

    def test_control_characters(self):
        self.write("etc/pam.d/sshd", "session required pam_permit.so \x1b[2J\x07\n")
        self.write("etc/pam.d/su", "session sufficient pam_x.so \x1b[2J\nsession required pam_jail.so\n")
        result = self.audit()
        self.assertNotIn("\x1b", result.out)
        self.assertIn("pam_x.so ?[2J", result.out)


class Origin(Tree):
    def test_table(self):
        self.write("run/systemd/sessions/3", "UID=5001\nUSER=foo\nSERVICE=sshd\nLEADER=7\n")
        for cgroup, door in (
            ("0::/user.slice/user-5001.slice/session-3.scope\n", "sshd (session 3)"),
            ("0::/user.slice/user-5001.slice/session-c4.scope\n", "session c4"),
            ("0::/user.slice/user-5001.slice/user@5001.service/app.slice/dbus.service\n", "their systemd manager (user@5001)"),
            ("0::/system.slice/slurmstepd.scope/job_42/step_0/user/task_0\n", "SLURM (job 42, step 0)"),
            ("4:freezer:/slurm_c1/uid_5001/job_7/step_batch\n1:name=systemd:/system.slice/slurmd.service\n", "SLURM (job 7, step batch)"),
            ("0::/system.slice/slurmstepd.scope/job_42\n", "SLURM (job 42)"),
            ("4:cpu:/x\n1:name=systemd:/system.slice/cron.service\n", "cron.service"),
            ("0::/system.slice/docker-0123.scope\n", "docker-0123.scope"),
            ("0::/some/place\n", "control group /some/place"),
            ("0::/\n", "a door that left no trace"),
            ("", "a door that left no trace"),
        ):
            with self.subTest(cgroup):
                path = self.write("cgroup", cgroup)
                self.assertEqual(run(PROGRAMS["audittree"], "--origin", self.tree, path).out, door + "\n")


if __name__ == "__main__":
    node.main()
