"""Who the server is: a client accepts one that the CA itself signed, for this host, and nobody else."""

import contextlib
import socket
import ssl
import threading

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import mint
from family import free_port, run

pytestmark = pytest.mark.sanitized

TLS = 4  # exit status of vmm_client


@contextlib.contextmanager
def tls_server(chain):
    """Completes TLS handshakes with CHAIN on loopback, if the client does; yields port and the list of those
    who did."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain.bundle, chain.key)
    context.set_alpn_protocols(["h2"])
    fooled, port = [], free_port()
    listener = socket.create_server(("127.0.0.1", port))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), \
                        context.wrap_socket(connection, server_side=True) as session:
                    fooled.append(session.recv(1))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield port, fooled
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def impostor(ca, tmp_path, issuer, name="server", **options):
    options.setdefault("usage", ExtendedKeyUsageOID.SERVER_AUTH)
    options.setdefault("host", "localhost")
    return mint.chain(tmp_path, name, mint.certificate(name, issuer, {}, **options))


CASES = {
    "a delegate's own": lambda ca, path: impostor(ca, path, mint.load(ca, "dev")),
    "a client's": lambda ca, path: impostor(
        ca, path, mint.load(ca, "ca"), usage=ExtendedKeyUsageOID.CLIENT_AUTH),
    "another host's": lambda ca, path: impostor(ca, path, mint.load(ca, "ca"), host="example.org"),
    "self-signed": lambda ca, path: impostor(ca, path, None),
    "expired": lambda ca, path: impostor(ca, path, mint.load(ca, "ca"), since=-2 * mint.DAY,
                                         until=-mint.DAY),
}


@pytest.fixture(scope="module")
def admin(ca):
    ca.delegation("dev")
    return ca.command("admin", issuer="dev")


def three_clients(tree, ca, admin, port):
    """vmm_client, curl and openssl's tool, asked to speak to whoever is on PORT."""
    cacert = ca.path("cacert.pem")
    return (run([tree.bin / "vmm_client", "-c", "info", cacert, admin.bundle, admin.key,
                 f"localhost:{port}"]),
            run(["curl", "-sS", "--cacert", cacert, "--cert", admin.bundle, "--key", admin.key,
                 f"https://localhost:{port}/vms"]),
            run(["openssl", "s_client", "-connect", f"localhost:{port}", "-alpn", "h2", "-CAfile", cacert,
                 "-cert", admin.bundle, "-key", admin.key, "-verify_hostname", "localhost",
                 "-verify_return_error"]))


@pytest.mark.security("01a")
@pytest.mark.parametrize("case", CASES, ids=lambda name: name.replace(" ", "_"))
def test_impostor_is_refused(tree, ca, admin, tmp_path, case):
    chain = CASES[case](ca, tmp_path)
    with tls_server(chain) as (port, fooled):
        ours, curl, openssl = three_clients(tree, ca, admin, port)
    assert (ours.code, ours.out) == (TLS, ""), ours
    assert ours.err.startswith("failed ") and ours.err.count("\n") == 1
    assert curl.code in (35, 51, 60), curl
    assert openssl.code != 0 and "verify error" in openssl.err, openssl
    assert not any(fooled), "a client spoke to it"


@pytest.mark.security("01a")
def test_the_right_one_is_not(tree, ca, admin, tmp_path):
    """What the refusals are worth: all three speak to a server that the CA signed for this host."""
    with tls_server(impostor(ca, tmp_path, mint.load(ca, "ca"))) as (port, spoken_to):
        ours, curl, openssl = three_clients(tree, ca, admin, port)
    assert ours.code != TLS and curl.code not in (35, 51, 60) and openssl.code == 0
    assert len([word for word in spoken_to if word]) >= 2


@pytest.mark.security("01a")
def test_no_delegate_between(tree, ca, admin, tmp_path):
    """Even one whose delegation could sign servers: vmm_client wants the root's own signature."""
    loose = mint.certificate("loose", mint.load(ca, "ca"), mint.delegation(), is_ca=True,
                             usage=ExtendedKeyUsageOID.SERVER_AUTH)
    with tls_server(impostor(ca, tmp_path, loose)) as (port, fooled):
        done = run([tree.bin / "vmm_client", "-c", "info", ca.path("cacert.pem"), admin.bundle,
                    admin.key, f"localhost:{port}"])
    assert done.code == TLS and not any(fooled), done


def test_nobody_there(tree, ca, admin):
    done = run([tree.bin / "vmm_client", "-c", "info", ca.path("cacert.pem"), admin.bundle, admin.key,
                f"localhost:{free_port()}"])
    assert done.code == 3 and done.err.startswith("failed "), done
