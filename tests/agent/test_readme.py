#!/usr/bin/env python3
"""The policy that README.md explains: it passes lint, a node enforces it as it stands, and a shell runs in what comes of it."""

import pathlib
import re
import shutil

import node
from node import CONFIG, HOME, PROGRAMS, NodeTest, must, run

ROOT = pathlib.Path("/var/lib/clusterjail/roots/partner")


def policy():
    text = pathlib.Path(PROGRAMS["readme"]).read_text(encoding="utf-8")
    section = text.split("## A policy, explained\n")[1].split("\n## ")[0]
    code = [line for line in section.splitlines() if line.startswith("    ")]
    return "\n".join(re.sub(r"\s+//.*$", "", line) for line in code) + "\n"


class Readme(NodeTest):
    def setUp(self):
        super().setUp()
        text = policy()
        # The project may lie below the places that it names, which are this test's own from here on.
        self.addCleanup(PROGRAMS.update, dict(PROGRAMS))
        for name in ("agent", "policy"):
            PROGRAMS[name] = shutil.copy(PROGRAMS[name], node.TOP / "work" / name)
        for path in ("/home", "/var/lib"):
            must("mount", "-t", "tmpfs", "-o", "mode=755", "readme", path)
            self.addCleanup(must, "umount", "-R", "-l", path)
        for name in ("foo", "bar", "alice"):
            must("cp", "-a", HOME / name, "/home")
        self.source = node.TOP / "work" / "readme.json"
        self.source.write_text(text, encoding="utf-8")

    def test_lint(self):
        result = run(PROGRAMS["policy"], "lint", self.source)
        self.assertEqual(result.rc, 0, result.text)
        self.assertNotIn("error", result.err)

    def test_a_session_could_start(self):
        must(PROGRAMS["policy"], "sign", self.source, "--key", self.key("main"), "-o", node.TOP / "work" / "envelope")
        self.server.serve = (node.TOP / "work" / "envelope").read_bytes()
        CONFIG.write_text(CONFIG.read_text().replace(f"state = {node.STATE}\n", "").replace("name = c1", "name = c001"))
        self.sync()
        self.assertIn("mounted  yes", self.agent("--explain", "foo").out)
        seen = must("chroot", "--userspec", "5001:5001", ROOT, "/bin/sh", "-c", "cat /home/foo/own; ls /home; ls -A /var/backups; test -r /dev/null")
        self.assertEqual(seen.out, "foobar\nfoo\n")


if __name__ == "__main__":
    node.main()
