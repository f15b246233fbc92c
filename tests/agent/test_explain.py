#!/usr/bin/env python3
"""--explain: what the PAM module would decide, and whether it would let the session in."""

import json

import node
from node import ROOT, NodeTest, must


class Explain(NodeTest):
    def setUp(self):
        super().setUp()
        self.publish(lambda p: p["rules"].insert(0, {"groups": ["foo"], "nodes": ["d1"], "jail": None}))
        self.sync()

    def explain(self, user, rc=0):
        result = self.agent("--explain", user, "--json")
        self.assertEqual(result.rc, rc, result.text)
        return json.loads(result.out) if rc == 0 else result.err

    def test_confined(self):
        found = self.explain("foo")
        self.assertEqual((found["rule"], found["jail"], found["root"], found["mounted"]), (1, "partner", str(ROOT), True))
        targets = [mount["target"] for mount in found["mounts"]]
        self.assertEqual([target for target in targets if target.startswith("/home")],
                         ["/home/bar", "/home/foo", "/home/late", "/home/spack"])
        self.assertNotIn("/.clusterjail", targets)
        text = self.agent("--explain", "foo").out
        for line in ("user     foo (uid 5001)", "rule     /rules/1 of version 11", "jail     partner (chroot, shared)",
                     f"root     {ROOT}", "mounted  yes", "  bind  /home/foo from /mnt/home/foo", "  bind  /usr (ro)",
                     "  bind  /home/late from /mnt/home/late if it is there", "  tmpfs /tmp (nosuid,nodev)"):
            self.assertIn(line + "\n", text)

    def test_by_group(self):
        self.assertEqual(self.explain("bar")["rule"], 2)

    def test_not_mounted(self):
        must("umount", ROOT / "home/foo")
        found = self.explain("foo")
        self.assertFalse(found["mounted"])
        self.assertIn("/home/foo", found["missing"])
        self.assertIn("NO, no session is let in", self.agent("--explain", "foo").out)

    def test_not_confined(self):
        self.assertEqual((self.explain("nobody")["confined"], self.explain("nobody")["why"]), (False, "no rule matches"))
        self.assertIn("uid 0", self.explain("root")["why"])
        self.assertIn("break-glass", self.explain("alice")["why"])

    def test_unknown(self):
        self.assertIn("mallory", self.explain("mallory", rc=1))

    def test_no_cache(self):
        node.CACHE.unlink()
        self.assertIn(str(node.CACHE), self.explain("foo", rc=1))


if __name__ == "__main__":
    node.main()
