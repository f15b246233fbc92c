"""A mount namespace of the session's own: the host as it is, minus what is hidden."""

import os
import pathlib
import subprocess

from sandbox import ARGS, BLOCKED, CACHE, MODULE, SERVICES, USERS, Sandbox, compile_policy, main, sh, write

RUN = "/mnt/run"
PLACES = f"places {RUN} /mnt/roots {RUN}/marker /mnt/state/private {RUN}/private\n"
SESSION = f"session required {MODULE} cache={CACHE} run={RUN}\n"
SERVICES.update({
    "jailtest": SESSION,
    "elsewhere": SESSION.replace(f"run={RUN}", "run=/mnt/other"),
    "su-l": SERVICES["su-l"].replace(f"cache={CACHE}", f"cache={CACHE} run={RUN}"),
})

GUEST = """\
namespace guest
hide /home
bind /home/%u
bind /home/bar
private /tmp
memory /dev/shm
"""
POLICY = PLACES + GUEST + """\
namespace second
hide /home
bind /home/%u
jail partner /mnt/roots/partner shared
bind /usr
rule users foo,bar,ext guest
rule users solo second
rule users duo partner
"""

INSIDE = ("setpriv", "--reuid=12001", "--regid=12001", "--clear-groups")


def make_places():
    for path in (RUN, "/mnt/state", "/mnt/other"):
        os.mkdir(path, 0o755)
    os.mkdir("/dev/shm")
    for path in ("/tmp", "/dev/shm"):
        sh("mount", "-t", "tmpfs", "-o", "mode=1777", "test", path)
    sh("mount", "-t", "tmpfs", "-o", "mode=0755", "srv", "/srv")


