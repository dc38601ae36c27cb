"""Volumes through vmm_gate alone: their contents in and out as foreign clients send and read them, at the pace
of whoever is slowest, with a vmmd and vmm_volume that a test plays (tests/pair/gate_volumes.h)."""

import json
import re
import socket
import subprocess
import threading

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx
import pytest

from family import PATIENCE, Answer, run, until
from gate_world import client, http, make_upper, pki, sanitized, shared, upper  # fixtures
from upper import Session, own_kb

pytestmark = pytest.mark.sanitized

MB = 2**20
PERIOD = bytes((at * 31 >> 2) & 255 for at in range(65521))


def contents(size):
    """What the stand-in sends, and wants to get."""
    return (PERIOD * (size // len(PERIOD) + 1))[:size]


def answered(session, stream):
    session.until(lambda: stream in session.ended)
    return session.status[stream]


def problem(session, stream):
    status = answered(session, stream)
    document = json.loads(session.body[stream])
    assert document["status"] == status
    return status, document["type"].removeprefix("urn:vmm:"), document["detail"]


def send(session, stream, data, end=True):
    """As the windows allow; stops where the server has answered."""
    while data and stream not in session.ended:
        room = min(session.http.local_flow_control_window(stream),
                   session.http.max_outbound_frame_size, len(data))
        if room == 0:
            assert session.step()
            continue
        session.http.send_data(stream, data[:room])
        session.flush()
        data = data[room:]
    if end and stream not in session.ended:
        session.http.end_stream(stream)
        session.flush()


def put(session, path, data=b"", *headers, end=True):
    stream = session.request(f"/volumes/{path}/data", "PUT", *headers, end=False)
    send(session, stream, data, end)
    return stream


def length(size):
    return ("content-length", str(size))


# Lists, creation, destruction


@pytest.mark.parametrize("path, asked", [("/volumes", ""), ("/volumes/dev/a%20b", "dev/a b")])
def test_list(shared, http, path, asked):
    assert http.get(path).json() == [
        {"path": "dev/vol", "name": "vol", "label": "82db56", "size_mb": 64, "allocated": 4096},
        {"path": "dev/dépôt", "name": "dépôt", "label": "82db56", "size_mb": 2**31 - 1,
         "allocated": 4096, "vm": "dev/hello"}]
    shared.expect(f"volumes {asked}")


def test_absent(http):
    assert http.get("/volumes/absent").status == 404


@pytest.mark.parametrize("size", [1, 64, 2**31 - 1])
def test_create(shared, http, size):
    stream = http.request(f"/volumes/dev/d%C3%A9p%C3%B4t?size={size}", "PUT")
    assert answered(http, stream) == 201
    shared.expect(f"create dev/dépôt {size}")
    made = json.loads(http.body[stream])
    assert (made["path"], made["size_mb"]) == ("dev/dépôt", size) and "vm" not in made
    assert http.headers[stream][b"location"] == b"/volumes/dev/d%C3%A9p%C3%B4t"


@pytest.mark.parametrize("query", ["", "?size", "?size=0", "?size=-1", "?size=1.5", "?size=2147483648",
                                   "?size=99999999999999999999", "?size=1MB", "?size=%201"])
def test_size_that_is_none(http, query):
    stream = http.request(f"/volumes/vol{query}", "PUT")
    status, word, detail = problem(http, stream)
    assert (status, word) == (400, "bad-request")
    assert "size=1" in detail and "MB" in detail


def test_exists(http):
    assert problem(http, http.request("/volumes/taken?size=1", "PUT")) == (
        409, "exists", "taken is there already")


def test_destroy(shared, http):
    assert answered(http, http.request("/volumes/dev/vol", "DELETE")) == 204
    shared.expect("destroy-volume dev/vol")


BAD = [
    ("PUT", "/volumes", 400), ("POST", "/volumes/a", 400), ("GET", "/volumes/a?size=1", 400),
    ("DELETE", "/volumes/a/data", 400), ("GET", "/volumes/data", 400), ("PUT", "/volumes/a/data?size=1", 400),
    ("PUT", "/volumes/a/console?size=1", 400), ("GET", "/volumes/a%2fb", 400), ("GET", "/volumes//data", 400),
]


@pytest.mark.parametrize("method, path, status", BAD)
def test_refused_requests(http, method, path, status):
    assert problem(http, http.request(path, method))[0] == status
    assert http.get("/").status == 200


@pytest.mark.parametrize("name", ["data", "console", "statistics"])
def test_names_of_nothing(http, name):
    """What comes behind a path is no volume's name, which is said."""
    assert problem(http, http.request(f"/volumes/{name}?size=4", "PUT")) == (
        400, "bad-request",
        f"{name} is no name for a volume: it is one of the reserved words console, data and statistics")


def test_methods_are_told(http):
    detail = problem(http, http.request("/volumes/a", "POST"))[2]
    assert detail == "POST is no method of /volumes/PATH, which has GET, PUT, DELETE"


def test_creation_has_no_body(http):
    stream = http.request("/volumes/a?size=1", "PUT", end=False)
    http.http.send_data(stream, b"x")
    http.flush()
    assert problem(http, stream) == (400, "bad-request", "this request has no body")


# Contents in


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, MB, 9 * MB + 1])
def test_upload(shared, http, size):
    stream = put(http, "vol", contents(size), length(size))
    assert answered(http, stream) == 204 and http.body[stream] == b""
    shared.expect(f"write vol {size}")
    shared.expect(f"stored vol {size} right")


