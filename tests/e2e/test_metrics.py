"""Metrics of a whole family, read by Prometheus' own parser: what they say of it is what happened."""

import contextlib
import os
import signal
import socket
from datetime import timezone

import pytest
from cryptography.x509 import load_pem_x509_certificate
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from family import until

pytestmark = pytest.mark.sanitized

ROLES = {"vmm_gate", "vmm_auth", "vmm_console", "vmm_log", "vmm_stats"}


def parsed(text):
    """(name, labels) to the value of each line."""
    return {(line.name, frozenset(line.labels.items())): line.value
            for one in text_string_to_metric_families(text) for line in one.samples}


def metrics(family, chain=None):
    answer = family.curl(chain or family.admin, "/metrics")
    assert answer.status == 200, answer
    return parsed(answer.body)


def value(family, name, **labels):
    return metrics(family).get((name, frozenset(labels.items())))


def expiry(path):
    return load_pem_x509_certificate(path.read_bytes()).not_valid_after.replace(tzinfo=timezone.utc).timestamp()


def handshakes(family):
    return [value(family, "vmm_handshakes_total", result=result)
            for result in ("accepted", "refused", "lost")]


def test_every_role_is_up(family):
    assert {dict(labels)["role"]: up for (name, labels), up in metrics(family).items()
            if name == "vmm_role_up"} == {role: 1 for role in ROLES}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_that_is_started_again(family, role):
    def state():
        """Nothing, while what is missing is what it takes to ask."""
        with contextlib.suppress(AssertionError):
            return [value(family, name, role=role) for name in ("vmm_role_up", "vmm_role_restarts_total")]
        return None

    up, restarts = state()
    assert up == 1
    os.kill(family.role(role), signal.SIGKILL)
    until(lambda: state() == [1, restarts + 1], "it is up again, and that is counted")


def test_handshakes(family, ca):
    """A session, one without authority, and somebody who says nothing."""
    accepted, refused, lost = handshakes(family)
    connections = value(family, "vmm_connections_total")
    top = ca.delegation(ca.unique("top"))
    expired = ca.command(ca.unique("late"), issuer=top)
    family.push(ca.revoke(top, issuer="ca"))
    assert family.curl(expired, "/").status == 403
    socket.create_connection(("127.0.0.1", family.port)).close()
    until(lambda: handshakes(family)[1:] == [refused + 1, lost + 1], "they are counted")
    assert handshakes(family)[0] > accepted
    assert value(family, "vmm_connections_total") > connections + 2


def test_all_connections_are_accounted_for(new_family):
    """What came is what came of it, as long as nothing is under way."""
    family = new_family()
    for _ in range(3):
        socket.create_connection(("127.0.0.1", family.port)).close()
    with family.http(family.admin) as client:
        def counts():
            now = parsed(client.get("/metrics").text)
            return [now["vmm_connections_total", frozenset()]] + [
                now["vmm_handshakes_total", frozenset({("result", result)})]
                for result in ("accepted", "refused", "lost")]
        until(lambda: counts() == [4, 1, 0, 3], "they add up")


def test_certificates_end(new_family, ca):
    """Also of the one that a reload brings."""
    family = new_family()
    with family.http(family.admin) as client:  # it goes on while the gates change
        def ends(which):
            return parsed(client.get("/metrics").text)[
                "vmm_certificate_expires_timestamp_seconds", frozenset({("certificate", which)})]

        assert ends("ca") == expiry(ca.path("cacert.pem"))
        assert ends("server") == expiry(ca.path("server.pem"))
        ca("server", "localhost", "--days", 100)
        renewed = expiry(ca.path("server.pem"))
        assert ends("server") > renewed
        os.kill(family.pid, signal.SIGHUP)
        until(lambda: ends("server") == renewed, "it is the new one's")


def test_vms_and_their_counts(family, ca):
    dev = ca.delegation(ca.unique("dev"))
    hello = ca.vm(ca.unique("hello"), family.tree.guest("hello"), issuer=dev, args=["Hello"])
    started, failed = (value(family, "vmm_vm_starts_total", result=how) for how in ("started", "failed"))
    family.deploy(hello)
    assert family.curl(hello, "/vms", "-X", "POST").status == 409
    assert value(family, "vmm_vm_starts_total", result="started") == started + 1
    assert value(family, "vmm_vm_starts_total", result="failed") == failed + 1
    assert value(family, "vmm_vms") == 1
    assert value(family, "vmm_memory_used_bytes") == 32 * 2**20
    [(_, labels)] = [key for key in metrics(family) if key[0] == "vmm_vm_info"]
    assert dict(labels)["vm"].startswith(f"{dev}/hello")
    family.destroy_all()
    now = metrics(family)
    assert (now["vmm_vms", frozenset()], now["vmm_memory_used_bytes", frozenset()]) == (0, 0)
    assert [key for key in now if "vm" in dict(key[1])] == []


def test_the_host(family):
    now = metrics(family)
    assert now["vmm_host_cpus", frozenset()] == os.cpu_count()
    assert now["vmm_host_memory_bytes", frozenset()] >= now["vmm_host_memory_available_bytes", frozenset()] > 0
    assert now["vmm_host_cpu_seconds_total", frozenset({("mode", "idle")})] > 0


def test_whoever_is_below_is_not_told(family, ca):
    """Of a delegation's VMs, and of nothing else, whatever its certificate may."""
    dev = ca.delegation(ca.unique("dev"))
    assert {name for name, _ in metrics(family, ca.command(ca.unique("all"), issuer=dev))} == \
        {"vmm_build_info"}
