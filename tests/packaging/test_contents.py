"""What the packages hold, where, with which modes, and what they depend on."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from sandbox import NAMES, deb
import verdict

FILES = {
    "agent": {
        "/usr/sbin/jail-agent": "-rwxr-xr-x",
        "/usr/lib/systemd/system/clusterjail-boot.service": "-rw-r--r--",
        "/usr/lib/systemd/system/clusterjail.service": "-rw-r--r--",
        "/usr/lib/systemd/system/clusterjail.timer": "-rw-r--r--",
        "/usr/lib/systemd/system/run-clusterjail-private.mount": "-rw-r--r--",
        "/usr/lib/tmpfiles.d/clusterjail.conf": "-rw-r--r--",
        "/usr/lib/sysusers.d/clusterjail-agent.conf": "-rw-r--r--",
        "/usr/share/doc/clusterjail-agent/agent.conf.example": "-rw-r--r--",
        "/usr/share/man/man8/jail-agent.8.gz": "-rw-r--r--",
        "/usr/share/man/man5/agent.conf.5.gz": "-rw-r--r--",
        "/usr/share/bash-completion/completions/jail-agent": "-rw-r--r--",
    },
    "pam": {
        "/usr/lib/TRIPLET/security/pam_jail.so": "-rw-r--r--",
        "/usr/share/pam-configs/clusterjail": "-rw-r--r--",
        "/usr/share/man/man8/pam_jail.8.gz": "-rw-r--r--",
    },
    "policy": {
        "/usr/bin/jail-policy": "-rwxr-xr-x",
        "/usr/share/clusterjail/schema/policy.schema.json": "-rw-r--r--",
        "/usr/share/clusterjail/schema/trust.schema.json": "-rw-r--r--",
        "/usr/share/clusterjail/schema/status.schema.json": "-rw-r--r--",
        "/usr/share/man/man1/jail-policy.1.gz": "-rw-r--r--",
        "/usr/share/bash-completion/completions/jail-policy": "-rw-r--r--",
    },
    "endpoint": {
        "/usr/sbin/jail-policyd": "-rwxr-xr-x",
        "/usr/lib/systemd/system/jail-policyd.service": "-rw-r--r--",
        "/usr/lib/sysusers.d/clusterjail-endpoint.conf": "-rw-r--r--",
        "/usr/share/man/man8/jail-policyd.8.gz": "-rw-r--r--",
        "/usr/share/bash-completion/completions/jail-policyd": "-rw-r--r--",
    },
}
SCRIPTS = {"agent": {"postinst", "postrm", "prerm"}, "pam": {"postinst", "prerm"}, "policy": set(),
           "endpoint": {"postinst", "postrm", "prerm"}}
# Package names differ a little between releases (libssl1.1, libssl3, libssl3t64).
LIBRARIES = {"agent": {"libc6", "libcjson", "libcurl", "libinih", "libssl"}, "pam": {"libc6", "libpam"},
             "policy": {"libc6", "libcjson", "libssl"}, "endpoint": {"libc6", "libmicrohttpd", "libssl"}}
OTHERS = {"agent": {"systemd-standalone-sysusers|systemd"}, "pam": {"clusterjail-agent", "libpam-runtime", "libpam-modules"},
          "policy": set(), "endpoint": {"systemd-standalone-sysusers|systemd"}}


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


class Contents(unittest.TestCase):
    maxDiff = None

    def listing(self, name):
        """path -> (mode, owner) of everything in the package."""
        found = {}
        for line in output("dpkg-deb", "-c", deb(name)).splitlines():
            mode, owner, _, _, _, path = line.split(None, 5)
            found[path[1:]] = (mode, owner)
        return found

    def test_files_and_modes(self):
        for name in NAMES:
            wanted = dict(FILES[name])
            for document in ("copyright", "changelog.gz"):
                wanted[f"/usr/share/doc/clusterjail-{name}/{document}"] = "-rw-r--r--"
            found = {re.sub(r"/usr/lib/[^/]+-linux-gnu[^/]*/", "/usr/lib/TRIPLET/", path): entry[0]
                     for path, entry in self.listing(name).items() if not path.endswith("/")}
            self.assertEqual(found, wanted, name)

    def test_everything_is_roots_and_nobody_elses_to_write(self):
        for name in NAMES:
            for path, (mode, owner) in self.listing(name).items():
                self.assertEqual(owner, "root/root", path)
                self.assertRegex(mode, r"^([-d]rwxr-xr-x|-rw-r--r--)$", path)

    def test_dependencies(self):
        for name in NAMES:
            depends = {re.sub(r"\([^)]*\)|\s", "", one) for one in output("dpkg-deb", "-f", deb(name), "Depends").split(",")}
            libraries = {re.match(r"libc6|lib[a-z]+(?=[0-9.-])|libpam(?=0g)", one).group(0) for one in depends - OTHERS[name]}
            self.assertEqual(libraries, LIBRARIES[name], name)
            self.assertLessEqual(OTHERS[name], depends, name)

    def test_names_and_descriptions(self):
        architecture = output("dpkg", "--print-architecture").strip()
        for name in NAMES:
            version = output("dpkg-deb", "-f", deb(name), "Version").strip()
            self.assertEqual(os.path.basename(deb(name)), f"clusterjail-{name}_{version}_{architecture}.deb")
            synopsis, *rest = output("dpkg-deb", "-f", deb(name), "Description").splitlines()
            self.assertLess(len(synopsis), 80)
            self.assertGreater(len(rest), 0)

    def test_programs_are_stripped_and_hardened(self):
        with tempfile.TemporaryDirectory() as directory:
            for name in NAMES:
                output("dpkg-deb", "-x", deb(name), directory)
            programs = [os.path.join(path, file) for path, _, files in os.walk(directory) for file in files
                        if file.startswith(("jail-", "pam_jail")) and pathlib.Path(path, file).read_bytes()[:4] == b"\x7fELF"]
            self.assertEqual(len(programs), 4)
            for program in programs:
                self.assertIn("BIND_NOW", output("readelf", "-d", program))
                self.assertNotIn(".debug_info", output("readelf", "-SW", program))

    def test_scripts(self):
        for name in NAMES:
            with tempfile.TemporaryDirectory() as directory:
                output("dpkg-deb", "-e", deb(name), directory)
                scripts = set(os.listdir(directory)) - {"control", "md5sums"}
                self.assertEqual(scripts, SCRIPTS[name])
                for script in scripts:
                    path = os.path.join(directory, script)
                    self.assertEqual(os.stat(path).st_mode & 0o7777, 0o755, path)
                    text = pathlib.Path(path).read_text()
                    self.assertTrue(text.startswith("#!/bin/sh\n"), path)
                    self.assertIn("\nset -e\n", text)
                    output("sh", "-n", path)
                    # A home can be mounted below anything of ours: nothing is ever removed recursively.
                    for line in text.splitlines():
                        code = line.split("#", 1)[0]
                        self.assertNotRegex(code, r"\brm\b.*\s(-[a-zA-Z]*[rR]|--recursive)|\bfind\s+/|\bumount\b|-delete", path)


if __name__ == "__main__":
    verdict.main()
