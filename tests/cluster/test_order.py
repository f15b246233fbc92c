#!/usr/bin/env python3
"""Agent and first good sync before any PAM line: a deployment that cannot end well stops while every login is as it was."""

import copy
import json
import re

import harness
from harness import NODES, POLICY, POLICY_PROGRAM, ClusterTest, ansible, root, run, ssh, testbed

PORT = 8482
NGINX = f"""worker_processes 1; pid /run/nginx-order.pid; error_log /tmp/nginx-order.err;
events {{}} http {{ access_log off; server {{ listen {PORT}; root /srv/order; }} }}
"""


class Order(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin.start()
        cls.pam = {node: cls.pam_of(node) for node in NODES}
        if not (cls.admin.dir / "foreign.key").exists():
            run(POLICY_PROGRAM, "keygen", "--out", cls.admin.dir / "foreign")
        cls.forged = cls.admin.sign(copy.deepcopy(POLICY), key="foreign", out=cls.admin.dir / "forged")

    @staticmethod
    def pam_of(node):
        return root(node, "cd /etc/pam.d && sha256sum *").out

    def assertNobodysLoginChanged(self, result):
        """The run failed, and in no node's PAM is anything other than before."""
        self.assertNotEqual(result.rc, 0, result.text)
        self.assertNotIn("Let sessions enter it", result.out, "the play that changes PAM must not begin")
        for node in NODES:
            self.assertEqual(root(node, "grep -rls pam_jail /etc/pam.d /usr/lib/pam.d", check=False).out, "", f"{node}: {result.text}")
            self.assertEqual(self.pam_of(node), self.pam[node], node)
            self.assertNotIn("UsePAM", root(node, "cat /etc/slurm/slurm.conf").out, node)
            self.assertOnHost("foo", node)
            self.assertOnHost("root", node)

    def test_1_nodes_are_plain(self):
        for node in NODES:
            self.assertEqual(root(node, "grep -rls pam_jail /etc/pam.d /usr/lib/pam.d; ls -d /etc/clusterjail 2>/dev/null", check=False).out, "", node)

    def test_2_badly_signed_envelope(self):
        """The policy server takes no envelope that its trust file does not: nothing happens on any node."""
        result = ansible("-e", f"clusterjail_envelope={self.forged}")
        self.assertNobodysLoginChanged(result)
        self.assertRegex(result.out, r"(?i)publish[^\n]*\n?(.|\n)*signature", result.text)
        for node in NODES:
            self.assertEqual(root(node, "ls -d /etc/clusterjail /usr/sbin/jail-agent 2>/dev/null", check=False).out, "", node)

    def test_3_one_node_without_a_good_sync_stops_all(self):
        """login1 is lied to, c1 and c2 get what is signed well: no node gets a PAM line."""
        for name, envelope in (("good", self.admin.envelope), ("bad", self.forged)):
            root("ctl", f"mkdir -p /srv/order/{name}/v1")
            testbed("copy", envelope, f"ctl:/srv/order/{name}/v1/policy.json")
        root("ctl", f"chmod -R a+rX /srv/order; cat > /tmp/nginx-order.conf <<'E'\n{NGINX}E\nnginx -c /tmp/nginx-order.conf")
        url = f"http://ctl:{PORT}/" + "{{ 'bad' if inventory_hostname == 'login1' else 'good' }}/v1/policy.json"
        try:
            result = ansible("-e", json.dumps({"clusterjail_url": url}), "--limit", ",".join(NODES))
        finally:
            root("ctl", "kill $(cat /run/nginx-order.pid); rm -r /srv/order", check=False)
        self.assertRegex(result.out, re.compile(r"fatal: \[login1\].*jail-agent.*signature", re.S), result.text)
        self.assertNobodysLoginChanged(result)
        # The others did get that far: what stopped them is login1.
        for node in ("c1", "c2"):
            self.assertEqual(root(node, "jail-agent --check", check=False).rc, 0, node)
        self.assertEqual(root("login1", "jail-agent --status --json", check=False).rc, 0)


if __name__ == "__main__":
    harness.main()