def test_upload_of_unknown_size(shared, http):
    stream = put(http, "vol", contents(3 * MB))
    assert answered(http, stream) == 204
    shared.expect("write vol -1")
    shared.expect(f"stored vol {3 * MB} right")


def test_empty_upload_in_one_frame(shared, http):
    stream = http.request("/volumes/vol/data", "PUT")
    assert answered(http, stream) == 204
    shared.expect("stored vol 0 right")


def test_upload_byte_by_byte(shared, http):
    stream = http.request("/volumes/vol/data", "PUT", length(200), end=False)
    for byte in contents(200):
        http.http.send_data(stream, bytes([byte]))
        http.flush()
    http.http.end_stream(stream)
    http.flush()
    assert answered(http, stream) == 204
    shared.expect("stored vol 200 right")


def test_padding_costs_no_window(shared, http):
    """More of it than any window."""
    stream = http.request("/volumes/vol/data", "PUT", length(2000), end=False)
    for byte in contents(2000):
        while http.http.local_flow_control_window(stream) < 257:
            http.step()
        http.http.send_data(stream, bytes([byte]), pad_length=255)
        http.flush()
    http.http.end_stream(stream)
    http.flush()
    assert answered(http, stream) == 204
    shared.expect("stored vol 2000 right")


class Curl:
    """curl that uploads a file, beside the test."""

    def __init__(self, upper, chain, path, file, *arguments):
        def work():
            self.answer = upper.curl(chain, path, "--upload-file", file, *arguments)

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def join(self):
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.answer


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of 300 MB."""
    path = tmp_path_factory.mktemp("large") / "file"
    with open(path, "wb") as file:
        for _ in range(300 * MB // len(PERIOD)):
            file.write(PERIOD)
        file.write(PERIOD[:300 * MB % len(PERIOD)])
    yield path
    path.unlink()


def test_slow_upper_bounds_the_upload(upper, client, large, sanitized):
    """What vmm_volume does not read stays with the client; then all of it goes through."""
    curl = Curl(upper, client, "/volumes/stopped/data", large)
    upper.expect(f"write stopped {300 * MB}")
    worker = until(upper.workers, "a worker has it")[0]
    before = own_kb(worker)
    upper.tell("go stopped")
    highest = before
    while curl.thread.is_alive():
        highest = max(highest, memory_of(worker))
        curl.thread.join(0.05)
    assert curl.join().status == 204
    upper.expect(f"stored stopped {300 * MB} right")
    if not sanitized:
        assert highest < before + 4096, (before, highest)


def memory_of(pid):
    try:
        return own_kb(pid)
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return 0


def test_window_of_an_upload(shared, http):
    """Nothing is read above: so much may come and no more, while other streams go on."""
    stream = put(http, "stopped", end=False)
    shared.expect("write stopped -1")
    sent, data = 0, bytes(16384)
    assert http.get("/").status == 200, "the window has been told"
    while http.http.local_flow_control_window(stream) > 0:
        room = min(http.http.local_flow_control_window(stream), len(data))
        http.http.send_data(stream, data[:room])
        http.flush()
        sent += room
        for _ in range(2):
            assert http.get("/").status == 200
    assert 256 * 1024 <= sent < 3 * MB
    http.http.reset_stream(stream)
    http.flush()
    shared.tell("go stopped")
    shared.expect("broken stopped .*")


def test_reset_is_no_end(shared, http):
    """A client that changes its mind: the volume stays as it is, the session goes on."""
    stream = put(http, "vol", contents(MB), length(2 * MB), end=False)
    http.http.reset_stream(stream)
    http.flush()
    assert re.fullmatch(r"broken vol \d+ right", shared.expect("(stored|broken) .*").group())
    assert http.get("/").status == 200


@pytest.mark.parametrize("notify", [True, False])
def test_connection_that_breaks(upper, client, notify):
    session = upper.session(client)
    put(session, "vol", contents(MB), end=False)
    upper.expect("write vol -1")
    if notify:
        session.http.close_connection()
        session.flush()
    session.close()
    assert re.fullmatch(r"broken vol \d+ right", upper.expect("(stored|broken) .*").group())


def test_curl_that_is_killed(upper, client, large):
    line = ["curl", "-s", "--http2", "--cacert", upper.pki.root_path, "--cert", client.bundle, "--key",
            client.key, "--limit-rate", "2M", "--upload-file", large,
            f"https://localhost:{upper.port}/volumes/vol/data"]
    with subprocess.Popen([str(word) for word in line]) as curl:
        upper.expect(f"write vol {300 * MB}")
        curl.kill()
    assert re.fullmatch(r"broken vol \d+ right", upper.expect("(stored|broken) .*").group())


@pytest.mark.parametrize("said, sent", [(100, 99), (100, 0), (100, 101), (0, 1), (2 * MB, MB), (MB, MB + 1)])
def test_content_length_that_lies(shared, http, said, sent):
    stream = put(http, "vol", contents(sent), length(said))
    http.until(lambda: stream in http.ended)
    assert http.ended[stream] is not None and stream not in http.status, "reset, not answered"
    assert shared.expect("(stored|broken) .*").group().startswith("broken")
    assert http.get("/").status == 200


# Answers before the end

EARLY = {
    "in use": ("taken", 2 * MB, (409, "in-use", "taken is in use by dev/hello")),
    "too large, as announced": ("small", 2 * MB, (413, "too-large", f"it holds {MB} bytes; {2 * MB} are more")),
    "full": ("late", 2 * MB, (503, "unavailable", "the disk is full")),
}


@pytest.mark.parametrize("case", EARLY)
def test_early_answer(shared, http, case):
    path, size, expected = EARLY[case]
    stream = put(http, path, contents(size), length(size))
    assert problem(http, stream) == expected
    assert http.get("/").status == 200


def test_more_than_there_is_room_for(shared, http):
    """Of a size that nobody said."""
    stream = put(http, "small", contents(MB + 1))
    assert problem(http, stream) == (413, "too-large", "small holds 1 MB, and what is sent is more")
    assert shared.expect("(stored|broken) .*").group().startswith("broken")


def test_volume_that_ends_without_a_word(shared, http):
    """What is still sent is taken; the answer is vmmd's."""
    stream = put(http, "dead", contents(5 * MB))
    shared.tell("fail dead")
    assert problem(http, stream) == (503, "unavailable", "the disk is full")


