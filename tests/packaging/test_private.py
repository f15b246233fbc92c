"""Private directories: what ages, what stays, and the memory that they are in; with the real systemd-tmpfiles."""

import os
import pathlib
import shutil
import socket
import sys
import time

LATER = pathlib.Path(sys.argv.pop(2)).resolve()

from sandbox import Sandbox, mount  # it takes what is left of the command line
import verdict

DAY = 24 * 3600
PLACES = ("/var/lib/clusterjail/private", "/run/clusterjail/private")


class Private(Sandbox):
    def setUp(self):
        super().setUp()
        self.install("agent")
        shutil.copy(LATER, self.path("/tmp/later.so"))

    def make(self, place, name, age=0):
        path = self.path(f"{place}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        if age:  # younger than the clock will say
            when = time.time() - age * DAY
            os.utime(path, (when, when))
        return path

    def clean(self, days):
        """As systemd-tmpfiles-clean.service does, so many days later. Of all lines only ours: the machine's own stay out."""
        self.chroot("env", "LD_PRELOAD=/tmp/later.so", f"LATER={days * DAY}", "systemd-tmpfiles", "--clean", "clusterjail.conf")

    def left(self, place):
        top = self.path(place)
        return sorted(str(path.relative_to(top)) for path in top.rglob("*"))

    def test_what_is_old_goes_and_the_directories_stay(self):
        for place in PLACES:
            self.make(place, "1001/tmp/a/deep/file")
            self.make(place, "1001/dev-shm/file")
            self.make(place, "1002/tmp/.hidden")
            self.make(place, "1002/tmp/today", age=-11)
            self.make(place, "1002/tmp/dir/today", age=-11)
        self.clean(9)
        self.assertIn("1001/tmp/a/deep/file", self.left(PLACES[0]))
        self.clean(11)
        for place in PLACES:
            self.assertEqual(self.left(place), ["1001", "1001/dev-shm", "1001/tmp", "1002", "1002/tmp", "1002/tmp/dir",
                                                "1002/tmp/dir/today", "1002/tmp/today"])

    def test_a_year_later_they_still_stay(self):
        for place in PLACES:
            self.path(f"{place}/1001/tmp").mkdir(parents=True)
            self.path(f"{place}/1002").mkdir(parents=True)
        before = {path: os.stat(self.path(path)).st_mode for place in PLACES for path in (place, f"{place}/1001", f"{place}/1001/tmp")}
        self.clean(365)
        self.assertEqual({path: os.stat(self.path(path)).st_mode for path in before}, before)

    def test_sockets_in_use_stay(self):
        """Elsewhere systemd-tmpfiles knows by its path that a socket is open; here the path is the session's."""
        names = ("tmux-1001/default", "ssh-XXXXabc/agent.1", ".X11-unix/X5")
        for name in names:
            path = self.path(f"{PLACES[0]}/1001/tmp/{name}")
            path.parent.mkdir(parents=True)
            where = os.open(path.parent, os.O_PATH)  # a socket's path has a limit of 108 bytes
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(f"/proc/self/fd/{where}/{path.name}")
            os.close(where)
        self.clean(365)
        self.assertLessEqual({f"1001/tmp/{name}" for name in names}, set(self.left(PLACES[0])))

    def test_a_link_is_not_followed(self):
        """The user's own may point anywhere; it is removed, what it points at is not."""
        self.write("/home/of-the-test/old", "kept")
        tmp = self.path(f"{PLACES[0]}/1001/tmp")
        tmp.mkdir(parents=True)
        (tmp / "link").symlink_to("/home/of-the-test")
        self.clean(365)
        self.assertEqual(self.read("/home/of-the-test/old"), "kept")

    def test_what_is_mounted_in_one_is_not_touched(self):
        self.write("/home/of-the-test/old", "kept")
        inside = self.path(f"{PLACES[0]}/1001/tmp/mnt")
        inside.mkdir(parents=True)
        mount("-t", "tmpfs", "x", inside)
        (inside / "old").write_text("kept")
        self.clean(365)
        self.assertEqual((inside / "old").read_text(), "kept")

    def test_the_memory_is_a_mount_like_that(self):
        """The unit's own options, given to mount(8)."""
        unit = dict(line.split("=", 1) for line in self.read("/usr/lib/systemd/system/run-clusterjail-private.mount").splitlines()
                    if "=" in line and not line.startswith("#"))
        where = self.path(unit["Where"])
        where.mkdir(parents=True)
        self.chroot("mount", "-t", unit["Type"], "-o", unit["Options"], unit["What"], unit["Where"])
        self.assertEqual(os.stat(where).st_mode & 0o7777, 0o700)
        flags = os.statvfs(where).f_flag
        self.assertTrue(flags & os.ST_NOSUID and flags & os.ST_NODEV)
        self.assertFalse(flags & os.ST_NOEXEC)
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        size = os.statvfs(where)
        self.assertAlmostEqual(size.f_blocks * size.f_frsize / memory, 0.5, places=1)
        (where / "1001/dev-shm").mkdir(parents=True)
        (where / "1001/dev-shm/x").write_text("in memory")
        # Teardown, which a removal does, leaves neither the mount nor the directories.
        self.write("/etc/clusterjail/agent.conf", "[policy]\nurl = http://127.0.0.1:1/v1/policy.json\n[safety]\nhost_namespace = any\n")
        self.chroot("dpkg", "-r", "clusterjail-agent")
        self.assertFalse(where.exists())


if __name__ == "__main__":
    verdict.main()
