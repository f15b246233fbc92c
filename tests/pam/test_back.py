"""What open_session did, close_session undoes, for this thread alone; pam_end and forks never do."""

import os

from sandbox import Sandbox, main


class Back(Sandbox):
    def test_working_directory(self):
        self.assertIn("/home/foo", self.session("foo", "pwd", "-P").lines)

    def test_no_home_in_the_view(self):
        got = self.session("visitor7", "sh", "-c", "umask; pwd -P")
        self.assertIn("/home/visitor7", got.lines)

    def test_again(self):
        got = self.session("foo", "cat", "/home/foo/whose", options=["-2"])
        self.assertEqual(got.lines.count("foo"), 2)
        self.assertEqual(got.lines.count("back: yes"), 2)
        self.assertEqual(got.lines.count("leaked: none"), 2)

    def test_other_threads_stay(self):
        got = self.session("foo", "ls", "/home", options=["-t"])
        self.assertEqual(got.one("other thread"), "stayed")
        self.assertNotIn("other", got.lines)

    def test_nothing_is_inherited(self):
        got = self.session("foo", "sh", "-c", "ls -l /proc/self/fd; ls /proc/self/fd/*/home")
        self.assertEqual(got.one("open"), "SUCCESS")
        self.assertNotIn("other", got.lines)
        self.assertNotIn("/mnt", "\n".join(got.lines))

    def test_standard_streams_are_left_alone(self):
        os.rename("/dev/log", "/dev/elsewhere")  # else its socket takes the numbers
        self.addCleanup(os.rename, "/dev/elsewhere", "/dev/log")
        got = self.session("foo", options=["-i"])
        self.assertEqual(got.one("standard streams"), "left alone")
        self.assertEqual(got.one("back"), "yes")

    def test_a_fork_does_not_have_the_way_back(self):
        self.assertEqual(self.session("foo").one("host root in a fork"), "closed")

    def test_a_fork_stays_inside(self):
        got = self.session("foo", options=["-k"])
        self.assertEqual(got.one("child"), "stayed")

    def test_ending_the_handle_is_not_leaving(self):
        got = self.session("foo", "ls", "/home", options=["-e"])
        self.assertEqual(got.one("host root in a fork"), "closed")
        self.assertIn("foo", got.lines)
        self.assertNotIn("other", got.lines)

    def test_listed_twice(self):
        self.assert_confined("foo", service="twice")


if __name__ == "__main__":
    main()
