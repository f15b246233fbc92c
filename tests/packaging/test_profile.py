"""Where pam-auth-update puts pam_jail: at the end of both session stacks, whatever else is there."""

import re

from sandbox import Sandbox
import verdict

STACKS = ("common-session", "common-session-noninteractive")
OURS = ["[success=1 default=ignore] pam_succeed_if.so quiet uid = 0", "required pam_jail.so"]
# Profiles as other packages bring them: ties at priority 0 go by name, backwards; below 0 is rare.
OTHERS = {
    "aaa-first": (0, "no"), "zzz-last": (0, "no"), "negative": (-512, "no"), "interactive": (-1024, "yes"), "high": (900, "yes"),
}


class Profile(Sandbox):
    def setUp(self):
        super().setUp()
        for name, (priority, interactive) in OTHERS.items():
            only = "Session-Interactive-Only: yes\n" if interactive == "yes" else ""
            self.write(f"/usr/share/pam-configs/{name}", f"Name: {name}\nDefault: yes\nPriority: {priority}\n{only}"
                       f"Session-Type: Additional\nSession:\n\toptional\tpam_echo.so {name}\n")
        self.chroot("pam-auth-update", "--package")
        self.install("agent", "pam")
        self.before = {name: self.read(f"/etc/pam.d/{name}") for name in STACKS}

    def lines(self, stack):
        """The session lines that work, with single spaces and without what they are for."""
        found = []
        for line in self.read(f"/etc/pam.d/{stack}").splitlines():
            kind, _, rest = line.split("#", 1)[0].strip().partition("\t") if "\t" in line else line.partition(" ")
            if kind.strip() == "session":
                found.append(re.sub(r"\s+", " ", rest).strip())
        return found

    def enable(self):
        self.chroot("pam-auth-update", "--package", "--enable", "clusterjail")

    def test_last_in_both(self):
        self.enable()
        for stack in STACKS:
            self.assertEqual(self.lines(stack)[-2:], OURS, stack)
            self.assertEqual(sum("pam_jail" in line for line in self.lines(stack)), 1)
        # The others are all there, before it.
        self.assertEqual(sum("pam_echo" in line for line in self.lines("common-session")), len(OTHERS))
        self.assertEqual(sum("pam_echo" in line for line in self.lines("common-session-noninteractive")), 3)

    def test_only_session_stacks(self):
        self.enable()
        for stack in ("common-auth", "common-account", "common-password"):
            self.assertNotIn("pam_jail", self.read(f"/etc/pam.d/{stack}"))

    def test_what_is_installed_later_comes_before_it(self):
        self.enable()
        self.write("/usr/share/pam-configs/later", "Name: later\nDefault: yes\nPriority: -2048\nSession-Type: Additional\n"
                   "Session:\n\toptional\tpam_echo.so later\n")
        self.chroot("pam-auth-update", "--package")
        for stack in STACKS:
            self.assertEqual(self.lines(stack)[-3:], ["optional pam_echo.so later", *OURS])

    def test_enabling_twice_changes_nothing(self):
        self.enable()
        once = {name: self.read(f"/etc/pam.d/{name}") for name in STACKS}
        self.enable()
        self.assertEqual({name: self.read(f"/etc/pam.d/{name}") for name in STACKS}, once)

    def test_removing_gives_back_what_was(self):
        self.enable()
        self.chroot("pam-auth-update", "--package", "--remove", "clusterjail")
        self.assertEqual({name: self.read(f"/etc/pam.d/{name}") for name in STACKS}, self.before)

    def test_arguments_that_an_administrator_added_stay(self):
        self.enable()
        path = self.path("/etc/pam.d/common-session")
        path.write_text(path.read_text().replace("pam_jail.so", "pam_jail.so debug"))
        self.chroot("pam-auth-update", "--package")
        self.assertEqual(self.lines("common-session")[-1], "required pam_jail.so debug")


if __name__ == "__main__":
    verdict.main()
