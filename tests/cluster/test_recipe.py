#!/usr/bin/env python3
"""The recipe by hand, as the policy that schema/examples publishes of it: jail and rules word for word."""

import json

import harness
from harness import COMPUTE, NODES, TOP, ClusterTest, end_sessions, root, ssh, ssh_pty, status, sync

RECIPE = json.loads((TOP / "schema/examples/policy-recipe-shared.json").read_text())
ROOT = RECIPE["jails"]["partner"]["root"]
PARENT = ROOT.rsplit("/", 1)[0]
SEEN = ["foo", "intel", "spack"]


class Recipe(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.restore)
        # The nodes share /home. A directory that one of them removes is gone from under the mounts of the others, so each has its own
        # file system there (SECURITY.md).
        root("login1", f"mkdir -m 700 {PARENT}")
        for node in NODES:
            root(node, f"mkdir -m 700 /root/jailed && mount --bind /root/jailed {PARENT}")
        policy = cls.admin.rollout(lambda p: p.update(jails=RECIPE["jails"], rules=RECIPE["rules"]))
        assert all(status(node)["policy_version"] == policy["version"] for node in NODES)

    @classmethod
    def restore(cls):
        end_sessions("foo")
        cls.admin.reset()
        for node in NODES:
            root(node, f"umount -l {PARENT}; rmdir /root/jailed", check=False)
        root("login1", f"rmdir {PARENT}")

    def test_1_sessions(self):
        for node in NODES:
            self.assertSees(ssh("foo", node, "ls /home"), SEEN, node)
            inside = ssh("foo", node, "stat -c %d:%i /; echo x > /dev/shm/recipe-$$ && rm /dev/shm/recipe-$$ && ls /sys/fs/cgroup", check=True)
            self.assertEqual(inside.lines, root(node, f"stat -c %d:%i {ROOT}; ls /sys/fs/cgroup").lines, node)
            screen = ssh_pty("foo", node, "tty; echo [$(ls /home)]; exit\n")
            self.assertIn(f"[{' '.join(SEEN)}]", screen, node)
            self.assertRegex(screen, r"(?m)^/dev/pts/\d+\s*$", screen)

    def test_2_steps(self):
        result = ssh("foo", "login1", "srun -N2 -l bash -c 'echo $SLURMD_NODENAME $(ls /home)'", timeout=60)
        self.assertEqual(sorted(line.split(": ", 1)[1] for line in result.lines), [f"{node} {' '.join(SEEN)}" for node in COMPUTE], result.text)

    def test_3_nobody_else(self):
        for node in NODES:
            for user in ("bar", "alice"):
                self.assertOnHost(user, node)

    def test_4_the_recipes_own_line(self):
        for node in NODES:
            for path in ("/etc/chroot.conf", "/etc/security/chroot.conf"):
                lines = [line for line in root(node, f"cat {path}").lines if line and not line.startswith("#")]
                self.assertEqual(lines, [f"foo {ROOT}"], f"{node} {path}")

    def test_5_alike_and_at_rest(self):
        self.assertEqual(len({status(node)["view_sha256"] for node in NODES}), 1)
        for node in NODES:
            sync(node)
            self.assertEqual(root(node, "jail-agent --check", check=False).rc, 0, node)


if __name__ == "__main__":
    harness.main()
