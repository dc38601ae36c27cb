"""Consoles and the event log as vmm_client shows them while they come, and how that ends."""

import json
import signal
import subprocess

import pytest

import fake_server
from client_world import client, line, pki, program, server, state  # fixtures
from client_world import (
    CONNECT, DONE, FOLLOW, HELLO, HOSTILE, REFUSED, SHOWN_T, STARTED, T, event, finish, next_line, replay, says,
    started)

pytestmark = pytest.mark.sanitized


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


# The event log

LOG = "GET /log?follow"


@pytest.mark.parametrize("command, target", [
    ("log -f", "follow"), ("log -f -600s", "since=-600s&follow"), ("log -600s -f", "since=-600s&follow")])
def test_log_is_followed(line, server, command, target):
    server.routes["GET /log?" + target] = replay(STARTED, {"gap": 3}, end=False)
    server.routes["GET /vms"] = lambda request: request.respond(200, [])
    with started(line("-c", command, "-c", "info")) as process:
        stream = server.await_request("GET /log?" + target)
        assert next_line(process.stdout).startswith(f"log: {SHOWN_T}: hello STARTED 4711 ")
        assert next_line(process.stdout) == "log: gap: 3 entries lost\n"
        stream.line(event("STOPPED 4711 with exit 0"))
        assert next_line(process.stdout) == f"log: {SHOWN_T}: hello STOPPED 4711 with exit 0\n"
        process.send_signal(signal.SIGINT)
        assert finish(process) == (DONE, "", "")
        assert stream.cancelled.wait(fake_server.PATIENCE)
    assert server.seen[-1] == "GET /vms"


def test_followed_log_as_json(client, server):
    entries = [STARTED, {"gap": 1}, {"ended": "the session expired"}]
    server.routes[LOG] = replay(*entries)
    done = client("--json", "-c", "log -f")
    assert [json.loads(line) for line in done.out.splitlines()] == entries


def test_log_cut_off(client, server):
    server.routes[LOG] = replay(STARTED)
    done = client("-c", "log -f")
    assert (done.code, done.err) == (CONNECT, "failed log: the server ended it without saying why\n")


# How the server ends a stream, what is told, exit status
ENDS = {
    "a log, by its role": ("log -f", {"detached": "log restarted"}, "log: detached: log restarted", REFUSED),
    "a log, with the session": ("log -f", {"ended": "dan was revoked"}, "log: ended: dan was revoked",
                                REFUSED),
    "a console, with the session": ("attach hello", {"detached": "dan was revoked"},
                                    "console hello: detached: dan was revoked", REFUSED),
    "a console, in a word": ("attach hello", {"ended": "expired\x1b"},
                             "console hello: ended: expired\\x1b", REFUSED),
    "a console, taken": ("attach hello", {"detached": "attached elsewhere"},
                         "console hello: detached: attached elsewhere", DONE),
}


@pytest.mark.parametrize("case", ENDS, ids=lambda name: name.replace(" ", "_"))
def test_stream_that_the_server_ends(client, server, case):
    command, entry, words, status = ENDS[case]
    server.routes[FOLLOW] = server.routes[LOG] = replay(entry)
    assert client("-c", command) == (status, words + "\n", "")


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


def test_two_streams_side_by_side(line, server):
    """detach ends the console, not the log; a second log -f is refused."""
    server.routes[FOLLOW] = replay(says("one"), end=False)
    server.routes[LOG] = replay(STARTED, end=False)
    with started(line(), stdin=subprocess.PIPE) as process:
        def say(text):
            process.stdin.write(text + "\n")
            process.stdin.flush()

        say("attach hello")
        assert next_line(process.stdout) == f"console hello: {SHOWN_T} one\n"
        say("log -f")
        assert next_line(process.stdout).startswith(f"log: {SHOWN_T}: hello STARTED")
        log = server.await_request(LOG)
        say("log -f")
        assert next_line(process.stderr) == "failed log -f: goes on already\n"
        say("detach hello")
        assert next_line(process.stdout) == "success\n"
        log.line(event("STOPPED 4711 with exit 0"))
        assert next_line(process.stdout).endswith("STOPPED 4711 with exit 0\n")
        process.send_signal(signal.SIGINT)
        assert log.cancelled.wait(fake_server.PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.wait(fake_server.PATIENCE) == REFUSED
