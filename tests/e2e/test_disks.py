"""A guest of our own with a block device, under vmm_monitor by hand and, where SOLO5 names a built Solo5
tree, under its tenders: on both the same, but for what is said to be otherwise."""

import re
import signal

import pytest

from devices import pattern
from family import Done, run

SECTORS = 64


@pytest.fixture
def ours(tender):
    return tender.name == "vmm_monitor"


@pytest.fixture
def image(build, target):
    return build / "guest" / f"block.{target}"


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(bytes(SECTORS * 512))
    return path


@pytest.fixture
def block(tender, image, disk):
    """Runs the guest that has it; what it ended with and what it said, the tender's own left out."""
    def call(*arguments, sector=None):
        options = [f"--block-sector-size:storage={sector}"] if sector else []
        done = run([tender, "--mem=4", f"--block:storage={disk}", *options, "--", image, *arguments])
        lines = done.out.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith("block "))
        assert lines[start] == f"block storage {disk.stat().st_size} {sector or 512}"
        return done.code, lines[start + 1:], done.err
    return call


def test_what_is_written_is_read_by_the_next(block, disk):
    assert block("write", "7")[:2] == (0, ["written"])
    assert disk.read_bytes() == pattern(7, SECTORS)
    assert block("read", "7")[:2] == (0, ["as written"])
    assert block("read", "8")[:2] == (1, ["sector 0: differs"])


@pytest.mark.parametrize("sector", [512, 4096])
def test_sectors(block, disk, sector):
    assert block("write", "3", sector=sector)[:2] == (0, ["written"])
    assert disk.read_bytes() == pattern(3, SECTORS * 512 // sector, sector)
    assert block("read", "3", sector=sector)[:2] == (0, ["as written"])


def test_only_some_sectors(block, disk):
    assert block("write", "5", "--sectors=3")[:2] == (0, ["written"])
    assert disk.read_bytes() == pattern(5, 3) + bytes((SECTORS - 3) * 512)
    assert block("read", "5", "--sectors=3")[:2] == (0, ["as written"])
    assert block("read", "5")[:2] == (1, ["sector 3: differs"])


def test_a_changed_byte_is_found(block, disk):
    content = bytearray(pattern(9, SECTORS))
    content[-1] ^= 1
    disk.write_bytes(content)
    assert block("read", "9")[:2] == (1, [f"sector {SECTORS - 1}: differs"])


# What a tender of Solo5's lets an hvt guest do, as its bindings would not ask for it.
BINDINGS = {"unaligned", "short", "one-and-a-half"}
BEYOND = ["past", "across", "across-unaligned", "far", "wrap", "short", "one-and-a-half", "handle"]


def outcome(name, result):
    return [f"bounds: {name} read: {result}", f"bounds: {name} write: {result}"]


def test_bounds_that_are_its_own(block, disk):
    disk.write_bytes(content := pattern(1, SECTORS))
    assert block("bounds", "first", "last")[:2] == (0, outcome("first", "done") + outcome("last", "done"))
    assert disk.read_bytes() == content


@pytest.mark.parametrize("name", ["unaligned", *BEYOND])
@pytest.mark.parametrize("target", ["hvt"])
def test_bounds_are_answered_to_hvt(block, disk, ours, name):
    disk.write_bytes(content := pattern(1, SECTORS))
    result = "invalid" if ours or name not in BINDINGS else "done"
    assert block("bounds", name)[:2] == (int(result != "invalid"), outcome(name, result))
    assert disk.read_bytes() == content


@pytest.mark.parametrize("call", ["read", "write"])
@pytest.mark.parametrize("name", BEYOND)
@pytest.mark.parametrize("target", ["spt"])
def test_bounds_end_an_spt_guest(block, disk, name, call):
    disk.write_bytes(content := pattern(1, SECTORS))
    code, lines, _ = block("bounds", *["--write"][:call == "write"], name)
    assert (code, lines) == (-signal.SIGSYS, [f"bounds: {name}: the end"])
    assert disk.read_bytes() == content


def test_bounds_without_names(block, ours, target):
    code, lines, _ = block("bounds")
    names = {line.split()[1] for line in lines}
    assert names == {"first", "last", "unaligned"} | (set(BEYOND) if target == "hvt" else set())
    assert code == int(target == "hvt" and not ours)


@pytest.mark.root("mounts a file system that is soon full")
def test_a_full_host_disk_is_an_error_of_the_guests(tender, image, ours, target, tmp_path):
    """Solo5's for hvt ends then."""
    folder = tmp_path / "small"
    folder.mkdir()
    assert run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder]) == Done(0, "", "")
    try:
        disk = folder / "disk"
        with open(disk, "wb") as file:
            file.truncate(1 << 20)
        done = run([tender, "--mem=4", f"--block:storage={disk}", "--", image, "full"])
    finally:
        run(["umount", folder])
    if ours or target == "spt":
        assert (done.code, done.out.splitlines()[-2:]) == (
            0, ["full: sector 128: unspecified", "full: the first is as written"])
    else:
        assert done.code == 1 and "No space left on device" in done.err


def test_full_says_when_it_never_was(block):
    assert block("full")[:2] == (1, ["full: never"])


def test_speed_is_measured(block):
    code, lines, _ = block("speed", "--sectors=8")
    assert code == 0
    assert [re.sub(r"in \d+ ns", "in N ns", line) for line in lines] == [
        "write: 4096 bytes in N ns", "read: 4096 bytes in N ns"]


def test_block_wants_a_word(block):
    assert block() == block("what") == (1, ["block: what? write SEED, read SEED, bounds, full, speed"], "")