@pytest.mark.parametrize("case", EARLY)
def test_early_answer_reaches_curl(upper, client, large, case):
    path, _, (status, word, _) = EARLY[case]
    answer = upper.curl(client, f"/volumes/{path}/data", "--upload-file", large)
    assert (answer.status, answer.json()["type"]) == (status, f"urn:vmm:{word}")


@pytest.mark.parametrize("known", [True, False], ids=["known", "chunked"])
@pytest.mark.parametrize("case", EARLY)
def test_early_answer_reaches_httpx(upper, client, case, known):
    """Which reads when it has sent everything."""
    path, _, (status, word, _) = EARLY[case]
    body = contents(8 * MB)
    with httpx.Client(http2=True, verify=upper.context(client), timeout=PATIENCE, trust_env=False) as session:
        answer = session.put(f"https://localhost:{upper.port}/volumes/{path}/data",
                             content=body if known else (body[at:at + MB] for at in range(0, len(body), MB)))
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:vmm:{word}")


def test_refused_without_asking_anybody(upper, pki):
    """A chain without authority: 403 while the body comes."""
    refused = pki.client("play-refuse")
    with httpx.Client(http2=True, verify=upper.context(refused), timeout=PATIENCE, trust_env=False) as session:
        answer = session.put(f"https://localhost:{upper.port}/volumes/vol/data", content=bytes(4 * MB))
    assert (answer.status_code, answer.json()["detail"]) == (403, "hello: expired on 2017-07-10")


