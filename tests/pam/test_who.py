"""Identity is the account's, never the name as typed; root and break-glass get in whatever happens."""

import os

from sandbox import CACHE, Sandbox, bind_over, main, sh


class Who(Sandbox):
    def test_root_is_not_looked_up(self):
        for user in ("root", "toor"):
            self.assert_free(user)

    def test_other_spelling_is_the_same_user(self):
        self.assert_confined("FOO")

    def test_name_given_back_as_typed(self):
        self.assert_refused("Foo", "uid 12001 of foo")

    def test_second_name_on_a_uid(self):
        self.assert_refused("foo2", "uid 12001 of foo")

    def test_unknown(self):
        self.assert_refused("nobody-knows", "nobody-knows")

    def test_log_line_stays_one_line(self):
        got = self.assert_refused("evil\nNov 24 sshd: Accepted", "evil?Nov")
        self.assertNotIn("\n", got.log[0])

    def test_break_glass(self):
        self.assert_free("admin")  # listed in sudo, and in the rule for partner
        self.assert_free("deputy")  # sudo is the primary group
        self.assert_confined("foo")
        self.assert_free("foo", service="wheel")  # breakglass=keys
        self.assert_confined("admin", service="wheel")

    def test_break_glass_needs_no_name_service(self):
        os.unlink(CACHE)
        bind_over("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        self.addCleanup(sh, "umount", "/etc/passwd")
        self.assert_free("admin")
        self.assert_refused("other", "other")

    def test_root_needs_no_name_service(self):
        os.unlink(CACHE)
        bind_over("/etc/passwd", "foo:x:12001:12001::/home/foo:/bin/sh\n")
        self.addCleanup(sh, "umount", "/etc/passwd")
        self.assert_free("root")

    def test_group_file_that_others_may_write(self):
        os.chmod("/etc/group", 0o666)
        got = self.session("admin", "ls", "/home")
        os.chmod("/etc/group", 0o644)
        self.assertEqual(got.one("open"), "SUCCESS")
        self.assertNotIn("other", got.lines)  # confined by the rule for partner
        self.assertEqual([line[:4] for line in got.log], ["<84>", "<86>"])


if __name__ == "__main__":
    main()
