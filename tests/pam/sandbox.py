"""A machine for pam_jail.so, made of mounts in the namespaces that ctest starts each test in.

/mnt          a tmpfs: the compiled policy, the roots of the views, the marker
/home /opt    the homes, the module; /etc/passwd, /etc/group, /etc/nsswitch.conf, /etc/pam.d are bound over
/dev/log      a socket that is read here: what the module logs is part of what is tested
"""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import verdict  # tests/verdict.py, for every folder of tests

ARGS = dict(word.split("=", 1) for word in sys.argv[1:])
BLOCKED = ARGS.get("blocked")  # system calls that this kernel does not have, as far as the session can see
CACHE = "/mnt/policy.cache"
ROOT = "/mnt/roots/partner"
MODULE = "/opt/jail/pam_jail.so"

USERS = {
    "foo": 12001, "bar": 12002, "other": 12003, "admin": 12004, "ext": 12005, "solo": 12006, "duo": 12007,
    "visitor7": 12008, "deputy": 12009, "exempt": 12010,
}

PASSWD = "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n" + "".join(
    f"{name}:x:{uid}:{27 if name == 'deputy' else uid}::/home/{name}:/bin/sh\n" for name, uid in USERS.items()
) + "foo2:x:12001:12001::/home/foo:/bin/sh\n"

GROUP = "root:x:0:\nsudo:x:27:admin\nstaff:x:12901:exempt\nlocal-a:x:12902:bar,exempt\nkeys:x:12903:foo\n" + "".join(
    f"{name}:x:{uid}:\n" for name, uid in USERS.items())

MOUNTS = """\
bind /bin
bind /lib
bind /lib64
bind /usr
bind /etc
bind /opt
bind /dev
bind /proc
bind /home/%u
bind /srv/nowhere - optional
"""

POLICY = f"""\
jail partner {ROOT} shared
{MOUNTS}
jail each /mnt/roots/each/%u
{MOUNTS}
rule groups staff null
rule users foo,admin,deputy,exempt partner
rule users solo,duo each
rule groups ext-*,local-a partner
rule match visitor[0-9]+ partner
member ext ext /home/ext 12005 3
member bar bar /home/bar 12002 3
member foo foo /home/foo 12001 1
group ext-a 12900 ext
group local-a 12902 bar
"""

SERVICES = {
    "other": "session required pam_deny.so\n",
    "jailtest": f"session required {MODULE} cache={CACHE}\n",
    "twice": f"session required {MODULE} cache={CACHE}\n" * 2,
    "slurm": f"session required {MODULE} cache={CACHE}\n",
    "wheel": f"session required {MODULE} cache={CACHE} breakglass=keys\n",
    "typo": f"session required {MODULE} cash={CACHE} cache={CACHE}\n",
    "missing": "session required pam_permit.so\n"
               "session [success=1 default=ignore] pam_succeed_if.so quiet uid = 0\n"
               "session required /opt/jail/nothing.so\n",
}


SERVICES["su"] = SERVICES["su-l"] = SERVICES["sudo"] = ("auth required pam_permit.so\naccount required pam_permit.so\n"
                                     f"session required {MODULE} cache={CACHE}\n")


def sh(*words):
    subprocess.run(words, check=True)


def write(path, text, mode=0o644):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def bind_over(path, text):
    descriptor, copy = tempfile.mkstemp(dir="/mnt")
    os.close(descriptor)
    write(copy, text)
    sh("mount", "--bind", copy, path)


def make_dev():
    """A /dev of our own, so that the log's socket is not the machine's."""
    os.mkdir("/mnt/dev")
    sh("mount", "-t", "tmpfs", "-o", "mode=0755", "dev", "/mnt/dev")
    for name in ("null", "zero", "urandom", "tty"):
        write(f"/mnt/dev/{name}", "")
        sh("mount", "--bind", f"/dev/{name}", f"/mnt/dev/{name}")
    sh("mount", "--move", "/mnt/dev", "/dev")


PROGRAMS = ("pamrun", "mkcache", "without", "module", "nss")
FILE_NAMES = {"module": os.path.basename(MODULE), "nss": "libnss_jailtest.so.2"}


def make_machine():
    os.umask(0o022)
    # The build may lie below what is mounted over from here on.
    programs = {name: pathlib.Path(ARGS[name]).read_bytes() for name in PROGRAMS}
    sh("mount", "-t", "tmpfs", "-o", "mode=0755", "test", "/mnt")
    make_dev()
    for path in ("/home", "/opt"):
        sh("mount", "-t", "tmpfs", "-o", "mode=0755", "test", path)
    for name, uid in USERS.items():
        os.mkdir(f"/home/{name}")
        write(f"/home/{name}/whose", name + "\n")
        os.chown(f"/home/{name}", uid, uid)
    os.mkdir("/opt/jail")
    for name, content in programs.items():
        ARGS[name] = f"/opt/jail/{FILE_NAMES.get(name, name)}"
        pathlib.Path(ARGS[name]).write_bytes(content)
        os.chmod(ARGS[name], 0o755)
    bind_over("/etc/passwd", PASSWD)
    bind_over("/etc/group", GROUP)
    bind_over("/etc/nsswitch.conf", "passwd: files jailtest\ngroup: files jailtest\n")
    os.mkdir("/mnt/pam.d")
    for name, text in SERVICES.items():
        write(f"/mnt/pam.d/{name}", text)
    sh("mount", "--bind", "/mnt/pam.d", "/etc/pam.d")
    os.makedirs("/mnt/marker/partner", 0o755)
    os.chmod("/mnt/marker/partner", 0o700)
    os.chmod("/mnt/marker", 0o700)
    os.mkdir("/mnt/roots", 0o700)


