"""doc/sharing.md as the three of them follow it, each in the folder that the text in front of a block names;
and that no key left its own."""

import re

import pytest

from family import run
from pasted import Terminal, blocks

FOLDERS = ("host", "alice", "bob")


@pytest.fixture
def terminal(tmp_path, tree, build):
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    terminal = Terminal(tmp_path, tree, build)
    yield terminal
    terminal.close()


def folder(block, last):
    """Where it is pasted: in the last folder that was named."""
    named = re.findall(r"\bIn\s+`(\w+)`", block.before)
    assert len(named) < 2 and set(named) <= set(FOLDERS), block
    return named[0] if named else last


def pasted(terminal):
    """(folder, line, what was printed) of every line."""
    where, found = None, []
    for block in blocks("doc/sharing.md"):
        where = folder(block, where)
        for line in block.lines:
            found.append((where, line, terminal.paste(line, where)))
    return found


def printed(story, where, words):
    """By each line in WHERE that has WORDS in it, in order."""
    return [out for place, line, out in story if place == where and words in line]


def public_half(folder, name):
    """Of a key, a request and a certificate of that name: one, the same in each."""
    commands = {"key": ["pkey"], "req": ["req", "-noout"], "pem": ["x509", "-noout"]}
    said = set()
    for kind, words in commands.items():
        done = run(["openssl", *words, "-in", folder / f"{name}.{kind}",
                    "-pubout" if kind == "key" else "-pubkey"])
        assert done.code == 0, done
        said.add(done.out)
    assert len(said) == 1, (name, said)
    return said.pop()


def test_every_line(terminal):
    story = pasted(terminal)
    [(line, shown)] = [(line, out) for _, line, out in story if "sha256sum" in line]
    assert terminal.paste(line, "alice") == shown, "both see the same of the key"

    alice, bob = (printed(story, who, "-c info") for who in ("alice", "bob"))
    assert re.findall(r"^info (\S+):.* (\d+) taps no$", alice[0], re.M)[0][0] == "hello"
    assert "quota alice:  1 of 3 VMs" in alice[0] and " of 128 MB memory" in alice[0]
    assert re.findall(r"^info (\S+):", alice[1], re.M) == ["hello", "bob/web"]
    assert re.findall(r"^info (\S+):", bob[0], re.M) == ["web"]
    assert re.search(r"^quota bob: +1 of 1 VMs", bob[0], re.M)

    # Renewed: the same VMs, as the same processes
    pids = [dict(re.findall(r"^info (\S+): .* (\d+) taps no$", out, re.M)) for out in (alice[1], alice[2])]
    assert pids[0].items() < pids[1].items() and set(pids[1]) == {"hello", "bob/web", "game"}
    assert re.findall(r"^info (\S+): .* (\d+) taps no$", bob[1], re.M) == [("web", pids[0]["bob/web"])]
    assert printed(story, "host", "--expiring")[0].startswith("alice ")

    # Taken back
    assert printed(story, "alice", "revoke.bundle") == ["success\nended VM bob/web\n"]
    [taken] = printed(story, "host", "revoke.bundle")
    assert sorted(taken.splitlines()) == ["ended VM alice/game", "ended VM alice/hello", "success"]
    assert re.search(r"^log: .*: alice REVOKED \(", printed(story, "host", "-c log")[0], re.M)


def test_keys_stay(terminal, tmp_path):
    """Each has the keys of its own, and what it made; what was signed for them is for these keys."""
    pasted(terminal)
    keys = {name: {path.stem for path in (tmp_path / name).glob("*.key")} for name in FOLDERS}
    assert keys == {"host": {"ca", "server", "owner", "revoke"}, "alice": {"alice", "me", "hello", "revoke"},
                    "bob": {"bob", "bobby", "web", "game"}}
    for where, names in {"host": ["owner"], "alice": ["alice", "me", "hello"],
                         "bob": ["bob", "bobby", "web", "game"]}.items():
        halves = {public_half(tmp_path / where, name) for name in names}
        assert len(halves) == len(names)
    secret = {path.read_bytes() for path in tmp_path.glob("*/*.key")}
    assert len(secret) == sum(len(names) for names in keys.values()), "none was copied"
