"""vmmd's own command line and signals."""

import fcntl
import os
import re
import signal
import socket
import ssl
import threading

import pytest

from family import KVM, ROOT, Family, run, until

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


def test_its_manual_names_every_option(tree):
    """--help is the list; vmmd(8) must have all of it."""
    options = re.findall(r"^ +--?([a-z-]+) .*", run([tree.bin / "vmmd", "--help"]).out, re.M)
    page = (tree.bin.parent / "share/man/man8/vmmd.8").read_text()
    assert sorted(re.findall(r"^\.It Fl -?([a-z-]+)", page, re.M)) == sorted(options)
