"""vmm_client against a server by other hands, right and wrong ones: whom it trusts, what it sends, shows and
exits with. Needs neither the family nor KVM."""

import contextlib
import hashlib
import ipaddress
import json
import os
import re
import select
import signal
import subprocess
import termios
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

import fake_server
import mint
from family import free_port, run

pytestmark = pytest.mark.sanitized

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
        server.routes["GET /"] = lambda request: request.respond(200, {"name": "admin"})
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


# Deployment

def test_deploys(client, server, pki):
    server.routes["POST /vms"] = lambda request: request.respond(201, HELLO)
    assert client(chain=pki.hello) == (DONE, "success VM started\n", "")
    assert server.seen == ["POST /vms"] and server.errors == []
    leaf = x509.load_pem_x509_certificate(pki.hello.bundle.read_bytes())
    assert server.peers == [leaf.public_bytes(Encoding.DER)]


def test_deploys_by_force(client, server, pki):
    server.routes["POST /vms?force"] = lambda request: request.respond(201, HELLO)
    assert client("--force", chain=pki.hello) == (DONE, "success VM started\n", "")


def test_deployment_as_json(client, server, pki):
    server.routes["POST /vms"] = lambda request: request.respond(201, HELLO)
    done = client("--json", chain=pki.hello)
    assert (done.code, json.loads(done.out), done.out.count("\n")) == (DONE, HELLO, 1)


def test_deployment_refused(client, server, pki):
    detail = "dev has no room for 32 MB"
    server.routes["POST /vms"] = lambda request: request.problem(409, detail, "quota")
    assert client(chain=pki.hello) == (REFUSED, "", f"failed {detail}\n")


def test_deploys_16_mb(client, server, pki):
    """The longest Certificate message there can be, and one byte more."""

    def chain(size):
        return pki.chain(pki.issue("large", pki.dev, mint.vm(bytes(size))))

    room = (1 << 24) - 1
    probe = chain(1 << 20)
    certificates = probe.bundle.read_bytes().split(b"-----END CERTIFICATE-----\n")[:-1]
    message = 4 + sum(
        5 + len(x509.load_pem_x509_certificate(each + b"-----END CERTIFICATE-----\n")
                .public_bytes(Encoding.DER)) for each in certificates)
    # Signatures vary by a few bytes; lengths of 3 bytes stay lengths of 3 bytes.
    most = (1 << 20) + room - message - 16
    server.routes["POST /vms"] = lambda request: request.respond(201, HELLO)
    assert client(chain=chain(most)) == (DONE, "success VM started\n", ""), server.errors
    failed(client(chain=chain(most + 100)), TLS, "large.bundle", "16777215")


# Whom it trusts

def below_a_delegation_for_servers(pki):
    loose = pki.issue("loose", pki.root, mint.delegation(), is_ca=True, usage=SERVER)
    return pki.issue_server("s", loose)