def bind(source, target):
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        write(target, "")
    sh("mount", "--rbind", source, target)


def mount_view(root, users):
    """What jail-agent does, in a few words."""
    os.makedirs(root)
    for line in MOUNTS.splitlines():
        target = line.split()[1]
        if line.endswith("optional"):
            continue
        if os.path.islink(target):
            os.symlink(os.readlink(target), root + target)
        elif "%u" in target:
            for user in users:
                bind(target.replace("%u", user), root + target.replace("%u", user))
        else:
            bind(target, root + target)
    bind("/mnt/marker/partner", root + "/.clusterjail")


def unmount_view(root):
    sh("umount", "--recursive", "--lazy", root) if os.path.ismount(root) else None
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        points = [line.split()[4] for line in table]
    for point in reversed(points):
        if point.startswith(root + "/"):
            sh("umount", "--lazy", point)


def compile_policy(text=POLICY, out=CACHE):
    subprocess.run([ARGS["mkcache"], out], input=text, text=True, check=True)


class Result:
    def __init__(self, text, log):
        self.lines = text.splitlines()
        self.log = log

    def one(self, key):
        """The line "key: value"; it must be there once."""
        found = [line[len(key) + 2:] for line in self.lines if line.startswith(key + ": ")]
        assert len(found) == 1, f"{key} in {self.lines}"
        return found[0]


class Sandbox(unittest.TestCase):
    ALL = ["foo", "bar", "admin", "ext", "visitor7"]

    @classmethod
    def setUpClass(cls):
        make_machine()
        mount_view(ROOT, cls.ALL)
        mount_view("/mnt/roots/each/solo", ["solo"])
        mount_view("/mnt/roots/each/duo", ["duo"])
        cls.log_socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        cls.log_socket.bind("/dev/log")
        cls.log_socket.setblocking(False)

    def setUp(self):
        compile_policy()

    def read_log(self):
        """The module's lines; su has some of its own."""
        lines = []
        while True:
            try:
                lines.append(self.log_socket.recv(65536).decode("utf-8", "replace").rstrip("\0\n"))
            except BlockingIOError:
                return [line for line in lines if "pam_jail(" in line]

    def session(self, user, *command, service="jailtest", options=(), env=None, under=()):
        words = [*under, ARGS["pamrun"], "-s", service, *options, user, *command]
        if BLOCKED:
            words = [ARGS["without"], BLOCKED, *words]
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin", "LD_LIBRARY_PATH": "/opt/jail", **(env or {})}
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30,
                              cwd="/usr", check=False, env=environment)
        return Result(done.stdout, self.read_log())

    def assert_free(self, user, **more):
        """On the host, as ever: nothing changed, nothing logged."""
        got = self.session(user, "ls", "/home", **more)
        self.assertEqual(got.one("open"), "SUCCESS", got.lines)
        self.assertIn("other", got.lines)
        self.assertEqual(got.log, [])

    def assert_confined(self, user, homes=None, **more):
        got = self.session(user, "ls", "/home", **more)
        self.assertEqual(got.one("open"), "SUCCESS", (got.lines, got.log))
        inside = got.lines[got.lines.index("host root in a fork: closed") + 1:got.lines.index("close: SUCCESS")]
        self.assertEqual(sorted(inside), sorted(homes or self.ALL))
        self.assertEqual(got.one("back"), "yes")
        self.assertEqual(got.one("leaked"), "none")
        self.assertEqual(len(got.log), 1, got.log)
        self.assertTrue(got.log[0].startswith("<86>"), got.log)
        return got

    def assert_refused(self, user, reason, **more):
        """No session; one line in the log says why; the user learns that it is not their fault."""
        got = self.session(user, "ls", "/home", **more)
        self.assertEqual(got.one("open"), "refused (Permission denied)", user)
        self.assertNotIn("foo", got.lines)
        self.assertEqual(got.one("back"), "yes")
        self.assertEqual(got.one("leaked"), "none")
        self.assertIn("administrator", got.one("user"))
        self.assertEqual(len(got.log), 1, got.log)
        self.assertTrue(got.log[0].startswith("<83>"), got.log)
        self.assertIn(reason, got.log[0])
        return got


def main():
    verdict.main(argv=sys.argv[:1])
