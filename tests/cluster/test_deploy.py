#!/usr/bin/env python3
"""ansible-playbook site.yml on plain nodes, and once more."""

import hashlib
import json
import re
import shutil

import harness
from harness import BUILD, NODES, Admin, ClusterTest, ansible, pam_files, root, run, ssh, status, testbed

SLURM_OF_THE_SITE = "# session required pam_jail.so\nauth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n"


class Deploy(ClusterTest):
    @classmethod
    def setUpClass(cls):
        """Once, on plain nodes: what test_absent.py wants to find again."""
        super().setUpClass()
        if not cls.admin.pam_before.exists():
            root("c1", f"cat > /etc/pam.d/slurm <<'E'\n{SLURM_OF_THE_SITE}E\nchmod 640 /etc/pam.d/slurm")
            cls.admin.pam_before.write_text(json.dumps({node: pam_files(node) for node in NODES}))

    def test_1_before_the_leak_is_there(self):
        self.assertIn("alice", ssh("foo", "login1", "ls /home").out)
        self.assertEqual(ssh("foo", "login1", "cat /home/alice/secret.txt").out, "secret of alice\n")

    def test_2_first_run(self):
        """As somebody who is not root and may become it: the login that is proven is theirs."""
        Admin().start()
        result = ansible("-e", "ansible_user=admin", "-e", f"ansible_ssh_private_key_file={testbed('key', 'admin').out.strip()}")
        self.assertEqual(result.rc, 0, result.text)
        for node in ("ctl",) + NODES:
            self.assertRegex(result.out, rf"{node} .*unreachable=0 .*failed=0", result.text)
        for node in NODES:
            self.assertRegex(result.out, rf"TASK \[pam : A new login works\] \**(\n.*)*?\nok: \[{node}\]", result.text)
            self.assertEqual(root(node, "ls -d /run/clusterjail-pam-revert", check=False).out, "", "nothing is pending")
            self.assertEqual(root(node, "systemctl is-active clusterjail-pam-revert.timer", check=False).out, "inactive\n")
            accepted = root(node, "journalctl -u ssh -o cat | grep -c 'Accepted publickey for admin'", check=False).out
            self.assertGreaterEqual(int(accepted), 2, f"{node}: the proof is a second connection")
        testbed("wait")

    def test_3_second_run_changes_nothing(self):
        """As root, for whom the roles are the same."""
        result = ansible()
        self.assertEqual(result.rc, 0, result.text)
        recap = re.findall(r"^(\w+) +: .*changed=(\d+)", result.out, re.M)
        self.assertEqual(sorted(recap), [(node, "0") for node in sorted(("ctl",) + NODES)], result.text)

    def test_4_every_node_enforces_the_same(self):
        reports = [status(node) for node in NODES]
        for report in reports:
            self.assertEqual(report["policy_version"], 1, report)
            self.assertFalse(report["drift"], report)
            self.assertFalse(report["failed"], report)
            self.assertEqual(report["source"], "network", report)
        self.assertEqual(len({report["view_sha256"] for report in reports}), 1, reports)
        self.assertEqual(len({report["policy_sha256"] for report in reports}), 1, reports)

    def test_5_root_was_never_in_the_way(self):
        for node in NODES:
            self.assertEqual(ssh("root", node, "stat -c %i /").out, root(node, "stat -c %i /").out)
            self.assertIn("UsePAM=1", root(node, "cat /etc/slurm/slurm.conf").out)

    def test_6_endpoint_down_does_not_stop_a_later_run(self):
        root("ctl", "systemctl stop jail-policyd")
        try:
            result = ansible("--limit", "login1")
        finally:
            root("ctl", "systemctl start jail-policyd; curl -sSf -o /dev/null --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8480/healthz")
        self.assertEqual(result.rc, 0, result.text)
        self.assertRegex(result.out, r"login1 +: .*changed=0")
        root("login1", "jail-agent --sync")

    def test_7_break_glass_is_nowhere_set_twice(self):
        for node in NODES:
            self.assertNotIn("breakglass", root(node, "cat /etc/clusterjail/agent.conf").out)

    def test_7_slurmctld_on_a_host_of_its_own(self):
        """Not the policy server, no login or compute node; SLURM wants the same slurm.conf everywhere."""
        hosts = testbed("inventory").out.replace("[policy_server]", "[slurm_controller]") + "[policy_server]\nlogin1\n"
        root("ctl", "sed -i '/UsePAM/d' /etc/slurm/slurm.conf")
        result = ansible("--limit", "ctl", hosts=hosts)
        self.assertEqual(result.rc, 0, result.text)
        self.assertEqual(len({root(node, "sha256sum < /etc/slurm/slurm.conf").out for node in ("ctl",) + NODES}), 1, result.text)
        testbed("wait")

    def test_8_package_built_anew_with_the_same_version(self):
        """What a node runs is what was copied to it: apt alone would keep the build that is installed."""
        tree, package = self.admin.dir / "earlier", self.admin.dir / "earlier.deb"
        shutil.rmtree(tree, ignore_errors=True)
        run("dpkg-deb", "--raw-extract", next(BUILD.glob("clusterjail-agent_*.deb")), tree)
        program = tree / "usr/sbin/jail-agent"
        wanted = hashlib.sha256(program.read_bytes()).hexdigest()
        with open(program, "ab") as end:
            end.write(b"an earlier build")  # behind the end of the program, where nothing looks
        (tree / "DEBIAN/md5sums").write_text(run("find", "usr", "-type", "f", "-exec", "md5sum", "{}", "+", cwd=tree).out)
        run("dpkg-deb", "--root-owner-group", "--build", tree, package)
        testbed("copy", package, "login1:/tmp/earlier.deb")
        root("login1", "dpkg --install /tmp/earlier.deb; rm /tmp/earlier.deb")
        self.assertNotIn(wanted, root("login1", "sha256sum /usr/sbin/jail-agent").out)
        result = ansible("--limit", "login1")
        self.assertEqual(result.rc, 0, result.text)
        self.assertIn(wanted, root("login1", "sha256sum /usr/sbin/jail-agent").out, result.text)
        self.assertRegex(result.out, r"login1 +: .*changed=1 ", "the other package is as it was")


if __name__ == "__main__":
    harness.main()
