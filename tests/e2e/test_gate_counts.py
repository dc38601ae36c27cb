"""What vmm_gate tells vmmd of itself: connections that came, handshakes that came to nothing, and when its
certificate ends."""

import os
import signal
import ssl
import time
from datetime import timezone

import pytest
from cryptography.x509 import load_pem_x509_certificate

from family import until
from gate_world import client, make_upper, pki, sanitized, upper  # fixtures
from upper import begin_handshake

pytestmark = pytest.mark.sanitized


def told(upper, connections, lost):
    """Waits for exactly these; more would never become fewer."""
    until(lambda: upper.counts()[:2] == (connections, lost), f"{connections} of which {lost} are lost")


def test_its_certificate_ends(upper, pki):
    ends = load_pem_x509_certificate(pki.server.bundle.read_bytes()).not_valid_after
    assert upper.expires == ends.replace(tzinfo=timezone.utc).timestamp()


def test_sessions_are_not_lost(upper, client, pki):
    session = upper.session(client)
    assert session.get("/").status == 200
    told(upper, 1, 0)
    session.close()
    assert upper.curl(pki.client("play-refuse"), "/").status == 403
    upper.tls(client).close()  # over before the gate has heard how its handshake ended
    until(lambda: not upper.workers(), "all are gone")
    told(upper, 3, 0)


def other_ca(upper, _):
    """The client's alert: it does not know who that is."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLCertVerificationError):
        upper.tls(context=context)


def goes(upper, client):
    begin_handshake(upper.port, upper.context(client), 100).close()


LOST = {
    "no certificate": lambda upper, _: upper.alert(),
    "alert": lambda upper, _: upper.alert(upper.pki.client("play-alert-48")),
    "no verdict": lambda upper, _: upper.alert(upper.pki.client("play-vanish")),
    "other CA": other_ca,
    "silence": lambda upper, _: upper.tcp().close(),
    "not TLS": lambda upper, _: upper.tcp().sendall(b"GET / HTTP/1.1\r\n\r\n"),
    "half-way": goes,
}


@pytest.mark.parametrize("how", LOST)
def test_lost(upper, client, how):
    LOST[how](upper, client)
    told(upper, 1, 1)


def test_deadline(upper):
    connection = upper.tcp()
    told(upper, 1, 0)
    told(upper, 1, 1)
    connection.close()


def test_a_killed_worker(make_upper, client):
    upper = make_upper()
    stopped = begin_handshake(upper.port, upper.context(client), 100)
    [worker] = until(upper.workers, "it has a worker")
    os.kill(worker, signal.SIGKILL)
    upper.expect("tainted 9")
    told(upper, 1, 1)
    stopped.close()


def test_many_are_told_together(upper):
    """One message a second at most, however many come and go, and none when nothing does."""
    start = time.monotonic()
    for _ in range(400):
        upper.tcp().close()
    told(upper, 400, 400)
    messages = upper.counts()[2]
    assert messages <= time.monotonic() - start + 1
    upper.tcp().close()
    told(upper, 401, 401)
    assert upper.counts()[2] <= messages + 2


def test_the_last_words(make_upper):
    """What is untold when it ends is told then."""
    upper = make_upper()
    connections = [upper.tcp() for _ in range(20)]
    told(upper, 20, 0)
    upper.tell("drain")
    upper.expect("ended")
    told(upper, 20, 20)
    for connection in connections:
        connection.close()
