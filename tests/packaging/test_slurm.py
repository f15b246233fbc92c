"""clusterjail-slurm: for one series of SLURM, and not to be taken away while SLURM asks for it."""

import os
import re
import subprocess
import unittest

from sandbox import Sandbox, deb
import verdict


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


class Slurm(Sandbox):
    PLUGSTACK = "etc/slurm/plugstack.conf.d/clusterjail.conf"

    def test_contents(self):
        lines = [line.split(None, 5) for line in output("dpkg-deb", "-c", deb("slurm")).splitlines()]
        for line in lines:
            self.assertEqual(line[1], "root/root", line)
            self.assertRegex(line[0], r"^(drwxr-xr-x|-rw-r--r--)$", line)
        found = {re.sub(r"/usr/lib/[^/]+-linux-gnu[^/]*/", "/usr/lib/TRIPLET/", line[5][1:]) for line in lines if line[0][0] == "-"}
        self.assertEqual(found, {
            "/usr/lib/TRIPLET/slurm-wlm/spank_jail.so", "/usr/share/man/man8/spank_jail.8.gz",
            "/usr/share/doc/clusterjail-slurm/copyright", "/usr/share/doc/clusterjail-slurm/changelog.gz"})

    def test_one_series(self):
        """That of the header it was built with: the plugin says so to SLURM, the package to dpkg."""
        built = output("dpkg-query", "-W", "-f", "${Version}", "libslurm-dev")
        major, minor = (int(part) for part in re.match(r"(\d+)\.(\d+)", built).groups())
        depends = re.split(r",\s*", output("dpkg-deb", "-f", deb("slurm"), "Depends").strip())
        self.assertIn(f"slurmd (>= {major}.{minor:02})", depends)
        self.assertIn(f"slurmd (<< {major}.{minor + 1:02})", depends)
        self.assertIn("clusterjail-agent", depends)
        self.assertEqual({re.sub(r"\s.*", "", one) for one in depends}, {"clusterjail-agent", "slurmd", "libc6"})

    def test_it_stays_while_slurm_asks_for_it(self):
        name = os.path.basename(deb("slurm"))
        (self.root / "tmp" / name).write_bytes(open(deb("slurm"), "rb").read())
        self.chroot("dpkg", "--force-depends", "-i", f"/tmp/{name}")
        line = self.root / self.PLUGSTACK
        line.parent.mkdir(parents=True, exist_ok=True)
        line.write_text("required spank_jail.so\n")
        self.refused("/etc/slurm/plugstack.conf.d/clusterjail.conf", "dpkg", "--remove", "clusterjail-slurm")
        line.write_text("# required spank_jail.so\n")
        self.chroot("dpkg", "--purge", "clusterjail-slurm")


if __name__ == "__main__":
    verdict.main()
