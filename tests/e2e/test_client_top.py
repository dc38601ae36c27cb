"""top of vmm_client, as whoever looks at the terminal sees it."""

import os
import re
import shlex
import signal
import termios

import pytest

import fake_server
from client_world import client, line, pki, program, server, state  # fixtures
from client_world import (
    CONNECT, DONE, FOLLOW, HELLO, LABEL, REFUSED, SERIAL, failed, measured, replay, says, terminal)
from screens import screen

pytestmark = pytest.mark.sanitized

STATISTICS = "GET /vms/statistics"
INSTEAD = "statistics prints the same as lines"
WIDE = "NAME                  AGE  CPU%  RES GRANT IN/s OUT/s READ/s WRITE/s CONS/s DROP"
SHOWN = "  3h02m  25.0  12M   32M 2.0K    10   1.0M       3      7    3"
NARROW = "NAME                AGE  CPU%  RES GRANT"


def rates(**more):
    return {**measured("")["rates"], **more}


class World:
    """A server whose VMs a test changes, and the client's screen once top has it."""

    def __init__(self, line, server):
        self.line, self.server = line, server
        self.vms = []
        server.routes[STATISTICS] = lambda request: request.respond(200, self.vms)

    def at_prompt(self, columns=80, lines=24, options=(), **environment):
        return screen(self.line(*options), columns, lines, **environment)

    def top(self, columns=80, lines=24, options=(), **environment):
        return screen(self.line(*options, "-c", "top"), columns, lines, **environment)


@pytest.fixture
def world(line, server):
    return World(line, server)


def await_top(session):
    return session.until(lambda lines: session.full and lines[0].startswith("top: ") and any(lines[3:]), "top")


def names(lines):
    """Of the rows, from the top."""
    return [text.split()[0] for text in lines[3:] if text]


def await_names(session, *expected):
    return session.until(lambda lines: names(lines) == list(expected), expected)


def await_range(session, first, last):
    """Rows of vm000 and on, by their names."""
    expected = [f"vm{number:03}" for number in range(first - 1, last)]
    return session.until(lambda lines: f"({first}-{last})" in lines[0] and names(lines) == expected,
                         f"rows {first} to {last}")


def leave(session):
    """By q, as the only command; the terminal is as it was."""
    session.type("q")
    code, _ = session.wait()
    assert code == DONE and not session.full and session.lines == [""] * session.emulation.lines


# What is shown

def test_wide(world, server):
    world.vms = [measured("hello"), measured("eve/é", label="777777.888888", rates=None, interval_seconds=None,
                                             block=None, network=[], console=None)]
    with world.top() as session:
        lines = await_top(session)
        assert re.fullmatch(r"top: 2 VMs of dan, \d\d:\d\d:\d\d UTC, every 2 s, as of 16:09:52", lines[0])
        assert lines[1:5] == ["CPU 25.0%, memory 24M of 64M, in 2.0K/s, out 10/s, read 1.0M/s, write 3/s",
                              WIDE, "hello             " + SHOWN,
                              "eve/é               3h02m     -  12M   32M    -     -      -       -      -    -"]
        assert lines[5:] == [""] * 19
        leave(session)
    assert set(server.seen) == {STATISTICS, "GET /"}, "nothing that takes another permission"


def test_narrow(world):
    world.vms = [measured("hello"), measured("a-name-that-is-long")]
    with world.top(40, 10) as session:
        lines = await_top(session)
        assert lines[0].startswith("top: 2 VMs of dan, ") and lines[1] == "CPU 50.0%, memory 24M of 64M"
        assert lines[2:] == [NARROW, "a-name-that-is-~  3h02m  25.0  12M   32M",
                             "hello             3h02m  25.0  12M   32M", *[""] * 5]
        leave(session)


def test_no_vms(world):
    with world.top() as session:
        assert await_top(session)[3] == "no VMs"
        leave(session)


