"""Taking back: what a revocation ends and what it leaves (SECURITY row 8), lists that are not taken (row 9),
and lists that come while something is under way (row 10)."""

import contextlib
import os
import signal
import subprocess
import threading
from typing import NamedTuple

import h2.exceptions
import pytest

import mint
import proc
from door import served, session
from family import PATIENCE, Chain, until
from held import children, hold, large_vm

pytestmark = pytest.mark.sanitized


class Tenant(NamedTuple):
    """A delegation, a VM of it that runs, and its admin; `kept` is a second VM that runs."""

    name: str
    vm: str
    kept: str
    admin: Chain

    def path(self, vm):
        return f"{self.name}/{vm}"


def tenant(family, ca, stem, issuer="ca", **grants):
    name = ca.delegation(ca.unique(stem), issuer=issuer, **{"vms": 6, **grants})
    vm, kept = ca.unique(f"{stem}-vm"), ca.unique(f"{stem}-kept")
    for one in (vm, kept):
        family.deploy(ca.vm(one, family.tree.guest("idle"), issuer=name))
    return Tenant(name, vm, kept, ca.command(ca.unique(f"{stem}-admin"), issuer=name))


@pytest.fixture
def alice(family, ca):
    return tenant(family, ca, "alice")


@pytest.fixture
def bob(family, ca):
    return tenant(family, ca, "bob")


def pid_of(family, path):
    return family.curl(family.admin, f"/vms/{path}").json()[0]["pid"]


def running(family, chain):
    return sorted(vm["path"] for vm in family.running(chain))


def is_over(connection):
    """The server ends it; a session that does not end hangs until the test's patience does."""
    connection.wait_end()
    return True


def refused(family, chain, words):
    answer = family.curl(chain, "/")
    return answer.status == 403 and answer.detail == words and answer.json()["type"] == "urn:vmm:revoked"


# Row 8


@pytest.mark.security("01", "08")
def test_a_leaf(family, ca, alice, watch):
    """A VM's certificate: the VM is gone, the others and the sessions stay. A session's: the other way."""
    vm = ca.chain(alice.vm)
    monitor = pid_of(family, alice.path(alice.vm))
    open_session = session(family, alice.admin)
    assert open_session.get("/").status == 200
    assert family.push(ca.revoke(alice.vm, issuer=alice.name)) == [("vm", alice.vm)]
    until(lambda: not proc.alive(monitor), "its VM is gone")
    assert running(family, alice.admin) == [alice.kept]
    assert refused(family, vm, f"{alice.vm} was revoked by {alice.name}")
    assert family.client(vm).err == f"failed {alice.vm} was revoked by {alice.name}\n"
    assert watch.lines(f"{alice.vm} REFUSED") and not watch.lines(f"{alice.vm} LOGIN")
    assert watch.lines("REVOKED")
    assert open_session.get("/").status == 200

    other = ca.unique("other-admin")
    also = session(family, ca.command(other, issuer=alice.name))
    assert also.get("/").status == 200
    assert family.push(ca.revoke(other, issuer=alice.name)) == [("session", other)]
    assert is_over(also)
    assert refused(family, ca.chain(other), f"{other} was revoked by {alice.name}")
    assert open_session.get("/").status == 200
    open_session.close()
    assert running(family, alice.admin) == [alice.kept]


@pytest.mark.security("08")
def test_a_delegation(family, ca, alice, bob):
    """With all below it, at any depth; siblings and what is above stay as they are."""
    carol, dan = (tenant(family, ca, name, alice.name, vms=2) for name in ("carol", "dan"))
    eve = ca.delegation(ca.unique("eve"), issuer=dan.name)
    eves = session(family, ca.command(ca.unique("eve-admin"), issuer=eve))
    dans, carols, bobs = (session(family, who.admin) for who in (dan, carol, bob))
    for connection in (eves, dans, carols, bobs):
        assert connection.get("/vms").status == 200
    ended = family.push(ca.revoke(dan.name, issuer=alice.name))
    assert [path for kind, path in ended if kind == "vm"] == sorted(
        f"{dan.name}/{vm}" for vm in (dan.vm, dan.kept))
    assert len([path for kind, path in ended if kind == "session"]) == 2
    assert is_over(eves) and is_over(dans)
    assert running(family, alice.admin) == sorted(
        [alice.vm, alice.kept, f"{carol.name}/{carol.vm}", f"{carol.name}/{carol.kept}"])
    for connection in (carols, bobs):
        assert connection.get("/vms").status == 200
        connection.close()
    assert refused(family, dan.admin, f"{dan.name} was revoked by {alice.name}")


