"""The README's tour, line for line as it is pasted, and what the certificates in it look like to openssl.
Without /dev/kvm with the spt build, as the README says."""

import os
import re
import signal
import subprocess

import pytest

from conftest import REPOSITORY
from family import KVM, PATIENCE, ROOT, free_port, run, until


def tour():
    """The indented lines of the README's tour."""
    text = (REPOSITORY / "README.md").read_text()
    section = text.partition("## A tour\n")[2].partition("\n## ")[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    ")]


class Terminal:
    """Pasted lines: vmmd goes on beside the others, a console is watched until it says hello."""

    def __init__(self, folder, tree, build):
        self.folder, self.build = folder, build
        # An ordinary user's vmmd has its directories below these, and shares the host's ports.
        self.environment = {**os.environ, "PATH": f"{tree.bin}:{os.environ['PATH']}",
                            "XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder)}
        self.port = 1025 if ROOT else free_port()
        self.daemon = None
        self.printed = {}

    def paste(self, line):
        line = line.replace("../build/", f"{self.build}/").replace(":1025", f":{self.port}")
        if not KVM:
            line = line.replace(".hvt", ".spt")
        if line.startswith("vmmd "):
            self.daemon = self.start(line, stderr=subprocess.PIPE)
            said = []
            until(lambda: said.append(self.daemon.stderr.readline()) or "ready" in said[-1] or not said[-1],
                  "it is ready")
            assert said[-1], said
        elif "attach hello" in line:
            self.printed[line] = self.watch(line)
        else:
            done = run(["sh", "-c", line], cwd=self.folder, env=self.environment)
            assert done.code == 0, (line, done)
            self.printed[line] = done.out

    def start(self, line, **pipes):
        return subprocess.Popen(["sh", "-c", f"exec {line}"], cwd=self.folder, env=self.environment,
                                stdin=subprocess.DEVNULL, encoding="utf-8", **pipes)

    def watch(self, line):
        with self.start(line, stdout=subprocess.PIPE) as client:
            lines = []
            until(lambda: lines.append(client.stdout.readline()) or lines[-1].endswith(" hello\n"),
                  "the guest says hello")
            client.send_signal(signal.SIGINT)
            assert client.wait(PATIENCE) == 0
        return "".join(lines)

    def said(self, words):
        [printed] = [out for line, out in self.printed.items() if words in line]
        return printed

    def close(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.communicate(timeout=PATIENCE)


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
