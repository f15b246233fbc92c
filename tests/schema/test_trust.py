#!/usr/bin/env python3
"""jail-policy takes the valid trust files, and names the place of each invalid one and what is wrong there (trust.tsv)."""
import pathlib
import re
import subprocess
import tempfile

from common import EXAMPLES, INVALID, TOOL, Report, table

report = Report()


def tool(*words):
    return subprocess.run([TOOL, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def judge(envelope, trust):
    """jail-policy verify reads the trust file first; what it says of the envelope is another matter. None, or (pointer, line:column, what)."""
    done = tool("verify", envelope, "--trust", trust)
    found = re.match(rf"jail-policy: {re.escape(str(trust))}:(\d+:\d+): (?:(/\S*): )?(.+)$", done.stderr.rstrip("\n"))
    if found:
        report.check(done.returncode == 1, f"{trust.name}: exit code {done.returncode}")
        report.check(done.stderr.count("\n") == 1, f"{trust.name}: one line: {done.stderr}")
        return found[2] or "", found[1], found[3]
    report.check(str(trust) not in done.stderr, f"{trust.name}: named without a place: {done.stderr}")
    return None


with tempfile.TemporaryDirectory(prefix="jail-trust-") as folder:
    key, envelope = pathlib.Path(folder) / "k", pathlib.Path(folder) / "envelope"
    report.check(tool("keygen", "--out", key).returncode == 0, "keygen")
    signed = tool("sign", EXAMPLES / "policy-minimal.json", "--key", f"{key}.key", "-o", envelope)
    report.check(signed.returncode == 0, f"sign: {signed.stderr}")
    for path in sorted(EXAMPLES.glob("trust-*.json")):
        report.check(judge(envelope, path) is None, f"{path.name} is good: {judge(envelope, path)}")
    rows = table("trust.tsv", "\t")
    names = sorted(path.name for path in INVALID.glob("trust-*.json"))
    report.check(names == sorted(row[0] for row in rows), "trust.tsv lists exactly the files that are there")
    report.check(len(names) >= 14, "there are fourteen invalid trust files at least")
    for name, pointer, place, what in rows:
        said = judge(envelope, INVALID / name)
        report.check(said is not None and said[:2] == (pointer, place) and what in said[2],
                     f"{name}: {said}, expected {pointer} {place} {what}")
report.end()
