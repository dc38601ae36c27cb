"""The door of the real family: who gets in, and what it costs to be attacked (SECURITY rows 1, 2, 11,
12, 13; scaled where the full number is a bench's). vmm_gate's own corners are in test_gate_alone.py."""

import datetime
import os
import ssl
import subprocess

import pytest

import mint
import proc
from door import context, served
from family import free_port, run, until
from upper import Session, alert, begin_handshake, client_hello, closed, cpu_seconds, tcp

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def dev(ca):
    return ca.delegation(ca.unique("dev"))


@pytest.fixture(scope="module")
def admin(ca, dev):
    return ca.command(ca.unique("admin"), issuer=dev)


# Row 1


@pytest.mark.security("01")
def test_no_certificate(family, watch):
    assert alert(family.port, context(family)) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    watch.nobody_got_in()


@pytest.mark.security("01")
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


@pytest.mark.security("01")
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


@pytest.mark.security("01")
@pytest.mark.parametrize("dates, word", [
    ({"since": -2 * DAY, "until": -DAY}, "expired"), ({"since": DAY, "until": 2 * DAY}, "valid")])
def test_out_of_its_time(family, watch, ca, dev, tmp_path, dates, word):
    """Ours, so it is told in words; without authority, so it is no LOGIN."""
    minted = mint.certificate("late", mint.load(ca, dev), mint.command(mint.ALL), **dates)
    answer = family.curl(mint.chain(tmp_path, "late", minted), "/")
    assert answer.status == 403 and word in answer.detail, answer
    watch.refused("late")


@pytest.mark.security("01")
def test_beyond_its_parent(family, watch, ca, dev, tmp_path):
    sub = mint.certificate("sub", mint.load(ca, dev), mint.delegation(vms=3), is_ca=True)
    minted = mint.certificate("greedy", sub, mint.command(mint.ALL))
    answer = family.curl(mint.chain(tmp_path, "greedy", minted), "/")
    assert (answer.status, answer.detail) == (403, f"vms: asked for 3, {dev} grants 2")
    watch.refused("greedy")


@pytest.mark.security("01")
def test_the_right_one(family, watch, admin):
    assert served(family, admin)
    assert len(watch.lines("LOGIN 127.0.0.1:")) == 1
    until(lambda: not watch.workers(), "its worker has gone")


# Row 2


