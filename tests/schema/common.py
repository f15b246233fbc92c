"""What the tests of the schema share."""
import copy
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parent.parent / "schema"
EXAMPLES = SCHEMA / "examples"
INVALID = EXAMPLES / "invalid"
TOOL = sys.argv[1]

LINE = re.compile(
    r"(?P<line>\d+):(?P<column>\d+): (?P<pointer>/\S*: )?(?P<warning>warning: )?(?P<message>.+) \[(?P<rule>[a-z0-9-]+)\]$"
)


def lint(path, stdin=None):
    """Exit code, and the errors and warnings as dictionaries."""
    done = subprocess.run(
        [TOOL, "lint", str(path)], input=stdin, capture_output=True, timeout=60
    )
    problems = []
    for line in done.stderr.decode().splitlines():
        found = LINE.match(line.removeprefix(f"{path}:"))
        if not found:
            raise ValueError(f"not a line of lint: {line}")
        problem = found.groupdict()
        problem["pointer"] = (problem["pointer"] or "").removesuffix(": ")
        problems.append(problem)
    return done.returncode, problems


def load(data):
    """Strict JSON from bytes; ValueError for what Python's reader would let through."""

    def once(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("duplicate key")
        return dict(pairs)

    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    document = json.loads(
        data.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse
    )
    json.dumps(document, ensure_ascii=False).encode("utf-8")  # lone surrogates
    return document


def table(name, separator):
    """Lines of a file beside this one, cut into fields; # begins a comment."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split(separator) for line in lines if line and line[0] != "#"]


def cannot_say():
    """File names to reasons: what the schema lets pass."""
    return {name: reason.strip() for name, reason in table("schema-cannot-say.txt", ":")}


MISSING = object()  # instead of a value: leave it out


def places(value, path=()):
    """The way to every value of a document but itself."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, path + (index,))


def changed(document, path, value):
    """A copy with another value at one place."""
    document = copy.deepcopy(document)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    if value is MISSING:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return document


class Report:
    """Collects what is wrong; exits 1 at the end if anything is."""

    def __init__(self):
        self.failures = 0
        self.checks = 0

    def check(self, good, text):
        self.checks += 1
        if not good:
            self.failures += 1
            print(f"FAILED: {text}")

    def end(self):
        print(f"{self.checks} checks, {self.failures} failed")
        sys.exit(1 if self.failures or not self.checks else 0)