# How the server's certificate is made, what the line says
SERVERS = {
    "signed by a delegation": (below_a_delegation_for_servers, "by loose, not directly by the CA"),
    "signed by a delegation for clients": (
        lambda pki: pki.issue_server("s", pki.dev), "by dev, not directly by the CA"),
    "of another CA": (lambda pki: pki.issue_server("s", pki.ca("other")), "not signed by the CA in"),
    "self-signed": (lambda pki: pki.issue_server("s", None), "not signed by the CA in"),
    "another host's": (
        lambda pki: pki.issue_server("s", pki.root, host="example.org"), "does not name localhost"),
    "named by CN alone": (
        lambda pki: pki.issue_server("localhost", pki.root, host=None), "does not name localhost"),
    "a client's": (lambda pki: pki.issue_server("s", pki.root, usage=CLIENT), "serverAuth"),
    "for any purpose": (
        lambda pki: pki.issue_server("s", pki.root, usage=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
        "serverAuth"),
    "for no said purpose": (lambda pki: pki.issue_server("s", pki.root, usage=False), "serverAuth"),
    "expired": (
        lambda pki: pki.issue_server("s", pki.root, since=-2 * mint.DAY, until=-mint.DAY), "expired"),
    "the CA itself": (lambda pki: pki.root, ""),
}


@pytest.mark.parametrize("case", SERVERS, ids=lambda name: name.replace(" ", "_"))
def test_wrong_server(pki, line, case):
    make, words = SERVERS[case]
    minted = make(pki)
    bundle = minted.above or mint.pem(minted.certificate)
    context = fake_server.server_context(pki.chain(minted, "impostor", bundle), pki.cacert)
    with fake_server.serving(context) as impostor:
        failed(run(line("-c", "info", port=impostor.port)), TLS, "TLS: the server's certificate",
               words)
        assert impostor.seen == [] and impostor.peers == [], "it was spoken to"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_server_named_by_address(pki, line, host):
    address = ipaddress.ip_address(host.strip("[]"))
    minted = pki.issue_server("address", pki.root, host=x509.IPAddress(address))
    context = fake_server.server_context(pki.chain(minted), pki.cacert)
    with fake_server.serving(context, host.strip("[]")) as server:
        server.routes["GET /vms"] = lambda request: request.respond(200, [])
        assert run(line("-c", "info", host=host, port=server.port)) == (DONE, "", "")
        assert server.arrived.get().authority == f"{host}:{server.port}"


def test_address_is_not_in_the_certificate(client):
    failed(client("-c", "info", host="127.0.0.1"), TLS, "does not name 127.0.0.1")


def test_server_without_tls_1_3(pki, line):
    context = fake_server.server_context(pki.server, pki.cacert)
    context.maximum_version = fake_server.ssl.TLSVersion.TLSv1_2
    with fake_server.serving(context) as old:
        failed(run(line("-c", "info", port=old.port)), TLS, "does not speak TLS 1.3")


def test_server_without_http2(pki, line):
    context = fake_server.server_context(pki.server, pki.cacert, alpn=())
    with fake_server.serving(context) as old:
        failed(run(line("-c", "info", port=old.port)), TLS, "does not speak HTTP/2")


def test_server_does_not_know_our_ca(pki, line, tmp_path):
    """In TLS 1.3 a client hears of it with its first read."""
    other = pki.write_cacert("other.pem", pki.ca("other"))
    with fake_server.serving(fake_server.server_context(pki.server, other)) as server:
        failed(run(line("-c", "info", port=server.port)), TLS,
               "TLS: the server does not know this CA", pki.admin.bundle)
        failed(run(line("-c", "info", "-c", "info", port=server.port)), TLS, "this CA")
        failed(run(line(port=server.port)), TLS, "this CA")
        failed(run(line(port=server.port, chain=pki.hello)), TLS, "this CA")


# What is wrong here

@pytest.fixture(scope="module")
def files(pki):
    """Files by name, right and wrong ones."""
    late = pki.issue("late", pki.dev, mint.command(mint.ALL), since=-2 * mint.DAY, until=-mint.DAY)
    nothing = pki.issue("nothing", pki.dev, {})
    pki.chain(late)
    pki.chain(nothing)
    pki.chain(pki.dev)
    pki.chain(late, "turned", pki.dev.above + mint.pem(late.certificate))
    (pki.folder / "damaged.pem").write_bytes(pki.cacert.read_bytes().replace(b"A", b"?"))
    (pki.folder / "empty.pem").write_bytes(b"nothing\n")
    return pki.folder


# CACERT, BUNDLE, KEY; exit status; the line, each file in it by its whole path
MISTAKES = {
    "no CACERT": ("none.pem admin.bundle admin.key", USAGE, "none.pem: No such file or directory"),
    "no BUNDLE": ("cacert.pem none.pem admin.key", USAGE, "none.pem: No such file or directory"),
    "no KEY": ("cacert.pem admin.bundle none.pem", USAGE, "none.pem: No such file or directory"),
    "CACERT of several": ("admin.bundle admin.bundle admin.key", TLS,
                          "admin.bundle: holds 2 certificates, the CA's alone is wanted"),
    "CACERT of no CA": ("server.bundle admin.bundle admin.key", TLS,
                        "server.bundle: server is no CA certificate"),
    "CACERT damaged": ("damaged.pem admin.bundle admin.key", TLS,
                       "damaged.pem: certificate 1 in it is damaged"),
    "BUNDLE empty": ("cacert.pem empty.pem admin.key", TLS,
                     "empty.pem: no certificate in PEM is in it"),
    "BUNDLE turned": ("cacert.pem turned.bundle turned.key", TLS,
                      "turned.bundle: certificate 2 (late) did not issue certificate 1 (dev): wanted "
                      "are the leaf, then its issuer, then that one's"),
    "BUNDLE expired": ("cacert.pem late.bundle late.key", TLS, "late.bundle: late expired at 20"),
    "BUNDLE a delegation": ("cacert.pem dev.bundle dev.key", TLS,
                            "dev.bundle: dev is a delegation: a certificate that it issued is wanted "
                            "first"),
    "BUNDLE a server's": ("cacert.pem server.bundle server.key", TLS, "server.bundle: server: "),
    "BUNDLE of no shape": ("cacert.pem nothing.bundle nothing.key", TLS, "nothing.bundle: nothing: "),
    "KEY of another": ("cacert.pem admin.bundle hello.key", TLS,
                       "hello.key: is not the key of admin, which {}/admin.bundle starts with"),
    "KEY is none": ("cacert.pem admin.bundle cacert.pem", TLS, "cacert.pem: no private key in PEM"),
}


@pytest.mark.parametrize("case", MISTAKES, ids=lambda name: name.replace(" ", "_"))
def test_local_mistake(files, program, server, case):
    names, status, line = MISTAKES[case]
    paths = [files / name for name in names.split()]
    done = run([program, "-c", "info", *paths, f"localhost:{server.port}"])
    failed(done, status, f"failed {files}/{line.format(files)}")
    assert server.peers == [] and server.errors == [], "it connected"


def test_revocation_certificate(client, pki):
    chain = pki.chain(pki.issue("revoke", pki.dev, {**mint.command(mint.CRL), 43: b"\x30\x00"}))
    failed(client(chain=chain), REFUSED, chain.bundle, "not in this version")


def test_no_db(client, tmp_path):
    failed(client("--db", tmp_path / "no.db", "-c", "info"), USAGE, tmp_path / "no.db")


USAGES = {
    "no arguments": ([], "0 arguments"),
    "an argument too many": (["-c", "info", "a", "b", "c", "localhost:1", "d"], "5 arguments"),
    "no such option": (["--frob", "a", "b", "c", "localhost:1"], "--frob"),
    "no such letter": (["-x", "a", "b", "c", "localhost:1"], "-x"),
    "-c without command": (["a", "b", "c", "localhost:1", "-c"], "-c"),
    "no port": (["a", "b", "c", "localhost"], "no port"),
    "port too high": (["a", "b", "c", "localhost:65536"], "65536"),
    "address without brackets": (["a", "b", "c", "::1:1025"], "brackets"),
    "an image": (["--image", "f", "a", "b", "c", "localhost:1"], "not in this version"),
}


@pytest.mark.parametrize("case", USAGES, ids=lambda name: name.replace(" ", "_"))
def test_usage(program, case):
    arguments, part = USAGES[case]
    done = run([program, *arguments])
    assert (done.code, done.out, done.err.count("\n")) == (USAGE, "", 1), done
    assert done.err.startswith("vmm_client: ") and part in done.err, done


def test_options_of_the_other_shape(client, pki):
    failed(client("-c", "info", chain=pki.hello), USAGE, "-c", pki.hello.bundle)
    failed(client("--force", "-c", "info"), USAGE, "--force", pki.admin.bundle)


def test_help(program):
    done = run([program, "--help"])
    assert done.code == DONE and done.err == "" and "CACERT BUNDLE KEY HOST:PORT" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_manual_agrees(program, client):
    """The options of --help and the commands of help are those of vmm_client(1)."""
    manual = (Path(__file__).parents[2] / "man/vmm_client.1").read_text()
    summary = run([program, "--help"]).out
    options = re.findall(r"^\.It Fl -?(\S+)", manual, re.MULTILINE)
    assert sorted(options) == sorted(set(re.findall(r"^  .*?-(c|[a-z]{2,})\b", summary, re.MULTILINE))
                                     | {"version"})
    commands = re.findall(r"^\.It Ic (.*)", manual, re.MULTILINE)
    listed = [line.split("  ")[0].split() for line in client("-c", "help").out.splitlines()]
    assert [command.split()[0] for command in commands] == [words[0] for words in listed]


def test_nobody_there(client):
    failed(client("-c", "info", port=free_port()), CONNECT, "cannot connect to localhost:",
           "Connection refused")


def test_no_such_host(client):
    failed(client("-c", "info", host="no.such.host.invalid", port=1), CONNECT,
           "cannot connect to no.such.host.invalid:1")


# Commands

def test_info(client, server):
    ended = {**HELLO, "path": "gone", "label": "7c0a00", "state": "ended", "pid": None, "taps": [],
             "ended": T, "end": {"signal": 9}}
    bare = {**HELLO, "path": "sub/x", "label": "777777.888888", "taps": []}
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO, ended, bare])
    monitor = "'vmm_monitor' '--mem=32' '--' 'it'\\''s'"
    assert client("-c", "info") == (DONE, (
        f"info hello: {monitor} 91368 taps tap25, tap26\n"
        f"info gone: {monitor} stopped {SHOWN_T} with signal 9\n"
        f"info sub/x: {monitor} 91368 taps no\n"), "")


