"""A node never holds a private key, so its programs have no code for one.

usage: test_agent.py READELF PROGRAM...
"""

import os
import re
import subprocess
import sys
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import verdict  # tests/verdict.py, for every folder of tests

READELF, PROGRAMS = sys.argv[1], sys.argv[2:]

# Of libcrypto: reading, making, writing and using private keys.
PRIVATE = re.compile(r"PEM_(read|write)\w*Private\w*|EVP_(DigestSign|Sign|PKEY_sign|PKEY_keygen|PKEY_new_raw_private)\w*")


def called(program):
    text = subprocess.run([READELF, "--wide", "--dyn-syms", program], check=True, text=True, stdout=subprocess.PIPE).stdout
    return set(re.findall(r" UND (\w+)", text))


class Agent(unittest.TestCase):
    def test_no_private_keys(self):
        agent, endpoint, policy = PROGRAMS
        self.assertIn("EVP_DigestVerify", called(agent))
        for program in (agent, endpoint):
            self.assertEqual({name for name in called(program) if PRIVATE.fullmatch(name)}, set(), program)
        self.assertIn("EVP_DigestSign", {name for name in called(policy) if PRIVATE.fullmatch(name)})


if __name__ == "__main__":
    sys.argv[1:] = ["-v"]
    verdict.main()
