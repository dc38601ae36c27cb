"""vmm_client on a terminal: its prompt, what is edited, completed and remembered there, streams beside it, Ctrl-C,
colours."""

import os
import re
import signal
import termios

import pytest

import fake_server
import mint
from client_world import client, line, pki, program, server, state  # fixtures
from client_world import (
    CONNECT, DONE, FOLLOW, HELLO, HOSTILE, LEVELS, REFUSED, SHOWN_T, STARTED, WHOAMI, event, level, replay, says,
    terminal)
from family import run

pytestmark = pytest.mark.sanitized


def test_prompt(line, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("info\n")
        session.await_text("info hello: ")
        session.await_text("tap25, tap26\r\n")
        session.await_text("$ ")
        session.type("bogus\n")
        session.await_text("failed bogus: no such command")
        session.await_text("$ ")
        session.type("\x04")
        code, _ = session.wait()
    assert code == DONE and server.seen[0] == "GET /"


def test_prompt_has_history_and_completion(line, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with terminal(line()) as session:
        for typed in ("inf\t\n", "\x1b[A\n"):
            session.await_text("$ ")
            session.type(typed)
            session.await_text("info hello: ")
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE


# What is typed, a tab at its end; what it becomes. Running: hello, 'a b'; ended: gone; below: zoe; the .db: mine.
COMPLETIONS = {
    "a command": ("quo", "quota "),
    "one to look at": ("statistics he", "statistics hello "),
    "a delegation's": ("top zo", "top zoe "),
    "an option": ("log -", "log -f "),
    "a VM": ("attach he", "attach hello "),
    "an ended one to look at": ("attach go", "attach gone "),
    "a delegation to look at": ("info zo", "info zoe "),
    "a path": ("destroy eve/h", "destroy eve/hidden "),
    "a name with a blank": ("destroy a", "destroy 'a b' "),
    "one in quotes": ("destroy 'a", "destroy 'a b' "),
    "a name of the db": ("info mi", "info mine "),
    "a volume": ("dump-block bac", "dump-block backup "),
    "where a volume is to be": ("create-block zo", "create-block zoe "),
}
NO_COMPLETIONS = {
    "no such": "info nosuch",
    "ended, to be destroyed": "destroy go",
    "a delegation, to be destroyed": "destroy zo",
    "ended, without statistics": "top go",
    "not attached": "detach he",
    "an option of another's": "info -",
    "quota has none": "quota he",
    "a volume, to be a VM": "attach bac",
    "a VM, to be a volume": "dump-block he",
    "a file": "dump-block backup bac",
    "what drives a terminal": "info \\x1b",
}


@pytest.fixture
def named(line, server, tmp_path, monkeypatch):
    """At a prompt whose server knows some names; they have come. A dump that is typed begins, and is killed with
    the client: in a directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    paths = ["hello", "gone", "eve/hidden", "a b", "\x1b[2J", "\x1bx"]
    vms = [{**HELLO, "path": path, "name": path.split("/")[-1], "label": ".".join(["777777"] * path.count("/") + [
        f"77777{number}"]), "state": "ended" if path == "gone" else "running"} for number, path in enumerate(paths)]
    server.routes["GET /vms"] = lambda request: request.respond(200, vms)
    server.routes["GET /volumes"] = lambda request: request.respond(200, [
        {"path": "backup", "name": "backup", "label": "", "size_mb": 1, "allocated": 0}])
    levels = [*LEVELS, level("below", "zoe", "666666", (0, 0, 0), (0, 0, 0), (0, 0, 0))]
    server.routes["GET /"] = lambda request: request.respond(200, {**WHOAMI, "delegations": levels})
    db = tmp_path / "dev.db"
    db.write_text("77 mine\n")
    with terminal(line("--db", db)) as session:
        session.await_text("$ ")
        server.await_request("GET /vms")
        session.type("info\n")  # after the answer that names came with
        session.await_text("info hello: ")
        session.await_text("$ ")
        yield session


@pytest.mark.parametrize("case", COMPLETIONS, ids=lambda name: name.replace(" ", "_"))
def test_completion(named, case):
    typed, becomes = COMPLETIONS[case]
    named.type(typed + "\t#\n")
    named.await_text("#")
    named.await_text("$ ")
    named.type("\x1b[A")
    named.await_text(becomes + "#")


@pytest.mark.parametrize("case", NO_COMPLETIONS, ids=lambda name: name.replace(" ", "_"))
def test_no_completion(named, case):
    typed = NO_COMPLETIONS[case]
    named.type(typed + "\t#\n")
    named.await_text("#")
    named.await_text("$ ")
    named.type("\x1b[A")
    named.await_text(typed + "#")


def test_completion_lists_what_there_is(named):
    named.type("attach ")
    named.await_text("attach ")
    named.type("\t\t")
    listed = re.sub(r"\x07|\x1b\[[0-9;]*[A-Za-z]", " ", named.await_text("$ attach "))
    named.type("\x03")
    named.await_text("$ ")
    assert sorted(listed.split()) == sorted("'a b' eve/hidden gone hello mine".split())
    assert "\x1b[2J" not in named.seen


def test_completion_learns_what_is_new(line, server):
    """Names are asked for again after each command."""
    vms = [HELLO]
    server.routes["GET /vms"] = lambda request: request.respond(200, vms)
    with terminal(line()) as session:
        session.await_text("$ ")
        vms.append({**HELLO, "path": "newcomer", "label": "777777"})
        for _ in range(2):
            session.type("info\n")
            session.await_text("info newcomer: ")
            session.await_text("$ ")
        session.type("attach new\t")
        session.await_text("attach new")
        session.await_text("comer ")
        session.type("\x03")
        session.await_text("$ ")
        session.type("\x04")
        assert session.wait()[0] == DONE


def test_names_are_not_asked_for_without_permission(line, server):
    server.routes["GET /"] = lambda request: request.respond(200, {**WHOAMI, "permissions": ["console"]})
    with terminal(line()) as session:
        for typed in ("help\n", "quit\n"):
            session.await_text("$ ")
            session.type(typed)
        assert session.wait()[0] == DONE
    assert server.seen == ["GET /"]


# History

def session_of(line, *lines):
    with terminal(line()) as session:
        for typed in lines:
            session.await_text("$ ")
            session.type(typed)
        assert session.wait()[0] == DONE


def test_history_is_kept(line, server, state):
    session_of(line, "help\n", "bogus\n", "bogus\n", " \n", "quit\n")
    file = state / "vmm_client/history"
    assert file.read_text() == "help\nbogus\nquit\n"
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("\x1b[A\x1b[A\n")
        session.await_text("failed bogus: no such command")
        session.await_text("$ ")
        session.type("\x04")
        assert session.wait()[0] == DONE


def test_history_is_bounded(line, server, state):
    file = state / "vmm_client/history"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"old {number}\n" for number in range(5000)))
    session_of(line, "quit\n")
    kept = file.read_text().splitlines()
    assert kept == [f"old {number}" for number in range(4500, 5000)] + ["quit"]
    assert file.stat().st_mode & 0o777 == 0o600 and list(file.parent.iterdir()) == [file]


def test_history_of_one_long_line(line, server, state):
    file = state / "vmm_client/history"
    file.parent.mkdir(parents=True)
    file.write_text("x" * 100000 + "\nlast\n")
    session_of(line, "quit\n")
    assert file.read_text() == "last\nquit\n"


@pytest.mark.parametrize("obstacle", ["no directory", "a link", "a FIFO", "a directory"])
def test_history_without_a_place(line, server, state, tmp_path, obstacle):
    """Nothing else suffers, and nothing else is written."""
    file = state / "vmm_client/history"
    if obstacle == "no directory":
        state.write_text("a file")
    else:
        file.parent.mkdir(parents=True)
    if obstacle == "a link":
        file.symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").write_text("untouched\n")
    elif obstacle == "a FIFO":
        os.mkfifo(file)
    elif obstacle == "a directory":
        file.mkdir()
    session_of(line, "help\n", "\x1b[A\n", "quit\n")
    if obstacle == "a link":
        assert (tmp_path / "elsewhere").read_text() == "untouched\n"


def test_history_of_home(line, server, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    session_of(line, "quit\n")
    assert not (tmp_path / "home").exists(), "a home is not made"
    (tmp_path / "home").mkdir()
    session_of(line, "quit\n")
    assert (tmp_path / "home/.local/state/vmm_client/history").read_text() == "quit\n"


def test_no_history_without_a_terminal(client, server, state):
    assert client("-c", "help").code == DONE
    assert not state.exists()


# Streams beside it

# What is typed, what it asks for, an entry, what is shown of it, and of Ctrl-C
STREAMS = {
    "console": ("attach hello", FOLLOW, says, "console hello: {time} {text}", "console hello: detached"),
    "log": ("log -f", "GET /log?follow", event, "log: {time}: hello {text}", "log: detached"),
}


@pytest.mark.parametrize("case", STREAMS)
def test_commands_are_typed_beside_a_stream(line, server, case):
    """Entries do not disturb the line; Ctrl-C ends the stream, not the client."""
    command, request, entry, shown, detached = STREAMS[case]
    server.routes[request] = replay(entry("one"), end=False)
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type(command + "\n")
        stream = server.await_request(request)
        session.await_text(shown.format(time=SHOWN_T, text="one") + "\r\n")
        session.await_text("$ ")
        session.type("in")
        session.await_text("in")
        stream.line(entry("two"))
        assert "\r\x1b[K" in session.await_text(shown.format(time=SHOWN_T, text="two") + "\r\n")
        session.await_text("$ in")
        session.type("fo\n")
        session.await_text("info hello: ")
        session.await_text("$ ")
        session.type("half a line")
        session.await_text("half a line")
        session.type("\x03")
        session.await_text(detached + "\r\n")
        assert stream.cancelled.wait(fake_server.PATIENCE)
        session.await_text("$ ")
        session.type("help\n")
        session.await_text("quit")
        session.await_text("$ ")
        session.type("\x04")
        assert session.wait()[0] == DONE


def test_stream_that_ends_at_the_prompt(line, server):
    server.routes[FOLLOW] = replay(says("one"), end=False)
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("attach hello\n")
        stream = server.await_request(FOLLOW)
        session.await_text("one\r\n")
        session.await_text("$ ")
        stream.line({"detached": "attached elsewhere"})
        stream.end()
        session.await_text("console hello: detached: attached elsewhere\r\n")
        session.await_text("$ ")
        session.type("detach hello\n")
        session.await_text("failed hello: not attached\r\n")
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE


def test_ctrl_c_twice_ends_the_client(line, server):
    """With nothing in between; the first says so, where there was nothing to end."""
    with terminal(line()) as session:
        for _ in range(2):
            session.await_text("$ ")
            session.type("\x03")
            session.await_text("Ctrl-C again ends the session")
            session.await_text("$ ")
            session.type("help\n")
            session.await_text("quit")
        session.await_text("$ ")
        session.type("half a line")
        session.await_text("line")
        session.type("\x03")
        assert "again" not in session.await_text("$ ")
        session.type("\x03")
        assert session.wait()[0] == DONE


def test_ctrl_c_ends_a_command_that_waits(line, server):
    server.routes["DELETE /vms/hello"] = lambda request: None
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("destroy hello\n")
        request = server.await_request("DELETE /vms/hello")
        session.type("\x03")
        session.await_text("failed interrupted\r\n")
        assert request.cancelled.wait(fake_server.PATIENCE)
        session.await_text("$ ")
        session.type("quit\n")
        assert session.wait()[0] == DONE


def test_prompt_after_a_stop(line, server):
    """A shell gives the terminal back as it likes it: the line that was being typed goes on."""
    server.routes["GET /vms"] = lambda request: request.respond(200, [])
    with terminal(line()) as session:
        session.await_text("$ ")
        session.type("in")
        session.await_text("in")
        mine = termios.tcgetattr(session.fd)
        os.kill(session.pid, signal.SIGSTOP)
        os.waitpid(session.pid, os.WUNTRACED)
        shells = termios.tcgetattr(session.fd)
        shells[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(session.fd, termios.TCSANOW, shells)
        os.kill(session.pid, signal.SIGCONT)
        session.await_text("$ in")
        assert termios.tcgetattr(session.fd) == mine
        os.kill(session.pid, signal.SIGWINCH)
        session.type("fo\n")
        session.await_text("info: no VMs\r\n")
        session.await_text("$ ")
        os.kill(session.pid, signal.SIGTERM)
        assert session.wait()[0] == DONE


def test_hostile_console_on_a_terminal(line, server):
    server.routes[FOLLOW] = replay(*map(says, HOSTILE), {"ended": {"exit": 0}})
    with terminal(line("-c", "attach hello")) as session:
        code, seen = session.wait()
    assert code == DONE and "é中🙂" in seen
    assert not set(seen) & {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\0"}


def test_terminal_that_does_not_read_utf8(line, server):
    """What is a letter in UTF-8 may be a control sequence elsewhere."""
    server.routes[FOLLOW] = replay(says("Û"), {"ended": {"exit": 0}})
    with terminal(line("-c", "attach hello"), LC_ALL="C") as session:
        code, seen = session.wait()
    assert code == DONE and "\\u00db" in seen and seen.isascii()


def test_no_prompt_for_who_is_refused(line, server):
    server.routes["GET /"] = lambda request: request.problem(403, "admin was revoked", "revoked")
    with terminal(line()) as session:
        code, seen = session.wait()
    assert (code, seen) == (REFUSED, "failed admin was revoked\r\n")


@pytest.mark.parametrize("why, words", [("", ""), ("dan was revoked\x1b[m", ": dan was revoked?[m")],
                         ids=["in_silence", "in_words"])
def test_session_that_the_server_ends(line, server, why, words):
    with terminal(line()) as session:
        session.await_text("$ ")
        server.sessions[0].goodbye(why)
        session.await_text(f"failed localhost:{server.port}: the server ended the session{words}\r\n")
        assert session.wait()[0] == CONNECT


def test_progress_on_a_terminal_alone(line, server, pki):
    chain = pki.chain(pki.issue("slow", pki.dev, mint.vm(bytes(12 << 20))))
    server.routes["POST /vms"] = lambda request: request.respond(201, HELLO)
    with fake_server.slow_road(server.port, 1 << 20) as port, \
            terminal(line(chain=chain, port=port)) as session:
        code, seen = session.wait()
    assert code == DONE and "sending the certificate: " in seen and "% of 12.0 MB" in seen
    assert seen.endswith("\rsuccess VM started\r\n"), seen
    with fake_server.slow_road(server.port, 1 << 20) as port:
        assert run(line(chain=chain, port=port)) == (DONE, "success VM started\n", "")


# Colours

SGR = re.compile("\x1b\\[[0-9]*m")


def coloured(line, server, **environment):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    server.routes["GET /log"] = lambda request: request.problem(403, "no permission log")
    with terminal(line("-c", "info", "-c", "log"), **environment) as session:
        code, seen = session.wait()
    assert code == REFUSED
    return seen


def test_colours(line, server):
    seen = coloured(line, server, NO_COLOR="")
    assert seen.startswith("info \x1b[36mhello\x1b[m: 'vmm_monitor'")
    assert seen.endswith("\x1b[31mfailed\x1b[m no permission log\r\n")
    assert SGR.sub("", seen) == coloured(line, server), "they are all that is added"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"NO_COLOR": "", "TERM": "dumb"},
                                         {"NO_COLOR": "", "TERM": ""}], ids=["no_color", "dumb", "unknown"])
def test_no_colours(line, server, environment):
    assert "\x1b" not in coloured(line, server, **environment)


def test_no_colours_in_a_pipe(client, server, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    done = client("-c", "info", "-c", "bogus")
    assert "\x1b" not in done.out + done.err and done.out.startswith("info hello: ")


def test_hostile_console_in_colour(line, server):
    """Nothing drives the terminal but our own colours."""
    server.routes[FOLLOW] = replay(*map(says, HOSTILE), {"ended": {"exit": 0}})
    with terminal(line("-c", "attach hello"), NO_COLOR="") as session:
        code, seen = session.wait()
    assert code == DONE and set(SGR.findall(seen)) == {"\x1b[36m", "\x1b[m"}
    assert not set(SGR.sub("", seen)) & {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\0"}