def test_info_as_json(client, server):
    vms = [HELLO, {**HELLO, "name": "évil\x1b"}]
    server.routes["GET /vms/hello"] = lambda request: request.respond(200, vms)
    done = client("--json", "-c", "info hello")
    assert [json.loads(line) for line in done.out.splitlines()] == vms
    assert done.code == DONE and done.out.isascii()


def test_large_answer(client, server):
    """More than HTTP/2's windows hold at once."""
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO] * 2000)
    done = client("-c", "info")
    assert (done.code, done.out.count("\ninfo hello: ")) == (DONE, 1999)


def test_destroy(client, server):
    server.routes["DELETE /vms/hello"] = lambda request: request.respond(204)
    assert client("-c", "destroy hello") == (DONE, "success\n", "")


PROBLEMS = {
    "403": (403, "the certificate does not permit image"),
    "404": (404, "there is no hello"),
    "409": (409, "hello is ambiguous: 82db56 7c0a00"),
    "503": (503, "vmm_console is down"),
    "hostile": (403, "\x1b]0;owned\x07 \u202e"),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_problem(client, server, case):
    status, detail = PROBLEMS[case]
    server.routes["DELETE /vms/hello"] = lambda request: request.problem(status, detail)
    shown = detail.replace("\x1b", "\\x1b").replace("\x07", "\\x07").replace("\u202e", "\\u202e")
    assert client("-c", "destroy hello") == (REFUSED, "", f"failed {shown}\n")


def test_answer_that_is_no_problem_document(client, server):
    server.routes["DELETE /vms/hello"] = lambda request: request.respond(502, b"<html>")
    assert client("-c", "destroy hello") == (REFUSED, "", "failed the server answers HTTP 502\n")


def test_commands_run_in_order_whatever_fails(client, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    server.routes["DELETE /vms/b"] = lambda request: request.respond(204)
    done = client("-c", "destroy a", "-c", "info", "-c", "destroy b")
    assert server.seen == ["DELETE /vms/a", "GET /vms", "DELETE /vms/b"]
    assert done.code == REFUSED and done.err == "failed there is no a\n"
    assert done.out.startswith("info hello: ") and done.out.endswith("\nsuccess\n")


def test_quit_is_the_last_command(client, server):
    assert client("-c", "quit", "-c", "info") == (DONE, "", "")
    assert server.seen == []


WORDS = {
    "log": "failed log: not in this version\n",
    "create-block a 1": "failed create-block: not in this version\n",
    "frobnicate": "failed frobnicate: no such command; help lists them\n",
    "attach": "failed attach: wanted is: attach PATH\n",
    "info a b": "failed info: wanted is: info [PATH]\n",
    "destroy 'a": "failed a quote does not end\n",
    "detach hello": "failed hello: not attached\n",
}


@pytest.mark.parametrize("command", WORDS, ids=lambda name: name.replace(" ", "_"))
def test_wrong_command(client, server, command):
    assert client("-c", command) == (REFUSED, "", WORDS[command])
    assert server.seen == []


def test_help_lists_the_commands(client):
    done = client("-c", "help")
    words = [line.split()[0] for line in done.out.splitlines()]
    assert words == ["info", "attach", "detach", "destroy", "help", "quit"] and done.code == DONE


def test_paths_are_encoded(client, server):
    server.routes["DELETE /vms/dev/a%20b%3F%C3%A9%25"] = lambda request: request.respond(204)
    assert client("-c", "destroy 'dev/a b?é%'") == (DONE, "success\n", "")


# Names

@pytest.fixture
def db(tmp_path):
    path = tmp_path / "dev.db"
    path.write_text(f"{SERIAL} mine\n77 twice\n78 twice\n")
    return path


def test_db_names_what_is_shown(client, server, db):
    server.routes["GET /vms"] = lambda request: request.respond(
        200, [HELLO, {**HELLO, "path": "x", "label": "7c0a00"}])
    done = client("--db", db, "-c", "info")
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["info mine", "info x"]


def test_db_names_what_is_typed(client, server, db):
    server.routes[f"DELETE /vms/{LABEL}"] = lambda request: request.respond(204)
    server.routes["DELETE /vms/other"] = lambda request: request.respond(204)
    assert client("--db", db, "-c", "destroy mine", "-c", "destroy other").out == "success\n" * 2


def test_server_looks_up_what_the_db_has_and_it_has_not(client, server, db):
    server.routes["DELETE /vms/mine"] = lambda request: request.respond(204)
    assert client("--db", db, "-c", "destroy mine") == (DONE, "success\n", "")
    assert len(server.seen) == 2
    assert client("--db", db, "-c", "info mine").err == "failed there is no mine\n"


def test_ambiguous_in_the_db(client, server, db):
    done = client("--db", db, "-c", "destroy twice")
    assert (done.code, done.out) == (REFUSED, "")
    words = done.err.split()
    assert words[:3] == ["failed", "twice:", "ambiguous:"] and len(words) == 5
    assert all(len(word) >= 6 for word in words[3:]) and server.seen == []


# Consoles

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


def test_attach_until_the_end(client, server):
    server.routes[FOLLOW] = replay(says("one"), {"gap": 3}, says("two\tthree"),
                                   {"ended": {"exit": 7}})
    assert client("-c", "attach hello") == (DONE, (
        f"console hello: {SHOWN_T} one\n"
        "console hello: gap: 3 lines lost\n"
        f"console hello: {SHOWN_T} two\tthree\n"
        "console hello: stopped with exit 7\n"), "")


def test_attach_taken_by_another(client, server):
    server.routes[FOLLOW] = replay(
        says("one"), {"detached": "attached elsewhere"}, says("not for us any more"))
    assert client("-c", "attach hello") == (DONE, (
        f"console hello: {SHOWN_T} one\n"
        "console hello: detached: attached elsewhere\n"), "")


def test_attach_as_json(client, server):
    entries = [says("one\x1b\u202e\0"), {"time": T, "line_b64": "/w=="}, {"ended": {"signal": 9}}]
    server.routes[FOLLOW] = replay(*entries)
    done = client("--json", "-c", "attach hello")
    assert [json.loads(line) for line in done.out.splitlines()] == entries
    assert done.code == DONE and all(" " <= char <= "~" or char == "\n" for char in done.out)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_however_they_are_cut(client, server, size):
    text = "".join(json.dumps(says(str(number))) + "\n" for number in range(30)).encode()

    def answer(request):
        request.head(200)
        for at in range(0, len(text), size):
            request.data(text[at:at + size])
        request.line({"ended": {"exit": 0}})
        request.end()

    server.routes[FOLLOW] = answer
    done = client("-c", "attach hello")
    shown = "".join(f"console hello: {SHOWN_T} {number}\n" for number in range(30))
    assert done == (DONE, shown + "console hello: stopped with exit 0\n", "")


def test_line_without_end(client, server):
    """More than any line has is not collected."""

    def answer(request):
        request.head(200)
        request.data(b" " * (1 << 20))

    server.routes[FOLLOW] = answer
    done = client("-c", "attach hello")
    assert (done.code, done.out, done.err.count("\n")) == (CONNECT, "", 1)
    assert server.arrived.get().cancelled.wait(fake_server.PATIENCE)


def test_attach_refused(client, server):
    assert client("-c", "attach hello") == (REFUSED, "", "failed there is no hello/console?follow\n")


def test_attach_cut_off(client, server):
    server.routes[FOLLOW] = replay(says("one"))
    done = client("-c", "attach hello")
    assert done.code == CONNECT and done.out == f"console hello: {SHOWN_T} one\n"
    assert done.err == "failed console hello: the server ended it without saying why\n"


def test_attach_to_nonsense(client, server):
    def answer(request):
        request.head(200)
        request.data(b"<html>\n")

    server.routes[FOLLOW] = answer
    done = client("-c", "attach hello")
    assert (done.code, done.err) == (CONNECT, "failed console hello: the server sent no JSON\n")


HOSTILE = {
    "\x1b[2J\x1b]0;t\x07": "\\x1b[2J\\x1b]0;t\\x07",
    "a\rb\nc\x7fd\0e": "a\\x0db\\x0ac\\x7fd\\x00e",
    "\x9b31m\u202eevil\u2066": "\\u009b31m\\u202eevil\\u2066",
    "\u2028\ufeff\U000e0041": "\\u2028\\ufeff\\U000e0041",
    "plain\té中🙂": "plain\té中🙂",
}


def test_console_does_not_drive_the_terminal(client, server):
    lines = [says(text) for text in HOSTILE] + [{"time": T, "line_b64": "/2EbwIA="}]
    server.routes[FOLLOW] = replay(*lines, {"ended": {"exit": 0}})
    done = client("-c", "attach hello")
    shown = [line.removeprefix(f"console hello: {SHOWN_T} ") for line in done.out.split("\n")[:-2]]
    assert shown == [*HOSTILE.values(), "\\xffa\\x1b\\xc0\\x80"]


def test_lines_leave_a_pipe_as_they_come(line, server):
    server.routes[FOLLOW] = replay(end=False)
    with started(line("-c", "attach hello")) as process:
        stream = server.await_request(FOLLOW)
        for text in ("one", "two"):
            stream.line(says(text))
            assert next_line(process.stdout) == f"console hello: {SHOWN_T} {text}\n"
        stream.line({"ended": {"exit": 0}})
        stream.end()
        assert finish(process) == (DONE, "console hello: stopped with exit 0\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
def test_signal_ends_the_stream(line, server, number):
    """Ctrl-C goes on with what comes next, SIGTERM ends the client."""
    server.routes[FOLLOW] = replay(says("one"), end=False)
    server.routes["GET /vms"] = lambda request: request.respond(200, [])
    with started(line("-c", "attach hello", "-c", "info")) as process:
        stream = server.await_request(FOLLOW)
        next_line(process.stdout)
        process.send_signal(number)
        assert finish(process) == (DONE, "", "")
        assert stream.cancelled.wait(fake_server.PATIENCE)
    assert server.seen == [FOLLOW] + ["GET /vms"] * (number == signal.SIGINT)


def test_closed_output_ends_it_quietly(line, server):
    """As with | head: also while nothing is printed any more."""
    server.routes[FOLLOW] = replay(says("one"), end=False)
    with started(line("-c", "attach hello")) as process:
        next_line(process.stdout)
        process.stdout.close()
        assert process.wait(fake_server.PATIENCE) == DONE
        assert process.stderr.read() == ""


def test_lost_output_is_a_failure(line, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(line("-c", "info"), stdout=full, stderr=subprocess.PIPE, check=False,
                              timeout=fake_server.PATIENCE)
    assert done.returncode == REFUSED and b"standard output" in done.stderr


# Connections that end

def test_end_without_close_notify(client, server):
    server.routes["GET /vms"] = lambda request: request.session.drop()
    done = client("-c", "info", "-c", "info")
    failed(done, CONNECT, "localhost:", "without a TLS goodbye")


def test_end_in_order(line, server):
    server.routes[FOLLOW] = replay(says("one"), end=False)
    with started(line("-c", "attach hello", "-c", "info")) as process:
        stream = server.await_request(FOLLOW)
        next_line(process.stdout)
        stream.session.goodbye()
        code, out, err = finish(process)
    assert (code, out) == (CONNECT, "") and "the server ended the session" in err
    assert err.count("\n") == 1 and server.seen == [FOLLOW]


def test_stream_reset_instead_of_an_answer(client, server):
    server.routes["GET /vms"] = lambda request: request.reset()
    failed(client("-c", "info"), CONNECT, "no whole answer")


# Lines from a pipe

def test_commands_from_a_pipe(line, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    server.routes[FOLLOW] = replay(says("one"), {"ended": {"exit": 0}})
    done = subprocess.run(line(), input="\ninfo\nattach hello\nbogus", capture_output=True,
                          encoding="utf-8", check=False, timeout=fake_server.PATIENCE)
    assert done.returncode == REFUSED
    assert done.stdout.splitlines()[1:] == [
        f"console hello: {SHOWN_T} one", "console hello: stopped with exit 0"]
    assert done.stderr == "failed bogus: no such command; help lists them\n"


def test_commands_go_on_beside_a_stream(line, server):
    server.routes[FOLLOW] = replay(says("one"), end=False)
    server.routes["DELETE /vms/x"] = lambda request: request.respond(204)
    with started(line(), stdin=subprocess.PIPE) as process:
        def say(text):
            process.stdin.write(text + "\n")
            process.stdin.flush()

        say("attach hello")
        stream = server.await_request(FOLLOW)
        assert next_line(process.stdout) == f"console hello: {SHOWN_T} one\n"
        say("destroy x")
        assert next_line(process.stdout) == "success\n"
        stream.line(says("two"))
        assert next_line(process.stdout) == f"console hello: {SHOWN_T} two\n"
        say("attach hello")
        assert next_line(process.stderr) == "failed hello: attached already\n"
        say("detach hello")
        assert next_line(process.stdout) == "success\n"
        assert stream.cancelled.wait(fake_server.PATIENCE)
        say("quit")
        assert process.wait(fake_server.PATIENCE) == REFUSED


# The prompt

@contextlib.contextmanager
def terminal(arguments, **environment):
    session = fake_server.Terminal(arguments, {"LC_ALL": "C.UTF-8", **environment})
    try:
        yield session
    finally:
        with contextlib.suppress(OSError):
            os.kill(session.pid, signal.SIGKILL)
            os.waitpid(session.pid, 0)


def test_prompt(line, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("info\n")
        session.await_text("info hello: ")
        session.await_text("tap25, tap26\r\n")
        session.await_text("$ ")
        session.type("bogus\n")
        session.await_text("failed bogus: no such command")
        session.await_text("$ ")
        session.type("\x04")
        code, _ = session.wait()
    assert code == DONE and server.seen == ["GET /", "GET /vms"]


def test_prompt_has_history_and_completion(line, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with terminal(line()) as session:
        for typed in ("inf\t\n", "\x1b[A\n"):
            session.await_text("$ ")
            session.type(typed)
            session.await_text("info hello: ")
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE


def test_prompt_stays_usable_beside_a_stream(line, server):
    server.routes[FOLLOW] = replay(says("one"), end=False)
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("attach hello\n")
        stream = server.await_request(FOLLOW)
        session.await_text("one\r\n")
        session.await_text("$ ")
        session.type("in")
        session.await_text("in")
        stream.line(says("two"))
        assert "\r\x1b[K" in session.await_text(f"console hello: {SHOWN_T} two\r\n")
        session.await_text("$ in")
        session.type("fo\n")
        session.await_text("info hello: ")
        session.await_text("$ ")
        stream.line({"detached": "attached elsewhere"})
        stream.end()
        session.await_text("console hello: detached: attached elsewhere\r\n")
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE


def test_ctrl_c_ends_the_stream_not_the_client(line, server):
    server.routes[FOLLOW] = replay(says("one"), end=False)
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("attach hello\n")
        stream = server.await_request(FOLLOW)
        session.await_text("one\r\n")
        session.await_text("$ ")
        session.type("half a line")
        session.await_text("half a line")
        session.type("\x03")
        session.await_text("console hello: detached\r\n")
        assert stream.cancelled.wait(fake_server.PATIENCE)
        session.await_text("$ ")
        session.type("help\n")
        session.await_text("quit")
        session.await_text("$ ")
        session.type("\x04")
        assert session.wait()[0] == DONE


def test_prompt_after_a_stop(line, server):
    """A shell gives the terminal back as it likes it: the line that was being typed goes on."""
    server.routes["GET /vms"] = lambda request: request.respond(200, [])
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("in")
        session.await_text("in")
        mine = termios.tcgetattr(session.fd)
        os.kill(session.pid, signal.SIGSTOP)
        os.waitpid(session.pid, os.WUNTRACED)
        shells = termios.tcgetattr(session.fd)
        shells[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(session.fd, termios.TCSANOW, shells)
        os.kill(session.pid, signal.SIGCONT)
        session.await_text("$ in")
        assert termios.tcgetattr(session.fd) == mine
        os.kill(session.pid, signal.SIGWINCH)
        session.type("fo\n")
        session.await_text("info: no VMs\r\n")
        session.await_text("$ ")
        os.kill(session.pid, signal.SIGTERM)
        assert session.wait()[0] == DONE


def test_hostile_console_on_a_terminal(line, server):
    server.routes[FOLLOW] = replay(*map(says, HOSTILE), {"ended": {"exit": 0}})
    with terminal(line("-c", "attach hello")) as session:
        code, seen = session.wait()
    assert code == DONE and "é中🙂" in seen
    assert not set(seen) & {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\0"}


def test_terminal_that_does_not_read_utf8(line, server):
    """What is a letter in UTF-8 may be a control sequence elsewhere."""
    server.routes[FOLLOW] = replay(says("Û"), {"ended": {"exit": 0}})
    with terminal(line("-c", "attach hello"), LC_ALL="C") as session:
        code, seen = session.wait()
    assert code == DONE and "\\u00db" in seen and seen.isascii()


def test_no_prompt_for_who_is_refused(line, server):
    server.routes["GET /"] = lambda request: request.problem(403, "admin was revoked", "revoked")
    with terminal(line()) as session:
        code, seen = session.wait()
    assert (code, seen) == (REFUSED, "failed admin was revoked\r\n")


def test_session_that_the_server_ends(line, server):
    with terminal(line()) as session:
        session.await_text("$ ")
        server.sessions[0].goodbye()
        session.await_text("the server ended the session\r\n")
        assert session.wait()[0] == CONNECT


def test_progress_on_a_terminal_alone(line, server, pki):
    chain = pki.chain(pki.issue("slow", pki.dev, mint.vm(bytes(12 << 20))))
    server.routes["POST /vms"] = lambda request: request.respond(201, HELLO)
    with fake_server.slow_road(server.port, 1 << 20) as port, \
            terminal(line(chain=chain, port=port)) as session:
        code, seen = session.wait()
    assert code == DONE and "sending the certificate: " in seen and "% of 12.0 MB" in seen
    assert seen.endswith("\rsuccess VM started\r\n"), seen
    with fake_server.slow_road(server.port, 1 << 20) as port:
        assert run(line(chain=chain, port=port)) == (DONE, "success VM started\n", "")
