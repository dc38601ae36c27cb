"""The manual against what it describes: vmm_protocol(7) has every route, parameter, kind of problem and
word of JSON and metric that the programs and their sources have; vmmd(8)'s firewall works."""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from family import run, until

REPOSITORY = Path(__file__).resolve().parents[2]
GATE = REPOSITORY / "src/gate"


def page(name):
    return (REPOSITORY / "man" / name).read_text()


def words(text):
    """What TEXT has set as literal words."""
    lines = [line.split() for line in text.splitlines() if re.match(r"\.(It |Pq )?Li ", line)]
    return {word for line in lines for word in line[line.index("Li") + 1 if "Li" in line else 1:]}


PROTOCOL = page("vmm_protocol.7")
WORDS = words(PROTOCOL)


def route_table(build):
    done = run([build / "src/gate/vmm_gate", "--routes"])
    assert done.code == 0, done
    return [line.split("\t") for line in done.out.splitlines()]


def described_routes():
    """METHOD PATTERN to its description."""
    section = PROTOCOL[PROTOCOL.index(".Ss Requests"):PROTOCOL.index(".Ss Answers")]
    parts = re.split(r"^\.It Ic (\S+) Pa (\S+)$", section, flags=re.M)
    return {f"{method} {pattern}": text
            for method, pattern, text in zip(parts[1::3], parts[2::3], parts[3::3])}


def test_every_route(build):
    described = described_routes()
    assert sorted(described) == sorted(" ".join(row[:2]) for row in route_table(build))
    for method, pattern, permission, parameters in route_table(build):
        text = described[f"{method} {pattern}"]
        assert permission in words(text), (method, pattern)
        items = [line.split()[2] for line in text.splitlines() if line.startswith(".It Li ")]
        assert items == parameters.split(), (method, pattern)


def sources(*folders):
    return "\n".join(path.read_text() for folder in folders
                     for path in sorted((REPOSITORY / "src" / folder).glob("*.c")))


SOURCES = sources("gate", "vmmd", "auth", "lib")


def problem_words():
    """WORD of urn:vmm:WORD: behind an HTTP status, of a verdict, or put where a word goes."""
    found = set(re.findall(r'\b[45]\d\d,\s*"([a-z][a-z-]*)"', SOURCES))
    found |= set(re.findall(r'\brefused\(j, "([a-z][a-z-]*)"', SOURCES))
    for statement in re.findall(r'[^;{}]*[.>]word\b[^;{}]*;', SOURCES):
        found |= set(re.findall(r'"([a-z][a-z-]*)"', statement))
    return found


def described_problems():
    """WORD to what is said of it."""
    parts = re.split(r"^\.It Li urn:vmm:(\S+)$", PROTOCOL, flags=re.M)
    return {word: text.partition(".It")[0] for word, text in zip(parts[1::2], parts[2::2])}


def test_every_status_of_a_problem():
    described = described_problems()
    for status, word in re.findall(r'\b([45]\d\d),\s*"([a-z][a-z-]*)"', SOURCES):
        assert f"{status}:" in described[word], (status, word)


def test_every_problem():
    found = problem_words()
    assert {"quota", "not-found", "expired", "policy", "session-ended"} <= found, "they are found"
    assert {f"urn:vmm:{word}" for word in found} - WORDS == set()


def test_every_word_of_json():
    rendered = {word for path in GATE.glob("render*.c")
                for word in re.findall(r'"([a-z][a-z0-9_]*)"', path.read_text())}
    assert {"path", "memory_mb", "line_b64", "relation", "seq"} <= rendered, "they are found"
    assert rendered - WORDS == set()


def described_metrics():
    """Name to type, labels and help, as `vmm_gate --metrics` has them."""
    section = PROTOCOL[PROTOCOL.index("The metrics, with their type and labels:"):]
    parts = re.split(r"^\.It Li (\S+)$", section[:section.index(".El")], flags=re.M)
    found = {}
    for name, text in zip(parts[1::2], parts[2::2]):
        words, kind, labels = re.fullmatch(r"(.*)\n\((\w+)(?:: (.*))?\)\n", text, re.S).groups()
        found[name] = [kind, (labels or "").replace(",", ""), words.strip().replace("\n", " ")]
    return found


def test_every_metric(build):
    lines = run([build / "src/gate/vmm_gate", "--metrics"]).out.splitlines()
    assert described_metrics() == {line.split("\t")[0]: line.split("\t")[1:] for line in lines}


def test_every_event_cause_and_permission():
    entry = (REPOSITORY / "src/lib/entry.c").read_text()
    named = re.findall(r'\[(?:ENTRY|CAUSE)_\w+\]\s*=\s*\{?"(\w+)"', entry)
    assert {"STARTED", "seccomp"} <= set(named), "they are found"
    permissions = re.findall(r'PERMIT_\w+,\s*"([a-z-]+)"',
                             (REPOSITORY / "src/lib/request.c").read_text())
    assert {"info", "force-create"} <= set(permissions), "they are found"
    assert (set(named) | set(permissions)) - WORDS == set()


# The firewall


def firewall():
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", page("vmmd.8"), re.M | re.S)
    [rules] = [block for block in blocks if block.startswith("table ")]
    return rules.replace("\\e\n", "\\\n")


def nft(*arguments, **options):
    return subprocess.run(["nft", *arguments], check=True, capture_output=True, encoding="utf-8",
                          **options)


@pytest.mark.root("loads rules, in the network namespace of the tests")
def test_firewall():
    """Whoever is not named does not get through, whoever is does."""
    nft("-c", "-f", "-", input=firewall())
    nft("-f", "-", input=firewall())
    try:
        with socket.create_server(("127.0.0.1", 1025)) as server:
            with pytest.raises(TimeoutError), socket.socket() as stranger:
                stranger.settimeout(1)
                stranger.connect(server.getsockname())
            nft("add", "element", "inet", "vmm", "from4", "{ 127.0.0.1 }")
            until(lambda: socket.create_connection(server.getsockname()).close() is None, "it gets through")
    finally:
        nft("delete", "table", "inet", "vmm")
