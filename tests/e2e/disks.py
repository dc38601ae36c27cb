"""File systems to keep volumes on, each of a test's own and gone with it: a plain directory, btrfs on a loop
device, a zfs pool on a file with a zfs-fuse daemon of its own. They are mounted in this run's mount
namespace and end with it, whatever happens: the loop device detaches itself, the daemon dies with us.
Their blocks are in memory, below this run's own /run: a host's disk that is busy holds no test up."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import pytest

import proc
from family import run, until

SIZE_MB = 512  # of the sparse files; a few tens of it are written


def command(*arguments):
    """An administrator's command, which must work; what it printed."""
    done = run(arguments)
    assert done.code == 0, done
    return done.out


@contextlib.contextmanager
def sparse_file():
    with tempfile.NamedTemporaryFile(dir="/run", prefix="disk") as file:
        file.truncate(SIZE_MB << 20)
        yield file.name


def need(there, what):
    if not there:
        pytest.skip(f"takes {what}")


def need_mounts():
    need(os.geteuid() == 0, "root: mounts")
    need("/" in proc.mounts(os.getpid()), "a / that is a mount point: mounts of our own would show outside")


class Directory:
    kind = "dir"

    def __init__(self, path):
        self.path = path
        path.mkdir(mode=0o700, exist_ok=True)

    def limit(self, name):
        """What the file system NAME is limited to, in MB; None: nothing is."""


class Btrfs(Directory):
    kind = "btrfs"

    def __init__(self, mounted):
        super().__init__(mounted / "volumes")
        self.mounted = mounted

    def qgroups(self):
        """Limit in bytes of each qgroup; None where there is none."""
        command("btrfs", "filesystem", "sync", self.mounted)
        rows = command("btrfs", "qgroup", "show", "--raw", "-r", self.mounted).splitlines()[2:]
        return {row.split()[0]: None if row.split()[3] == "none" else int(row.split()[3]) for row in rows}

    def qgroup(self, name):
        shown = command("btrfs", "subvolume", "show", self.path / name)
        return "0/" + next(line.split()[-1] for line in shown.splitlines() if "Subvolume ID:" in line)

    def limit(self, name):
        limit = self.qgroups()[self.qgroup(name)]
        return limit and limit >> 20

    @contextlib.contextmanager
    def snapshot(self, name):
        taken = self.mounted / "taken"
        command("btrfs", "subvolume", "snapshot", "-r", self.path / name, taken)
        try:
            yield taken
        finally:
            command("btrfs", "subvolume", "delete", taken)


def destroy(tool, name):
    """The daemon lets go of what it has unmounted a moment later."""
    until(lambda: run([tool, "destroy", name]).code == 0, f"{name} is gone")


class Zfs(Directory):
    kind = "zfs"

    def __init__(self, path, dataset):
        super().__init__(path)
        self.dataset = dataset

    def limit(self, name):
        limit = int(command("zfs", "get", "-Hp", "-o", "value", "refquota", f"{self.dataset}/{name}"))
        return limit >> 20 or None

    @contextlib.contextmanager
    def snapshot(self, name):
        taken = f"{self.dataset}/{name}@taken"
        command("zfs", "snapshot", taken)
        command("zfs", "clone", taken, f"{self.dataset}/look")
        try:
            yield self.path / "look"
        finally:
            destroy("zfs", f"{self.dataset}/look")
            command("zfs", "destroy", taken)


@contextlib.contextmanager
def directory(folder):
    yield Directory(folder / "volumes")


@contextlib.contextmanager
def btrfs(folder):
    need_mounts()
    need(shutil.which("mkfs.btrfs"), "mkfs.btrfs")
    need(os.path.exists("/dev/loop-control"), "loop devices")
    mounted = folder / "mounted"
    mounted.mkdir()
    with sparse_file() as disk:
        command("mkfs.btrfs", "-q", disk)
        done = run(["mount", "-o", "loop", disk, mounted])
    need("unknown filesystem" not in done.err, "a kernel with btrfs")
    need("loop device" not in done.err, "loop devices")
    assert done.code == 0, done
    try:
        yield Btrfs(mounted)
    finally:
        command("umount", mounted)


@contextlib.contextmanager
def zfs_daemon():
    """Knows no pools but ours, and is found at a socket in this run's own /run."""
    for folder in ("/run/zfs", "/run/lock"):
        os.makedirs(folder, exist_ok=True)
    if os.path.isdir("/etc/zfs"):
        command("mount", "-t", "tmpfs", "none", "/etc/zfs")
    daemon = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "zfs-fuse", "--no-daemon", "-m", "32"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: daemon.poll() is not None or run(["zfs", "list"]).code == 0, "zfs-fuse answers")
        assert daemon.poll() is None, "zfs-fuse ended"
        yield
    finally:
        daemon.kill()
        daemon.wait()
        if os.path.ismount("/etc/zfs"):
            command("umount", "/etc/zfs")


@contextlib.contextmanager
def zfs(folder):
    need_mounts()
    need(shutil.which("zfs-fuse"), "zfs-fuse")
    need(os.path.exists("/dev/fuse"), "/dev/fuse")
    pool = f"vmm{os.getpid()}"
    with zfs_daemon(), sparse_file() as disk:
        command("zpool", "create", "-o", "cachefile=none", "-m", folder / "volumes", pool, disk)
        try:
            yield Zfs(folder / "volumes", pool)
        finally:
            destroy("zpool", pool)


KINDS = {"dir": directory, "btrfs": btrfs, "zfs": zfs}
