"""The cluster as the attacks find it: who is confined how, what is there to be stolen, the recipe beside it, and all of it gone again."""

import collections
import concurrent.futures
import copy
import json
import pathlib
import shlex
import time

import catalogue
import harness
import recipe
import test_namespace
from harness import NODES, root, ssh

HERE = pathlib.Path(__file__).resolve().parent
PASSWORD = "kettle"
SECONDS = 150  # for one attack: cron's minute, and a slow machine

# user: who attacks. older: who was logged in before the policy confined them. refused: whose view cannot be made.
Column = collections.namedtuple("Column", "kind node user older refused targets")
COLUMNS = {  # the first, so that no attack is blind
    "unconfined c2": Column("unconfined", "c2", "visitor1", "admin", None, "c2"),
    "recipe c1": Column("recipe", "c1", "visitor1", "admin", None, "c1"),
    "chroot login1": Column("chroot", "login1", "foo", "bar", "carol", "login1 c1 c2"),
    "chroot c1": Column("chroot", "c1", "foo", "bar", "carol", "login1 c1 c2"),
    "namespace login1": Column("namespace", "login1", "foo", "bar", "carol", "login1 c1 c2"),
    "namespace c1": Column("namespace", "c1", "foo", "bar", "carol", "login1 c1 c2"),
}
USERS = ("foo", "bar", "carol", "visitor1", "admin")
UNMAKEABLE = {"confine": "namespace", "mounts": [{"hide": "/home"}, {"bind": "/home/nowhere"}]}
LISTENER = """
import os, socket
os.umask(0)
s = socket.socket(socket.AF_UNIX); s.bind("/home/alice/sock"); s.listen(16)
while True:
    c = s.accept()[0]; c.sendall(b"secret of alice\\n"); c.close()
"""


def folder(user):
    return f"/home/{user}/attack"


def home(user):
    """Of the home that all nodes share, as this machine sees it."""
    return pathlib.Path(harness.testbed("dir").out.strip()) / "home" / user


def in_parallel(*calls):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return [future.result() for future in [pool.submit(*call) for call in calls]]


def as_user(user, command):
    """In a node, so that nothing that the user made is followed with more than the user's rights."""
    return root("ctl", f"setpriv --reuid {user} --regid {user} --init-groups bash -c {shlex.quote(command)}", check=False)


def give_scripts(user):
    names = [attack.name for attack in catalogue.read_all()] + ["probe", "forwards", "drive.py"]
    harness.testbed("copy", *(HERE / name for name in names), "ctl:/root/attack/")
    root("ctl", f"tar -C /root -cf - attack | setpriv --reuid {user} --regid {user} --init-groups tar -C /home/{user} -xf -"
                f" && chmod 755 {folder(user)}/probe")


def set_up():
    """What there is to steal: a home, a socket in it, and a directory that is no mount of its own."""
    for user in (*USERS, "alice"):
        give_scripts(user)
    vault = "mkdir -m 755 /vault /vault/alice && echo secret of alice >/vault/alice/secret.txt"
    passwords = "".join(f"{user}:{PASSWORD}\\n" for user in USERS)
    in_parallel(*((root, node, f"{vault}; printf '{passwords}' | chpasswd") for node in NODES))
    root("login1", "install -d -o alice -g alice -m 1777 /home/alice/drop && systemd-run --quiet --unit attack-listener --uid alice"
                   f" python3 -c {shlex.quote(LISTENER)}")


def take_back():
    """Everything; may be called twice."""
    root("ctl", f"for user in {' '.join(USERS)}; do scancel -u $user; done", check=False)
    in_parallel(*((harness.end_sessions, user) for user in USERS))
    for user in USERS:
        root("ctl", f"loginctl kill-user --signal=KILL {user}", check=False)
    recipe.take_back("c1")
    harness.Admin().reset()
    root("login1", "systemctl stop attack-listener; rm -f /home/alice/sock; rm -f /home/alice/drop/*; rmdir /home/alice/drop", check=False)
    for user in (*USERS, "alice"):
        as_user(user, f"rm -rf --one-file-system {folder(user)}; rm -f ~{user}/.ssh/rc ~{user}/.ssh/environment")
    locked = "; ".join(f"usermod -p '*' {user}; crontab -u {user} -r 2>/dev/null; loginctl disable-linger {user}" for user in USERS)
    for node in NODES:
        root(node, f"{locked}; rm -f /vault/alice/secret.txt; rmdir /vault/alice /vault", check=False)


