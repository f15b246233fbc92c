"""su inside a namespace view: stays in it, or is refused; no way out, no way into another."""

import test_namespace
from sandbox import Sandbox, main


class NamespaceInside(Sandbox):
    setUp = test_namespace.Namespace.setUp

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test_namespace.make_places()

    def su(self, by, to):
        got = self.session(by, "su", "-", to, "-c", "echo home: $(ls /home)")
        return got

    def test_su_stays(self):
        for to in ("bar", "other", "root", "admin", "foo"):
            with self.subTest(to=to):
                self.assertEqual(self.su("foo", to).one("home"), "bar foo")

    def test_su_into_another_jail_is_refused(self):
        for to in ("solo", "duo"):
            with self.subTest(to=to):
                got = self.su("foo", to)
                self.assertNotIn("home: ", "\n".join(got.lines))
                self.assertIn("belongs into jail", got.log[-1])


if __name__ == "__main__":
    main()