@pytest.mark.security("08")
def test_by_the_root(family, ca, alice, bob):
    """A top delegation, with vmm_client."""
    revocation = ca.revoke(alice.name, issuer="ca")
    done = family.client(revocation)
    assert done.code == 0, done
    assert alice.vm in done.out + done.err and bob.vm not in done.out + done.err
    assert running(family, bob.admin) == sorted([bob.vm, bob.kept])
    assert refused(family, alice.admin, f"{alice.name} was revoked by the CA")


def kill_every_process(family):
    family.kill_all()
    family.start()


def restart(family):
    assert family.stop() == 0
    family.start()


def reboot(family):
    """Nothing of the runtime directory is left, and no VM."""
    family.destroy_all()
    restart(family)


RESTARTS = {"every process killed": kill_every_process, "restart": restart, "reboot": reboot}


@pytest.mark.security("08")
@pytest.mark.parametrize("how", RESTARTS, ids=lambda name: name.replace(" ", "_"))
def test_for_good(new_family, ca, how):
    family = new_family()
    alice, bob = tenant(family, ca, "alice"), tenant(family, ca, "bob")
    words = f"{alice.vm} was revoked by {alice.name}"
    assert family.push(ca.revoke(alice.vm, issuer=alice.name)) == [("vm", alice.vm)]
    assert ("vm", bob.path(bob.vm)) in family.push(ca.revoke(bob.name, issuer="ca"))
    RESTARTS[how](family)
    assert refused(family, ca.chain(alice.vm), words)
    assert refused(family, bob.admin, f"{bob.name} was revoked by the CA")
    assert served(family, alice.admin)
    second = ca.unique("second")
    family.deploy(ca.vm(second, family.tree.guest("idle"), issuer=alice.name))
    assert family.push(ca.revoke(second, issuer=alice.name)) == [("vm", second)]
    assert refused(family, ca.chain(alice.vm), words), "the next list holds the ones before"


@pytest.mark.security("08")
def test_signed_again(family, ca, alice):
    """The name is not what was revoked: its next certificate has another serial number."""
    family.push(ca.revoke(alice.vm, issuer=alice.name))
    family.deploy(again(ca, alice, alice.vm))
    assert running(family, alice.admin) == sorted([alice.vm, alice.kept])


def again(ca, issuer, name):
    ca("vm", name, ca.tree.guest("idle"), "--memory", 32, "--cpu", 0, "--key", f"{name}.key", "--issuer",
       issuer.name)
    return ca.chain(name)


# Row 9


class Lists:
    """A delegation's revocation lists by another hand."""

    def __init__(self, family, folder, who, issuer=None):
        self.family, self.folder, self.ca = family, folder, family.ca
        self.issuer = issuer or mint.load(self.ca, who.name)

    def serial(self, name):
        return mint.x509.load_pem_x509_certificate(self.ca.path(f"{name}.pem").read_bytes()).serial_number

    def crl(self, vm, number, **options):
        return mint.crl(self.issuer, [self.serial(vm)], number, **options)

    def push(self, crl):
        minted = mint.certificate("revoke", self.issuer, mint.revocation(crl))
        return self.family.curl(mint.chain(self.folder, "revoke", minted), "/revocations", "-X", "POST")


DELTA = mint.extension("551d1b", mint.integer(0), critical=True)


def partition(body):
    return mint.extension("551d1c", mint.sequence(body), critical=True)


def unsigned(_issuer, _signed):
    return mint.sequence(bytes.fromhex("06082a8648ce3d040302")) + mint.der(0x03, b"\0")


def spoilt(issuer, signed):
    return mint.signature_on(issuer, signed + b"\0")


def stranger(lists):
    return mint.Issuer(lists.issuer.certificate, mint.new_key(), lists.issuer.above)


