"""top of vmm_client when something goes wrong, when it is left, and beside what else goes on."""

import os
import re
import shlex
import signal
import termios

import pytest

import fake_server
from client_world import client, line, pki, program, server, state  # fixtures
from client_world import CONNECT, DONE, FOLLOW, HELLO, REFUSED, failed, measured, replay, says, terminal
from screens import screen
from top_world import STATISTICS, await_names, await_top, leave, names
from top_world import world  # a fixture

pytestmark = pytest.mark.sanitized

INSTEAD = "statistics prints the same as lines"


# What goes wrong

def test_refused(world, server):
    server.routes[STATISTICS] = lambda request: request.problem(403, "no permission statistics")
    with world.top() as session:
        code, seen = session.wait()
    assert (code, seen) == (REFUSED, "failed no permission statistics\r\n")


def test_trouble_that_passes(world, server):
    """It is said where the sums were; the rows stay."""
    world.vms = [measured("a")]
    with world.top(NO_COLOR="") as session:
        await_top(session)
        for answer, words in [(lambda request: request.problem(503, "vmm_stats is\x1b being started"),
                               "vmm_stats is\\x1b being started"),
                              (lambda request: request.respond(200, b"<html>"),
                               f"localhost:{server.port}: the answer is no JSON"),
                              (lambda request: request.respond(502, b"<html>"), "the server answers HTTP 502")]:
            working = server.routes[STATISTICS]
            server.routes[STATISTICS] = answer
            session.type(" ")
            lines = session.await_line(words)
            assert lines.index(words) == 1 and names(lines) == ["a"]
            assert session.emulation.buffer[1][0].fg == "red"
            server.routes[STATISTICS] = working
            session.type(" ")
            session.until(lambda lines: lines[1].startswith("CPU 25.0%"), "the sums")
        leave(session)


def test_server_that_does_not_answer(world, server):
    """It is said, and keys do what they do."""
    world.vms = [measured("a"), measured("b")]
    with world.top() as session:
        await_top(session)
        server.routes[STATISTICS] = lambda request: None
        session.type(" ")
        session.until(lambda lines: re.fullmatch(r"no answer for \d+ s", lines[1]), "no answer")
        session.type("nR")
        await_names(session, "b", "a")
        leave(session)


@pytest.mark.parametrize("why, words", [("", ""), ("dan was revoked\x1b[m", ": dan was revoked?[m")],
                         ids=["in_silence", "in_words"])
def test_session_that_the_server_ends(world, server, why, words):
    world.vms = [measured("a")]
    with world.at_prompt() as session:
        session.await_line("$")
        session.type("top\n")
        await_top(session)
        server.sessions[0].goodbye(why)
        assert session.wait()[0] == CONNECT
    assert not session.full
    shown = " ".join(text for text in session.lines if text)
    assert shown == f"$ top failed localhost:{server.port}: the server ended the session{words}"


def test_server_that_is_gone(world, server):
    world.vms = [measured("a")]
    with world.top() as session:
        await_top(session)
        server.sessions[0].drop()
        assert session.wait()[0] == CONNECT
    assert not session.full
    assert session.lines[0].startswith(f"failed localhost:{server.port}: ") and not any(session.lines[1:])


NO_TERMINALS = {"dumb": {"TERM": "dumb"}, "nameless": {"TERM": ""}}


@pytest.mark.parametrize("case", NO_TERMINALS)
def test_terminal_without_screens(line, server, case):
    with terminal(line("-c", "top"), **NO_TERMINALS[case]) as session:
        code, seen = session.wait()
    assert (code, seen) == (REFUSED, f"failed top: this is no terminal that has screens; {INSTEAD}\r\n")
    assert server.seen == []


def test_terminal_that_nobody_knows(world):
    with terminal(world.line("-c", "top"), TERM="\x1b[31m") as session:
        code, seen = session.wait()
    assert code == REFUSED
    assert seen == f"failed top: nothing is known of a terminal \\x1b[31m; {INSTEAD}\r\n"


def test_no_terminal(client, line, server):
    failed(client("-c", "top"), REFUSED, f"top: this is no terminal that has screens; {INSTEAD}")
    with terminal(line("--json", "-c", "top")) as session:
        code, seen = session.wait()
    assert (code, seen) == (REFUSED, f"failed top: there is none with --json; {INSTEAD}\r\n")
    assert server.seen == []


# How it ends

def test_commands_after_it(world, server):
    """As one of several commands it lasts until it is left."""
    world.vms = [measured("a")]
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    for key in "q\x03":
        with screen(world.line("-c", "top", "-c", "info")) as session:
            await_top(session)
            session.type(key)
            assert session.wait()[0] == DONE
        assert session.lines[0].startswith("info hello: ") and not session.full


