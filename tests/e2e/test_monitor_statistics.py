"""What a monitor counts: an hvt guest's exits and its disks' bytes, on a page that nobody else can reach
through it; of an spt guest, which is its monitor's process, nothing."""

import os
import signal

import pytest

import proc
import statpage
from family import Done, run
from spawned import Spawned

SECTOR = 512


@pytest.fixture
def page():
    made = statpage.make()
    yield made
    os.close(made)


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(bytes(1 << 20))
    return path


def counted(monitor, page, image, *arguments, options=()):
    """Runs the guest to its end; what was counted of it."""
    done = run([monitor, "--mem=8", f"--stats=@{page}", *options, "--", image, *arguments], pass_fds=[page])
    assert done.code == 0, done
    return statpage.read(page)


@pytest.mark.kvm
def test_exits_are_counted(monitor, build, page):
    """Each line is one at least; it goes on from what is there."""
    image = build / "guest/chatty.hvt"
    first = counted(monitor, page, image, "--count=100")
    assert first.monitor == 1 and 100 <= first.kvm_exits < 1000
    second = counted(monitor, page, image, "--count=1000")
    assert second.kvm_exits - first.kvm_exits >= 1000
    assert second[2:] == (0,) * 6


@pytest.mark.kvm
def test_bytes_of_disks_are_counted(monitor, build, page, disk):
    image, options = build / "guest/block.hvt", [f"--block:storage={disk}"]
    wrote = counted(monitor, page, image, "write", "7", "--sectors=5", options=options)
    assert (wrote.block_read, wrote.block_written) == (0, 5 * SECTOR)
    read = counted(monitor, page, image, "read", "7", "--sectors=3", options=options)
    assert (read.block_read, read.block_written) == (3 * SECTOR, 5 * SECTOR)


def test_of_an_spt_guest_nothing_is(monitor, build, page, disk):
    written = counted(monitor, page, build / "guest/block.spt", "write", "7", "--sectors=5",
                      options=[f"--block:storage={disk}"])
    assert written == (0,) * 8


@pytest.mark.parametrize("size", [0, statpage.SIZE - 1])
def test_a_page_that_is_none(monitor, guest, size):
    short = os.memfd_create("short")
    os.truncate(short, size)
    done = run([monitor, f"--stats=@{short}", "--", guest("idle")], pass_fds=[short])
    os.close(short)
    assert done == Done(1, "", f"vmm_monitor: --stats: descriptor {short}: is no file of 4096 bytes\n")


def test_a_page_that_cannot_be_written(monitor, guest, tmp_path):
    (tmp_path / "page").write_bytes(bytes(statpage.SIZE))
    with open(tmp_path / "page", "rb") as page:
        done = run([monitor, f"--stats=@{page.fileno()}", "--", guest("idle")], pass_fds=[page.fileno()])
        assert done == Done(1, "", f"vmm_monitor: --stats: descriptor {page.fileno()}: Permission denied\n")


@pytest.mark.parametrize("go", [False, True], ids=["runs", "waits"])
def test_where_the_page_is(monitor, guest, target, page, go):
    """Mapped once for hvt, and open nowhere; out of an spt guest's reach before its first instruction."""
    spawned = Spawned(monitor, guest("idle").read_bytes(), devices=[("--stats", page)], go=go)
    try:
        assert spawned.said() == f"target {target}\nready\n"
        if go:
            os.write(spawned.go, b"x")
        assert os.read(spawned.console, 5) == b"idle\n"
        assert not [what for what in proc.descriptors(spawned.pid).values() if "page" in what]
        mapped = [at for at in proc.maps(spawned.pid) if "page" in at.name]
        assert [(at.access, at.end - at.start) for at in mapped] == (
            [("rw-s", statpage.SIZE)] if target == "hvt" else [])
        assert statpage.read(page).monitor == (target == "hvt")
    finally:
        os.kill(spawned.pid, signal.SIGTERM)
        os.waitpid(spawned.pid, 0)
