"""su inside a view: stays in it, or is refused; no way out, no way into another."""

import os

from sandbox import CACHE, ROOT, Sandbox, main, sh


class Inside(Sandbox):
    def su(self, by, to, by_uid=None):
        """`su` to a user, within the session of another, started as root or as by_uid."""
        words = ["su", "-", to, "-c", "echo home: $(ls /home)"]
        if by_uid:
            words = ["setpriv", f"--reuid={by_uid}", f"--regid={by_uid}", "--clear-groups", *words]
        return self.session(by, *words)

    def assert_stays(self, got, homes=None):
        self.assertEqual(got.one("home"), " ".join(sorted(homes or self.ALL)), got.log)
        self.assertEqual(len(got.log), 1, got.log)  # the line of the session itself

    def assert_stopped(self, got, reason):
        self.assertNotIn("home", "".join(got.lines).replace("/home", ""))
        self.assertEqual(len(got.log), 2, got.log)
        self.assertIn(reason, got.log[1])

    def test_to_oneself(self):
        self.assert_stays(self.su("foo", "foo", 12001))

    def test_to_the_same_jail(self):
        self.assert_stays(self.su("foo", "bar"))
        self.assert_stays(self.su("foo", "bar", 12001))

    def test_to_root_and_break_glass(self):
        self.assert_stays(self.su("foo", "root"))
        self.assert_stays(self.su("foo", "admin"))

    def test_to_an_unconfined_user(self):
        self.assert_stays(self.su("foo", "other"))

    def test_to_another_jail(self):
        self.assert_stopped(self.su("foo", "solo"), "solo belongs into jail each")

    def test_to_another_root_of_the_same_jail(self):
        self.assert_stopped(self.su("solo", "duo"), "duo belongs into jail each")
        self.assert_stays(self.su("solo", "solo"), ["solo"])

    def without_proc(self, by, command):
        self.addCleanup(sh, "mount", "--rbind", "/proc", ROOT + "/proc")
        return self.session(by, "sh", "-c", "umount -l /proc && " + command)

    def test_without_a_way_to_look_at_the_host(self):
        self.assertFalse(os.path.exists(ROOT + CACHE))
        got = self.without_proc("foo", "su - bar -c 'echo home: $(ls /home)'")
        self.assert_stopped(got, "look at the host")

    def test_to_oneself_without_a_way_to_look_at_the_host(self):
        self.assert_stays(self.without_proc(
            "foo", "setpriv --reuid=12001 --regid=12001 --clear-groups su - foo -c 'echo home: $(ls /home)'"))


if __name__ == "__main__":
    main()