class Namespace(Sandbox):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_places()

    def setUp(self):
        compile_policy(POLICY)

    def policy(self, mounts, rest="rule users foo guest\n"):
        compile_policy(PLACES + "namespace guest\n" + mounts + rest)

    def lines(self, user, *command, **more):
        got = self.session(user, *command, **more)
        self.assertEqual(got.one("open"), "SUCCESS", (got.lines, got.log))
        self.assertEqual(got.one("close"), "SUCCESS", (got.lines, got.log))
        self.assertEqual(got.one("back"), "yes")
        self.assertEqual(got.one("leaked"), "none")
        return got.lines[got.lines.index("host root in a fork: closed") + 1:got.lines.index("close: SUCCESS")]

    def shell(self, script, user="foo", **more):
        return self.lines(user, *INSIDE, "sh", "-c", script, **more)

    def refused(self, reason, user="foo", **more):
        got = self.session(user, "ls", "/home", **more)
        self.assertEqual(got.one("open"), "refused (Permission denied)", (got.lines, got.log))
        self.assertEqual(got.one("back"), "yes")
        self.assertEqual(got.one("leaked"), "none")
        self.assertIn(reason, got.log[-1])
        self.assertTrue(got.log[-1].startswith("<83>"), got.log)

    def test_only_what_is_kept(self):
        self.assertEqual(self.lines("foo", "ls", "/home"), ["bar", "foo"])
        self.assertEqual(self.lines("ext", "ls", "/home"), ["bar", "ext"])
        self.assertEqual(self.shell("cat /home/foo/whose; echo x >/home/foo/new; cat /home/foo/new"), ["foo", "x"])
        self.assertTrue(os.path.exists("/home/foo/new"))

    def test_the_host_is_as_it_was(self):
        before = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        self.assertEqual(self.lines("foo", "ls", "/opt/jail"), sorted(os.listdir("/opt/jail")))
        self.assertEqual(self.lines("other", "ls", "/home"), sorted(USERS))
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8"), before)

    def test_hidden_is_empty_and_read_only(self):
        self.policy("hide /home\n")
        self.assertEqual(self.lines("foo", "sh", "-c", "ls -A /home; mkdir /home/x 2>&1; touch /home/x 2>&1")[0].split(": ")[-1],
                         "Read-only file system")
        self.assertEqual(self.lines("foo", "pwd"), ["/"])

    def test_working_directory_is_not_beneath(self):
        self.assertEqual(self.lines("foo", "sh", "-c", "pwd; ls $PWD/..; ls ../"), ["/home/foo"] + ["bar", "foo"] * 2)

    def test_private_is_the_users_own(self):
        write("/tmp/hosts", "host\n")
        self.assertEqual(self.shell("ls /tmp; echo mine >/tmp/a; echo m >/dev/shm/b"), [])
        self.assertEqual(self.shell("cat /tmp/a /dev/shm/b; stat -c '%a %u %g' /tmp /dev/shm"), ["mine", "m"] + ["1777 0 0"] * 2)
        self.assertEqual(self.lines("bar", "ls", "/tmp", "/dev/shm"), ["/dev/shm:", "", "/tmp:"])
        self.assertEqual(os.listdir("/tmp"), ["hosts"])
        self.assertEqual(os.listdir("/mnt/state/private/12001"), ["tmp"])
        self.assertEqual(os.listdir(RUN + "/private/12001"), ["dev-shm"])
        self.assertEqual(os.stat("/mnt/state/private").st_mode & 0o7777, 0o700)
        options = self.lines("foo", "findmnt", "-no", "OPTIONS", "/tmp")[-1].split(",")
        self.assertLessEqual({"nosuid", "nodev"}, set(options))

    def test_private_is_not_somebody_elses_work(self):
        os.makedirs("/mnt/state/private/12005", exist_ok=True)
        os.chown("/mnt/state/private/12005", 12003, 12003)
        self.addCleanup(os.chown, "/mnt/state/private/12005", 0, 0)
        self.refused("/mnt/state/private/12005", user="ext")

    def test_from_files_and_depth(self):
        os.makedirs("/srv/data/deep", exist_ok=True)
        write("/srv/data/deep/note", "note\n")
        self.policy("hide /home\nbind /home/a/b/data /srv/data\nbind /home/a/file /srv/data/deep/note\n")
        self.assertEqual(self.shell("find /home | sort; cat /home/a/file; touch /home/a/x 2>/dev/null || echo sealed"),
                         ["/home", "/home/a", "/home/a/b", "/home/a/b/data", "/home/a/b/data/deep",
                          "/home/a/b/data/deep/note", "/home/a/file", "note", "sealed"])

    def test_submounts_come_along(self):
        os.makedirs("/home/foo/mnt", exist_ok=True)
        sh("mount", "-t", "tmpfs", "sub", "/home/foo/mnt")
        self.addCleanup(sh, "umount", "/home/foo/mnt")
        write("/home/foo/mnt/below", "below\n")
        self.assertEqual(self.lines("foo", "cat", "/home/foo/mnt/below"), ["below"])

    def test_what_is_optional_may_be_missing(self):
        self.policy("hide /home\nbind /home/nobody - optional\nhide /nowhere - optional\nbind /home/%u\n")
        self.assertEqual(self.lines("foo", "ls", "/home"), ["foo"])

    def test_what_is_missing_refuses(self):
        self.policy("hide /home\nbind /home/nobody\n")
        self.refused("/home/nobody")
        self.policy("hide /nowhere\n")
        self.refused("/nowhere")
        self.policy("bind /nowhere /usr\n")
        self.refused("/nowhere")
        self.assertEqual(sorted(os.listdir("/home")), sorted(USERS))

    def test_a_link_is_no_target(self):
        os.symlink("/home", "/srv/link")
        self.addCleanup(os.unlink, "/srv/link")
        self.policy("hide /srv/link\n")
        self.refused("/srv/link")

    def test_a_users_link_is_no_source(self):
        os.symlink("/home/bar", "/home/foo/link")
        self.addCleanup(os.unlink, "/home/foo/link")
        self.policy("hide /home\nbind /home/shown /home/foo/link\n")
        self.refused("/home/foo/link")

    def test_a_user_does_not_feed_the_system(self):
        os.makedirs("/home/foo/etc", exist_ok=True)
        self.policy("bind /etc /home/foo/etc\n")
        self.refused("may not stand at /etc")

    def test_proc(self):
        self.policy("hide /home\nproc /proc\n")
        self.assertEqual(self.shell("cat /proc/1/comm 2>/dev/null || echo hidden"), ["hidden"])
        self.assertEqual(self.lines("foo", "sh", "-c", "cat /proc/self/comm"), ["cat"])

    def test_proc_can_be_hidden(self):
        self.policy("hide /home\nhide /proc\n")
        if BLOCKED and "move_mount" in BLOCKED:
            self.refused("/proc")  # there all mounts are made by way of it
        else:
            self.assertEqual(self.lines("foo", "ls", "/proc"), [])

    def test_roots_of_others_are_not_there(self):
        self.assertTrue(os.listdir("/mnt/roots"))
        sh("mount", "--bind", "/mnt/roots", "/mnt/roots")
        self.addCleanup(sh, "umount", "-l", "/mnt/roots")
        sh("mount", "--make-unbindable", "/mnt/roots")
        self.assertEqual(self.lines("foo", "sh", "-c", "findmnt -rno TARGET -R /mnt/roots || echo none"), ["none"])

    def test_the_mask_stays_in_a_user_namespace(self):
        escape = "unshare -Urm sh -c 'umount /home; umount -l /home; mount -t tmpfs x /mnt/other; ls /home'"
        self.assertEqual(self.shell(escape + " 2>/dev/null"), ["bar", "foo"])
        self.assertEqual(self.shell("unshare -Ur id -u"), ["0"])

    def test_other_threads_stay(self):
        got = self.session("foo", "ls", "/home", options=["-t"])
        self.assertEqual(got.one("other thread"), "stayed")
        self.assertEqual(got.one("back"), "yes")

    def test_a_fork_stays_inside(self):
        got = self.session("foo", options=["-k"])
        self.assertEqual(got.one("child"), "stayed")

    def test_again(self):
        got = self.session("foo", "ls", "/home", options=["-2"])
        self.assertEqual(got.lines.count("foo"), 2, got.lines)
        self.assertEqual(got.lines.count("back: yes"), 2)
        self.assertEqual(got.lines.count("leaked: none"), 2)

    def test_late_mounts_of_the_host_come(self):
        """Where nothing is hidden; and the session's own are the session's."""
        os.makedirs("/srv/late", exist_ok=True)
        subprocess.run(["mount", "--make-rshared", "/"], check=True)
        self.addCleanup(sh, "mount", "--make-rprivate", "/")
        words = [ARGS["pamrun"], "-s", "jailtest", "foo", "sh", "-c", "echo there; read go; ls /srv/late; ls /home/bar"]
        if BLOCKED:
            words = [ARGS["without"], BLOCKED, *words]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "LD_LIBRARY_PATH": "/opt/jail"}) as session:
            while session.stdout.readline() not in ("there\n", ""):
                pass
            sh("mount", "-t", "tmpfs", "late", "/srv/late")
            sh("mount", "-t", "tmpfs", "late", "/home/bar")
            self.addCleanup(sh, "umount", "/srv/late", "/home/bar")
            write("/srv/late/came", "")
            write("/home/bar/came", "")
            said = session.communicate("go\n", timeout=30)[0].splitlines()
        self.assertEqual(said.count("came"), 2, said)
        self.read_log()

    def test_the_run_directory_is_the_modules_too(self):
        self.refused(f"run={RUN}", service="elsewhere")

    def test_a_cache_without_places(self):
        compile_policy(POLICY.replace(PLACES, ""))
        self.refused("")


if __name__ == "__main__":
    main()
