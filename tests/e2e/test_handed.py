"""Listening sockets that vmmd is handed, as a service manager does it: they are served, checked, and outlive it."""

import socket
import subprocess

import pytest

from family import PATIENCE, Family, free_port, run, until

TAKE = 'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=control; exec "${@:2}" 3<&"$1"'


def handing(sock, command):
    """COMMAND with SOCK as the one descriptor that it is handed, which must be passed to its process."""
    return ["bash", "-c", TAKE, "bash", str(sock.fileno()), *command]


class Activated(Family):
    """Its only listening socket is the test's."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def unlistening(self, *more):
        words = super().command_line(*more)
        at = words.index("--listen")
        return words[:at] + words[at + 2:]

    def command_line(self, *more):
        return handing(self.socket, self.unlistening(*more))

    def identity(self):
        return {"pass_fds": [self.socket.fileno()], **super().identity()}


@pytest.fixture
def activated(tree, ca, tmp_path):
    family = Activated(tree, ca, tmp_path / "activated")
    yield family
    if family.process:
        family.close()
    family.socket.close()


def refuse(family, sock):
    """What vmmd says of SOCK before it ends."""
    done = run(handing(sock, family.unlistening()), pass_fds=[sock.fileno()])
    assert (done.code, done.out) == (1, ""), done
    return done.err


def connected(port):
    return run(["ss", "-Htn", "state", "established", f"dport = :{port}"]).out


@pytest.mark.sanitized
def test_who_connects_while_vmmd_is_restarted_is_served_after(activated):
    activated.start()
    before = activated.pid
    assert activated.vms() == []
    assert activated.stop() == 0
    line = activated.client_line(activated.admin, "info", "quota")
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as client:
        until(lambda: connected(activated.port), "the client is connected")
        assert client.poll() is None
        activated.start()
        out, err = client.communicate(timeout=PATIENCE)
    assert (client.returncode, err) == (0, ""), out
    assert activated.pid != before


def test_other_sockets_are_refused(activated):
    with socket.socket() as deaf, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        for sock in (deaf, datagrams):
            assert "descriptor 3 (control) in $LISTEN_FDS is no TCP socket that listens" in refuse(activated, sock)


def test_both_are_served(activated):
    other = free_port()
    activated.options += ["--listen", f"127.0.0.1:{other}"]
    activated.start()
    handed = activated.port
    for port in (other, handed):
        activated.port = port
        assert activated.vms() == []


def test_a_check_leaves_them_alone(activated):
    """-n beside a vmmd that serves them."""
    activated.start()
    done = run(activated.command_line("-n"), pass_fds=[activated.socket.fileno()])
    assert (done.code, done.out) == (0, "vmmd: the configuration is good\n"), done
    assert activated.vms() == []
