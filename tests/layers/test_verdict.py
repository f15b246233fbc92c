"""A skipped test is a failed one, and so is a file without tests: tests/verdict.py, held to it.

usage: test_verdict.py TESTS-DIR
"""

import os
import subprocess
import sys
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import verdict  # tests/verdict.py, for every folder of tests

TESTS = sys.argv[1]
BODIES = {
    "pass": 0,
    "self.fail()": 1,
    "self.skipTest('no cluster here')": 1,
    "raise OSError": 1,
    None: 1,
}


class Verdict(unittest.TestCase):
    def test_exit_codes(self):
        for body, code in BODIES.items():
            case = f"class C(unittest.TestCase):\n def test_it(self):\n  {body}\n" if body else ""
            program = f"import sys, unittest\nsys.path.append({TESTS!r})\nimport verdict\n{case}verdict.main()\n"
            done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, code, f"{body}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.argv[1:] = ["-v"]
    verdict.main()
