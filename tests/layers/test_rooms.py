"""Which room may include what: the table of ARCHITECTURE.md, enforced.

usage: test_rooms.py SOURCE-DIR
"""

import os
import re
import sys
import unittest

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import verdict  # tests/verdict.py, for every folder of tests

SOURCE = sys.argv[1]

# A room, and the rooms whose headers it may include besides its own.
ROOMS = {
    "lib/base": (),
    "lib/policy": ("lib/base",),
    "lib/view": ("lib/base", "lib/policy"),
    "lib/wire": ("lib/base", "lib/policy"),
    "api": ("lib/base", "lib/policy", "lib/view", "lib/wire"),
    "agent": ("lib/base", "lib/policy", "lib/view", "lib/wire"),
    "pam": ("lib/base", "lib/policy", "lib/view"),
}

# Headers that are not libc's or the kernel's interface for everybody, and the rooms that may have them.
OUTSIDE = {
    r"cjson/": ("lib/wire", "agent"),  # agent: the status and state files that it wrote itself
    r"openssl/": ("lib/wire",),
    r"curl/": ("agent",),
    r"ini\.h|inih": ("agent",),
    r"microhttpd\.h": ("api",),
    r"security/": ("pam",),
    r"slurm/": (),
    r"(sys/socket|sys/un|netdb|netinet/.*|arpa/.*)\.h": ("api", "agent"),
}

# All that libc and the kernel have to offer and that any room may use.
LIBC = re.compile(
    r"(asm|linux|sys)/.*|(assert|ctype|dirent|err|errno|fcntl|fnmatch|getopt|grp|inttypes|libgen|limits|locale"
    r"|math|poll|pthread|pwd|regex|sched|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio"
    r"|stdio_ext|stdlib|string|strings|syslog|termios|time|unistd|wchar)\.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def room_of(path):
    return max((room for room in ROOMS if path.startswith(room + "/")), key=len, default=None)


def violations(path, text):
    """Sentences about the includes of one file that its room does not allow."""
    room = room_of(path)
    for mark, name in INCLUDE.findall(text):
        outside = next((rooms for pattern, rooms in OUTSIDE.items() if re.match(pattern, name)), None)
        if outside is not None:
            if room not in outside:
                yield f"{path} includes <{name}>, which is for {' and '.join(outside) or 'nobody'}"
        elif mark == '"':
            target = room_of(name)
            if target is None:
                yield f'{path} includes "{name}", which is no path from the top of the tree'
            elif target != room and target not in ROOMS[room]:
                yield f"{path} includes {name}: {room} may not use {target}"
        elif not LIBC.fullmatch(name):
            yield f"{path} includes <{name}>, which no room is known to need"


def sources():
    for room in ROOMS:
        for directory, _, names in os.walk(os.path.join(SOURCE, room)):
            for name in names:
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(directory, name), SOURCE)


class Rooms(unittest.TestCase):
    def test_every_include(self):
        found = []
        seen = set()
        for path in sources():
            seen.add(room_of(path))
            with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
                found += violations(path, file.read())
        self.assertEqual(found, [])
        self.assertEqual(seen, set(ROOMS))

    def test_no_other_room_has_sources(self):
        for directory, names, files in os.walk(SOURCE):
            names[:] = [name for name in names if name not in ("tests", "build", ".git")]
            for name in files:
                path = os.path.relpath(os.path.join(directory, name), SOURCE)
                if name.endswith((".c", ".h")):
                    self.assertIsNotNone(room_of(path), path)

    def test_the_rules_bite(self):
        for path, include in (
            ("lib/base/path.c", '"lib/policy/model.h"'),
            ("lib/view/view.c", '"lib/wire/json.h"'),
            ("lib/policy/cache.c", "<cjson/cJSON.h>"),
            ("lib/wire/trust.c", '"lib/view/view.h"'),
            ("lib/wire/fetch.c", "<sys/socket.h>"),
            ("pam/who.c", '"lib/wire/dsse.h"'),
            ("pam/who.c", "<openssl/evp.h>"),
            ("agent/main.c", '"api/publish.h"'),
            ("api/main.c", '"agent/agent.h"'),
            ("api/main.c", "<curl/curl.h>"),
            ("api/main.c", "<cjson/cJSON.h>"),
            ("agent/main.c", '"conf.h"'),
            ("lib/base/path.c", "<gsl/gsl_math.h>"),
        ):
            with self.subTest(path=path, include=include):
                self.assertEqual(len(list(violations(path, f"#include {include}\n"))), 1)

    def test_the_rules_allow(self):
        text = '#include <errno.h>\n#include <linux/openat2.h>\n#include "lib/base/error.h"\n'
        for room in ROOMS:
            self.assertEqual(list(violations(room + "/x.c", text)), [])


if __name__ == "__main__":
    sys.argv[1:] = ["-v"]
    verdict.main()
