"""top of vmm_client, as whoever looks at the terminal sees it."""

import re

import pytest

from client_world import line, pki, program, server, state  # fixtures
from client_world import DONE, LABEL, SERIAL, measured
from top_world import STATISTICS, await_names, await_top, leave, names
from top_world import world  # a fixture

pytestmark = pytest.mark.sanitized

WIDE = "NAME                  AGE  CPU%  RES GRANT IN/s OUT/s READ/s WRITE/s CONS/s DROP"
SHOWN = "  3h02m  25.0  12M   32M 2.0K    10   1.0M       3      7    3"
NARROW = "NAME                AGE  CPU%  RES GRANT"


def rates(**more):
    return {**measured("")["rates"], **more}


# What is shown

def test_wide(world, server):
    world.vms = [measured("hello"), measured("eve/é", label="777777.888888", rates=None, interval_seconds=None,
                                             block=None, network=[], console=None)]
    with world.top() as session:
        lines = await_top(session)
        assert re.fullmatch(r"top: 2 VMs of dan, \d\d:\d\d:\d\d UTC, every 2 s, as of 16:09:52", lines[0])
        assert lines[1:5] == ["CPU 25.0%, memory 24M of 64M, in 2.0K/s, out 10/s, read 1.0M/s, write 3/s",
                              WIDE, "hello             " + SHOWN,
                              "eve/é               3h02m     -  12M   32M    -     -      -       -      -    0"]
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

def await_range(session, first, last):
    """Rows of vm000 and on, by their names."""
    expected = [f"vm{number:03}" for number in range(first - 1, last)]
    return session.until(lambda lines: f"({first}-{last})" in lines[0] and names(lines) == expected,
                         f"rows {first} to {last}")

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
