"""vmm_gate by itself: gate_upper (tests/pair) plays vmmd and vmm_auth, foreign clients do the rest."""

import json
import os
import queue
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import h2.config
import h2.connection
import h2.events
from cryptography.x509.oid import ExtendedKeyUsageOID

import mint
import proc
from family import PATIENCE, Answer, run, until


class Pki:
    """A CA, a server, and clients by what gate_upper is to do with them."""

    def __init__(self, folder):
        self.folder = folder
        self.root = mint.certificate("ca", None, {}, is_ca=True, usage=False)
        self.root_path = folder / "ca.pem"
        self.root_path.write_bytes(mint.pem(self.root.certificate))
        server = mint.certificate("server", self.root, {}, usage=ExtendedKeyUsageOID.SERVER_AUTH,
                                  host="localhost")
        self.server = mint.chain(folder, "server", server, mint.pem(server.certificate))

    def client(self, name="client", extra=b""):
        minted = mint.certificate(name, self.root, {})
        return mint.chain(self.folder, name, minted, mint.pem(minted.certificate) + extra)


class Upper:
    """gate_upper with its gate."""

    def __init__(self, build, pki, address="127.0.0.1", server=None):
        server = server or pki.server
        self.pki = pki
        self.log_path = pki.folder / f"log{time.monotonic_ns()}"
        self.events, self.seen = queue.Queue(), []
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [build / "tests/pair/gate_upper", build / "src/gate/vmm_gate", server.bundle,
                 server.key, address],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="utf-8",
                errors="backslashreplace")
        threading.Thread(target=self.read, daemon=True).start()
        self.pid = None
        self.first = self.next_event()
        if self.first.startswith("ready"):
            self.port, self.pid, self.expires = map(int, self.first.split()[1:])

    def read(self):
        for line in self.process.stdout:
            self.events.put(line.rstrip("\n"))
        self.events.put(None)

    def next_event(self):
        event = self.events.get(timeout=PATIENCE)
        assert event is not None, f"gate_upper ended: {self.seen} {self.log()}"
        self.seen.append(event)
        return event

    def expect(self, pattern):
        """The next event that matches; those before it are passed over."""
        while True:
            match = re.fullmatch(pattern, self.next_event())
            if match:
                return match

    def expect_all(self, *patterns):
        """As many events, in any order."""
        left = list(patterns)
        while left:
            event = self.next_event()
            left = [pattern for pattern in left if not re.fullmatch(pattern, event)]

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.expect(f"done {command}")

    def events_so_far(self):
        """All until now: the answer to a command comes behind them."""
        start = len(self.seen)
        self.tell("nothing")
        return self.seen[start:-1]

    def counts(self):
        """Of what the gate has told so far: connections, those lost, and in how many messages."""
        self.process.stdin.write("counts\n")
        self.process.stdin.flush()
        counts = self.expect(r"counts (\d+) (\d+) (\d+)")
        self.expect("done counts")
        return tuple(map(int, counts.groups()))

    def log(self):
        return self.log_path.read_text(errors="backslashreplace")

    def workers(self):
        return proc.children(self.pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        if self.pid:
            until(lambda: not proc.alive(self.pid), "the gate ends with its vmmd")

    # Clients

    def curl(self, chain, path, *arguments):
        done = run([
            "curl", "--silent", "--show-error", "--http2", "--cacert", self.pki.root_path,
            "--cert", chain.bundle, "--key", chain.key, "--max-time", PATIENCE,
            "--resolve", f"localhost:{self.port}:127.0.0.1", "--path-as-is",
            "--write-out", "\n%{http_code}", *arguments, f"https://localhost:{self.port}{path}"])
        body, _, status = done.out.rpartition("\n")
        return Answer(int(status), body, done.err)

    def s_client(self, *arguments, data="", **options):
        line = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *arguments]
        return subprocess.run([str(word) for word in line], input=data, capture_output=True,
                              encoding="utf-8", errors="backslashreplace", timeout=PATIENCE,
                              check=False, **options)

    def context(self, chain=None):
        return tls_context(self.pki.root_path, chain)

    def tcp(self):
        return tcp(self.port)

    def tls(self, chain=None, context=None):
        context = context or self.context(chain)
        return context.wrap_socket(self.tcp(), server_hostname="localhost")

    def alert(self, chain=None, context=None):
        return alert(self.port, context or self.context(chain))

    def session(self, chain):
        return Session(self.tls(chain))


class Session:
    """One HTTP/2 connection whose every step is the test's."""

    def __init__(self, tls, window=None):
        self.tls = tls
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.http.initiate_connection()
        self.flush()
        self.status, self.headers, self.body, self.ended = {}, {}, {}, {}
        self.over, self.goodbye = False, None

    def flush(self):
        data = self.http.data_to_send()
        if data:
            self.tls.sendall(data)

    def request(self, path, method="GET", *headers, end=True):
        stream = self.http.get_next_available_stream_id()
        self.http.send_headers(stream, [
            (":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path),
            *headers], end_stream=end)
        self.body[stream] = b""
        self.flush()
        return stream

    def step(self):
        """Takes in what comes next; False at the end."""
        data = self.tls.recv(65536)
        if not data:
            self.over = True
            return False
        for event in self.http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.headers[event.stream_id] = dict(event.headers)
                self.status[event.stream_id] = int(self.headers[event.stream_id][b":status"])
            elif isinstance(event, h2.events.DataReceived):
                self.body[event.stream_id] += event.data
                self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended[event.stream_id] = None
            elif isinstance(event, h2.events.StreamReset):
                self.ended[event.stream_id] = event.error_code
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.over, self.goodbye = True, event.additional_data
        self.flush()
        return True

    def until(self, condition):
        while not condition():
            assert self.step(), "the connection ended"

    def get(self, path, *headers):
        return self.answer(self.request(path, "GET", *headers))

    def answer(self, stream):
        self.until(lambda: stream in self.ended)
        return Answer(self.status[stream], self.body[stream].decode())

    def lines(self, stream, count):
        self.until(lambda: self.body[stream].count(b"\n") >= count or stream in self.ended)
        return [json.loads(line) for line in self.body[stream].splitlines()]

    def wait_end(self):
        try:
            while self.step():
                pass
        except (ssl.SSLError, ConnectionError):
            return False
        return True

    def close(self):
        self.tls.close()


def tcp(port):
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def tls_context(ca, chain=None):
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["h2"])
    if chain:
        context.load_cert_chain(chain.bundle, chain.key)
    return context


def alert(port, context):
    """The alert that ends a connection; TLS 1.3 tells a client with its first read."""
    try:
        with context.wrap_socket(tcp(port), server_hostname="localhost") as connection:
            connection.send(b"PRI")
            while connection.recv(4096):
                pass
    except ssl.SSLError as error:
        return error.reason or str(error)
    return None


def begin_handshake(port, context, amount):
    """A connection on which a handshake stops after AMOUNT bytes of the client's second flight."""
    connection = tcp(port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            incoming.write(connection.recv(65536))
    connection.sendall(outgoing.read()[:amount])
    return connection


def closed(connection):
    """Whether the server has ended it."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def client_hello(size):
    """A record that announces SIZE bytes of handshake, without any of them."""
    return struct.pack("!BHH", 22, 0x0301, size)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bytes_read(pid):
    with proc.looking(), open(f"/proc/{pid}/io", encoding="ascii") as io:
        return next(int(line.split()[1]) for line in io if line.startswith("rchar:"))


def own_kb(pid):
    """Memory that is the process's alone, or its part of what it shares."""
    with proc.looking(), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
