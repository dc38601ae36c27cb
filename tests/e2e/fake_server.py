"""A server of HTTP/2 over mutual TLS that answers what a test tells it to: another implementation (Python's
ssl, h2) for vmm_client to talk to, so that it is tested without the family and against servers that
misbehave."""

import contextlib
import ctypes
import json
import os
import queue
import select
import socket
import ssl
import threading
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

PATIENCE = 30
SSL_CTRL_SET_MAX_CERT_LIST = 51


def allow_large_chains(context):
    """Python has no name for SSL_CTX_set_max_cert_list: the SSL_CTX is the object's first field."""
    library = ctypes.CDLL("libssl.so.3")
    library.SSL_CTX_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    library.SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MAX_CERT_LIST, 1 << 24, None)


def server_context(chain, trust, alpn=("h2",)):
    """CHAIN is the server's own, TRUST (a PEM file) what a client's must come from."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain.bundle, chain.key)
    context.load_verify_locations(trust)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # they hold the client's certificate, whose size is an "internal error"
    if alpn:
        context.set_alpn_protocols(list(alpn))
    allow_large_chains(context)
    return context


class Request:
    """A request and what is to be answered. Any thread may call its methods."""

    def __init__(self, session, number, headers):
        self.session, self.number = session, number
        self.method, self.path = headers[":method"], headers[":path"]
        self.authority, self.headers = headers[":authority"], headers
        self.cancelled = threading.Event()
        self.body, self.hold = bytearray(), False  # what came with it; hold: the window stays closed
        self.whole = lambda: None  # called when that was all

    def respond(self, status, body=b"", kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.head(status, kind)
        self.data(body, end=True)

    def problem(self, status, detail, word="refused"):
        self.respond(status, {"type": f"urn:vmm:{word}", "status": status, "detail": detail},
                     "application/problem+json")

    def head(self, status, kind="application/x-ndjson", *more):
        headers = [(":status", str(status)), ("content-type", kind), *more]
        self.session.do(lambda h2c: h2c.send_headers(self.number, headers))

    def data(self, body, end=False):
        self.session.do(lambda h2c: self.session.body(self.number, body, end))

    def line(self, entry):
        self.data(json.dumps(entry).encode() + b"\n")

    def end(self):
        self.data(b"", end=True)

    def reset(self):
        self.session.do(lambda h2c: h2c.reset_stream(self.number, h2.errors.ErrorCodes.INTERNAL_ERROR))


class Session:
    """One connection. All of its work is done by its thread, others hand it in."""

    def __init__(self, server, tls):
        self.server, self.tls = server, tls
        self.work = queue.SimpleQueue()
        self.waker, self.wakee = socket.socketpair()
        self.waker.setblocking(False)  # full, it wakes all the same
        self.h2c = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests = {}
        self.waiting = {}  # stream to bytes that its window has no room for
        self.over = False
        self.ended = threading.Event()

    def do(self, job):
        self.work.put(job)
        with contextlib.suppress(OSError):
            self.waker.send(b"!")

    def goodbye(self, why=""):
        """GOAWAY, then close_notify: an end in order."""
        self.do(lambda h2c: h2c.close_connection(additional_data=why.encode()))
        self.do(lambda h2c: self.finish(True))

    def drop(self):
        """An end without close_notify."""
        self.do(lambda h2c: self.finish(False))

    def finish(self, notify):
        self.flush()
        with contextlib.suppress(OSError, ValueError):  # with something unread it fails when it has said so
            if notify:
                self.tls.unwrap()
        with contextlib.suppress(OSError, ValueError):
            self.tls.shutdown(socket.SHUT_WR)
            while self.tls.recv(65536):  # closed with something unread, it would be reset
                pass
        self.over = True

    def body(self, number, bytes_, end):
        pending, ending = self.waiting.get(number, (b"", False))
        self.waiting[number] = (memoryview(bytes(pending) + bytes_), ending or end)
        self.push(number)

    def push(self, number):
        bytes_, end = self.waiting.pop(number)
        while bytes_:
            room = min(self.h2c.local_flow_control_window(number), self.h2c.max_outbound_frame_size)
            if room <= 0:
                self.waiting[number] = (bytes_, end)
                return
            self.h2c.send_data(number, bytes(bytes_[:room]))
            bytes_ = bytes_[room:]
        if end:
            self.h2c.end_stream(number)

    def flush(self):
        data = self.h2c.data_to_send()
        if data:
            self.tls.sendall(data)

    def take(self, request, event):
        request.body += event.data
        if not request.hold:
            with contextlib.suppress(h2.exceptions.StreamClosedError):
                self.h2c.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            request = Request(self, event.stream_id, dict(event.headers))
            self.requests[event.stream_id] = request
            self.server.take(request)
        elif isinstance(event, h2.events.DataReceived):
            self.take(self.requests[event.stream_id], event)
        elif isinstance(event, h2.events.StreamEnded):
            self.requests[event.stream_id].whole()
        elif isinstance(event, h2.events.StreamReset):
            self.requests[event.stream_id].cancelled.set()
        elif isinstance(event, h2.events.WindowUpdated):
            for number in list(self.waiting):
                self.push(number)

    def turn(self):
        if not self.tls.pending():
            ready, _, _ = select.select([self.tls, self.wakee], [], [])
            if self.wakee in ready:
                self.wakee.recv(4096)
                while not self.work.empty():
                    with contextlib.suppress(h2.exceptions.StreamClosedError):
                        self.work.get()(self.h2c)
            if self.over or self.tls not in ready:
                return
        data = self.tls.recv(65536)
        self.over = not data
        for event in self.h2c.receive_data(data) if data else []:
            self.handle(event)

    def run(self):
        try:
            self.h2c.initiate_connection()
            self.flush()
            while not self.over:
                self.turn()
                self.flush()
        except (OSError, ValueError, h2.exceptions.ProtocolError) as error:
            self.server.errors.append(error)
        finally:
            self.tls.close()
            self.waker.close()
            self.wakee.close()
            self.ended.set()
            for request in self.requests.values():
                request.cancelled.set()


class FakeServer:
    """Listens on loopback. ROUTES: "METHOD PATH" to what is done with the request; others are 404."""

    def __init__(self, context, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.context = context
        self.listener = socket.create_server((host, 0), family=family)
        self.port = self.listener.getsockname()[1]
        self.routes, self.seen, self.errors, self.peers = {}, [], [], []
        self.arrived = queue.SimpleQueue()
        self.sessions = []
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                thread = threading.Thread(target=self.serve, args=[connection], daemon=True)
                self.threads.append(thread)
                thread.start()

    def serve(self, connection):
        try:
            connection.settimeout(PATIENCE)
            tls = self.context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False)
        except OSError as error:
            self.errors.append(error)
            return
        self.peers.append(tls.getpeercert(binary_form=True))
        session = Session(self, tls)
        self.sessions.append(session)
        session.run()

    def take(self, request):
        self.seen.append(f"{request.method} {request.path}")
        route = self.routes.get(self.seen[-1])
        if route:
            route(request)
        else:
            request.problem(404, f"there is no {request.path.removeprefix('/vms/')}", "absent")
        self.arrived.put(request)

    def await_request(self, line):
        """The request that the next METHOD PATH is; earlier ones are passed over."""
        while True:
            request = self.arrived.get(timeout=PATIENCE)
            if f"{request.method} {request.path}" == line:
                return request

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for session in self.sessions:
            session.do(lambda h2c, session=session: session.finish(False))
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a thread of the fake server hangs"


@contextlib.contextmanager
def serving(context, host="127.0.0.1"):
    server = FakeServer(context, host)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def slow_road(port, stop_after):
    """Another port that leads to PORT; whoever sends STOP_AFTER bytes there waits for more than a second."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    ends = []

    def relay(source, sink, left):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
                if left > 0 >= left - len(data):
                    time.sleep(1.2)
                left -= len(data)
            sink.shutdown(socket.SHUT_WR)

    def carry():
        ends.append(listener.accept()[0])
        ends.append(socket.create_connection(("127.0.0.1", port)))
        back = threading.Thread(target=relay, args=(ends[1], ends[0], 0))
        back.start()
        relay(ends[0], ends[1], stop_after)
        back.join()

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join()
        for end in [listener, *ends]:
            end.close()


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, arguments, environment=None):
        self.pid, self.fd = os.forkpty()
        if self.pid == 0:
            try:
                os.execve(arguments[0], arguments, {**os.environ, "TERM": "xterm", **(environment or {})})
            finally:
                os._exit(127)  # never a second pytest
        self.seen = ""
        self.at = 0

    def read(self):
        """What comes next; nothing: the program has ended, or for a long time nothing came."""
        with contextlib.suppress(OSError):
            if select.select([self.fd], [], [], PATIENCE)[0]:
                data = os.read(self.fd, 65536)
                self.seen += data.decode(errors="backslashreplace")
                return data
        return b""

    def await_text(self, text):
        """Reads until TEXT came, after what was awaited before; what came in between."""
        while text not in self.seen[self.at:]:
            assert self.read(), f"never came: {text!r}; there is {self.seen[self.at:]!r}"
        found = self.seen.index(text, self.at)
        before, self.at = self.seen[self.at:found], found + len(text)
        return before

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        """The exit status, and what was printed until then."""
        while self.read():
            pass
        os.close(self.fd)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status), self.seen[self.at:]
