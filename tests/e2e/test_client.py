"""vmm_client against a server by other hands, right and wrong ones: whom it trusts, what it sends, what goes
wrong before and after there is a connection."""

import ipaddress
import json
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

import fake_server
import mint
from client_world import client, line, pki, program, server, state  # fixtures
from client_world import (
    CLIENT, CONNECT, DONE, FOLLOW, HELLO, REFUSED, SERVER, TLS, USAGE, failed, finish, next_line, replay, says,
    started)
from family import free_port, run

pytestmark = pytest.mark.sanitized


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


@pytest.mark.parametrize("options", [["--force"], ["--force", "--json"]], ids=len)
def test_deployment_that_replaces(client, server, pki, options):
    """What is said first stays what it is."""
    answer = {**HELLO, "replaced": 4711}
    server.routes["POST /vms?force"] = lambda request: request.respond(201, answer)
    done = client(*options, chain=pki.hello)
    if "--json" in options:
        assert (done.code, json.loads(done.out)) == (DONE, answer)
    else:
        assert done == (DONE, "success VM started\nreplaced 4711\n", "")


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


# Revocation

ENDED = [{"kind": "vm", "path": "alice/hello", "label": "777777.888888"},
         {"kind": "session", "path": "eve/admin", "label": "777777.999999", "peer": "192.0.2.1:43142"}]


@pytest.fixture(scope="module")
def revocation(pki):
    return pki.chain(pki.issue("revoke", pki.dev, {**mint.command(mint.CRL), 43: b"\x30\x00"}))


@pytest.fixture
def pushed(server):
    server.routes["POST /revocations"] = lambda request: request.respond(200, {"ended": ENDED})


def test_pushes_a_revocation_list(client, server, revocation, pushed):
    assert client(chain=revocation) == (DONE, (
        "success\n"
        "ended VM alice/hello\n"
        "ended session eve/admin 192.0.2.1:43142\n"), "")
    leaf = x509.load_pem_x509_certificate(revocation.bundle.read_bytes())
    assert server.peers == [leaf.public_bytes(Encoding.DER)] and server.seen == ["POST /revocations"]


def test_revocation_as_json(client, revocation, pushed):
    done = client("--json", chain=revocation)
    assert (done.code, [json.loads(line) for line in done.out.splitlines()]) == (DONE, ENDED)


def test_revocation_that_ends_nothing(client, server, revocation):
    server.routes["POST /revocations"] = lambda request: request.respond(200, {"ended": []})
    assert client(chain=revocation) == (DONE, "success\n", "")
    assert client("--json", chain=revocation) == (DONE, "", "")


def test_revocation_refused(client, server, revocation):
    detail = "list 3 is not newer than list 3"
    server.routes["POST /revocations"] = lambda request: request.problem(409, detail, "stale")
    assert client(chain=revocation) == (REFUSED, "", f"failed {detail}\n")


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


def test_options_of_the_other_shape(client, pki, revocation):
    failed(client("-c", "info", chain=pki.hello), USAGE, "-c", pki.hello.bundle, "a VM certificate")
    failed(client("--force", "-c", "info"), USAGE, "--force", pki.admin.bundle)
    failed(client("-c", "info", chain=revocation), USAGE, "-c", "a revocation certificate")
    failed(client("--force", chain=revocation), USAGE, "--force", "a revocation certificate")


def test_help(program):
    done = run([program, "--help"])
    assert done.code == DONE and done.err == "" and "CACERT BUNDLE KEY HOST:PORT" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_manual_agrees(program, client):
    """The options of --help and the commands of help are those of vmm_client(1)."""
    manual = (Path(__file__).parents[2] / "man/vmm_client.1").read_text()
    summary, _, listed = run([program, "--help"]).out.partition("The commands, ")
    options = re.findall(r"^\.It Fl -?(\S+)", manual, re.MULTILINE)
    assert sorted(options) == sorted(set(re.findall(r"^  .*?-(c|[a-z]{2,})\b", summary, re.MULTILINE))
                                     | {"version"})
    commands = re.findall(r"^\.It Ic (.*)", manual, re.MULTILINE)
    rows = [json.loads(line) for line in client("--json", "-c", "help").out.splitlines()]
    # mdoc's Op [...], Oo ... Oc [...], Fl -f, Ar an argument
    brackets = [re.sub(r"\bO(?:p (.*)|o (.*?) Oc)", r"[\1\2]", each) for each in commands]
    brackets = [re.sub(r"\bOp (.*)", r"[\1]", each) for each in brackets]
    arguments = [re.sub(r"\bAr (\w+)", lambda word: word[1].upper(), each) for each in brackets]
    assert [each.replace("Fl ", "-") for each in arguments] == [
        f"{row['command']} {row['arguments']}".strip() for row in rows]
    assert [line[2:] for line in listed.splitlines()[1:]] == [each.replace("Fl ", "-") for each in arguments]


def test_nobody_there(client):
    failed(client("-c", "info", port=free_port()), CONNECT, "cannot connect to localhost:",
           "Connection refused")


def test_no_such_host(client):
    failed(client("-c", "info", host="no.such.host.invalid", port=1), CONNECT,
           "cannot connect to no.such.host.invalid:1")


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