NOT_TAKEN = {
    "older": lambda lists, vm: lists.crl(vm, 4),
    "equal": lambda lists, vm: lists.crl(vm, 5),
    "negative": lambda lists, vm: lists.crl(vm, -1),
    "without a number": lambda lists, vm: lists.crl(vm, None),
    "delta": lambda lists, vm: lists.crl(vm, 6, extensions=[DELTA]),
    "indirect": lambda lists, vm: lists.crl(vm, 6, extensions=[partition(b"\x84\x01\xff")]),
    "of users alone": lambda lists, vm: lists.crl(vm, 6, extensions=[partition(b"\x81\x01\xff")]),
    "of CAs alone": lambda lists, vm: lists.crl(vm, 6, extensions=[partition(b"\x82\x01\xff")]),
    "with an unknown critical extension": lambda lists, vm: lists.crl(
        vm, 6, extensions=[mint.extension("2a0304", mint.integer(1), critical=True)]),
    "unsigned": lambda lists, vm: lists.crl(vm, 6, sign=unsigned),
    "signed over something else": lambda lists, vm: lists.crl(vm, 6, sign=spoilt),
    "signed by another key": lambda lists, vm: lists.crl(vm, 6, signer=stranger(lists)),
    "signed by the root": lambda lists, vm: lists.crl(vm, 6, signer=mint.load(lists.ca, "ca")),
    "of another name": lambda lists, vm: lists.crl(vm, 6, name=mint.subject("mallory")),
    "with trailing bytes": lambda lists, vm: lists.crl(vm, 6) + b"\0",
    "truncated": lambda lists, vm: lists.crl(vm, 6)[:-1],
}


@pytest.mark.security("09")
@pytest.mark.parametrize("case", NOT_TAKEN, ids=lambda name: name.replace(" ", "_"))
def test_not_taken(family, alice, bob, tmp_path, case):
    """Refused in words; nothing ends by it, and what was taken back before stays so."""
    lists = Lists(family, tmp_path, alice)
    first = lists.push(lists.crl(alice.vm, 5))
    assert first.status == 200, first
    answer = lists.push(NOT_TAKEN[case](lists, alice.kept))
    assert 400 <= answer.status < 500 and answer.detail, answer
    assert running(family, alice.admin) == [alice.kept]
    assert served(family, lists.ca.chain(alice.kept)) and not served(family, lists.ca.chain(alice.vm))
    last = lists.push(mint.crl(lists.issuer, [lists.serial(name) for name in (alice.vm, alice.kept)], 6))
    assert last.status == 200, "the refused one did not use up its number"
    assert running(family, alice.admin) == []
    assert running(family, bob.admin) == sorted([bob.vm, bob.kept])


@pytest.mark.security("09")
def test_number_grows_without_bound(family, alice, tmp_path):
    """20 bytes, as RFC 5280 allows; then there is no way back."""
    lists = Lists(family, tmp_path, alice)
    assert lists.push(lists.crl(alice.vm, 2**158)).status == 200
    assert 400 <= lists.push(lists.crl(alice.kept, 2**64)).status < 500
    assert lists.push(mint.crl(lists.issuer, [lists.serial(alice.kept)], 2**158 + 1)).status == 200


ENTRIES = 400000


@pytest.mark.security("09")
@pytest.mark.slow
def test_as_long_as_a_certificate_can_carry(family, alice, bob, tmp_path):
    """Taken, with the one that counts at its end; the other tenant is served meanwhile, and afterwards
    nothing is slower to be told than before."""
    lists = Lists(family, tmp_path, alice)
    serials = [int.from_bytes(b"\x01" + os.urandom(19), "big") for _ in range(ENTRIES)]
    crl = mint.crl(lists.issuer, [*serials, lists.serial(alice.vm)], 1)
    assert len(crl) > 15_000_000
    answers = []
    pushing = threading.Thread(target=lambda: answers.append(lists.push(crl)))
    pushing.start()
    while pushing.is_alive():
        assert served(family, bob.admin)
    pushing.join()
    [answer] = answers
    assert answer.status == 200, answer
    assert running(family, alice.admin) == [alice.kept]
    assert not served(family, lists.ca.chain(alice.vm))
    assert running(family, bob.admin) == sorted([bob.vm, bob.kept])


@pytest.mark.security("09")
def test_a_ca_that_took_anothers_name(family, ca, alice, bob, tmp_path):
    """Lists belong to a place in the tree and a key, not to a name: Alice makes a delegation called as Bob,
    and one with Bob's own list, which anybody may have."""
    bobs = Lists(family, tmp_path, bob)
    false_bob = mint.certificate(bob.name, mint.load(ca, alice.name), mint.delegation(vms=1, memory=64),
                                 is_ca=True)
    falsely = Lists(family, tmp_path, alice, false_bob)
    every = [falsely.serial(name) for name in (bob.vm, bob.kept, bob.name)]
    answer = falsely.push(mint.crl(false_bob, every, 7))
    assert (answer.status, answer.json()["ended"]) == (200, [])
    answer = falsely.push(mint.crl(bobs.issuer, every, 8))
    assert 400 <= answer.status < 500
    answer = Lists(family, tmp_path, alice).push(mint.crl(mint.load(ca, alice.name), every, 9))
    assert (answer.status, answer.json()["ended"]) == (200, [])
    assert running(family, bob.admin) == sorted([bob.vm, bob.kept])
    assert served(family, bob.admin) and served(family, ca.chain(bob.vm))
    assert bobs.push(bobs.crl(bob.vm, 0)).status == 200, "his own numbers are his"
    assert running(family, bob.admin) == [bob.kept]


