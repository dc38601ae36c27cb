"""statistics of vmm_client: what it asks for and prints."""

import json

import pytest

from client_world import client, line, pki, program, server, state  # fixtures
from client_world import DONE, LABEL, REFUSED, SERIAL, SHOWN_T, measured, terminal

pytestmark = pytest.mark.sanitized

LINES = f"""\
statistics hello: pid 91368, cpuid 1, memory 32 MB, hvt, up 3h02m since {SHOWN_T}
statistics hello: read {SHOWN_T}, the one before it 10.0 s earlier
statistics hello: cpu 12.3 s (user 10.1 s, system 2.2 s), 25.0 % since the one before
statistics hello: memory 12 MB resident, 1.0 MB of it shared, 13 MB at most
statistics hello: faults 4711 minor (1.5/s), 2 major (0.0/s)
statistics hello: switches 1001 voluntary (12.5/s), 17 involuntary (0.1/s)
statistics hello: block 1.5 KB read (1.0 MB/s), 0 B written (3 B/s)
statistics hello: network vmm4711-0 (device service, bridge ext) 1.0 GB received in 1000000 packets, 77 B sent in 1, \
3 dropped
statistics hello: network together 2.0 KB/s and 3.5 packets/s received, 10 B/s and 0.5 packets/s sent, 0.1/s dropped
statistics hello: console 2.0 KB (7 B/s), 5 lines lost
statistics hello: kvm 123456789 exits (500.5/s)
"""


def test_statistics(client, server):
    server.routes["GET /vms/statistics"] = lambda request: request.respond(200, [measured("hello")])
    assert client("-c", "statistics") == (DONE, LINES, "")


def test_statistics_of_a_path(client, server):
    server.routes["GET /vms/eve/a%20b/statistics"] = lambda request: request.respond(
        200, [measured("eve/a b"), measured("eve/\x1b[2J")])
    done = client("-c", "statistics 'eve/a b'")
    assert done.out == LINES.replace(" hello:", " eve/a b:") + LINES.replace(" hello:", " eve/\\x1b[2J:")
    assert done.code == DONE


def test_statistics_as_json(client, server):
    vms = [measured("hello"), measured("évil\x1b", rates=None, kvm=None)]
    server.routes["GET /vms/statistics"] = lambda request: request.respond(200, vms)
    done = client("--json", "-c", "statistics")
    assert [json.loads(line) for line in done.out.splitlines()] == vms
    assert done.code == DONE and done.out.isascii()
    assert '"user_seconds":10.14,' in done.out, "as it is"


def test_statistics_by_the_name_of_the_db(client, server, tmp_path):
    db = tmp_path / "dev.db"
    db.write_text(f"{SERIAL} mine\n77 x\n")
    server.routes[f"GET /vms/{LABEL}/statistics"] = lambda request: request.respond(200, [measured("hello")])
    server.routes["GET /vms/x/statistics"] = lambda request: request.respond(200, [measured("x", label="777777")])
    done = client("--db", db, "-c", "statistics mine", "-c", "statistics x")
    assert (done.code, done.out) == (DONE, LINES.replace(" hello:", " mine:") + LINES.replace(" hello:", " x:"))


def test_no_statistics(line, client, server):
    """Said to who sits there."""
    server.routes["GET /vms/statistics"] = lambda request: request.respond(200, [])
    assert client("-c", "statistics") == (DONE, "", "")
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("statistics\n")
        session.await_text("statistics: no VMs\r\n")
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE


def test_statistics_refused(client, server):
    server.routes["GET /vms/statistics"] = lambda request: request.problem(403, "no permission statistics")
    assert client("-c", "statistics") == (REFUSED, "", "failed no permission statistics\n")
    assert client("-c", "statistics x") == (REFUSED, "", "failed there is no x/statistics\n")