def test_what_changes(world):
    """New numbers, a VM that is new, and one that ended, which is said once."""
    world.vms = [measured("a"), measured("b")]
    with world.top() as session:
        await_names(session, "a", "b")
        world.vms = [measured("b", rates=rates(cpu=0.5)), measured("c", uptime_seconds=7)]
        session.type(" ")
        lines = await_names(session, "b", "c", "a")
        assert lines[0].startswith("top: 2 VMs ") and lines[1].startswith("CPU 75.0%, memory 24M of 64M,")
        assert [text.split()[1:3] for text in lines[3:6]] == [["3h02m", "50.0"], ["7s", "25.0"], ["ended", "-"]]
        session.type(" ")
        await_names(session, "b", "c")
        leave(session)


def test_it_asks_by_itself(world, server):
    world.vms = [measured("a")]
    with world.top() as session:
        for _ in range(3):
            server.await_request(STATISTICS)
        await_top(session)
        leave(session)


def test_time_between(world):
    world.vms = [measured("a")]
    with world.top() as session:
        await_top(session)
        for typed, seconds in ("+", 3), ("+", 5), ("-", 3), ("---", 1):
            session.type(typed)
            session.until(lambda lines: f", every {seconds} s," in lines[0], seconds)
        leave(session)


SORTED = {"P": "abcd", "M": "bcda", "N": "cdab", "B": "dabc", "T": "acbd", "n": "abcd", "nR": "dcba", "PR": "dcba",
          "P>": "bcda", "P<": "acbd", "P>>>": "cdab", "n<": "abcd", "?": None}


def test_sorting(world):
    """Each letter, and each way from column to column; the title of what is sorted by stands out."""
    def vm(name, cpu, memory, received, read, age):
        return measured(name, memory={"resident_bytes": memory}, uptime_seconds=age,
                        rates=rates(cpu=cpu, received_bytes=received, block_read_bytes=read))

    world.vms = [vm("d", .1, 2, 3, 4, 1), vm("c", .2, 3, 4, 1, 3), vm("b", .3, 4, 1, 2, 2), vm("a", .4, 1, 2, 3, 4)]
    titles = {"P": "CPU%", "M": "RES", "N": "IN/s OUT/s", "B": "READ/s WRITE/s", "T": "AGE", "n": "NAME"}
    with world.top() as session:
        await_top(session)
        for typed, order in SORTED.items():
            if order:
                session.type(typed)
                await_names(session, *order)
                session.type("R" * typed.count("R"))
            if typed in titles:
                session.until(lambda lines: session.text_that(2, bold=True, reverse=False) == titles[typed], typed)
        leave(session)


def test_help(world):
    world.vms = [measured("a")]
    with world.top(40, 10) as session:
        await_top(session)
        for key in "?h":
            session.type(key)
            lines = session.await_line("q, Ctrl-C: leave      any key: go on")
            assert lines[2:4] == [NARROW, "P CPU  M memory  N network  B block"]
            session.type("x")
            await_names(session, "a")
        leave(session)


# Many of them

@pytest.fixture
def crowd(world):
    world.vms = [measured(f"vm{number:03}", label=f"{number:06x}") for number in range(500)]
    return world


UP, DOWN, PAGE_UP, PAGE_DOWN, HOME, END = "\x1bOA", "\x1bOB", "\x1b[5~", "\x1b[6~", "\x1b[1~", "\x1b[4~"
SCROLLED = [(DOWN, 2), ("j", 3), ("k", 2), (UP, 1), (UP, 1), (PAGE_DOWN, 22), (PAGE_DOWN, 43), (PAGE_UP, 22),
            (END, 480), (PAGE_DOWN, 480), (DOWN, 480), (UP, 479), (HOME, 1), (PAGE_UP, 1)]


def test_scrolling(crowd):
    with crowd.top() as session:
        await_range(session, 1, 21)
        for typed, first in SCROLLED:
            session.type(typed)
            await_range(session, first, first + 20)
        leave(session)


