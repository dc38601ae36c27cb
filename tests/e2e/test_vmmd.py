"""vmmd's own command line and signals."""

import contextlib
import fcntl
import os
import re
import signal
import socket
import ssl
import threading

import pytest

import proc
from disks import command
from door import served
from family import KVM, ROOT, Family, run, until
from upper import Session, tcp, tls_context

pytestmark = pytest.mark.sanitized

FAILED, USAGE = 1, 2


@pytest.fixture
def unstarted(tree, ca, tmp_path):
    return Family(tree, ca, tmp_path)


def shown(family):
    """The certificate that the server shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("localhost", family.port)) as plain, \
            context.wrap_socket(plain) as session:
        return session.getpeercert(binary_form=True)


def test_check_only(unstarted):
    """-n starts nothing and leaves nothing. Root with KVM goes without nothing that it would have to say."""
    done = run(unstarted.command_line("-n"))
    assert (done.code, done.out) == (0, "vmmd: the configuration is good\n")
    assert (done.err == "") == (ROOT and KVM), done.err
    assert not unstarted.run_dir.exists()


@pytest.mark.parametrize("option, file, words", [
    ("--ca", "nosuch.pem", "nosuch.pem: No such file or directory"),
    ("--ca", "ca.db", "the CA's file (--ca) holds no certificate in PEM"),
    ("--cert", "cacert.pem", "the server's certificate is not one for servers"),
    ("--key", "ca.key", "the server's key is not the one of its certificate"),
])
def test_check_refuses(unstarted, ca, option, file, words):
    done = run(unstarted.command_line("-n", option, ca.path(file)))
    assert (done.code, done.out) == (FAILED, ""), done
    assert words in done.err


def test_usage(tree):
    for arguments in ([], ["--nosuch"], ["--ca"], ["--listen", "x", "y"]):
        done = run([tree.bin / "vmmd", *arguments])
        assert (done.code, done.out) == (USAGE, ""), arguments
        assert "vmmd --help tells the options" in done.err


@pytest.mark.parametrize("seconds", ["0", "3601", "1s", "-1", ""])
def test_an_interval_of_readings_is_refused(tree, seconds):
    done = run([tree.bin / "vmmd", "--stats-interval", seconds])
    assert (done.code, done.out) == (USAGE, "")
    assert f'--stats-interval: "{seconds}" is not a number from 1 to 3600' in done.err


def test_two_on_one_run_directory(new_family, tree, ca, tmp_path):
    family = new_family()
    second = Family(tree, ca, tmp_path / "second")
    second.run_dir = family.run_dir
    done = run(second.command_line())
    assert done.code == FAILED and "in use by another vmmd" in done.err
    assert family.vms() == []


def test_two_on_one_state_directory(new_family, tree, ca, tmp_path):
    """A list that one stored the other would not know of, wherever each has its volumes."""
    family = new_family()
    second = Family(tree, ca, tmp_path / "second")
    second.state_dir = family.state_dir
    done = run(second.command_line("--volume-dir", second.folder / "volumes"))
    assert (done.code, done.out) == (FAILED, "")
    assert f"{family.state_dir} is in use by another vmmd" in done.err
    assert family.vms() == []


@pytest.fixture
def small_run_dir(unstarted):
    unstarted.run_dir.mkdir(mode=0o700)
    command("mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "none", unstarted.run_dir)
    try:
        yield unstarted.start()
        full(unstarted).unlink(missing_ok=True)
        unstarted.close()
    finally:
        command("umount", "--lazy", unstarted.run_dir)


def full(family):
    return family.run_dir / "full"


def fill(file):
    """Takes what is left where FILE is."""
    with open(file, "wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(bytes(4096)):
            pass


@pytest.mark.root("mounts")
def test_a_full_run_directory(small_run_dir, ca):
    """What the next vmmd would not know of does not begin; what runs goes on, and can be destroyed."""
    family = small_run_dir
    dev, hello, other = ca.delegation(ca.unique("dev")), ca.unique("hello"), ca.unique("other")
    chain = ca.vm(hello, family.tree.guest("hello"), issuer=dev)
    family.deploy(chain)
    family.deploy(ca.vm(other, family.tree.guest("hello"), issuer=dev))
    assert family.curl(family.admin, f"/vms/{dev}/{hello}", "-X", "DELETE").status == 204
    fill(full(family))
    refused = family.client(chain)
    assert refused.code == 1 and refused.err.endswith(": No space left on device\n"), refused
    assert [vm["name"] for vm in family.running()] == [other]
    assert len(family.monitors()) == 1
    full(family).unlink()
    family.kill()
    family.start()
    assert [vm["name"] for vm in family.running()] == [other]
    family.deploy(chain)


def test_a_run_directory_that_is_in_use_a_little_longer(new_family):
    """A killed vmmd's child has it locked until it has executed a monitor."""
    family = new_family()
    family.kill()
    held = os.open(family.run_dir, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    threading.Timer(1, os.close, (held,)).start()
    family.start()
    assert family.vms() == []


def test_reload(new_family, ca):
    """SIGHUP: a renewed server certificate is shown, an open session goes on."""
    family = new_family()
    before = shown(family)
    with family.http(family.admin) as open_session:
        assert open_session.get("/vms").status_code == 200
        ca("server", "localhost")
        os.kill(family.pid, signal.SIGHUP)
        until(lambda: shown(family) != before, "the new certificate is shown")
        assert open_session.get("/vms").status_code == 200
    assert family.vms() == []


def gates(family):
    return [pid for pid in proc.children(family.pid) if proc.name(pid) == "vmm_gate"]


def test_a_connection_that_came_before_a_reload_is_served(new_family):
    """By the gate that it came to, with whichever vmm_auth there is then."""
    family = new_family()
    [gate] = gates(family)
    before = proc.descriptors(gate)
    early = tcp(family.port)
    until(lambda: len(proc.descriptors(gate)) > len(before), "it is accepted")
    os.kill(family.pid, signal.SIGHUP)
    until(lambda: len(gates(family)) == 2 and len(proc.descriptors(gate)) <= len(before),
          "the old one has but this connection")
    auth = family.role("vmm_auth")
    os.kill(auth, signal.SIGKILL)
    until(lambda: family.role("vmm_auth") not in (None, auth), "there is another vmm_auth")
    until(lambda: served(family, family.admin), "it is ready")
    context = tls_context(family.ca.path("cacert.pem"), family.admin)
    session = Session(context.wrap_socket(early, server_hostname="localhost"))
    assert session.get("/vms").status == 200
    session.close()
    until(lambda: gate not in gates(family), "the old gate has nothing more to do")


def test_its_manual_names_every_option(tree):
    """--help is the list; vmmd(8) must have all of it."""
    options = re.findall(r"^ +--?([a-z-]+) .*", run([tree.bin / "vmmd", "--help"]).out, re.M)
    page = (tree.bin.parent / "share/man/man8/vmmd.8").read_text()
    assert sorted(re.findall(r"^\.It Fl -?([a-z-]+)", page, re.M)) == sorted(options)
