"""Two tenants of one host (SECURITY row 7): what Alice asks about Bob's things is answered byte for byte as
for what does not exist, and no number that she reads speaks of him."""

import datetime
import json
from typing import NamedTuple

import pytest

import mint
from door import session
from family import Chain, run, until

pytestmark = [pytest.mark.sanitized, pytest.mark.security("07")]


class Tenant(NamedTuple):
    """A top delegation of two VMs with one that runs and one that has ended."""

    name: str
    runs: str
    gone: str
    spare: Chain  # one more VM, not deployed
    third: Chain
    admin: Chain


def tenant(family, ca, stem):
    name = ca.delegation(ca.unique(stem), vms=2, memory=64)
    runs, gone, spare, third = (ca.unique(f"{stem}-{what}") for what in ("runs", "gone", "spare", "third"))
    guest = family.tree.guest
    family.deploy(ca.vm(gone, guest("hello"), issuer=name, args=["--count=1"]))
    family.deploy(ca.vm(runs, guest("idle"), issuer=name))
    admin = ca.command(ca.unique(f"{stem}-admin"), issuer=name)
    until(lambda: gone not in [vm["name"] for vm in family.running()], "one has ended")
    return Tenant(name, runs, gone, ca.vm(spare, guest("idle"), issuer=name),
                  ca.vm(third, guest("idle"), issuer=name), admin)


@pytest.fixture
def bob(family, ca):
    return tenant(family, ca, "bob")


@pytest.fixture
def alice(family, ca, bob):
    return tenant(family, ca, "alice")


def ask(connection, method, path):
    """Everything that is answered: status, headers, body."""
    stream = connection.request(path, method)
    connection.until(lambda: stream in connection.ended)
    headers = {name: value for name, value in connection.headers[stream].items() if name != b":status"}
    return connection.status[stream], headers, connection.body[stream]


def typed(family, bob):
    """All the ways to name what is Bob's, each with something as long that is nobody's."""
    vms = {vm["name"]: vm for vm in family.vms() if vm["path"].startswith(bob.name)}
    assert set(vms) == {bob.runs, bob.gone}
    names = [bob.name]
    for vm in vms.values():
        labels = vm["label"]
        names += [vm["path"], vm["name"], labels, labels.replace(".", "/"), labels.split(".")[-1]]
    return [(name, name[:-1] + other(name[-1])) for name in names]


def other(letter):
    """Still a digit where it was one, so that a label stays one."""
    return "0" if letter != "0" else "1"


def scrubbed(answer, name):
    """What was typed is quoted; the rest must be the same."""
    status, headers, body = answer
    return status, headers, body.replace(name.encode(), b"NAME")


LISTS = ("/", "/vms", "/vms/statistics", "/metrics", "/log", "/volumes")  # of all that a session can see


def routes(tree):
    """METHOD and PATTERN of the gate's own table."""
    out = run([tree.libexec / "vmm_gate", "--routes"]).out
    return [tuple(line.split()[:2]) for line in out.splitlines()]


def test_routes_that_name_something(family, tree, alice, bob):
    """A method with which nothing can be made, on every path that names something."""
    named = [(method, pattern) for method, pattern in routes(tree) if "PATH" in pattern]
    assert {pattern for _, pattern in routes(tree)} - {pattern for _, pattern in named} == {
        *LISTS, "/revocations"}, "no other way to name something"
    asked = [(method, pattern) for method, pattern in named if method in ("GET", "HEAD", "DELETE")]
    assert len(asked) >= 3
    connection = session(family, alice.admin)
    for method, pattern in asked:
        for his, nobodys in typed(family, bob):
            seen = [scrubbed(ask(connection, method, pattern.replace("PATH", name)), name)
                    for name in (his, nobodys)]
            assert seen[0] == seen[1], (method, pattern, his)
            assert seen[0][0] == 404, (method, pattern, his, seen[0])
    connection.close()
    assert {vm["name"]: vm["state"] for vm in family.vms(bob.admin)} == {
        bob.runs: "running", bob.gone: "ended"}


COMMANDS = ["info", "attach", "statistics", "destroy"]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_name_something(family, alice, bob, command):
    for his, nobodys in typed(family, bob):
        said = [[word.replace(name, "NAME") if isinstance(word, str) else word
                 for word in family.client(alice.admin, f"{command} {name}")]
                for name in (his, nobodys)]
        assert said[0] == said[1] and said[0][0] != 0, (command, his)
    assert [vm["name"] for vm in family.running(bob.admin)] == [bob.runs]


