"""Volumes with vmm_client: what it asks for and prints, files that become volumes and volumes that become files,
and how that ends when it does not go well."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import termios

import pytest

import fake_server
from client_world import client, line, pki, program, server, state  # fixtures
from client_world import (
    CONNECT, DONE, HELLO, LABEL, REFUSED, SERIAL, failed, finish, next_line, started, terminal)

pytestmark = pytest.mark.sanitized

MB = 1 << 20
VOLUMES = [
    {"path": "db", "name": "db", "label": "", "size_mb": 64, "allocated": 3 * MB, "vm": "hello"},
    {"path": "eve/box", "name": "box", "label": "82db56", "size_mb": 2**31 - 1, "allocated": 3 * MB + 1},
    {"path": "empty", "name": "empty", "label": "", "size_mb": 1, "allocated": 0},
]
DATA = "/volumes/vol/data"


def random(size):
    return os.urandom(size)


def data_of(bytes_, size=None):
    """Answers with BYTES; SIZE: what it says that it has."""

    def answer(request):
        request.head(200, "application/octet-stream", ("content-length", str(size or len(bytes_))))
        request.data(bytes_, end=size is None)

    return answer


def takes(status=204, then=None):
    """Takes all of a body, then answers."""

    def answer(request):
        request.whole = then or (lambda: request.respond(status))

    return answer


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with nothing in it, where the client runs."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# Lists, creation, destruction


def test_volumes(client, server):
    server.routes["GET /volumes"] = lambda request: request.respond(200, VOLUMES)
    assert client("-c", "volumes") == (DONE, (
        "volume db: 64 MB, 3 MB on disk, used by hello\n"
        "volume eve/box: 2147483647 MB, 4 MB on disk\n"
        "volume empty: 1 MB, 0 MB on disk\n"), "")
    done = client("--json", "-c", "volumes")
    assert [json.loads(text) for text in done.out.splitlines()] == VOLUMES


def test_volumes_below(client, server):
    server.routes["GET /volumes/eve"] = lambda request: request.respond(200, VOLUMES[1:2])
    assert client("-c", "volumes eve").out == "volume eve/box: 2147483647 MB, 4 MB on disk\n"


def test_db_names_a_volumes_delegation_and_not_it(client, server, tmp_path):
    db = tmp_path / "dev.db"
    db.write_text(f"{SERIAL} mine\n77 box\n")
    server.routes["GET /volumes"] = lambda request: request.respond(200, VOLUMES)
    server.routes[f"DELETE /volumes/{LABEL}/box"] = lambda request: request.respond(204)
    server.routes["PUT /volumes/box?size=1"] = lambda request: request.respond(201, VOLUMES[2])
    done = client("--db", db, "-c", "volumes", "-c", "destroy-block mine/box", "-c", "create-block box 1")
    assert "volume mine/box: " in done.out and "volume db: " in done.out
    assert (done.code, done.out.count("success\n")) == (DONE, 2)


def test_create(client, server):
    server.routes["PUT /volumes/a%20b?size=64"] = lambda request: request.respond(201, VOLUMES[0])
    assert client("-c", "create-block 'a b' 64") == (DONE, "success\n", "")
    assert client("--json", "-c", "create-block 'a b' 64").out == '{"success":"create-block"}\n'


def test_destroy(client, server):
    server.routes["DELETE /volumes/vol"] = lambda request: request.respond(204)
    assert client("-c", "destroy-block vol") == (DONE, "success\n", "")


PROBLEMS = {
    "create-block vol 1": ("PUT /volumes/vol?size=1", 409, "vol is there already"),
    "create-block vol x&y": ("PUT /volumes/vol?size=x%26y", 400, "size says how large it is to be"),
    "destroy-block vol": ("DELETE /volumes/vol", 409, "vol is in use by hello"),
    "volumes": ("GET /volumes", 403, "the certificate lacks the permission block"),
    "dump-block vol out": (f"GET {DATA}", 404, "there is no vol"),
}


@pytest.mark.parametrize("command", PROBLEMS)
def test_refused(client, server, here, command):
    target, status, detail = PROBLEMS[command]
    server.routes[target] = lambda request: request.problem(status, detail)
    assert client("-c", command) == (REFUSED, "", f"failed {detail}\n")
    assert names(here) == []


WRONG = {
    "create-block vol": "failed create-block: wanted is: create-block PATH MB\n",
    "upload-block vol": "failed upload-block: wanted is: upload-block PATH FILE\n",
    "dump-block": "failed dump-block: wanted is: dump-block PATH FILE\n",
    "upload-block vol nosuch": "failed nosuch: No such file or directory\n",
    "upload-block vol .": "failed . is neither a file nor a block device\n",
    "upload-block vol /dev/null": "failed /dev/null is neither a file nor a block device\n",
    f"dump-block vol {'n' * 256}": f"failed {'n' * 256}: File name too long\n",
    "dump-block vol ''": "failed : No such file or directory\n",
    "dump-block vol no/such": "failed no/such: No such file or directory\n",
    "dump-block vol .": "failed . is there already\n",
    "create-block dev/data 4": ("failed data is no name for a volume: "
                                "it is one of the reserved words console, data and statistics\n"),
    "dump-block a:b file": "failed a:b is no name for a volume: it contains ',' or ':'\n",
}


@pytest.mark.parametrize("command", WRONG)
def test_wrong_command(client, server, here, command):
    assert client("-c", command) == (REFUSED, "", WRONG[command])
    assert server.seen == []


# Files that become volumes


@pytest.mark.parametrize("size", [0, 1, 3 * MB + 17])
def test_upload(client, server, here, size):
    (here / "file").write_bytes(content := random(size))
    server.routes[f"PUT {DATA}"] = takes()
    assert client("-c", "upload-block vol file") == (DONE, "success\n", "")
    request = server.await_request(f"PUT {DATA}")
    assert request.body == content and request.headers["content-length"] == str(size)


def test_upload_of_holes(client, server, here):
    """They come as zeros: in front, between, at the end; and a file that is nothing else."""
    with open(here / "file", "wb") as file:
        for at in (5 * MB, 9 * MB + 1):
            file.seek(at)
            file.write(b"data")
        file.truncate(20 * MB)
    with open(here / "hole", "wb") as file:
        file.truncate(3 * MB)
    server.routes[f"PUT {DATA}"] = takes()
    assert client("-c", "upload-block vol file", "-c", "upload-block vol hole").code == DONE
    first, second = (server.await_request(f"PUT {DATA}") for _ in range(2))
    assert first.body == (here / "file").read_bytes()
    assert second.body == bytes(3 * MB)


EARLY = {"in use": (409, "vol is in use by hello"),
         "too large": (413, "vol holds 1048576 bytes; 50331648 are more"),
         "not permitted": (403, "the certificate lacks the permission block")}


@pytest.mark.parametrize("case", EARLY)
def test_upload_that_is_refused_before_its_end(client, server, here, case):
    """The rest is not sent; the session goes on."""
    (here / "file").write_bytes(bytes(48 * MB))
    status, detail = EARLY[case]
    server.routes[f"PUT {DATA}"] = lambda request: request.problem(status, detail)
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    done = client("-c", "upload-block vol file", "-c", "info")
    assert (done.code, done.err) == (REFUSED, f"failed {detail}\n") and done.out.startswith("info hello")
    request = server.await_request(f"PUT {DATA}")
    assert request.cancelled.wait(fake_server.PATIENCE) and len(request.body) < 48 * MB


@pytest.mark.parametrize("size", [1000, 200_000], ids=["in data", "in a hole"])
def test_upload_of_a_file_that_shrinks(line, server, here, size):
    """While 64 KB of 128 are under way; behind a hole there was more."""
    with open(here / "file", "wb") as file:
        file.write(random(128 << 10))
        file.seek(4 * MB)
        file.write(b"more")

    def hold(request):
        request.hold = True

    server.routes[f"PUT {DATA}"] = hold
    with started(line("-c", "upload-block vol file")) as process:
        request = server.await_request(f"PUT {DATA}")
        os.truncate(here / "file", size)
        request.session.do(lambda h2c: h2c.increment_flow_control_window(8 * MB))
        request.session.do(lambda h2c: h2c.increment_flow_control_window(8 * MB, request.number))
        code, out, err = finish(process)
    assert (code, out) == (REFUSED, "") and "it has become shorter" in err and err.count("\n") == 1
    assert request.cancelled.wait(fake_server.PATIENCE)


def test_upload_when_the_server_breaks_off(client, server, here):
    (here / "file").write_bytes(bytes(MB))
    server.routes[f"PUT {DATA}"] = lambda request: setattr(request, "whole", request.reset)
    done = client("-c", "upload-block vol file")
    assert done == (CONNECT, "", "failed upload-block vol: the server broke it off\n")


# Volumes that become files


@pytest.mark.parametrize("size", [0, 1, 4096, 3 * MB + 17])
def test_dump(client, server, here, size):
    server.routes[f"GET {DATA}"] = data_of(content := random(size))
    assert client("-c", "dump-block vol file") == (DONE, "success\n", "")
    assert (here / "file").read_bytes() == content and names(here) == ["file"]
    assert (here / "file").stat().st_mode & 0o777 == 0o600


def test_dump_elsewhere(client, server, here):
    (here / "sub").mkdir()
    server.routes[f"GET {DATA}"] = data_of(b"content")
    path = here / "sub" / ("long" * 60)
    assert client("-c", f"dump-block vol '{path}'") == (DONE, "success\n", "")
    assert path.read_bytes() == b"content" and names(here / "sub") == [path.name]


def test_sparse_dump(client, server, here):
    """Zeros take no place, wherever they are."""
    content = bytearray(64 * MB)
    for at in (0, 7 * MB + 5, 40 * MB - 1):
        content[at:at + 5] = b"datum"
    server.routes[f"GET {DATA}"] = data_of(bytes(content))
    assert client("-c", "dump-block vol file").code == DONE
    assert (here / "file").read_bytes() == content
    assert (here / "file").stat().st_blocks * 512 <= 5 * 4096


def test_dump_is_never_over_another_file(client, server, here):
    (here / "file").write_text("mine")
    (here / "link").symlink_to("nowhere")
    server.routes[f"GET {DATA}"] = data_of(b"content")
    done = client("-c", "dump-block vol file", "-c", "dump-block vol link")
    assert done == (REFUSED, "", "failed file is there already\nfailed link is there already\n")
    assert (here / "file").read_text() == "mine" and names(here) == ["file", "link"] and server.seen == []


def test_dump_is_not_over_a_file_that_came_meanwhile(line, server, here):
    server.routes[f"GET {DATA}"] = data_of(b"x" * 100, size=200)
    with started(line("-c", "dump-block vol file")) as process:
        request = server.await_request(f"GET {DATA}")
        (here / "file").write_text("mine")
        request.data(b"y" * 100, end=True)
        assert finish(process) == (REFUSED, "", "failed file is there already\n")
    assert (here / "file").read_text() == "mine" and names(here) == ["file"]


@pytest.mark.parametrize("how", ["reset", "end", "drop"])
def test_dump_cut_short(line, server, here, how):
    """However it is cut: nothing stays, and it is told."""
    server.routes[f"GET {DATA}"] = data_of(bytes(MB), size=2 * MB)
    with started(line("-c", "dump-block vol file")) as process:
        request = server.await_request(f"GET {DATA}")
        request.session.drop() if how == "drop" else getattr(request, how)()
        code, out, err = finish(process)
    assert (code, out) == (CONNECT, "") and err.startswith("failed dump-block vol: "), err
    assert ("the connection" if how == "drop" else "the server broke it off") in err
    assert names(here) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
                         ids=["ctrl_c", "sigterm", "hangup"])
@pytest.mark.parametrize("command", ["dump-block vol out", "upload-block vol file"])
def test_interrupted(line, server, here, command, number):
    """Ctrl-C goes on with what comes next, SIGTERM and a terminal that is gone end the client; nothing stays."""
    (here / "file").write_bytes(bytes(MB))
    server.routes[f"GET {DATA}"] = data_of(b"x" * 100, size=200)
    server.routes[f"PUT {DATA}"] = lambda request: None
    server.routes["GET /vms"] = lambda request: request.respond(200, [])
    target = f"{'GET' if 'dump' in command else 'PUT'} {DATA}"
    with started(line("-c", command, "-c", "info")) as process:
        request = server.await_request(target)
        process.send_signal(number)
        assert finish(process) == (REFUSED, "", f"failed {' '.join(command.split()[:2])}: interrupted\n")
        assert request.cancelled.wait(fake_server.PATIENCE)
    assert server.seen == [target] + ["GET /vms"] * (number == signal.SIGINT)
    assert names(here) == ["file"]


def test_nohup(line, server, here):
    """It goes on when its terminal is gone."""
    server.routes[f"GET {DATA}"] = data_of(b"x" * 100, size=200)
    with started(["nohup", *line("-c", "dump-block vol file")]) as process:
        request = server.await_request(f"GET {DATA}")
        process.send_signal(signal.SIGHUP)
        request.data(b"y" * 100, end=True)
        assert finish(process)[:2] == (DONE, "success\n")
    assert names(here) == ["file"]


@pytest.mark.root("mounts a small file system")
def test_dump_to_a_full_disk(line, server, here):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", here], check=True)
    try:
        os.chdir(here)
        server.routes[f"GET {DATA}"] = data_of(random(4 * MB))
        done = subprocess.run(line("-c", "dump-block vol file"), capture_output=True, encoding="utf-8",
                              check=False, timeout=fake_server.PATIENCE)
        assert (done.returncode, done.stderr) == (REFUSED, "failed file: No space left on device\n")
        assert names(here) == []
        request = server.await_request(f"GET {DATA}")
        assert request.cancelled.wait(fake_server.PATIENCE)
    finally:
        os.chdir("/")
        subprocess.run(["umount", here], check=True)


def test_name_that_only_the_server_knows(client, server, here, tmp_path):
    """What the .db calls so is not there: it is asked once more, as it was typed, from the start."""
    db = tmp_path / "dev.db"
    db.write_text(f"{SERIAL} mine\n")
    (here / "file").write_bytes(content := random(MB))
    server.routes["PUT /volumes/mine/vol/data"] = takes()
    server.routes["GET /volumes/mine/vol/data"] = data_of(content)
    done = client("--db", db, "-c", "upload-block mine/vol file", "-c", "dump-block mine/vol out")
    assert done == (DONE, "success\nsuccess\n", "")
    assert server.await_request("PUT /volumes/mine/vol/data").body == content
    assert (here / "out").read_bytes() == content
    assert server.seen[0] == f"PUT /volumes/{LABEL}/vol/data"


# Beside other commands


def test_lines_of_a_pipe_wait_for_a_transfer(line, server, here):
    server.routes[f"GET {DATA}"] = data_of(b"x" * 100, size=200)
    server.routes["DELETE /volumes/vol"] = lambda request: request.respond(204)
    with started(line(), stdin=subprocess.PIPE) as process:
        process.stdin.write("dump-block vol file\ndestroy-block vol\n")
        process.stdin.close()
        process.stdin = None
        request = server.await_request(f"GET {DATA}")
        assert "DELETE /volumes/vol" not in server.seen
        request.data(b"y" * 100, end=True)
        assert finish(process) == (DONE, "success\nsuccess\n", "")


def test_quiet_in_a_pipe(line, server, here):
    """Also when it takes long enough for something to show."""
    server.routes[f"GET {DATA}"] = data_of(b"x" * 100, size=200)
    with started(line("-c", "dump-block vol file")) as process:
        request = server.await_request(f"GET {DATA}")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        request.data(b"y" * 100, end=True)
        assert finish(process) == (DONE, "success\n", "")


def test_progress_of_a_command(line, server, here):
    server.routes[f"GET {DATA}"] = data_of(bytes(3 * MB), size=12 * MB)
    with terminal(line("-c", "dump-block vol file")) as session:
        request = server.await_request(f"GET {DATA}")
        session.await_text("dump-block vol: 3.0 MB, 25% of 12.0 MB, ")
        session.await_text(" MB/s")
        request.data(bytes(9 * MB), end=True)
        code, seen = session.wait()
    assert code == DONE and seen.endswith("\rsuccess\r\n"), seen


def test_progress_on_a_narrow_terminal(line, server, here):
    """It never wraps: what is shown stays in its line."""
    server.routes[f"GET {DATA}"] = data_of(bytes(3 * MB), size=12 * MB)
    with terminal(line("-c", "dump-block vol file")) as session:
        fcntl.ioctl(session.fd, termios.TIOCSWINSZ, struct.pack("4H", 24, 20, 0, 0))
        request = server.await_request(f"GET {DATA}")
        session.await_text("\r3.0 MB, 25% of 12.0")
        request.data(bytes(9 * MB), end=True)
        code, seen = session.wait()
    assert code == DONE and seen.endswith("\rsuccess\r\n"), seen
    assert max(len(text) for text in session.seen.split("\r")) < 20


def test_commands_are_typed_beside_transfers(line, server, here):
    """At a prompt: how far it is while nothing is typed, the prompt when something is; two at once; Ctrl-C ends
    the transfers, not the client."""
    (here / "file").write_bytes(bytes(MB))
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    server.routes[f"GET {DATA}"] = data_of(bytes(3 * MB), size=12 * MB)
    server.routes["PUT /volumes/other/data"] = takes(then=lambda: None)
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("dump-block vol out\n")
        first = server.await_request(f"GET {DATA}")
        session.await_text("dump-block vol: 3.0 MB, 25% of 12.0 MB, ")
        session.type("in")
        session.await_text("$ ")
        session.type("fo\n")
        session.await_text("info hello: ")
        session.await_text("dump-block vol: 3.0 MB, 25% of 12.0 MB, ")
        first.data(bytes(9 * MB), end=True)
        session.await_text("success dump-block vol\r\n")
        session.await_text("$ ")
        session.type("upload-block other file\n")
        second = server.await_request("PUT /volumes/other/data")
        session.await_text("upload-block other: 1.0 MB, 100% of 1.0 MB, ")
        session.type("\x03")
        session.await_text("failed upload-block other: interrupted\r\n")
        assert second.cancelled.wait(fake_server.PATIENCE)
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE
    assert names(here) == ["file", "out"] and (here / "out").stat().st_size == 12 * MB


def test_two_transfers_at_once(line, server, here):
    for name in "ab":
        server.routes[f"GET /volumes/{name}/data"] = data_of(name.encode() * 100, size=200)
    with terminal(line()) as session:
        requests = {}
        for name in "ab":
            session.await_text("$ ")
            session.type(f"dump-block {name} {name}\n")
            requests[name] = server.await_request(f"GET /volumes/{name}/data")
        for name in "ba":
            requests[name].data(name.encode() * 100, end=True)
            session.await_text(f"success dump-block {name}\r\n")
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE
    assert [(here / name).read_text() for name in "ab"] == ["a" * 200, "b" * 200]


def test_quit_ends_what_goes_on(line, server, here):
    server.routes[f"GET {DATA}"] = data_of(b"x" * 100, size=200)
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("dump-block vol file\n")
        server.await_request(f"GET {DATA}")
        session.await_text("$ ")
        session.type("quit\n")
        session.await_text("failed dump-block vol: interrupted\r\n")
        session.wait()
    assert names(here) == []


def test_a_slow_server_holds_the_client_up_and_nothing_else(line, server, here):
    """Its window is closed: other commands go on, then all of it arrives."""
    (here / "file").write_bytes(content := random(4 * MB))

    def hold(request):
        request.hold = True
        request.whole = lambda: request.respond(204)

    server.routes[f"PUT {DATA}"] = hold
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("upload-block vol file\n")
        request = server.await_request(f"PUT {DATA}")
        session.await_text("$ ")
        session.type("info\n")
        session.await_text("info hello: ")
        assert len(request.body) < MB
        request.session.do(lambda h2c: h2c.increment_flow_control_window(8 * MB))
        request.session.do(lambda h2c: h2c.increment_flow_control_window(8 * MB, request.number))
        session.await_text("success upload-block vol\r\n")
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE
    assert request.body == content


def test_hostile_name_in_progress(line, server, here):
    """What would drive the terminal is left out."""
    server.routes["GET /volumes/a%1Bb/vol/data"] = data_of(b"x" * 100, size=200)
    with terminal(line("-c", "dump-block a\x1bb/vol file")) as session:
        request = server.await_request("GET /volumes/a%1Bb/vol/data")
        session.await_text("dump-block: 0.0 MB")
        request.data(b"y" * 100, end=True)
        code, seen = session.wait()
    assert code == DONE and "\x1b" not in session.seen and seen.endswith("success\r\n")
