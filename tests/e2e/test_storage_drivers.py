"""What btrfs and zfs have and a directory has not: snapshots, qgroups, datasets and the tool for them."""

import errno
import os
import subprocess
import sys

import pytest

from disks import command
from family import until
from storage_world import disk, storage  # fixtures
from storage_world import NAME, OTHER, Storage, fill, write

pytestmark = pytest.mark.sanitized


# Snapshots

# Writes numbered blocks, each to the disk before its number goes to standard output.
WRITER = """
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
for number in range(512):
    os.pwrite(file, b"%8d" % number * 512, number * 4096)
    os.fdatasync(file)
    os.write(1, b"%d\\n" % number)
"""


@pytest.mark.parametrize("disk", ["btrfs", "zfs"], indirect=True)
def test_a_snapshot_has_what_was_synced(disk, storage):
    storage.succeed("make", NAME, "8")
    with subprocess.Popen([sys.executable, "-c", WRITER, disk.path / NAME / "file"],
                          stdout=subprocess.PIPE, encoding="ascii") as writer:
        for _ in range(50):
            synced = int(writer.stdout.readline())
        with disk.snapshot(NAME) as taken:
            content = (taken / "file").read_bytes()
        writer.kill()
    for number in range(synced + 1):
        assert content[number * 4096:][:4096] == b"%8d" % number * 512


@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_snapshots_elsewhere_stay(disk, storage):
    storage.succeed("make", NAME, "8")
    write(disk.path / NAME / "file")
    with disk.snapshot(NAME) as taken:
        storage.succeed("remove", NAME)
        assert (taken / "file").read_text() == "kept"


@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_snapshots_within_go(disk, storage):
    storage.succeed("make", NAME, "8")
    folder = disk.path / NAME
    write(folder / "file")
    (folder / "below").mkdir()
    command("btrfs", "subvolume", "snapshot", folder, folder / "below/one")
    command("btrfs", "subvolume", "snapshot", "-r", folder, folder / "two")
    command("btrfs", "subvolume", "snapshot", folder / "two", folder / "below/one/three")
    storage.succeed("remove", NAME)
    assert os.listdir(disk.path) == []


@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_the_qgroup_goes_too(disk, storage):
    for name in (NAME, OTHER):
        storage.succeed("make", name, "8")
    gone, stays = disk.qgroup(NAME), disk.qgroup(OTHER)
    assert {gone, stays} <= disk.qgroups().keys()
    storage.succeed("remove", NAME)
    until(lambda: gone not in disk.qgroups(), "the qgroup is gone")
    assert stays in disk.qgroups()


@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_quota_that_was_switched_off(disk, storage):
    storage.succeed("make", NAME, "8")
    command("btrfs", "quota", "disable", disk.mounted)
    storage.succeed("make", NAME, "8")
    assert fill(disk.path / NAME / "file", 64)[1] == errno.EDQUOT


@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_a_volume_written_at_random_fits(disk, storage):
    """Although parts of extents that are in use no more are counted."""
    storage.succeed("make", NAME, "64")
    path = disk.path / NAME / "file"
    assert fill(path, 64) == (64, None)
    with path.open("r+b", buffering=0) as file:
        for i in range(12000):
            os.pwrite(file.fileno(), os.urandom(4096), i * 5003 % 16384 * 4096)
            if i % 500 == 0:
                os.fsync(file.fileno())
        os.fsync(file.fileno())


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_snapshots_of_a_dataset_go_with_it(disk, storage):
    storage.succeed("make", NAME, "8")
    command("zfs", "snapshot", f"{disk.dataset}/{NAME}@one")
    command("zfs", "create", f"{disk.dataset}/{NAME}/below")
    storage.succeed("remove", NAME)
    assert command("zfs", "list", "-H", "-t", "all", "-o", "name") == f"{disk.dataset}\n"


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_snapshots_take_nothing_of_the_limit(disk, storage):
    storage.succeed("make", NAME, "8")
    path = disk.path / NAME / "file"
    for i in range(3):
        assert fill(path, 16) == (16, None)
        command("zfs", "snapshot", f"{disk.dataset}/{NAME}@{i}")


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_a_limit_below_what_is_used(disk, storage):
    """What was removed a moment ago is used still: no reason to make no volume."""
    storage.succeed("make", NAME, "64")
    before = disk.limit(NAME)
    assert fill(disk.path / NAME / "file", 32) == (32, None)
    until(lambda: int(command("zfs", "get", "-Hp", "-o", "value", "referenced", f"{disk.dataset}/{NAME}")) > 30 << 20,
          "zfs has counted")
    storage.succeed("make", NAME, "1")
    assert disk.limit(NAME) == before


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_a_dataset_in_use(disk, storage):
    storage.succeed("make", NAME, "8")
    write(disk.path / NAME / "file")
    with (disk.path / NAME / "file").open():
        error, why = storage.fail("remove", NAME)
        assert error == "EIO"
        assert why.startswith("zfs destroy: ")
        assert "busy" in why
    assert (disk.path / NAME / "file").read_text() == "kept"


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_a_dataset_that_is_not_mounted(disk, storage):
    storage.succeed("make", NAME, "8")
    write(disk.path / NAME / "file")
    command("zfs", "umount", f"{disk.dataset}/{NAME}")
    (disk.path / NAME).mkdir(exist_ok=True)
    assert storage.fail("enter", NAME)[0] == "ENODEV"
    storage.succeed("make", NAME, "8")
    assert (disk.path / NAME / "file").read_text() == "kept"


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_a_directory_within_a_dataset(build, disk, storage):
    below = disk.path / "be low"
    below.mkdir(mode=0o700)
    calls = Storage(build, below)
    calls.succeed("make", NAME, "8")
    calls.succeed("enter", NAME)
    assert fill(below / NAME / "file", 64)[1] == errno.EDQUOT
    calls.succeed("remove", NAME)
    below.rmdir()


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_without_the_tool(disk, storage):
    hidden = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /usr/sbin && exec "$@"', "sh"]
    error, why = storage.fail("open", wrapper=hidden)
    assert (error, why) == ("ENOENT", "zfs is in none of /usr/sbin, /sbin and /usr/local/sbin")


@pytest.mark.parametrize("disk", ["zfs"], indirect=True)
def test_a_tool_that_fails(disk, storage):
    """A dataset that cannot be looked for is not one that is not there."""
    alone = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run/zfs && exec "$@"', "sh"]
    storage.succeed("make", NAME, "8")
    error, why = storage.fail("remove", NAME, wrapper=alone)
    assert error == "EIO"
    assert why.startswith("zfs list")
    storage.succeed("enter", NAME)
