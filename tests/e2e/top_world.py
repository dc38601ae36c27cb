"""What the tests of vmm_client's top share: a server with VMs, and the screen that it is seen on."""

import pytest

from client_world import DONE
from screens import screen

STATISTICS = "GET /vms/statistics"


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


def leave(session):
    """By q, as the only command; the terminal is as it was."""
    session.type("q")
    code, _ = session.wait()
    assert code == DONE and not session.full and session.lines == [""] * session.emulation.lines
