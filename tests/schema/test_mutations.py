#!/usr/bin/env python3
"""Takes each valid policy and replaces, or leaves out, every one of its values in turn: lint and the schema
must agree about each result, but for the rules that the schema cannot say."""
import concurrent.futures
import json
import os

import jsonschema
from common import EXAMPLES, MISSING, SCHEMA, Report, cannot_say, changed, lint, places, table

VALUES = [
    None, True, 0, 1, -1, 2**53 - 1, "", "x", "X", "-x", ".", "root", "chroot", "namespace", "a b", "ext-*", "[a", "c[1-3]", "c[3",
    "/", "/x", "/x/", "//x", "/x/..", "/x/.y", "x/y", "/etc", "/etc/x", "/usr/local", "/lib64", "/libexec/x", "/run",
    "/run/x", "/run/user", "/run/user/x", "/run/userx", "/run/lock/%u", "/proc", "/proc/x", "/sys/x", "/dev", "/dev/shm", "/tmp", "/tmp/x", "/var", "/var/tmp",
    "/var/x", "/var/run", "/var/run/x", "/var/cache/x", "/var/%u", "/var/%%u", "/var/lib", "/var/lib/clusterjail", "/var/lib/clusterjail/x", "/var/lib/clusterjail/roots",
    "/var/lib/clusterjail/roots/x", "/var/lib/%u", "/home", "/home/x", "/home/%u", "/home/%u/x", "/%u", "/%g/x",
    "/x/%u", "/x/%u/y", "/x/y%u", "/x/%g", "/x/%%u", "/x/%h", "/x/%", "/x/%x", "%h", "%h/x", "%hx", "%u", "/.clusterjail",
    "/.clusterjail/x", "/.clusterjailx", "/work/x", "/scratch", "/opt/x", "/srv/x", "/x\ny", "/x\u00e4", "512", "0777",
    "9999999999999T", "2036-02-29T00:00:00Z", "2035-02-29T00:00:00Z", "2036-04-31T00:00:00Z", "2036-01-01T24:00:00Z",
    "[0-9]+", "(a)\\1", "a\\d", "a\\.b", "[[:alpha:]]", "[]x]", "[^]]", "(", ")", "a{1,9}", "off", "invisible", "disk", "memory",
    [], [1], ["x"], ["x", "x"], ["x", "y"], ["ro"], ["ro", "ro"], {}, {"x": 1}, {"bind": "/x"}, {"private": "/x"}, {"private": "/x", "size": "1G"}, {"hide": "/x", "optional": True},
    {"users": ["x"], "jail": None},
]
def judge(document):
    text = json.dumps(document).encode()
    code, problems = lint("-", text)
    return document, code, {p["rule"] for p in problems if not p["warning"]}


report = Report()
validator = jsonschema.Draft7Validator(json.loads((SCHEMA / "policy.schema.json").read_text(encoding="utf-8")))
rules = {row[0]: row[1] for row in table("invalid.tsv", "\t")}
unsayable = {rules[name] for name in cannot_say() if name in rules}
policies = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob("policy-*.json"))]
changes = [(p, place, new) for p in policies for place in places(p) for new in VALUES + [MISSING]]
# Most of one mount's changes say what another's say: every 31st is enough, and each run takes the same ones.
mutants = [changed(*change) for change in changes[::31]]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for mutant, exit_code, broken in pool.map(judge, mutants):
        accepted = validator.is_valid(mutant)
        words = f"lint: {sorted(broken)}, schema accepts: {accepted}: {json.dumps(mutant)}"
        report.check(exit_code == (1 if broken else 0), f"exit code {exit_code}: {words}")
        report.check(not accepted if broken - unsayable else accepted or broken, words)
report.end()
