"""What the attacks are, and what their output says."""

import pathlib
import re
import types

HERE = pathlib.Path(__file__).resolve().parent
DOORS = ("any", "ssh", "slurm", "outside")
KINDS = ("chroot", "namespace")
HEADER = re.compile(r"^# (title|door|needs|before|expect|judge|blind): (.*)$", re.M)
# A name alone in a listing, the content of the file, or what an attack says that wrote where it could not look.
SEEN = re.compile(r"secret of alice|^leaked:|(?:^|\s)alice(?:\s|$)", re.M)
TRIED = re.compile(r"^tried: ", re.M)


class Attack:
    def __init__(self, path):
        fields = dict(HEADER.findall(path.read_text()))
        self.name = path.name
        self.title = fields["title"]
        self.door = fields["door"]
        self.needs = fields.get("needs")  # a program that not every release has
        self.before = fields.get("before")
        self.judged_by = fields.get("judge", "output")
        self.is_blind = "blind" in fields
        words = fields.get("expect", "held")
        if words in ("held", "documented"):
            self.expect = dict.fromkeys(KINDS, words)
        else:
            self.expect = dict(word.split("=") for word in words.split())
        assert self.door in DOORS and set(self.expect) == set(KINDS), self.name

    def expected(self, kind):
        return self.expect.get(kind, "held")


def read_all():
    scripts = sorted(path for path in HERE.iterdir() if HEADER.search(path.read_text(errors="replace") if path.is_file() else ""))
    return [Attack(path) for path in scripts if path.name not in ("catalogue.py", "README.md")]


def judge(said):
    """leaked, held or, for an attack that could not be tried, that."""
    if SEEN.search(said):
        return "leaked"
    return "held" if TRIED.search(said) else "not tried"


def result(said):
    return types.SimpleNamespace(said=said, verdict=judge(said))


def columns_of(attack):
    """Where an attack makes sense: one at SLURM's door is about the compute node."""
    nodes = ("c1",) if attack.door == "slurm" else ("login1", "c1")
    return [f"{kind} {node}" for kind in KINDS for node in nodes]


def table(attacks, results):
    columns = list(results)
    width = max(len(attack.name) for attack in attacks)
    lines = ["  ".join(["attack".ljust(width), *(column.ljust(16) for column in columns)])]
    for attack in attacks:
        cells = []
        for column in columns:
            found = results[column].get(attack.name)
            word = found.verdict if found else "-"
            if word == "leaked" and attack.expected(column.split()[0]) == "documented":
                word = "documented"
            elif word == "not tried" and column.startswith("recipe"):
                word = "fails"  # a session that the recipe breaks
            cells.append(word.ljust(16))
        lines.append("  ".join([attack.name.ljust(width), *cells]).rstrip())
    return "\n".join(lines)
