"""sudo -u runs a command in the view of its user, or not at all: sudo goes on after PAM_SESSION_ERR."""

import os
import subprocess

from sandbox import CACHE, ROOT, Sandbox, bind_over, main, sh

SUDOERS = "Defaults !lecture, !use_pty\nALL ALL=(ALL:ALL) NOPASSWD: ALL\n"
BY_FOO = ["setpriv", "--reuid=12001", "--regid=12001", "--clear-groups"]


class Sudo(Sandbox):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for etc in ("/etc", ROOT + "/etc"):
            bind_over(etc + "/sudoers", SUDOERS)

    def sudo(self, user, *command):
        """By root, on the host. Its status, its output, and the module's lines."""
        done = subprocess.run(["sudo", "-n", "-u", user, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=30, cwd="/usr", check=False)
        return done.returncode, done.stdout.splitlines(), self.read_log()

    def assert_nothing_ran(self, user, reason):
        file = f"/home/{user}/ran"
        status, lines, log = self.sudo(user, "touch", file)
        self.assertFalse(os.path.exists(file), lines)
        self.assertNotEqual(status, 0, lines)
        self.assertEqual(len(log), 1, log)
        self.assertIn(reason, log[0])

    def test_confined(self):
        status, lines, _ = self.sudo("foo", "ls", "/home")
        self.assertEqual((status, lines), (0, sorted(self.ALL)))

    def test_free(self):
        for user in ("other", "root", "admin"):
            status, lines, _ = self.sudo(user, "ls", "/home")
            self.assertEqual(status, 0, lines)
            self.assertIn("other", lines)

    def test_view_broken(self):
        sh("umount", "--lazy", ROOT + "/home/foo")
        try:
            self.assert_nothing_ran("foo", ROOT + "/home/foo")
        finally:
            sh("mount", "--rbind", "/home/foo", ROOT + "/home/foo")
        self.assertEqual(self.sudo("foo", "true")[0], 0)

    def test_no_cache(self):
        os.unlink(CACHE)
        self.assert_nothing_ran("foo", "no usable policy")
        self.assert_nothing_ran("other", "no usable policy")
        self.assertEqual(self.sudo("root", "true")[0], 0)

    def test_within_the_jail(self):
        got = self.session("foo", *BY_FOO, "sudo", "-n", "-u", "bar", "sh", "-c", "echo home: $(ls /home)")
        self.assertEqual(got.one("home"), " ".join(sorted(self.ALL)), got.log)

    def test_from_one_jail_to_another(self):
        for by in ([], BY_FOO):
            got = self.session("foo", *by, "sudo", "-n", "-u", "solo", "sh", "-c", "echo 'it ran'")
            self.assertNotIn("it ran", got.lines)
            self.assertEqual(len(got.log), 2, got.log)
            self.assertIn("solo belongs into jail each", got.log[1])


if __name__ == "__main__":
    main()