class Phase:
    """One kind of confinement on every node, and the attacks on it."""

    def __init__(self, kind, beside):
        self.columns = {name: column for name, column in COLUMNS.items() if column.kind in (kind, beside)}
        self.kind = kind

    def policy(self, policy):
        if self.kind == "namespace":
            test_namespace.in_namespaces(policy)
            policy["jails"]["partner"]["mounts"].append({"hide": "/vault"})
            policy["rules"] = [rule for rule in policy["rules"] if "match" not in rule]
        else:
            policy["jails"] = copy.deepcopy(harness.POLICY["jails"])
            policy["rules"] = copy.deepcopy(harness.POLICY["rules"])
        policy["jails"]["broken"] = UNMAKEABLE
        policy["rules"].insert(0, {"users": ["carol"], "jail": "broken"})

    def policy_before(self, policy):
        self.policy(policy)
        policy["rules"].insert(0, {"users": ["bar"], "jail": None})

    def rollout(self, change):
        admin = harness.Admin()
        admin.edit(change)
        # carol's view can't be made, and the agent says so.
        in_parallel(*((harness.sync, node, False) for node in NODES))

    def prepare(self, attacks):
        """First what older sessions leave, then the policy that confines them."""
        self.rollout(self.policy_before)
        in_parallel(*((harness.end_sessions, user) for user in ("foo", "bar", "carol")))
        in_parallel(*((self.before, attack, column) for attack in attacks if attack.before for column in self.columns.values()))
        self.rollout(self.policy)
        for column in self.columns.values():
            if column.kind == "recipe":
                recipe.set_up(column.node, (column.user, column.older))

    def environment(self, attack, column):
        user = self.user(attack, column)
        work = f"{folder(user)}/work/{attack.name}/{column.kind}-{column.node}"
        return {"ATTACK": folder(user), "WORK": work, "NODE": column.node, "TARGETS": column.targets, "PASSWORD": PASSWORD}

    @staticmethod
    def client(column):
        """Where SLURM's commands are given: the recipe is on its node alone."""
        return column.node if column.kind == "recipe" else "login1"

    @staticmethod
    def has(program):
        return root("login1", f"command -v {program}", check=False).rc == 0

    @staticmethod
    def user(attack, column):
        if attack.before:
            return column.older
        return column.refused if attack.door == "outside" else column.user

    def before(self, attack, column):
        settings = self.environment(attack, column)
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
        script = f'export {words}; mkdir -p "$WORK"; cd; {attack.before}'
        ssh(column.older, column.node, script, check=True)

    def run(self, attacks):
        """{column: {name: result}}. One session for each user, door and node, all at the same time."""
        sessions = collections.defaultdict(list)
        for name, column in self.columns.items():
            for attack in attacks:
                if attack.door == "slurm" and column.node == "login1" or attack.door == "outside" and not column.refused:
                    continue
                if attack.needs and not self.has(attack.needs):
                    continue
                via = {"slurm": self.client(column), "outside": "ctl"}.get(attack.door, column.node)
                step = attack.door == "any" and column.node != "login1"
                sessions[name, self.user(attack, column), via, step].append(attack)
        found = in_parallel(*((self.session, key, chosen) for key, chosen in sessions.items()))
        results = {name: {} for name in self.columns}
        for (name, *_), outcome in zip(sessions, found):
            results[name].update(outcome)
        return results

    def session(self, key, attacks):
        name, user, via, step = key
        column = self.columns[name]
        jobs = [{"name": attack.name, "timeout": SECONDS, "env": self.environment(attack, column)} for attack in attacks]
        file = f"{folder(user)}/jobs-{name.replace(' ', '-')}-{via}-{step}.json"
        ssh(user, "ctl", f"cat >{file} <<'E'\n{json.dumps(jobs)}\nE", check=True)
        command = f"python3 {folder(user)}/drive.py {file}"
        if step:
            # From a node where the user is confined as well.
            command = f"srun -w {column.node} -n1 {command}"
            via = self.client(column)
        start = time.monotonic()
        result = ssh(user, via, command, timeout=2 * SECONDS)
        try:
            said = json.loads(result.out[result.out.index("{"):])
        except ValueError:
            said = {attack.name: (result.text, 0) for attack in attacks}
        slowest = max(said, key=lambda attack_name: said[attack_name][1])
        print(f"{name}: {len(attacks)} attacks as {user} on {via}{' in a step' if step else ''}, {time.monotonic() - start:.0f} s,"
              f" {slowest} {said[slowest][1]:.0f} s", flush=True)
        outcome = {attack_name: catalogue.result(text) for attack_name, (text, _) in said.items()}
        for attack in attacks:
            if attack.judged_by == "audit":
                outcome[attack.name] = self.audited(attack, column, said[attack.name][0])
        return outcome

    @staticmethod
    def audited(attack, column, said):
        """An attack on the audit leaks where the audit does not name the process that the attack names."""
        audit = root(column.node, "jail-agent --audit --json", check=False).out
        strays = {stray["pid"] for stray in json.loads(audit)["processes"]}
        for line in said.splitlines():
            if line.startswith("forged: ") and int(line.split()[1]) not in strays:
                said += f"leaked: process {line.split()[1]} is not in the audit\n"
        return catalogue.result(said)