def test_lists(family, alice, bob):
    """What she sees is hers: names, labels, log, readings; how the family is, which serves them both, is the root's."""
    connection = session(family, alice.admin)
    seen = b"".join(ask(connection, "GET", path)[2] for path in LISTS)
    connection.close()
    for metric in ("vmm_sessions", "vmm_vms", "vmm_memory_used_bytes", "vmm_host_cpus"):
        assert metric.encode() not in seen
    mine, his = ([vm for vm in family.vms() if vm["path"].startswith(who)]
                 for who in (alice.name, bob.name))
    assert all(vm["name"].encode() in seen for vm in mine)
    assert f'vm="{alice.runs}"'.encode() in seen
    for vm in his:
        for word in (bob.name, vm["name"], *vm["label"].split(".")):
            assert word.encode() not in seen, word


def overview(connection):
    return [ask(connection, "GET", path) for path in ("/", "/vms", "/log")]


def refusal(family, chain):
    answer = family.curl(chain, "/vms", "-X", "POST")
    assert answer.status == 409, answer
    return answer


def test_what_he_does_changes_nothing(family, alice, bob):
    """One session of hers reads everything before and after he starts, fills up, is refused, destroys."""
    family.deploy(alice.spare)
    full = refusal(family, alice.third)
    connection = session(family, alice.admin)
    before = overview(connection)
    assert [status for status, _, _ in before] == [200] * 3
    family.deploy(bob.spare)
    during = overview(connection)
    assert refusal(family, bob.third).detail == f"{bob.name} has no room for another VM: it grants 2"
    assert family.client(bob.admin, f"destroy {bob.runs}").code == 0
    assert overview(connection) == before == during
    connection.close()
    assert refusal(family, alice.third) == full


def test_levels_above(family, ca, alice):
    """Below Alice, Carol reads what is granted above her and what she uses herself, and nothing that
    Dan's VMs change."""
    carol, dan = (ca.delegation(ca.unique(name), issuer=alice.name, vms=1, memory=32)
                  for name in ("carol", "dan"))
    connection = session(family, ca.command(ca.unique("carol-admin"), issuer=carol))
    before = ask(connection, "GET", "/")
    family.deploy(ca.vm(ca.unique("dan-vm"), family.tree.guest("idle"), issuer=dan))
    assert ask(connection, "GET", "/") == before
    connection.close()
    levels = json.loads(before[2])["delegations"]
    assert [level["name"] for level in levels] == [alice.name, carol]
    above, own = levels
    assert above["granted"]["vms"] == 2 and not {"used", "free"} & set(above)
    assert own["used"]["vms"] == 0 and own["free"]["vms"] == 1
    assert dan.encode() not in before[2]


def test_refused_from_above(new_family, ca):
    """Who has no room is said, not how much of it others use: neither a parent nor the host."""
    family = new_family(["--max-memory", "400"])
    top = ca.delegation(ca.unique("top"), vms=9, memory=200)
    carol, dan = (ca.delegation(ca.unique(name), issuer=top, vms=9, memory=200) for name in ("carol", "dan"))
    stranger = ca.delegation(ca.unique("stranger"), vms=9, memory=256)
    image = family.tree.guest("idle")
    hers = ca.vm(ca.unique("carol-vm"), image, issuer=carol, memory=150)
    said = []
    for issuer, memory in ((dan, 60), (dan, 60), (stranger, 140), (stranger, 70)):
        family.deploy(ca.vm(ca.unique("other"), image, issuer=issuer, memory=memory))
        if len(family.monitors()) > 1:
            said.append(refusal(family, hers).detail)
    host = "this host has no room for 150 MB: it grants 400 MB"
    assert said == [f"{top} has no room for 150 MB: it grants 200 MB", host, host]


def log_entries(family, chain):
    answer = family.curl(chain, "/log")
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.body.splitlines()]


def test_numbers_of_log_entries(family, ca, alice, bob):
    """`seq` tells their order. It is the time, so it does not count the entries of others between."""
    for _ in range(3):
        family.curl(alice.admin, "/vms")
        for _ in range(10):
            family.curl(bob.admin, "/vms")
    entries = log_entries(family, alice.admin)
    numbers = [entry["seq"] for entry in entries]
    assert len(entries) >= 8 and numbers == sorted(set(numbers))
    for entry in entries:
        assert abs(entry["seq"] - microseconds(entry["time"])) < 1000, entry
        assert bob.name not in json.dumps(entry)


def microseconds(time):
    """Since 1970, of RFC 3339 with six digits."""
    when = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (when - epoch) // datetime.timedelta(microseconds=1)


def test_one_name_two_tenants(family, ca, alice, bob, tmp_path):
    """His VM of the same name makes hers neither ambiguous nor his."""
    for who in (bob, alice):
        assert family.client(who.admin, f"destroy {who.runs}").code == 0
        minted = mint.certificate("twin", mint.load(ca, who.name),
                                  mint.vm(family.tree.guest("idle").read_bytes()))
        family.deploy(mint.chain(tmp_path, who.name, minted))
    answer = family.curl(alice.admin, "/vms/twin")
    assert [vm["path"] for vm in answer.json()] == ["twin"]
    assert family.client(alice.admin, "destroy twin").code == 0
    assert [vm["path"] for vm in family.running(bob.admin)] == ["twin"]