def test_scrolling_does_not_flicker(crowd):
    """Nothing is erased to be written again: a line further, one row is written."""
    with crowd.top() as session:
        await_range(session, 1, 21)
        start = len(session.seen)
        for first in range(2, 40):
            session.type("j")
            await_range(session, first, first + 20)
        sent = session.seen[start:]
        assert not re.search(r"\x1b\[[0-3]?J", sent)
        assert sent.count("vm") == 38 and "NAME" not in sent
        leave(session)


def test_fewer_rows_than_were_scrolled_past(crowd):
    with crowd.top(40, 10) as session:
        await_range(session, 1, 7)
        session.type(END)
        await_range(session, 494, 500)
        crowd.vms = crowd.vms[:9]
        session.type("  ")
        await_range(session, 3, 9)
        leave(session)


SIZES = [(40, 10), (120, 30), (20, 5), (3, 1), (80, 24)]


def test_resizing(crowd):
    with crowd.top() as session:
        await_range(session, 1, 21)
        for columns, lines in SIZES:
            session.resize(columns, lines)
            if lines > 3:
                await_range(session, 1, lines - 3)
            else:
                session.until(lambda shown: shown == ["to~"], "one line")
            assert len(session.emulation.buffer) <= lines
        assert session.lines[2] == WIDE
        session.resize(40, 10)
        await_range(session, 1, 7)
        leave(session)


# Names

HOSTILE = {"\x1b[2J\x1b]0;t\x07": "\\x1b[2J\\x1b]0;t\\x07", "a\tb\nc\x7f": "a?b\\x0ac\\x7f", "\x9b31m": "\\u009b31m",
           "\u202eevil": "\\u202eevil", "中文名前": "中文名前", "🙂🙂": "🙂🙂", "é" * 40: "é" * 17 + "~",
           "中" * 30: "中" * 8 + "~", "x" + "中" * 30: "x" + "中" * 8 + "~"}


def test_names_of_all_kinds(world):
    """None drives the terminal, none moves a column."""
    world.vms = [measured(path, uptime_seconds=1000 - number) for number, path in enumerate(HOSTILE)]
    with world.top() as session:
        await_top(session)
        session.type("T")
        session.until(lambda lines: lines[3].startswith("\\x1b[2J"), "by age")
        for number, shown in enumerate(HOSTILE.values()):
            name = session.cells(3 + number, 0, 18).rstrip()
            assert name == (shown if len(shown) <= 18 else shown[:17] + "~"), number
            assert session.cells(3 + number, 18, 80).split()[:3] == [f"16m{40 - number:02}s", "25.0", "12M"], number
        leave(session)


def test_terminal_that_does_not_read_utf8(world):
    world.vms = [measured("Û")]
    with world.top(LC_ALL="C") as session:
        assert names(await_top(session)) == ["\\u00db"]
        leave(session)
    assert session.seen.isascii()


def test_accents_without_end(world):
    world.vms = [measured("a" + "\u0301" * 30), measured("b")]
    with world.top() as session:
        lines = await_top(session)
        assert session.cells(3, 0, 1)[0] in "aá" and lines[4].startswith("b ")
        assert session.cells(3, 18, 80) == session.cells(4, 18, 80)
        leave(session)


# Whose

def test_path(world, server, tmp_path):
    """By the .db's name, and then as it is typed, as every command."""
    db = tmp_path / "dev.db"
    db.write_text(f"{SERIAL} mine\n77 yours\n")
    server.routes[f"GET /vms/{LABEL}/statistics"] = lambda request: request.respond(200, [measured("hello")])
    server.routes["GET /vms/yours/statistics"] = lambda request: request.respond(
        200, [measured("yours", label="666666")])
    with world.at_prompt(options=["--db", db]) as session:
        session.await_line("$")
        for name in "mine", "yours":
            session.type(f"top {name}\n")
            assert await_top(session)[0].startswith(f"top: 1 VM of {name}, ")
            await_names(session, name)
            session.type(" ")
            server.await_request(f"GET /vms/{LABEL if name == 'mine' else name}/statistics")
            session.type("q")
            session.until(lambda lines: not session.full and lines[-1] == "" and "$" in lines, "the prompt")
        session.type("quit\n")
        assert session.wait()[0] == DONE


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
