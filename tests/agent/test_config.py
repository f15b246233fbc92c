#!/usr/bin/env python3
"""agent.conf: what is not understood is an error with its line."""

import os

import node
from node import CONFIG, NodeTest, must, run


class Config(NodeTest):
    def wrong(self, text, line, *words):
        CONFIG.write_text(text)
        for verb in (["--sync"], ["--check"], ["--status"], ["--explain", "foo"], ["--teardown"]):
            result = self.agent(*verb)
            self.assertEqual(result.rc, 1, result.text)
            self.assertIn(f"{CONFIG}:{line}: ", result.err)
            for word in words:
                self.assertIn(word, result.err)

    def test_errors(self):
        self.wrong("[policy]\nurl = http://h/p\nurll = x\n", 3, "[policy] has no key urll")
        self.wrong("[nonsense]\n", 1, "[nonsense]")
        self.wrong("# one\n\n[paths]\nstate = relative\n", 4, "relative")
        self.wrong("[paths]\nrun = /a/../b\n", 2, "/a/../b")
        self.wrong("[paths]\nchroot_conf = /a b\n", 2, '"b"')
        self.wrong("[policy]\nurl = ftp://h/p\n", 2, "http://")
        self.wrong("[policy]\nurl = http:///p\n", 2, "http://")
        self.wrong("[policy]\nurl = http://user:secret@h/p\n", 2, "password")
        self.wrong("[policy]\nurl = http://h/p\nurl = http://h/q\n", 3, "twice")
        self.wrong("[policy]\ntimeout = 0\n", 2, "timeout")
        self.wrong("[policy]\ntimeout = 10s\n", 2, "10s")
        self.wrong("[policy]\ntimeout = 99999999999\n", 2, "timeout")
        self.wrong("[policy]\ntrust =\n", 2, "trust")
        self.wrong("[node]\nname = a/b\n", 2, "a/b")
        self.wrong("[safety]\nhost_namespace = maybe\n", 2, "maybe")
        self.wrong("[policy]\nnot a pair\n", 2, "key = value")
        self.wrong("[policy]\nnot a pair\nurll = x\n", 2, "key = value")
        self.wrong("url = http://h/p\n", 1, "[section]")
        self.wrong("[policy]\nurl = http://h/" + "x" * 5000 + "\n", 2, "longer")
        self.assertNotIn("secret", self.agent("--status").err)

    def test_file(self):
        CONFIG.unlink()
        self.assertIn("No such file", self.sync(rc=1).err)
        CONFIG.write_text("")
        os.chmod(CONFIG, 0o666)
        self.assertIn("written by others", self.sync(rc=1).err)
        os.chmod(CONFIG, 0o644)
        CONFIG.write_bytes(b"[policy]\0\n")
        self.assertIn("NUL", self.sync(rc=1).err)

    def test_no_url(self):
        self.publish()
        self.sync()
        text = CONFIG.read_text()
        CONFIG.write_text("".join(line for line in text.splitlines(True) if not line.startswith("url")))
        self.assertIn("names no url", self.sync(rc=1).err)
        self.sync("--offline")

    def test_comments_and_lists_in_lines(self):
        self.configure(more="# a comment\n; another\n")
        text = CONFIG.read_text().replace(f"{node.CHROOT_CONF[0]} {node.CHROOT_CONF[1]}",
                                          f"{node.CHROOT_CONF[0]}\n  {node.CHROOT_CONF[1]} ; both")
        CONFIG.write_text(text)
        self.publish()
        self.sync()
        self.assertTrue(all(path.exists() for path in node.CHROOT_CONF))

    def test_node_name(self):
        self.policy["rules"][0]["nodes"] = ["c[1-2]"]
        self.publish()
        self.sync()
        self.assertEqual(self.status()["users"], 2)
        CONFIG.write_text(CONFIG.read_text().replace("name = c1", "name = d1"))
        self.sync()
        self.assertEqual((self.status()["users"], self.status()["node"]), (1, "d1"))
        CONFIG.write_text(CONFIG.read_text().replace("name = d1\n", ""))
        self.sync()
        self.assertEqual(self.status()["node"], os.uname().nodename.split(".")[0])

    def test_namespace_of_its_own(self):
        self.publish()
        words = ("unshare", "-m", "--propagation", "private", node.PROGRAMS["agent"], "--sync", "--config", CONFIG)
        result = run(*words)
        self.assertEqual(result.rc, 1, result.text)
        self.assertIn("ProtectSystem=", result.err)
        self.assertFalse(node.STATE.exists())
        self.configure(more="[safety]\nhost_namespace = any\n")
        must(*words)
        self.assertTrue(node.CACHE.exists())

    def test_not_root(self):
        self.publish()
        self.sync()
        words = ("setpriv", "--reuid=5001", "--regid=5001", "--clear-groups", node.PROGRAMS["agent"])
        for verb in ("--sync", "--check", "--teardown"):
            result = run(*words, verb, "--config", CONFIG)
            self.assertEqual((result.rc, "run it as root" in result.err), (1, True), result.text)
        result = run(*words, "--status", "--config", CONFIG)
        self.assertEqual(result.rc, 0, result.text)
        self.assertRegex(result.out, r"(?m)^state +in sync$")

    def test_directories_of_others_are_refused(self):
        self.publish()
        node.STATE.mkdir()
        os.chown(node.STATE, 5001, 5001)
        self.assertIn(str(node.STATE), self.sync(rc=1).err)
        self.assertEqual(os.listdir(node.STATE), [])


if __name__ == "__main__":
    node.main()
