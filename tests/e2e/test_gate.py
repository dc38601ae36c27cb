"""The door of the real family: who gets in, and what it costs to be attacked (SECURITY rows 1, 2, 11,
12, 13; scaled where the full number is a bench's). vmm_gate's own corners are in test_gate_alone.py."""

import datetime
import os
import ssl
import subprocess

import pytest

import mint
import proc
from family import run, until
from upper import alert, begin_handshake, client_hello, closed, cpu_seconds, tcp, tls_context

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def dev(ca):
    return ca.delegation(ca.unique("dev"))


@pytest.fixture(scope="module")
def admin(ca, dev):
    return ca.command(ca.unique("admin"), issuer=dev)


class Watch:
    """What the family says and has from here on."""

    def __init__(self, family):
        self.family, self.from_here = family, len(family.log())

    def lines(self, word=""):
        return [line for line in self.family.log()[self.from_here:].splitlines() if word in line]

    def workers(self):
        roles = [self.family.role(name) for name in ("vmm_gate", "vmm_auth")]
        return [pid for role in roles for pid in proc.children(role)]

    def nobody_got_in(self):
        until(lambda: not self.workers(), "no process is left")
        assert self.lines("LOGIN") == []


@pytest.fixture
def watch(family):
    until(lambda: not Watch(family).workers(), "earlier sessions have gone")
    return Watch(family)


def context(family, chain=None):
    return tls_context(family.ca.path("cacert.pem"), chain)


def served(family, chain):
    return family.curl(chain, "/").status == 200


# Row 1


def test_no_certificate(family, watch):
    assert alert(family.port, context(family)) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    watch.nobody_got_in()


def test_older_tls(family, watch, admin):
    older = context(family, admin)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    assert alert(family.port, older) == "TLSV1_ALERT_PROTOCOL_VERSION"
    watch.nobody_got_in()


def test_other_protocol(family, watch, admin):
    other = context(family, admin)
    other.set_alpn_protocols(["http/1.1"])
    assert "no application protocol" in alert(family.port, other)
    watch.nobody_got_in()


def test_strangers(family, watch, tmp_path):
    """Another CA's leaf, with and without that CA; one signed by itself."""
    root = mint.certificate("ca", None, {}, is_ca=True, usage=False)
    leaf = mint.certificate("admin", root, mint.command(mint.ALL))
    self_signed = mint.certificate("admin", None, mint.command(mint.ALL))
    bundles = {"leaf": (leaf, mint.pem(leaf.certificate)), "chain": (leaf, leaf.above),
               "self": (self_signed, mint.pem(self_signed.certificate))}
    for name, (minted, bundle) in bundles.items():
        chain = mint.chain(tmp_path, name, minted, bundle)
        assert alert(family.port, context(family, chain)) == "TLSV1_ALERT_UNKNOWN_CA", name
    assert watch.lines("REFUSED") == []
    watch.nobody_got_in()


DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize("dates, word", [
    ({"since": -2 * DAY, "until": -DAY}, "expired"), ({"since": DAY, "until": 2 * DAY}, "valid")])
def test_out_of_its_time(family, watch, ca, dev, tmp_path, dates, word):
    """Ours, so it is told in words; without authority, so it is no LOGIN."""
    minted = mint.certificate("late", mint.load(ca, dev), mint.command(mint.ALL), **dates)
    answer = family.curl(mint.chain(tmp_path, "late", minted), "/")
    assert answer.status == 403 and word in answer.detail, answer
    assert len(watch.lines("late REFUSED 127.0.0.1:")) == 1
    watch.nobody_got_in()


def test_the_right_one(family, watch, admin):
    assert served(family, admin)
    assert len(watch.lines("LOGIN 127.0.0.1:")) == 1
    until(lambda: not watch.workers(), "its worker has gone")


# Row 2


def test_nothing_to_resume_with(family, admin, tmp_path):
    saved = tmp_path / "session"
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{family.port}", "-alpn", "h2", "-msg",
         "-ign_eof", "-sess_out", saved, "-CAfile", family.ca.path("cacert.pem"), "-cert",
         admin.bundle, "-key", admin.key],
        input="PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxx", capture_output=True,
        encoding="utf-8", errors="backslashreplace", timeout=60, check=False)
    assert "CertificateVerify" in done.stdout and "Finished" in done.stdout
    assert "NewSessionTicket" not in done.stdout
    assert not saved.exists() or "SSL_SESSION" not in saved.read_text()


# Row 11


def test_stalled_connections(family, watch, admin):
    """Idle, half a hello, a large chain announced and not sent; a real client is served, every one of
    them is gone at its deadline, and then everything is as before."""
    gate = family.role("vmm_gate")
    before = len(proc.descriptors(gate))
    large = context(family, large_stranger(family.folder))
    connections = [tcp(family.port) for _ in range(60)]
    for _ in range(60):
        connections.append(tcp(family.port))
        connections[-1].sendall(client_hello(512)[:3])
    connections += [begin_handshake(family.port, large, 30000) for _ in range(10)]
    assert served(family, admin)
    spent = cpu_seconds(gate)
    until(lambda: all(map(closed, connections)), "all of them are ended")
    assert cpu_seconds(gate) - spent < 3, "no busy loop"
    until(lambda: not watch.workers(), "no process is left")
    until(lambda: len(proc.descriptors(gate)) == before, "no descriptor is left")
    for connection in connections:
        connection.close()
    assert served(family, admin)
    assert len(watch.lines()) < 10, watch.lines()


def test_a_crowd_of_idle_connections(family, watch, admin):
    """More than one source may have: the silent make room for who speaks."""
    connections = [tcp(family.port) for _ in range(300)]
    assert served(family, admin)
    assert any(map(closed, connections))
    for connection in connections:
        connection.close()
    assert len(watch.lines()) < 10, watch.lines()


# Row 12


def test_33000_certificates(family, watch, tmp_path):
    root = mint.certificate("ca", None, {}, is_ca=True, usage=False)
    small = mint.certificate("x", root, {}, usage=False)
    chain = mint.chain(tmp_path, "many", small, mint.pem(small.certificate) * 33000)
    assert alert(family.port, context(family, chain)) == "TLSV1_ALERT_DECODE_ERROR"
    watch.nobody_got_in()


# Row 13


def large_stranger(folder):
    root = mint.certificate("ca", None, {}, is_ca=True, usage=False)
    minted = mint.certificate("large", root, mint.vm(os.urandom(15900000)))
    return mint.chain(folder, "large", minted, mint.pem(minted.certificate))


def test_large_chains_of_strangers(family, watch, admin, tmp_path):
    chain = large_stranger(tmp_path)
    lines = ["openssl", "s_client", "-connect", f"127.0.0.1:{family.port}", "-alpn", "h2", "-cert",
             chain.bundle, "-key", chain.key, "-ign_eof"]
    clients = [subprocess.Popen(lines, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, encoding="utf-8") for _ in range(6)]
    assert served(family, admin), "a small chain does not wait for large ones"
    for client in clients:
        assert "unknown ca" in client.communicate(timeout=120)[1]
    until(lambda: not watch.workers(), "no process is left")
    assert len(watch.lines("LOGIN")) == 1


def test_the_gate_is_no_tool_by_hand(tree):
    done = run([tree.libexec / "vmm_gate"])
    assert done.code == 1 and "started by vmmd(8)" in done.err
