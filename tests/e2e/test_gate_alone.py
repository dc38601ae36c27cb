"""vmm_gate alone, between foreign clients and a vmmd and vmm_auth that a test plays: TLS as SECURITY
rows 1, 2, 12 and 13 want it, limits as row 11, the HTTP interface's every answer."""

import base64
import contextlib
import itertools
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

import mint
import proc
from family import PATIENCE, Chain, free_port, run, until
from gate_world import client, http, make_upper, pki, sanitized, shared, upper  # fixtures
from upper import begin_handshake, bytes_read, client_hello, closed, cpu_seconds, own_kb

pytestmark = pytest.mark.sanitized


# TLS


def test_handshake(upper, client):
    with upper.tls(client) as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "h2"
        peer = "%s:%d" % connection.getsockname()
        upper.expect(f"login {peer}")


def test_no_certificate(upper):
    assert upper.alert() == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert upper.events_so_far() == []


def test_older_tls(upper, client):
    context = upper.context(client)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert upper.alert(context=context) == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert upper.events_so_far() == []


@pytest.mark.parametrize("protocols", [["http/1.1"], ["h2c", "spdy/3"], []])
def test_other_protocols(upper, client, protocols):
    context = upper.context(client)
    if protocols:
        context.set_alpn_protocols(protocols)
    else:
        context = ssl.create_default_context(cafile=str(upper.pki.root_path))
        context.load_cert_chain(client.bundle, client.key)
    assert "no application protocol" in upper.alert(context=context)
    assert upper.events_so_far() == []


def test_no_tls(upper):
    with upper.tcp() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096)[:1] in (b"", b"\x15")
    assert upper.events_so_far() == []


