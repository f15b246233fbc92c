"""pam_jail.so lives in sshd: what it needs, what it shows, what it is able to call.

usage: test_module.py MODULE READELF
"""

import os
import re
import subprocess
import sys
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import verdict  # tests/verdict.py, for every folder of tests

MODULE, READELF = sys.argv[1:3]

ENTRY_POINTS = {"pam_sm_open_session", "pam_sm_close_session"}
NEEDED = {"libpam.so.0", "libc.so.6"}
# Session modules that start programs or talk to the network are how logins hang.
NEVER = re.compile(r"(exec[vlpe]+|execveat|fork|vfork|posix_spawnp?|system|popen|socket|connect|getaddrinfo|dlopen"
                   r"|setuid|setresuid|seteuid|setgroups|putenv|setenv|exit|abort|openlog|closelog|umask)")


def readelf(*options):
    return subprocess.run([READELF, "--wide", *options, MODULE], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def symbols():
    for line in readelf("--dyn-syms").splitlines():
        words = line.split()
        if len(words) >= 8 and words[0].rstrip(":").isdigit():
            yield words[4], words[6], words[7].split("@")[0]


class Module(unittest.TestCase):
    def test_needed(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("--dynamic")))
        self.assertEqual(needed, NEEDED)

    def test_no_search_path(self):
        self.assertNotRegex(readelf("--dynamic"), r"RPATH|RUNPATH|TEXTREL")

    def test_exports(self):
        self.assertEqual({name for _, section, name in symbols() if section not in ("UND", "ABS")}, ENTRY_POINTS)

    def test_calls(self):
        called = {name for _, section, name in symbols() if section == "UND"}
        self.assertIn("chroot", called)
        self.assertEqual({name for name in called if NEVER.fullmatch(name)}, set())

    def test_hardened(self):
        self.assertIn("GNU_RELRO", readelf("--program-headers"))
        self.assertRegex(readelf("--dynamic"), r"BIND_NOW|NOW")


if __name__ == "__main__":
    sys.argv[1:] = ["-v"]
    verdict.main()
