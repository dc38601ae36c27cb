"""Volumes with vmm_client and the whole family: files go in and come out as they were, and what is refused."""

import os

import pytest

from client_world import terminal

pytestmark = pytest.mark.sanitized

MB = 1 << 20
DONE, REFUSED = range(2)


@pytest.fixture
def admin(ca):
    dev = ca.delegation(ca.unique("dev"), extra=["--block", 64])
    return ca.command(ca.unique("admin"), issuer=dev, permissions=["block"])


@pytest.fixture
def sparse_file(tmp_path):
    """30 MB with data at its start, in its middle and at its end."""
    path = tmp_path / "file"
    with open(path, "wb") as file:
        for at in (0, 13 * MB + 5, 30 * MB - 4097):
            file.seek(at)
            file.write(os.urandom(4097))
    return path


def test_in_and_out(family, admin, sparse_file, tmp_path):
    out = tmp_path / "out"
    done = family.client(admin, "volumes", "create-block data1 31", f"upload-block data1 {sparse_file}", "volumes",
                         f"dump-block data1 {out}", "destroy-block data1", "volumes")
    assert (done.code, done.err) == (DONE, "")
    assert done.out.splitlines() == ["success", "success", "volume data1: 31 MB, 1 MB on disk", "success", "success"]
    assert out.read_bytes() == sparse_file.read_bytes() + bytes(MB)
    assert out.stat().st_blocks * 512 < MB


def test_filled_again(family, admin, sparse_file, tmp_path):
    """A shorter file leaves nothing of a longer one."""
    short = tmp_path / "short"
    short.write_bytes(b"short")
    done = family.client(admin, "create-block data1 30", f"upload-block data1 {sparse_file}",
                         f"upload-block data1 {short}", f"dump-block data1 {tmp_path}/out")
    assert (done.code, done.out) == (DONE, "success\n" * 4)
    assert (tmp_path / "out").read_bytes() == b"short" + bytes(30 * MB - 5)


def test_a_volume_is_free_again_when_it_is_dumped(family, admin, tmp_path):
    rounds = [("create-block data1 1", f"dump-block data1 {tmp_path}/{n}", "destroy-block data1") for n in range(50)]
    done = family.client(admin, *[command for commands in rounds for command in commands])
    assert (done.code, done.out, done.err) == (DONE, "success\n" * 150, "")


REFUSALS = {
    "upload-block data1 {file}": "1 MB",
    "create-block data1 1": "data1",
    "create-block data2 64": "64 MB",
    "create-block data2 0": "size",
    "destroy-block nosuch": "there is no nosuch",
    "upload-block nosuch {file}": "there is no nosuch",
    "dump-block nosuch {out}": "there is no nosuch",
    "info": "the certificate lacks the permission info",
}


def test_refusals(family, admin, sparse_file, tmp_path):
    """Each in one line; the session goes on."""
    out = tmp_path / "out"
    commands = [command.format(file=sparse_file, out=out) for command in REFUSALS]
    done = family.client(admin, "create-block data1 1", *commands, "destroy-block data1")
    lines = done.err.splitlines()
    assert (done.code, done.out, len(lines)) == (REFUSED, "success\n" * 2, len(REFUSALS)), done
    for line, words in zip(lines, REFUSALS.values()):
        assert line.startswith("failed ") and words in line, line
    assert not out.exists()


def test_both_sizes_are_told(family, admin, sparse_file):
    done = family.client(admin, "create-block data1 1", f"upload-block data1 {sparse_file}")
    assert "1 MB" in done.err and ("30 MB" in done.err or str(30 * MB) in done.err), done.err


def test_at_a_prompt(family, admin, sparse_file, tmp_path):
    """An upload and a dump beside one another, and beside a list."""
    out = tmp_path / "out"
    with terminal(family.client_line(admin)) as session:
        for typed, answer in [("create-block data1 30", "success\r\n"), ("create-block data2 30", "success\r\n"),
                              (f"upload-block data1 {sparse_file}", ""), (f"dump-block data2 {out}", ""),
                              ("volumes", "volume data1: 30 MB")]:
            session.await_text("$ ")
            session.type(typed + "\n")
            session.await_text(answer)
        while not all(f"success {done}\r\n" in session.seen for done in ("upload-block data1", "dump-block data2")):
            session.await_text("-block data")
            session.await_text("\r\n")
        session.type("quit\n")
        assert session.wait()[0] == DONE
    assert out.read_bytes() == bytes(30 * MB)
