"""The README's tour, line for line as it is pasted, and what the certificates in it look like to openssl.
Without /dev/kvm with the spt build, as the README says."""

import re

import pytest

from family import ROOT, run
from pasted import Terminal, tour


def dump(folder, name):
    """OID to the octets of our extensions, as openssl asn1parse shows them."""
    out = run(["openssl", "asn1parse", "-in", f"{name}.pem"], cwd=folder).out
    return dict(re.findall(r"OBJECT +:1\.3\.6\.1\.4\.1\.49836\.42\.(\d+)\n.*OCTET STRING +"
                           r"\[HEX DUMP\]:([0-9A-F]+)", out))


@pytest.fixture
def terminal(tmp_path, tree, build):
    terminal = Terminal(tmp_path, tree, build)
    yield terminal
    terminal.close()


def without_network(lines):
    """What is left for those who are not root."""
    first = lines.index("ip link add tour0 type bridge")
    last = lines.index("ip link delete tour0")
    return lines[:first] + lines[last + 1:]


def test_tour(terminal, tmp_path):
    lines = tour() if ROOT else without_network(tour())
    assert [line.split()[0] for line in lines[:2]] == ["make", "mkdir"], "installed by the fixture"
    for line in lines[2:]:
        terminal.paste(line)
    assert terminal.said("hello.bundle hello.key") == "success VM started\n"
    assert re.fullmatch(r"info hello: 'vmm_monitor' .* 'Hello' \d+ taps no\n", terminal.said("dev.db -c info"))
    assert "argument 1: Hello" in terminal.said("attach hello")
    assert terminal.said("destroy hello") == "success\n"
    assert terminal.said("statistics hello").startswith("statistics hello: pid ")
    assert '"state":"ended"' in terminal.said("curl")
    assert "written" in terminal.said("attach keeper")
    assert re.fullmatch(r"volume disk: 4 MB, \d+ MB on disk\nsuccess\nsuccess\n", terminal.said("-c volumes"))
    if ROOT:
        assert re.search(r" [1-3] received", terminal.said("ping")), "a busy machine loses some"
        assert terminal.said("info net").endswith(" addresses 203.0.113.2\nsuccess\n")
    assert "info friend/guest: 'vmm_monitor' " in terminal.said("-c quota")
    assert terminal.said("revoke.bundle").splitlines() == ["success", "ended VM friend/guest"]
    assert re.search(r"log: .*: friend REVOKED .*\n", terminal.said("-c log"))

    assert dump(tmp_path, "admin") == {"0": "020100", "42": "03020780"}
    hello = dump(tmp_path, "hello")
    assert (hello["42"], hello["5"], hello["6"]) == ("03020520", "020120", "020101")
    assert re.match(r"A08[2-4][0-9A-F]+048[2-4][0-9A-F]+7F454C46", hello["9"])
