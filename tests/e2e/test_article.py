"""The article's transcript, line for line in form: a session at the prompt that asks for info and log and
attaches to hello, another that takes the console over, the end of the VM, and what the log says of all."""

import re
import signal
import subprocess

import pytest

from family import PATIENCE, until

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00"
ADDRESS = r"127\.0\.0\.1:\d+"


def matches(line, *patterns):
    return any(re.fullmatch(pattern, line) for pattern in patterns)


class Prompt:
    """vmm_client reading commands from a pipe, as a script gives them; output as it comes."""

    def __init__(self, family, chain, db):
        self.process = subprocess.Popen(
            family.client_line(chain, options=("--db", db)), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        self.lines = []

    def type(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hears(self, *patterns):
        """Every line up to the one that matches the last pattern is one of them."""
        heard = []
        while not heard or not matches(heard[-1], patterns[-1]):
            line = self.process.stdout.readline()
            assert line, ("the client ended", self.lines)
            heard.append(line.rstrip("\n"))
            self.lines.append(heard[-1])
            assert matches(heard[-1], *patterns), (heard[-1], patterns)
        return heard

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def prompt(family):
    opened = []

    def start(chain, db):
        opened.append(Prompt(family, chain, db))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def console(name, text):
    return f"console {name}: {TIME} {text}"


def logged(name, what):
    return f"log: {TIME}: {name} {what}"


@pytest.mark.sanitized
def test_transcript(family, ca, prompt, target):
    dev, name = ca.delegation(ca.unique("dev")), ca.unique("hello")
    admin, db = ca.command(ca.unique("admin"), issuer=dev), ca.path(f"{dev}.db")
    second = ca.command(ca.unique("second"), issuer=dev)
    chain = ca.vm(name, family.tree.guest("hello", target), issuer=dev, args=["Hello"])
    assert family.client(chain).out == "success VM started\n"
    [vm] = family.running(admin)
    pid = vm["pid"]

    first = prompt(admin, db)
    first.type("info")
    words = " ".join(f"'{word}'" for word in vm["command"])
    assert first.hears(f"info {name}: .*") == [f"info {name}: {words} {pid} taps no"]

    first.type("log")
    log = first.hears(logged(".*", ".*"), "success")
    for pattern in (logged(name, f"LOGIN {ADDRESS}"),
                    logged(name, rf"STARTED {pid} \(tap no, block no\)"),
                    logged(name, f"LOGOUT {ADDRESS}"),
                    logged(re.escape(admin.bundle.stem), f"LOGIN {ADDRESS}")):
        assert any(matches(line, pattern) for line in log), (pattern, log)

    first.type(f"attach {name}")
    lines = first.hears(console(name, ".*"), console(name, "hello"))
    assert any("guest: Memory map: 32 MB addressable:" in line for line in lines)
    first.hears(console(name, "hello"))

    other = prompt(second, db)
    other.type(f"attach {name}")
    assert len(other.hears(console(name, ".*"), console(name, "hello"))) >= len(lines)
    first.hears(console(name, "hello"), f"console {name}: .*detached.*")

    first.type(f"destroy {name}")
    first.hears("success")
    other.hears(console(name, ".*"), rf"console {name}: stopped with (exit|signal) \d+")
    first.type("log")
    log = first.hears(logged(".*", ".*"), "success")
    stopped = rf"STOPPED {pid} with (exit|signal) \d+ \(destroyed by {re.escape(admin.bundle.stem)}\)"
    assert matches(log[-2], logged(name, stopped)), log
    until(lambda: family.running(admin) == [], "nothing runs")
