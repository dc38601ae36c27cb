"""What the tests of vmm_client by itself share: certificates, a server by other hands (fake_server.py), what it
answers, and the client's command line. Needs neither the family nor KVM."""

import contextlib
import hashlib
import json
import os
import select
import signal
import subprocess

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import fake_server
import mint
from family import run

DONE, REFUSED, USAGE, CONNECT, TLS = range(5)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
T = "2026-11-22T16:09:52.123456Z"
SHOWN_T = "2026-11-22 16:09:52 +00:00"
HELLO = {
    "path": "hello", "name": "hello", "label": "82db56", "state": "running", "pid": 91368,
    "cpuid": 1, "memory_mb": 32, "started": T, "ended": None, "end": None,
    "image": {"sha256": None, "size": 9, "target": "hvt"}, "argv": ["it's"],
    "command": ["vmm_monitor", "--mem=32", "--", "it's"],
    "taps": [{"name": "tap25"}, {"name": "tap26"}], "volumes": [],
}
SERIAL = 0xb7aa77f6ca08ee6a
LABEL = hashlib.sha256(SERIAL.to_bytes(8, "big")).hexdigest()  # 82db5681d20e...


class Pki:
    """A CA, its server's certificate, and leaves below the delegation dev."""

    def __init__(self, folder):
        self.folder = folder
        self.root = self.ca("ca")
        self.dev = self.issue("dev", self.root, mint.delegation(), is_ca=True)
        self.cacert = self.write_cacert("cacert.pem", self.root)
        self.server = self.chain(self.issue_server("server", self.root))
        self.admin = self.chain(self.issue("admin", self.dev, mint.command(mint.ALL)))
        self.hello = self.chain(self.issue("hello", self.dev, mint.vm(b"\x7fELF")))

    @staticmethod
    def ca(name):
        """A root; it names a host, so that it could pass for a server."""
        made = mint.certificate(name, None, {}, is_ca=True, usage=False, host="localhost")
        return made._replace(above=b"")

    def issue(self, name, issuer, arcs, **options):
        return mint.certificate(name, issuer, arcs, **options)

    def issue_server(self, name, issuer, host="localhost", usage=SERVER, **options):
        return mint.certificate(name, issuer, {}, host=host, usage=usage, **options)

    def chain(self, minted, name=None, bundle=None):
        common = minted.certificate.subject.rfc4514_string().removeprefix("CN=")
        return mint.chain(self.folder, name or common, minted, bundle)

    def write_cacert(self, name, minted):
        path = self.folder / name
        path.write_bytes(mint.pem(minted.certificate))
        return path


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def server(pki):
    with fake_server.serving(fake_server.server_context(pki.server, pki.cacert)) as server:
        server.routes["GET /"] = lambda request: request.respond(200, WHOAMI)
        yield server


@pytest.fixture(scope="module")
def program(build):
    return str(build / "src/client/vmm_client")


@pytest.fixture
def line(program, pki, server):
    """The command line of a client of that server."""

    def make(*options, chain=pki.admin, host="localhost", port=None, cacert=None):
        return [program, *map(str, options), str(cacert or pki.cacert), str(chain.bundle),
                str(chain.key), f"{host}:{port or server.port}"]

    return make


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Where histories go."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def client(line):
    return lambda *options, **rest: run(line(*options, **rest))


@contextlib.contextmanager
def started(arguments, **options):
    """A client that runs on."""
    options.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               encoding="utf-8", **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_line(stream):
    """The next line of a running client, when it comes."""
    line = b""
    while not line.endswith(b"\n"):
        assert select.select([stream], [], [], fake_server.PATIENCE)[0], f"no line after {line!r}"
        byte = os.read(stream.fileno(), 1)
        assert byte, f"ended after {line!r}"
        line += byte
    return line.decode()


def finish(process):
    out, err = process.communicate(timeout=fake_server.PATIENCE)
    return process.returncode, out, err


def failed(done, status, *parts):
    """One line on stderr, nothing else, that has all of PARTS."""
    assert done.code == status and done.out == "", done
    assert done.err.startswith("failed ") and done.err.count("\n") == 1, done
    for part in parts:
        assert str(part) in done.err, done


