"""Sharing is caring: the CA gives Alice two VMs, she shares them with Carol and Dan, Dan with Eve; Alice
takes back what she gave to Dan, and gives him less. With vmm_ca and vmm_client as a user would type them."""

import re

import pytest

import proc
from door import session
from family import until

pytestmark = pytest.mark.sanitized

REFUSED, REVOKED = 1, r"failed dan was revoked by alice\n"


class Cast:
    """Everybody with an admin of their own and a VM; names are as in the story."""

    def __init__(self, family, ca):
        self.family, self.ca = family, ca
        self.image = family.tree.guest("idle")
        ca("delegation", "alice", "--vms", "2", "--memory", "2048", "--cpu", "0", "--cpu", "1",
           "--issuer", "ca")
        for name, issuer in (("carol", "alice"), ("dan", "alice"), ("eve", "dan")):
            ca("delegation", name, "--vms", "2", "--memory", "1024", "--cpu", "0", "--issuer", issuer)
        self.admins = {name: ca.command(f"{name}-admin", issuer=name) for name in
                       ("alice", "carol", "dan", "eve")}
        self.vms = {name: ca.vm(f"{name}-vm", self.image, issuer=name) for name in ("carol", "dan", "eve")}

    def types(self, who, *commands):
        return self.family.client(self.admins[who], *commands)

    def running(self, who):
        return sorted(vm["path"] for vm in self.family.running(self.admins[who]))


@pytest.fixture
def cast(tree, tmp_path, new_family):
    family = new_family()
    return Cast(family, family.ca)


NOTHING_OF_EACH_OTHER = ["info {}", "info alice/{}", "attach {}", "destroy {}", "detach {}", "info", "log", "quota"]


def mentions(said, names):
    return any(re.search(rf"\b{name}\b", said) for name in names)


def see_nothing_of_each_other(cast, one, other, hidden):
    """In any command, nor in what the server says of itself."""
    for words in NOTHING_OF_EACH_OTHER:
        for name in hidden:
            command = words.format(name)
            done = cast.types(one, command)
            said = (done.out + done.err).replace(command.partition(" ")[2] or "\0", "")
            assert not mentions(said, hidden), (command, done)
            assert "{}" not in words or done.code == REFUSED, (command, done)
    with cast.family.http(cast.admins[one]) as client:
        for path in ("/", "/vms", "/log"):
            said = client.get(path).text
            assert not mentions(said, hidden), (path, said)
    assert cast.running(other) == [f"{other}-vm"]


@pytest.mark.security("08")
def test_sharing(cast):
    family, ca = cast.family, cast.ca

    # Two VMs in all, whoever of them it is
    family.deploy(cast.vms["carol"])
    family.deploy(cast.vms["dan"])
    refused = family.client(cast.vms["eve"])
    assert refused == (REFUSED, "", "failed alice has no room for another VM: it grants 2\n")
    assert cast.running("alice") == ["carol/carol-vm", "dan/dan-vm"]
    see_nothing_of_each_other(cast, "carol", "dan", ["dan", "eve"])
    see_nothing_of_each_other(cast, "dan", "carol", ["carol"])
    assert cast.types("dan", "destroy dan-vm").out == "success\n"
    family.deploy(cast.vms["eve"])
    assert cast.running("dan") == ["eve/eve-vm"]
    assert cast.types("eve", "info").out.startswith("info eve-vm: ")

    # Alice takes Dan's delegation back
    carols = session(family, cast.admins["carol"])
    theirs = [session(family, cast.admins[name]) for name in ("dan", "eve")]
    [eves_monitor] = [vm["pid"] for vm in family.running() if vm["name"] == "eve-vm"]
    ca("revoke", "dan", "--ca", "alice.pem", "--key", "alice.key", "--db", "alice.db")
    pushed = family.client(ca.chain("revoke"))
    assert pushed.code == 0, pushed
    until(lambda: not proc.alive(eves_monitor), "Eve's VM is gone")
    for connection in theirs:
        connection.wait_end()
    assert carols.get("/vms").status == 200
    carols.close()
    assert cast.running("alice") == ["carol/carol-vm"]
    for who in ("dan", "eve"):
        assert re.fullmatch(REVOKED, cast.types(who, "info").err)
        assert re.fullmatch(REVOKED, family.client(cast.vms[who]).err)
    assert re.search(r"^log: .* REVOKED", cast.types("alice", "log").out, re.MULTILINE)

    # For good
    family.kill_all(vms=True)
    family.start()
    until(lambda: cast.running("alice") == [], "vmmd has noticed that the VMs are gone too")
    for who in ("dan", "eve"):
        assert re.fullmatch(REVOKED, cast.types(who, "info").err)
        assert re.fullmatch(REVOKED, family.client(cast.vms[who]).err)
    family.deploy(cast.vms["carol"])

    # He gets another one, smaller
    ca("delegation", "dan", "--vms", "1", "--memory", "64", "--cpu", "0", "--key", "dan.key",
       "--issuer", "alice")
    again = ca.vm("dan-again", cast.image, issuer="dan", memory=64)
    family.deploy(again)
    assert cast.running("alice") == ["carol/carol-vm", "dan/dan-again"]
    third = family.client(ca.vm("dan-third", cast.image, issuer="dan", memory=32))
    assert third.err == "failed alice has no room for another VM: it grants 2\n"
    assert re.fullmatch(REVOKED, family.client(cast.vms["eve"]).err), "the old chain stays refused"
