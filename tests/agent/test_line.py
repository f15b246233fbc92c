#!/usr/bin/env python3
"""The command line: names and exit codes are a contract."""

import unittest

import node
from node import PROGRAMS, run


class Line(unittest.TestCase):
    def usage(self, *arguments):
        result = run(PROGRAMS["agent"], *arguments)
        self.assertEqual(result.rc, 64, result.text)
        self.assertEqual(result.out, "")
        self.assertIn("--help", result.err)

    def test_help(self):
        for word in ("--help", "-h"):
            result = run(PROGRAMS["agent"], word)
            self.assertEqual((result.rc, result.err), (0, ""))
            for verb in ("--sync", "--check", "--audit", "--status", "--explain USER", "--teardown", "--offline", "--detailed-exitcode", "--config"):
                self.assertIn(verb, result.out)
            self.assertNotIn("--watch", result.out)

    def test_version(self):
        result = run(PROGRAMS["agent"], "--version")
        self.assertEqual(result.rc, 0)
        self.assertRegex(result.out, r"^jail-agent \d+\.\d+\.\d+\n$")

    def test_usage(self):
        self.usage()
        self.usage("--sync", "--check")
        self.usage("--sync", "word")
        self.usage("word")
        self.usage("--nonsense")
        self.usage("--explain")
        self.usage("--config")
        self.usage("--check", "--offline")
        self.usage("--status", "--detailed-exitcode")
        self.usage("--teardown", "--offline")
        self.usage("--watch")
        self.usage("--audit", "--offline")
        self.usage("--audit", "--check")

    def test_every_verb_takes_json_and_config(self):
        for verb in ("--sync", "--check", "--status", "--teardown", "--explain=foo"):
            result = run(PROGRAMS["agent"], verb, "--json", "--config", "/nonexistent")
            self.assertEqual(result.rc, 1, result.text)
            self.assertIn("/nonexistent", result.err)

    def test_full_disk(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            import subprocess

            done = subprocess.run([PROGRAMS["agent"], "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)


if __name__ == "__main__":
    node.main()