def s_client(family, chain, *arguments, port=None):
    """A conversation by openssl, with every message named: the client says what HTTP/2 is not."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port or family.port}", "-alpn", "h2", "-msg",
             "-ign_eof", "-CAfile", family.ca.path("cacert.pem"), *arguments]
    if chain:
        # It takes the first certificate of a file; the issuers have to be in another.
        above = family.folder / "above.pem"
        above.write_text(chain.bundle.read_text().partition("-----END CERTIFICATE-----\n")[2])
        words += ["-cert", chain.bundle, "-key", chain.key, "-cert_chain", above]
    done = subprocess.run(words, input="PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxx",
                          capture_output=True, encoding="utf-8", errors="backslashreplace",
                          timeout=60, check=False)
    return done.stdout + done.stderr


def is_whole_handshake(said):
    """Each side showed its certificates and proved to have the key, and the server believed it."""
    return "SSL alert" not in said and said.count("CertificateVerify") == 2 and "New, TLSv1.3" in said and "Reused" not in said


@pytest.mark.security("02")
def test_nothing_to_resume_with(family, admin, tmp_path):
    saved = tmp_path / "session"
    said = s_client(family, admin, "-sess_out", saved)
    assert is_whole_handshake(said) and "Finished" in said
    assert "NewSessionTicket" not in said
    assert not saved.exists() or "SSL_SESSION" not in saved.read_text()


@pytest.fixture
def foreign_session(family, admin, tmp_path):
    """What another server of the same certificate and key gives to come back with, early data too."""
    saved, port = tmp_path / "session", free_port()
    keys = ["-cert", family.ca.path("server.pem"), "-key", family.ca.path("server.key")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(["openssl", "s_server", "-accept", str(port), "-alpn", "h2", "-early_data",
                           *keys], **pipes) as server:
        until(lambda: server.stdout.readline().startswith(b"ACCEPT"), "it listens")
        with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "h2",
                               "-sess_out", saved], **pipes) as client:
            until(lambda: saved.exists() and "END SSL SESSION" in saved.read_text(), "it gives one")
            client.kill()
        server.kill()
    return saved


@pytest.mark.security("02")
def test_no_session_is_resumed(family, watch, admin, foreign_session, tmp_path):
    """With a ticket, and with what to say before the handshake is done: that is not even skipped."""
    early = tmp_path / "early"
    early.write_bytes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert "alert certificate required" in s_client(family, None, "-sess_in", foreign_session)
    said = s_client(family, admin, "-sess_in", foreign_session, "-early_data", early)
    assert "alert unexpected message" in said
    watch.nobody_got_in()
    assert is_whole_handshake(s_client(family, admin, "-sess_in", foreign_session))


@pytest.mark.security("02")
def test_no_shared_key(family, watch, admin):
    psk = ("-psk", "c0ffee", "-psk_identity", "admin")
    assert "alert certificate required" in s_client(family, None, *psk)
    watch.nobody_got_in()
    assert is_whole_handshake(s_client(family, admin, *psk))


@pytest.mark.security("02")
def test_no_authentication_later(family, watch, admin):
    """Who offers to show a certificate when asked is asked now, or never."""
    later = context(family)
    later.post_handshake_auth = True
    assert alert(family.port, later) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    watch.nobody_got_in()
    said = s_client(family, admin, "-enable_pha")
    assert said.count("CertificateRequest") == 1 and is_whole_handshake(said)


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


# Sessions that are ended say why


def followed(family, chain):
    """A session that follows the log, and its stream."""
    session = Session(context(family, chain).wrap_socket(tcp(family.port), server_hostname="localhost"))
    stream = session.request("/log?follow")
    session.lines(stream, 1)
    return session, stream


def is_ended(session, stream, why):
    session.until(lambda: stream in session.ended)
    assert session.lines(stream, 10**6)[-1] == {"detached": why}
    assert session.wait_end()
    assert session.goodbye == why.encode()


def test_a_session_that_expires(family, ca, dev, tmp_path):
    minted = mint.certificate("brief", mint.load(ca, dev), mint.command(mint.ALL),
                              until=datetime.timedelta(seconds=10))
    session, stream = followed(family, mint.chain(tmp_path, "brief", minted))
    is_ended(session, stream, "a certificate of the chain has expired")


def test_a_session_that_is_revoked(family, ca, dev):
    """Its stream, its goodbye; the next one of the same chain hears it too. Others go on."""
    gone, stays = (ca.command(ca.unique(stem), issuer=dev) for stem in ("gone", "stays"))
    name = gone.bundle.stem
    session, stream = followed(family, gone)
    other = followed(family, stays)[0]
    ca("revoke", name, "--ca", f"{dev}.pem", "--key", f"{dev}.key", "--db", f"{dev}.db")
    answer = family.curl(ca.chain("revoke"), "/revocations", "-X", "POST")
    [ended] = answer.json()["ended"]
    assert (ended["kind"], ended["path"]) == ("session", name)
    assert ended["peer"] == "%s:%d" % session.tls.getsockname()
    is_ended(session, stream, f"{name} was revoked by {dev}")
    again = family.curl(gone, "/")
    assert (again.status, again.json()["type"]) == (403, "urn:vmm:revoked")
    assert other.get("/").status == 200


def test_sessions_end_with_vmmd(new_family, ca, dev):
    """Who asks then is told to come again."""
    family = new_family()
    session, stream = followed(family, ca.command(ca.unique("admin"), issuer=dev))
    family.stop()
    is_ended(session, stream, "vmmd is stopping")
    family.start()