def test_what_nobody_wants_has_an_end(upper, client):
    """Behind an answer 64 MB are taken, then the stream is reset, with NO_ERROR."""
    session = upper.session(client)
    stream = put(session, "taken", end=False)
    session.until(lambda: stream in session.ended)
    del session.ended[stream]
    sent, data = 0, bytes(16384)
    while stream not in session.ended:
        room = min(session.http.local_flow_control_window(stream), len(data))
        if room == 0:
            assert session.step()
            continue
        session.http.send_data(stream, data[:room])
        session.flush()
        sent += room
    assert session.ended[stream] == 0 and 64 * MB < sent < 66 * MB
    session.close()


def test_vmmd_ends_a_session_with_transfers(upper, client):
    session = upper.session(client)
    up = put(session, "stopped", contents(100), end=False)
    down = session.request("/volumes/short/data")
    session.until(lambda: down in session.ended)
    reading = session.request("/volumes/stopped/data")
    session.until(lambda: reading in session.status)
    upper.tell("end dan was revoked")
    session.until(lambda: {up, reading} <= set(session.ended))
    assert problem(session, up) == (403, "session-ended", "dan was revoked")
    assert session.ended[reading] is not None, "reset: it does not look complete"
    assert session.wait_end()


# Contents out


@pytest.mark.parametrize("path, size", [("vol", MB), ("mb9", 9 * MB)])
def test_dump(shared, http, path, size):
    stream = http.request(f"/volumes/{path}/data")
    assert answered(http, stream) == 200
    headers = http.headers[stream]
    assert headers[b"content-type"] == b"application/octet-stream"
    assert headers[b"content-length"] == str(size).encode()
    assert http.body[stream] == contents(size)
    shared.expect(f"sent {path} {size}")


def test_a_dump_is_whole_when_the_volume_is_free_again(shared, http):
    stream = http.request("/volumes/held/data")
    http.until(lambda: len(http.body[stream]) == MB - 1)
    assert http.get("/").status == 200 and len(http.body[stream]) == MB - 1
    shared.tell("go held")
    shared.expect(f"sent held {MB}")
    assert answered(http, stream) == 200 and http.body[stream] == contents(MB)


def test_dump_of_nothing(http):
    assert http.get("/volumes/absent/data").status == 404


def test_dump_cut_short(shared, http):
    stream = http.request("/volumes/short/data")
    http.until(lambda: stream in http.ended)
    assert http.ended[stream] is not None, "reset"
    assert len(http.body[stream]) <= MB // 2
    assert http.get("/").status == 200