# Row 10


@pytest.mark.security("10")
def test_between_handshake_and_command(family, ca, alice, bob):
    """An idle session, and one whose handshake is done and that was never heard of."""
    other = ca.unique("late-admin")
    chain = ca.command(other, issuer=alice.name)
    idle, silent = session(family, chain), session(family, chain)
    assert idle.get("/").status == 200
    ended = family.push(ca.revoke(other, issuer=alice.name))
    assert set(ended) == {("session", other)}
    for connection in (idle, silent):
        assert status_of(connection, "DELETE", f"/vms/{alice.kept}") in (0, 403)
    assert running(family, alice.admin) == sorted([alice.vm, alice.kept])


def status_of(connection, method, path):
    """0: the connection ended before there was an answer."""
    try:
        return connection.answer(connection.request(path, method)).status
    except (AssertionError, OSError, h2.exceptions.ProtocolError):
        return 0


def monitors_of(vmmd):
    """Not before they are programs of their own: until then vmmd waits for them (vfork)."""
    return [pid for pid in children(vmmd) if proc.name(pid) == "vmm_monitor"]


JUDGED = 5


@pytest.mark.security("10")
def test_while_it_is_judged(family, ca, alice, tmp_path):
    """The chain's judge has looked at the older lists and is held; the push is answered; then the judge goes
    on. Wherever it was, nothing of the revoked one runs."""
    for _ in range(JUDGED):
        name = large_vm(family, tmp_path, alice.name)
        revocation = ca.revoke(name, issuer=alice.name)
        auth = family.role("vmm_auth")
        until(lambda: not children(auth), "nobody else is judged")
        client = subprocess.Popen(family.client_line(ca.chain(name)), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, encoding="utf-8")
        judge = hold(lambda: children(auth))
        try:
            family.push(revocation)
        finally:
            os.kill(judge, signal.SIGCONT)
        out, said = client.communicate(timeout=PATIENCE)
        assert client.returncode != 0 and out == "", said
        assert running(family, alice.admin) == sorted([alice.vm, alice.kept])


@pytest.mark.security("10")
def test_between_check_and_start(family, ca, alice):
    """The VM's monitor is held while it starts: what was checked before counts no more."""
    vmmd, held = family.pid, 0
    while held < 3:
        name = ca.unique("starting")
        chain, known = ca.vm(name, family.tree.guest("idle"), issuer=alice.name), children(vmmd)
        revocation = ca.revoke(name, issuer=alice.name)
        client = subprocess.Popen(family.client_line(chain), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, encoding="utf-8")
        monitor = hold(lambda: monitors_of(vmmd), known)
        try:
            [vm] = family.curl(alice.admin, f"/vms/{name}").json()
            assert ("vm", name) in family.push(revocation)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(monitor, signal.SIGCONT)
        until(lambda: not proc.alive(monitor), "the VM is gone")
        out, said = client.communicate(timeout=PATIENCE)
        if vm["state"] == "starting":
            held += 1
            assert client.returncode != 0 and out == "", said
        assert running(family, alice.admin) == sorted([alice.vm, alice.kept])


@pytest.mark.security("10")
def test_a_crowd_that_opens_while_the_list_comes(family, ca, alice):
    """Sessions opened before, during and after: once the push is answered, no one can do anything."""
    name = ca.unique("crowd-admin")
    chain = ca.command(name, issuer=alice.name)
    revocation = ca.revoke(name, issuer=alice.name)
    opened, go = [], threading.Event()

    def keep_opening():
        while not go.is_set():
            opened.append(session(family, chain))

    threads = [threading.Thread(target=keep_opening) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(opened) > 8, "some are there before")
    family.push(revocation)
    before = len(opened)
    until(lambda: len(opened) > before + 4, "some come after it")
    go.set()
    for thread in threads:
        thread.join()
    for connection in opened:
        assert status_of(connection, "DELETE", f"/vms/{alice.kept}") in (0, 403)
    assert running(family, alice.admin) == sorted([alice.vm, alice.kept])