@contextlib.contextmanager
def terminal(arguments, kind=fake_server.Terminal, **environment):
    """A program on a terminal, or on what else is made as one."""
    session = kind(arguments, {"LC_ALL": "C.UTF-8", "NO_COLOR": "1", **environment})
    try:
        yield session
    finally:
        with contextlib.suppress(OSError):
            os.kill(session.pid, signal.SIGKILL)
            os.waitpid(session.pid, 0)


# What the server answers

def measured(path, label="82db56", **more):
    """Statistics of a VM."""
    return {
        "path": path, "name": path.split("/")[-1], "label": label, "pid": 91368, "cpuid": 1, "memory_mb": 32,
        "target": "hvt", "started": T, "uptime_seconds": 10921.5, "sampled": T, "interval_seconds": 10.02,
        "cpu": {"user_seconds": 10.14, "system_seconds": 2.2},
        "memory": {"resident_bytes": 12 << 20, "shared_bytes": 1 << 20, "peak_bytes": 13 << 20},
        "faults": {"minor": 4711, "major": 2}, "switches": {"voluntary": 1001, "involuntary": 17},
        "block": {"read_bytes": 1536, "written_bytes": 0},
        "network": [{"name": "vmm4711-0", "device": "service", "bridge": "ext", "received_bytes": 1 << 30,
                     "received_packets": 1000000, "sent_bytes": 77, "sent_packets": 1, "dropped": 3}],
        "console": {"bytes": 2048, "lost_lines": 5}, "kvm": {"exits": 123456789},
        "rates": {"cpu": 0.25, "minor_faults": 1.5, "major_faults": 0, "voluntary_switches": 12.5,
                  "involuntary_switches": 0.1, "block_read_bytes": 1 << 20, "block_written_bytes": 3,
                  "received_bytes": 2048, "received_packets": 3.5, "sent_bytes": 10, "sent_packets": 0.5,
                  "dropped": 0.1, "console_bytes": 7, "kvm_exits": 500.5},
        **more}


FOLLOW = "GET /vms/hello/console?follow"


def replay(*entries, end=True):
    def answer(request):
        request.head(200)
        for entry in entries:
            request.line(entry)
        if end:
            request.end()

    return answer


def says(text):
    return {"time": T, "line": text}


def ndjson(*entries):
    """A stream that has come to its end."""
    body = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    return lambda request: request.respond(200, body, "application/x-ndjson")


def event(text, name="hello", label="82db56", **more):
    """An entry of the event log."""
    return {"seq": 7, "time": T, "event": text.split()[0], "path": name, "label": label,
            "text": f"{name} {text}", **more}


STARTED = event("STARTED 4711 (tap tap25; tap26, block no)", pid=4711)


def level(relation, path, label, granted, used=None, free=None, **more):
    """A delegation of GET /: numbers are of VMs, memory and volumes."""
    def numbers(of):
        return dict(zip(["vms", "memory_mb", "block_mb"], of))

    made = {"name": path.split("/")[-1], "path": path, "label": label, "relation": relation,
            "granted": {**numbers(granted), "cpuids": [0, 1], "bridges": [], **more}}
    return {**made, "used": numbers(used), "free": numbers(free)} if used else made


LEVELS = [
    level("above", "alice", "333333", (4, 2048, 10), bridges=["ext"]),
    level("own", "alice/dan", "333333.444444", (2, 1024, 0), (1, 32, 0), (1, 992, 0)),
    level("below", "eve", "555555", (1, 64, 0), (0, 0, 0), (1, 64, 0)),
]
WHOAMI = {"name": "admin", "kind": "command", "permissions": ["all"], "delegations": LEVELS}

HOSTILE = {
    "\x1b[2J\x1b]0;t\x07": "\\x1b[2J\\x1b]0;t\\x07",
    "a\rb\nc\x7fd\0e": "a\\x0db\\x0ac\\x7fd\\x00e",
    "\x9b31m\u202eevil\u2066": "\\u009b31m\\u202eevil\\u2066",
    "\u2028\ufeff\U000e0041": "\\u2028\\ufeff\\U000e0041",
    "plain\té中🙂": "plain\té中🙂",
}