@pytest.mark.parametrize("key", "q\x03", ids=["q", "ctrl_c"])
def test_prompt_after_it(world, server, key):
    """With the terminal as libedit had it, of the size that it has become, and what was there before."""
    world.vms = [measured("a")]
    server.routes["GET /vms"] = lambda request: request.respond(200, [])
    with world.at_prompt() as session:
        session.await_line("$")
        session.type("info\n")
        session.await_line("info: no VMs")
        session.until(lambda lines: lines[2] == "$", "the prompt")
        mine = termios.tcgetattr(session.fd)
        for _ in range(2):
            session.type("top\n")
            await_top(session)
            assert termios.tcgetattr(session.fd) != mine
            session.resize(60, 20)
            session.until(lambda lines: lines[2].startswith("NAME") and len(lines[2]) == 60, "60 columns")
            session.resize(80, 24)
            session.until(lambda lines: len(lines[2]) == 80, "80 columns")
            session.type(key)
            session.until(lambda lines: not session.full and lines[:3] == ["$ info", "info: no VMs", "$ top"]
                          and "$" in lines, "the prompt")
        assert termios.tcgetattr(session.fd) == mine
        session.type("info\n")
        session.until(lambda lines: lines.count("info: no VMs") == 2, "info")
        session.type("\x04")
        assert session.wait()[0] == DONE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["sigterm", "sighup"])
def test_ended_by_a_signal(world, server, number):
    world.vms = [measured("a")]
    with world.top() as session:
        before = termios.tcgetattr(session.fd)
        await_top(session)
        assert termios.tcgetattr(session.fd) != before
        os.kill(session.pid, number)
        while session.read():
            pass
        assert not session.full and not any(session.lines)
        assert session.wait()[0] == DONE


def test_modes_after_a_signal(world):
    """Where a shell goes on there."""
    world.vms = [measured("a")]
    with screen(["/bin/bash", "--norc", "--noprofile", "-i"], PS1="> ") as session:
        session.await_line(">")
        session.type("stty -a | md5sum\n")
        sums = session.until(lambda lines: lines[2] == ">", "its modes")[1]
        session.type(shlex.join(world.line("-c", "top")) + " & fg; stty -a | md5sum\n")
        await_top(session)
        children = [int(pid) for pid in open(f"/proc/{session.pid}/task/{session.pid}/children").read().split()]
        os.kill(children[-1], signal.SIGTERM)
        session.until(lambda lines: lines.count(sums) == 2 and not session.full, "the same modes")


def test_stopped(world):
    """Ctrl-Z gives the terminal to the shell; fg brings it all back."""
    world.vms = [measured("a")]
    with screen(["/bin/bash", "--norc", "--noprofile", "-i"], PS1="> ") as session:
        session.await_line(">")
        session.type("clear; " + shlex.join(world.line("-c", "top")) + "\n")
        await_top(session)
        session.type("\x1a")
        session.until(lambda lines: not session.full and any("Stopped" in text for text in lines), "Stopped")
        session.type("clear; fg\n")
        await_top(session)
        session.type("n")
        session.until(lambda lines: session.text_that(2, bold=True, reverse=False) == "NAME", "keys")
        session.type("q")
        session.until(lambda lines: not session.full, "the shell")


@pytest.mark.parametrize("nohup", [False, True], ids=["hung_up", "nohup"])
def test_terminal_that_is_gone(world, server, nohup):
    """The client ends, and does not run on for nobody."""
    world.vms = [measured("a")]
    command = world.line("-c", "top")
    with screen(["/usr/bin/env", "--ignore-signal=HUP", *command] if nohup else command) as session:
        await_top(session)
        os.close(session.fd)
        session.fd = os.open(os.devnull, os.O_RDWR)
        assert server.sessions[0].ended.wait(fake_server.PATIENCE)
        os.waitpid(session.pid, 0)


# Beside it

def test_console_beside_it(world, server):
    """What a console says meanwhile does not disturb, and is printed after."""
    world.vms = [measured("a")]
    server.routes[FOLLOW] = replay(says("one"), end=False)
    with world.at_prompt() as session:
        session.await_line("$")
        session.type("attach hello\n")
        stream = server.await_request(FOLLOW)
        session.until(lambda lines: any(text.endswith("one") for text in lines), "one")
        session.type("top\n")
        await_top(session)
        for word in "two", "three":
            stream.line(says(word))
        world.vms = [measured("b"), measured("c")]
        session.type(" ")
        lines = session.until(lambda lines: {"b", "c"} <= set(names(lines)), "the next answer")
        assert not any("two" in text for text in lines)
        session.type("q")
        session.until(lambda lines: not session.full and [text.split()[-1] for text in lines if "console" in text]
                      == ["one", "two", "three"], "what was said")
        stream.line(says("four"))
        session.until(lambda lines: any(text.endswith("four") for text in lines), "four")
        session.type("quit\n")
        assert session.wait()[0] == DONE


def test_console_that_says_too_much(world, server):
    world.vms = [measured("a")]
    server.routes[FOLLOW] = replay(end=False)
    with world.at_prompt() as session:
        session.await_line("$")
        session.type("attach hello\n")
        stream = server.await_request(FOLLOW)
        session.until(lambda lines: lines[1] == "$", "the prompt")
        session.type("top\n")
        await_top(session)
        for number in range(60):
            stream.line(says(f"{number} " + "x" * 30000))
        stream.line({"detached": "attached elsewhere"})
        stream.end()
        world.vms = [measured("b")]
        session.type(" ")
        session.until(lambda lines: "b" in names(lines), "the next answer")
        session.type("q")
        session.await_text("lines that came meanwhile are not shown\r\n")
        kept = session.await_text("console hello: detached: attached elsewhere\r\n")
        shown = [int(number) for number in re.findall(r"\+00:00 (\d+) x", kept)]
        assert shown == list(range(shown[0], 60)) and 0 < shown[0]
        assert f"gap: {shown[0]} lines that came meanwhile" in session.seen
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE
