"""Without a readable cache everybody is refused but root and those who break the glass; with a bad one too."""

import os

from sandbox import CACHE, POLICY, Sandbox, compile_policy, main


class Cache(Sandbox):
    def tearDown(self):
        if os.path.lexists(CACHE):
            os.unlink(CACHE)

    def assert_closed(self, reason):
        for user in ("foo", "other"):
            got = self.assert_refused(user, reason)
            self.assertIn("jail-agent --sync", got.log[0])
        for user in ("root", "toor", "admin", "deputy"):
            self.assert_free(user)

    def test_good(self):
        self.assert_confined("foo")
        self.assert_free("other")

    def test_deleted(self):
        os.unlink(CACHE)
        self.assert_closed("No such file")

    def test_truncated(self):
        with open(CACHE, "rb") as file:
            whole = file.read()
        for size in sorted({0, 1, 7, 64, 200, len(whole) // 2, len(whole) - 1}):
            with self.subTest(size=size):
                with open(CACHE, "wb") as file:
                    file.write(whole[:size])
                self.assert_closed("no usable policy")

    def test_garbage(self):
        with open(CACHE, "wb") as file:
            file.write(b"\x7fELF" * 500)
        self.assert_closed("no usable policy")

    def test_foreign_owner(self):
        os.chown(CACHE, 12001, 0)
        self.assert_closed("12001")

    def test_writable_by_group(self):
        os.chmod(CACHE, 0o664)
        self.assert_closed("no usable policy")

    def test_fifo(self):
        os.unlink(CACHE)
        os.mkfifo(CACHE, 0o644)
        self.assert_closed("no usable policy")

    def test_symlink(self):
        os.rename(CACHE, CACHE + ".real")
        os.symlink(CACHE + ".real", CACHE)
        self.assert_closed("no usable policy")
        os.unlink(CACHE + ".real")

    def test_unknown_argument(self):
        for user in ("foo", "other"):
            self.assert_refused(user, "cash=" + CACHE, service="typo")
        for user in ("root", "admin"):
            self.assert_free(user, service="typo")

    def test_module_missing(self):
        self.assertTrue(self.session("foo", "ls", service="missing").one("open").startswith("refused"))
        got = self.session("root", "ls", "/home", service="missing")
        self.assertEqual(got.one("open"), "SUCCESS")

    def test_empty_policy_confines_nobody(self):
        compile_policy("rule match nobody-has-this-name null\n")
        self.assert_free("foo")
        self.assertIn("rule users foo", POLICY)


if __name__ == "__main__":
    main()