def test_dump_cut_short_is_an_error_for_curl(upper, client, tmp_path):
    answer = upper.curl(client, "/volumes/short/data", "--output", tmp_path / "dump")
    assert answer.status == 200 and "curl: (92)" in answer.error, answer


def test_dump_with_curl(upper, client, tmp_path, large):
    answer = upper.curl(client, "/volumes/mb300/data", "--output", tmp_path / "dump")
    assert (answer.status, answer.error) == (200, "")
    assert run(["cmp", large, tmp_path / "dump"]).code == 0


def test_dump_with_httpx(upper, client):
    with httpx.Client(http2=True, verify=upper.context(client), timeout=PATIENCE, trust_env=False) as session:
        answer = session.get(f"https://localhost:{upper.port}/volumes/mb20/data")
    assert answer.content == contents(20 * MB)


class SlowSession(Session):
    """Takes in what comes, and gives no window back until it is told to."""

    def __init__(self, tls, window):
        super().__init__(tls)
        tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()
        self.owed = {}

    def step(self):
        data = self.tls.recv(65536)
        if not data:
            self.over = True
            return False
        for event in self.http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.status[event.stream_id] = int(dict(event.headers)[b":status"])
            elif isinstance(event, h2.events.DataReceived):
                self.body[event.stream_id] += event.data
                size = event.flow_controlled_length
                self.owed[event.stream_id] = self.owed.get(event.stream_id, 0) + size
                self.http.increment_flow_control_window(size)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended[event.stream_id] = None
        self.flush()
        return True

    def pay(self, stream):
        self.http.increment_flow_control_window(self.owed.pop(stream), stream)
        self.flush()


@pytest.mark.parametrize("window, path, size", [(1, "vol", 300), (7, "vol", 3000), (1000, "vol", MB)])
def test_tiny_windows(upper, client, window, path, size):
    """Never more than the client has room for, and all of it in the end."""
    session = SlowSession(upper.tls(client), window)
    stream = session.request(f"/volumes/{path}/data")
    while len(session.body[stream]) < size:
        before = len(session.body[stream])
        session.until(lambda: len(session.body[stream]) == min(before + window, MB))
        if stream not in session.ended:
            session.pay(stream)
    assert session.body[stream] == contents(MB)[:len(session.body[stream])]
    session.close()
    upper.expect("(sent|left) vol .*")


def test_reader_that_stops(upper, client, sanitized):
    """Its window is full: the rest stays where it is, other streams go on, then it ends."""
    session = SlowSession(upper.tls(client), 65535)
    stream = session.request("/volumes/mb200/data")
    session.until(lambda: len(session.body[stream]) == 65535)
    other = session.request("/volumes")
    session.until(lambda: other in session.ended)
    assert len(session.body[stream]) == 65535
    if not sanitized:
        assert own_kb(upper.workers()[0]) < 8000
    session.close()
    assert int(upper.expect(r"(?:sent|left) mb200 (\d+).*").group(1)) < 2 * MB


def test_transfers_side_by_side(shared, http):
    """Two up, two down, one that stands still; lists come through."""
    stuck = http.request("/volumes/stopped/data")
    down = [http.request("/volumes/mb5/data") for _ in range(2)]
    up = [http.request("/volumes/vol/data", "PUT", length(5 * MB), end=False) for _ in range(2)]
    data = contents(5 * MB)
    for at in range(0, len(data), MB):
        for stream in up:
            send(http, stream, data[at:at + MB], end=at + MB == len(data))
        assert http.get("/volumes").status == 200
    assert [answered(http, stream) for stream in up] == [204, 204]
    assert [answered(http, stream) for stream in down] == [200, 200]
    assert all(http.body[stream] == data for stream in down)
    assert stuck not in http.ended
    for _ in up:
        shared.expect(f"stored vol {5 * MB} right")
    http.http.reset_stream(stuck)
    http.flush()
    assert http.get("/").status == 200