@pytest.mark.parametrize("number, name", [
    (42, "SSLV3_ALERT_BAD_CERTIFICATE"), (43, "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
    (48, "TLSV1_ALERT_UNKNOWN_CA"), (50, "SSLV3_ALERT_BAD_CERTIFICATE"),
    (51, "TLSV1_ALERT_DECRYPT_ERROR"), (80, "TLSV1_ALERT_INTERNAL_ERROR")])
def test_verdict_alert(upper, pki, number, name):
    assert upper.alert(pki.client(f"play-alert-{number}")) == name
    assert not [event for event in upper.events_so_far() if event.startswith("login")]


def test_auth_that_vanishes(upper, pki):
    assert upper.alert(pki.client("play-vanish")) == "TLSV1_ALERT_INTERNAL_ERROR"


def test_verdict_refuse(upper, pki):
    refused = pki.client("play-refuse")
    for path, method in (("/", "GET"), ("/vms", "POST"), ("/nothing", "PUT")):
        answer = upper.curl(refused, path, "-X", method)
        assert answer.status == 403
        assert answer.json()["type"] == "urn:vmm:expired"
        assert answer.detail == "hello: expired on 2017-07-10"
    assert not [event for event in upper.events_so_far() if event.startswith("login")]


def test_certificate_without_its_key(upper, pki, client):
    """The chain is public; only who has its key gets a session."""
    other = pki.client("other")
    hello = run(["openssl", "s_client", "-connect", f"127.0.0.1:{upper.port}", "-alpn", "h2",
                 "-cert", client.bundle, "-key", other.key])
    assert hello.code != 0
    assert not [event for event in upper.events_so_far() if event.startswith("login")]


def test_nothing_to_resume_with(upper, client, tmp_path):
    """Row 2. s_client prints what tickets it gets; -reconnect would use them."""
    saved = tmp_path / "session"
    common = ["-alpn", "h2", "-cert", client.bundle, "-key", client.key,
              "-CAfile", upper.pki.root_path]
    first = upper.s_client(*common, "-sess_out", saved, "-msg", "-ign_eof",
                           data="PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nxxxxxxxxxxxx")
    assert "CertificateVerify" in first.stdout and "Finished" in first.stdout
    assert "NewSessionTicket" not in first.stdout
    assert "New Session Ticket arrived" not in first.stdout
    assert "SSL_SESSION" not in (saved.read_text() if saved.exists() else "")
    again = upper.s_client(*common, "-reconnect", "-ign_eof", data="Q")
    assert "Reused" not in again.stdout


@contextlib.contextmanager
def openssl(*words):
    """It runs until it is left."""
    with subprocess.Popen(["openssl", *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_forged_ticket_is_no_use(upper, client, pki, tmp_path):
    """A session made with another server, same name and protocol: the handshake is a full one."""
    saved = tmp_path / "session"
    port = free_port()

    def ticket():
        """Nobody may be listening yet."""
        with openssl("s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "h2", "-sess_out", saved) as one:
            until(lambda: saved.exists() and "-----END" in saved.read_text() or one.poll() is not None, "it has an end")
        return saved.exists()

    with openssl("s_server", "-accept", port, "-key", pki.server.key, "-cert", pki.server.bundle, "-alpn", "h2",
                 "-quiet", "-tls1_3"):
        until(ticket, "a ticket comes")
    done = upper.s_client("-alpn", "h2", "-sess_in", saved, "-cert", client.bundle, "-key",
                          client.key, "-ign_eof", "-msg", data="x")
    assert "New, TLSv1.3" in done.stdout and "Reused" not in done.stdout
    assert ">>> TLS 1.3, Handshake [length" in done.stdout and "CertificateVerify" in done.stdout


def test_no_early_data(upper, client, tmp_path):
    done = upper.s_client("-alpn", "h2", "-cert", client.bundle, "-key", client.key, "-ign_eof",
                          data="x")
    assert "Early data was not sent" in done.stdout
    assert "Max Early Data: 0" in done.stdout or "Max Early Data" not in done.stdout


def test_no_ca_names(upper, client):
    done = upper.s_client("-alpn", "h2", "-cert", client.bundle, "-key", client.key, "-ign_eof",
                          data="x")
    assert "No client certificate CA names sent" in done.stdout


def test_every_worker_draws_its_own_randomness(upper, client):
    """They are forks of one warmed process."""
    randoms = set()
    for _ in range(8):
        done = upper.s_client("-alpn", "h2", "-cert", client.bundle, "-key", client.key, "-msg",
                              "-ign_eof", data="x")
        lines = done.stdout.splitlines()
        at = next(i for i, line in enumerate(lines) if "ServerHello" in line)
        randoms.add(" ".join(lines[at + 1:at + 4]))
    assert len(randoms) == 8


# Chains on their way to vmm_auth


def small_certificates(pki, count):
    """COUNT well-formed certificates, as small as one makes them."""
    one = mint.certificate("x", pki.root, {}, usage=False)
    return mint.pem(one.certificate) * count


def test_sixteen_certificates_are_passed_on(upper, pki):
    chain = pki.client("sixteen", small_certificates(pki, 15))
    with upper.tls(chain):
        upper.expect("login .*")


@pytest.mark.parametrize("count", [16, 33000])
def test_too_many_certificates(upper, pki, count):
    """Row 12: well-formed, every one of them, so that who parses them finds no fault."""
    chain = pki.client("many", small_certificates(pki, count))
    assert upper.alert(chain) == "TLSV1_ALERT_DECODE_ERROR"
    assert upper.events_so_far() == []


def large(pki, name, megabytes):
    """A certificate with so much of an unknown extension."""
    minted = mint.certificate(name, pki.root, {99: mint.octets(os.urandom(int(megabytes * 2**20)))})
    return mint.chain(pki.folder, name, minted, mint.pem(minted.certificate))


def test_large_chain(upper, pki):
    chain = large(pki, "large", 15.9)
    session = upper.session(chain)
    size = int(upper.expect(r"chain \S+ (\d+)").group(1))
    assert 15.9 * 2**20 < size < 2**24
    assert session.get("/").status == 200
    assert session.wait_end(), "a goodbye after the first answer"


def test_chain_beyond_what_tls_carries(upper, pki):
    """OpenSSL's own limit is what a handshake message can be; more does not leave a client."""
    chain = large(pki, "beyond", 16.1)
    with pytest.raises(ssl.SSLError):
        upper.tls(chain).recv(1)
    assert upper.events_so_far() == []


def test_an_announcement_costs_nothing(upper, pki, sanitized):
    """Some versions of OpenSSL took the memory for a Certificate message when they saw its length."""
    context = upper.context(large(pki, "stalls", 15.9))
    connection = begin_handshake(upper.port, context, 40000)
    worker = until(upper.workers, "a worker has it")[0]
    until(lambda: bytes_read(worker) > 39000, "it has what there is")
    if not sanitized:
        assert own_kb(worker) < 6000
    connection.close()


def test_twenty_large_chains_of_strangers(upper, pki):
    """Row 13: each is refused as it should be."""
    context = upper.context(large(pki, "play-alert-48", 15.9))
    alerts = []
    threads = [threading.Thread(target=lambda: alerts.append(upper.alert(context=context)))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alerts == ["TLSV1_ALERT_UNKNOWN_CA"] * 20
    assert len([event for event in upper.events_so_far() if event.startswith("chain")]) == 20


def test_memory_of_twenty_large_chains(make_upper, pki, sanitized):
    """Row 13: what they sent, and a few of them parsed; the others wait for their turn."""
    upper = make_upper()
    context = upper.context(large(pki, "play-silence", 15.9))
    sockets = [upper.tls(context=context) for _ in range(20)]
    for _ in range(4):
        upper.expect("chain .*")
    until(lambda: all(own_kb(pid) > 16000 for pid in upper.workers()), "all have come whole")
    assert len(upper.workers()) == 20 and upper.events_so_far() == []
    if not sanitized:
        assert sum(map(own_kb, upper.workers())) < (20 * 25 + 4 * 64) * 1024
    for connection in sockets:
        connection.close()


# Limits


def connect(upper, count, first=b""):
    sockets = []
    for _ in range(count):
        connection = upper.tcp()
        connection.sendall(first)
        sockets.append(connection)
    return sockets


def test_idle_connections_cost_no_process(upper, client):
    sockets = connect(upper, 100)
    assert upper.curl(client, "/").status == 200
    until(lambda: not upper.workers(), "curl's worker has gone")
    assert not any(map(closed, sockets))
    for connection in sockets:
        connection.close()
    until(lambda: len(proc.descriptors(upper.pid)) < 40, "their descriptors are given back")


def test_stalled_connections_do_not_keep_others_out(upper, client):
    """Row 11, scaled: idle, half a hello, a large record announced; a real client among them; all
    gone at their deadline, the gate as before."""
    before = len(proc.descriptors(upper.pid))
    sockets = connect(upper, 60) + connect(upper, 60, client_hello(512)[:3])
    sockets += connect(upper, 20, client_hello(16000) + b"\1\0\0\0")
    assert upper.curl(client, "/").status == 200
    until(lambda: all(map(closed, sockets)), "all of them are ended")
    until(lambda: not upper.workers(), "no process is left")
    until(lambda: len(proc.descriptors(upper.pid)) == before, "no descriptor is left")
    assert upper.curl(client, "/").status == 200
    for connection in sockets:
        connection.close()
    assert len(upper.log().splitlines()) < 5, upper.log()


def test_more_of_one_source_than_it_may(upper, client):
    """The silent make room, the one that speaks is served."""
    sockets = connect(upper, 400)
    assert upper.curl(client, "/").status == 200
    assert sum(map(closed, sockets)) >= 400 - 128
    assert len(upper.log().splitlines()) < 5, upper.log()
    for connection in sockets:
        connection.close()


def test_slow_but_honest(upper, client):
    """A chain that takes longer than the first deadline, at a pace above the least."""
    chain = large(upper.pki, "slow", 0.25)
    forward = socket.create_server(("127.0.0.1", 0))
    context = upper.context(chain)

    def trickle():
        near, _ = forward.accept()
        far = upper.tcp()
        near.settimeout(0.01)
        far.settimeout(0.01)
        while True:
            try:
                data = near.recv(1024)
                if not data:
                    break
                far.sendall(data)
                time.sleep(0.05)
            except socket.timeout:
                pass
            try:
                data = far.recv(65536)
                if not data:
                    break
                near.sendall(data)
            except socket.timeout:
                pass
        near.close()
        far.close()

    threading.Thread(target=trickle, daemon=True).start()
    raw = socket.create_connection(forward.getsockname(), timeout=PATIENCE)
    with context.wrap_socket(raw, server_hostname="localhost"):
        upper.expect("login .*")


def test_descriptors_run_out(upper, client):
    """Past the limit too; no line of log for each, no busy loop, all as before afterwards."""
    limit = len(proc.descriptors(upper.pid)) + 60
    soft, hard = resource.prlimit(upper.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(upper.pid, resource.RLIMIT_NOFILE, (limit, hard))
    sockets = connect(upper, 120)
    assert upper.curl(client, "/").status == 200
    spent = cpu_seconds(upper.pid)
    until(lambda: all(map(closed, sockets)), "all of them are ended")
    assert cpu_seconds(upper.pid) - spent < 2
    assert len(upper.log().splitlines()) < 6, upper.log()
    resource.prlimit(upper.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert upper.curl(client, "/").status == 200
    for connection in sockets:
        connection.close()


def test_no_descriptor_at_all(upper, client):
    """Not even one to accept with: silence until there is, one line, no busy loop."""
    soft, hard = resource.prlimit(upper.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(upper.pid, resource.RLIMIT_NOFILE, (len(proc.descriptors(upper.pid)), hard))
    waiting = upper.tcp()
    until(lambda: "no new connection can be served" in upper.log(), "it says so")
    spent = cpu_seconds(upper.pid)
    time.sleep(2)
    assert cpu_seconds(upper.pid) - spent < 0.5
    assert len(upper.log().splitlines()) == 1, upper.log()
    resource.prlimit(upper.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert upper.curl(client, "/").status == 200
    until(lambda: "served again" in upper.log(), "it says that too")
    waiting.close()


def test_ipv6(make_upper, client):
    upper = make_upper(address="::1")
    raw = socket.create_connection(("::1", upper.port), timeout=PATIENCE)
    with upper.context(client).wrap_socket(raw, server_hostname="localhost") as connection:
        upper.expect(r"login \[::1\]:%d" % connection.getsockname()[1])


# Workers and the gate's life


def test_a_worker_holds_its_connection_and_nothing_else(upper, client):
    others = connect(upper, 5)
    first, second = upper.session(client), upper.session(client)
    assert first.get("/").status == second.get("/").status == 200
    for pid in upper.workers():
        what = sorted(target.partition(":")[0] for target in proc.descriptors(pid).values())
        sockets = [target for target in what if target == "socket"]
        assert len(sockets) == 2, "the client and vmmd"
        assert proc.status(pid)["Seccomp"] == "2" and proc.status(pid)["Seccomp_filters"] == "2"
    for connection in others:
        connection.close()
    first.close()
    second.close()
    upper.expect("logout .*")
    upper.expect("logout .*")
    until(lambda: not upper.workers(), "workers end with their connections")


def test_a_crashed_worker_taints_the_gate(make_upper, client):
    upper = make_upper()
    session = upper.session(client)
    session.get("/")
    os.kill(upper.workers()[0], signal.SIGKILL)
    upper.expect_all("tainted 9", "logout .*")
    assert upper.curl(client, "/").status == 200


def test_workers_end_with_the_gate(make_upper, client):
    upper = make_upper()
    session = upper.session(client)
    session.get("/")
    worker = upper.workers()[0]
    os.kill(upper.pid, signal.SIGKILL)
    upper.expect("ended")
    until(lambda: not proc.alive(worker), "the worker has ended")


def test_drain(make_upper, client):
    upper = make_upper()
    session = upper.session(client)
    assert session.get("/").status == 200
    idle = upper.tcp()
    upper.tell("drain")
    until(lambda: closed(idle), "who has sent nothing goes")
    with pytest.raises(OSError):
        upper.tcp().recv(1)
    assert session.get("/").status == 200
    session.close()
    upper.expect("ended")


def test_auth_is_started_again(upper, client):
    """Who comes meanwhile waits."""
    upper.tell("auth")
    before = len(proc.descriptors(upper.pid))
    line = ["curl", "-s", "--http2", "--cacert", upper.pki.root_path, "--cert", client.bundle,
            "--key", client.key, f"https://localhost:{upper.port}/"]
    waiting = [subprocess.Popen(line, stdout=subprocess.PIPE) for _ in range(3)]
    until(lambda: len(proc.descriptors(upper.pid)) > before, "connections wait")
    upper.tell("introduce")
    for curl in waiting:
        assert json.loads(curl.communicate(timeout=PATIENCE)[0])["name"] == "admin"


def test_vmmd_ends_a_session(upper, client):
    session = upper.session(client)
    stream = session.request("/vms/quiet/console?follow")
    events = session.request("/log?follow")
    stuck = session.request("/vms/stuck", "DELETE")
    replay = session.request("/vms/slow/console")
    assert session.lines(stream, 1)[0]["line"] == session.lines(replay, 1)[0]["line"] == "one"
    assert session.lines(events, 13)[-1] == {"gap": 7}
    upper.expect("destroy stuck")
    upper.tell("end your certificate was revoked")
    session.until(lambda: {stream, replay, events, stuck} <= set(session.ended))
    assert session.lines(replay, 2)[-1] == {"detached": "your certificate was revoked"}, "cut short"
    assert session.lines(stream, 2)[-1] == {"detached": "your certificate was revoked"}
    assert session.lines(events, 14)[-1] == {"detached": "your certificate was revoked"}
    assert session.status[stuck] == 403
    problem = json.loads(session.body[stuck])
    assert (problem["type"], problem["detail"]) == ("urn:vmm:session-ended",
                                                    "your certificate was revoked")
    assert session.wait_end()
    assert session.goodbye == b"your certificate was revoked"


def test_vmmd_ends_a_session_that_asks_nothing(upper, client):
    """The goodbye itself says why."""
    session = upper.session(client)
    assert session.get("/").status == 200
    upper.tell("end your certificate was revoked")
    assert session.wait_end()
    assert session.goodbye == b"your certificate was revoked"


def settled(pid):
    """The process has come to where it waits."""
    spent, same = None, 0
    while same < 20:
        time.sleep(0.05)
        now = cpu_seconds(pid)
        same, spent = (same + 1 if now == spent else 0), now


def test_vmmd_ends_a_session_that_is_behind(upper, client):
    """A stream that holds all it can has the reason behind that."""
    session = upper.session(client)
    stream = session.request("/vms/flood/console?follow")
    upper.expect("console flood .*")
    settled(upper.workers()[0])
    upper.tell("end your certificate was revoked")
    session.until(lambda: stream in session.ended)
    assert session.lines(stream, 10**6)[-1] == {"detached": "your certificate was revoked"}


def test_vmmd_ends_a_session_that_does_not_read(upper, client):
    """Its answers are not waited for: its worker is gone all the same."""
    session = upper.session(client)
    stream = session.request("/vms/flood/console?follow")
    session.until(lambda: len(session.body[stream]) > 2**20)
    upper.tell("end your certificate was revoked")
    until(lambda: not upper.workers(), "its worker is gone")
    session.close()


def test_vmmd_vanishes(upper, client):
    session = upper.session(client)
    stuck = session.request("/vms/stuck", "DELETE")
    upper.expect("destroy stuck")
    upper.tell("drop")
    session.until(lambda: stuck in session.ended)
    assert session.status[stuck] == 503
    assert session.wait_end()


@pytest.mark.parametrize("which, words", [
    ("certificate", "the server's certificate file holds no PEM certificate"),
    ("key", "the server's key file holds no private key"),
    ("other key", "the server's key is not the one of its certificate")])
def test_bad_server_files(make_upper, pki, tmp_path, which, words):
    bad = tmp_path / "bad"
    bad.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    server = {"certificate": Chain(bad, pki.server.key), "key": Chain(pki.server.bundle, bad),
              "other key": Chain(pki.server.bundle, pki.client("someone").key)}[which]
    assert make_upper(server=server).first.startswith(f"failed {words}")


def test_by_hand(build):
    done = run([build / "src/gate/vmm_gate"])
    assert done.code == 1 and "started by vmmd(8)" in done.err
    assert run([build / "src/gate/vmm_gate", "--help"]).code == 0


# HTTP


def test_whoami(http):
    me = http.get("/").json()
    assert (me["name"], me["kind"], me["permissions"]) == ("admin", "command",
                                                          ["info", "force-create"])
    above, own, below = me["delegations"]
    assert [level["relation"] for level in me["delegations"]] == ["above", "own", "below"]
    assert "used" not in above and "free" not in above
    assert own["free"] == {"vms": 1, "memory_mb": 0, "block_mb": 0}
    assert (below["name"], below["path"]) == ("b", "a/b")


@pytest.mark.parametrize("path, asked", [
    ("/vms", ""), ("/vms/dev", "dev"), ("/vms/dev/a%20b", "dev/a b"), ("/vms/82db56", "82db56")])
def test_list(shared, http, path, asked):
    vms = http.get(path).json()
    assert [vm["path"] for vm in vms] == ["dev/vm0", "dev/vm1"]
    shared.expect(f"list {asked}")


def test_long_list(http):
    assert len(http.get("/vms/many").json()) == 300


def test_start_and_destroy(shared, http):
    for query, force in (("", 0), ("?force", 1), ("?force=0", 0)):
        stream = http.request(f"/vms{query}", "POST")
        http.until(lambda: stream in http.ended)
        assert http.status[stream] == 201
        shared.expect(f"start {force}")
    stream = http.request("/vms/dev/hello", "DELETE")
    http.until(lambda: stream in http.ended)
    assert (http.status[stream], http.body[stream]) == (204, b"")
    shared.expect("destroy dev/hello")


BAD = [
    ("GET", "/nothing", (), 404, "not-found"),
    ("GET", "/vms/absent", (), 404, "not-found"),
    ("GET", "/vms/statistics/statistics", (), 404, "not-found"),
    ("GET", "/vms/", (), 400, "bad-request"),
    ("GET", "/vms//a", (), 400, "bad-request"),
    ("GET", "/vms/%zz", (), 400, "bad-request"),
    ("GET", "/vms/a%2fb", (), 400, "bad-request"),
    ("GET", "/vms/a%00", (), 400, "bad-request"),
    ("GET", "/vms/%ff", (), 400, "bad-request"),
    ("GET", "/" + "a" * 3000, (), 400, "bad-request"),
    ("GET", "/a" * 30, (), 400, "bad-request"),
    ("GET", "/vms?force", (), 400, "bad-request"),
    ("GET", "/vms/a/console?lines=0", (), 400, "bad-request"),
    ("GET", "/vms/a/console?lines=x", (), 400, "bad-request"),
    ("GET", "/vms/a/console?since=yesterday", (), 400, "bad-request"),
    ("GET", "/vms/a/console?follow=maybe", (), 400, "bad-request"),
    ("GET", "/vms/a/console?follow&follow", (), 400, "bad-request"),
    ("GET", "/log?lines=1", (), 400, "bad-request"),
    ("GET", "/log?since=yesterday", (), 400, "bad-request"),
    ("GET", "/log?follow=maybe", (), 400, "bad-request"),
    ("GET", "/log/hello", (), 404, "not-found"),
    ("GET", "/revocations", (), 400, "bad-request"),
    ("POST", "/revocations?force", (), 400, "bad-request"),
    ("POST", "/vms?force=perhaps", (), 400, "bad-request"),
    ("PUT", "/vms", (), 400, "bad-request"),
    ("HEAD", "/vms", (), 400, None),
    ("DELETE", "/vms/a/console", (), 400, "bad-request"),
    ("GET", "/", (("sec-fetch-site", "cross-site"),), 403, "permission"),
    ("GET", "/", (("sec-fetch-site", "same-site"),), 403, "permission"),
    ("GET", "/", (("origin", "https://elsewhere"),), 403, "permission"),
    ("GET", "/", (("origin", "http://localhost"),), 403, "permission"),
    ("GET", "/", (("origin", "null"),), 403, "permission"),
]


@pytest.mark.parametrize("method, path, headers, status, word", BAD)
def test_refused_requests(http, method, path, headers, status, word):
    stream = http.request(path, method, *headers)
    http.until(lambda: stream in http.ended)
    assert http.status[stream] == status
    if word:
        problem = json.loads(http.body[stream])
        assert problem["type"] == f"urn:vmm:{word}" and problem["status"] == status
        assert set(problem) == {"type", "title", "status", "detail"}
    assert http.get("/").status == 200, "the session goes on"


@pytest.mark.parametrize("headers", [
    (("sec-fetch-site", "same-origin"),), (("sec-fetch-site", "none"),),
    (("origin", "https://localhost"),)])
def test_requests_of_our_own_pages(http, headers):
    assert http.get("/", *headers).status == 200


@pytest.mark.parametrize("method, path, status", [
    ("POST", "/vms", 413), ("POST", "/revocations", 400), ("GET", "/vms", 400), ("DELETE", "/vms/a", 400)])
def test_bodies_are_not_taken(http, method, path, status):
    stream = http.request(path, method, end=False)
    http.http.send_data(stream, b"x" * 1000)
    http.flush()
    http.until(lambda: stream in http.ended)
    assert http.status[stream] == status
    assert http.get("/").status == 200


def test_an_empty_body_is_none(shared, http):
    stream = http.request("/vms", "POST", end=False)
    http.http.send_data(stream, b"", end_stream=True)
    http.flush()
    http.until(lambda: stream in http.ended)
    assert http.status[stream] == 201


def test_revocations(shared, http):
    stream = http.request("/revocations", "POST")
    http.until(lambda: stream in http.ended)
    shared.expect("revoke")
    assert http.status[stream] == 200
    assert json.loads(http.body[stream]) == {"ended": [
        {"kind": "vm", "path": "dan/hello", "label": "82db56.43a0ff"},
        {"kind": "session", "path": "dan/admin", "label": "82db56.43a0ff",
         "peer": "127.0.0.1:4711"}]}


# The event log

EVENTS = ["STARTUP", "LOGIN", "LOGOUT", "REFUSED", "DELEGATE", "STARTED", "FAILED", "REPLACED",
          "STOPPED", "REVOKED", "BLOCK_CREATE", "BLOCK_DESTROY"]


def test_log_replay(shared, http):
    answer = http.get("/log?since=2017-07-10T09:43:39Z")
    shared.expect("log 1499679819000000 0")
    *entries, gap = [json.loads(line) for line in answer.body.splitlines()]
    assert gap == {"gap": 7}
    assert [entry["event"] for entry in entries] == EVENTS
    assert entries[0]["path"] == "" and entries[5]["path"] == "hello"
    assert entries[5]["taps"] == ["tap27", "tap28"] and entries[5]["blocks"] == []
    assert entries[8]["end"] == {"signal": 9} and entries[8]["by"] == "admin"
    assert [entry["text"].split()[1].rstrip(":") for entry in entries] == EVENTS
    assert answer.body.isascii()


def test_log_as_text(http):
    answer = http.get("/log", ("accept", "text/plain"))
    *entries, gap = answer.body.splitlines()
    assert gap == "-- 7 entries lost --"
    assert [line.split()[4].rstrip(":") for line in entries] == EVENTS
    assert entries[5].startswith("2017-07-10 09:43:39 +00:00: hello STARTED ")


def test_log_follows(shared, http):
    stream = http.request("/log?follow&since=-600s")
    shared.expect("log [0-9]+ 1")
    assert http.lines(stream, 13)[-1] == {"gap": 7}
    assert http.get("/").status == 200
    shared.tell("hush")
    http.until(lambda: stream in http.ended)
    assert http.lines(stream, 14)[-1] == {"detached": "log restarted"}


# Consoles


@pytest.mark.parametrize("path, last", [
    ("ended", {"ended": {"exit": 3}}), ("killed", {"ended": {"signal": 9}}),
    ("unknown", {"ended": {"unknown": True}}), ("detached", {"detached": "attached elsewhere"}),
    ("restart", {"detached": "console restarted"})])
def test_console_ends(http, path, last):
    stream = http.request(f"/vms/{path}/console?follow")
    http.until(lambda: stream in http.ended)
    assert http.lines(stream, 2) == [
        {"time": "2017-07-10T09:43:39.000001Z", "line": "one"}, last]


def test_console_replay(shared, http):
    answer = http.get("/vms/raw/console?lines=12&since=2017-07-10T09:43:39Z")
    shared.expect("console raw 1499679819000000 12 0")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line.get("line") for line in lines] == ["one", "\x1b[2J\x9b", None, "grüß dich", None]
    assert base64.b64decode(lines[2]["line_b64"]) == b"\xff\xfe"
    assert lines[4] == {"gap": 7}
    assert answer.body.isascii()


def test_console_as_text(http):
    answer = http.get("/vms/raw/console", ("accept", "text/plain"))
    assert answer.body.splitlines() == [
        "2017-07-10 09:43:39 +00:00 one", r"2017-07-10 09:43:39 +00:00 \x1b[2J\xc2\x9b",
        r"2017-07-10 09:43:39 +00:00 \xff\xfe", "2017-07-10 09:43:39 +00:00 grüß dich",
        "-- 7 lines lost --"]


def test_console_beside_requests(shared, http):
    streams = [http.request("/vms/quiet/console?follow") for _ in range(3)]
    for stream in streams:
        assert http.lines(stream, 1)[0]["line"] == "one"
    assert http.get("/vms").status == 200
    http.http.reset_stream(streams[1])
    http.flush()
    shared.expect("reader 0")
    assert http.get("/").status == 200


def test_console_flood(upper, client, sanitized):
    """All that the console has flows; a client that stops reading stops the worker, whose memory
    stays what it was."""
    session = upper.session(client)
    stream = session.request("/vms/flood/console?follow")
    session.until(lambda: len(session.body[stream]) > 20 * 2**20)
    worker = upper.workers()[0]
    settled(worker)
    assert own_kb(worker) < (400 if sanitized else 40) * 1024
    session.close()
    assert int(upper.expect(r"reader (\d+)").group(1)) > 20000
    upper.expect("logout .*")


def test_concurrent_streams_are_bounded(http):
    """The client's own library keeps to what the server set."""
    http.get("/")
    assert http.http.remote_settings.max_concurrent_streams == 32
    for _ in range(32):
        http.request("/vms/stuck", "DELETE")
    with pytest.raises(Exception, match="Max outbound streams"):
        http.request("/", "GET")


def test_many_sessions_one_after_another(upper, client):
    before = len(proc.descriptors(upper.pid))
    for _ in range(30):
        session = upper.session(client)
        assert session.get("/").status == 200
        session.close()
    until(lambda: not upper.workers(), "no worker is left")
    until(lambda: len(proc.descriptors(upper.pid)) == before, "no descriptor is left")
