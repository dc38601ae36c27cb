"""The file systems of volumes, one for each top delegation: with each driver, on real disks, with the
capabilities that vmmd has."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import disks
from disks import command
from family import ROOT, run
from storage_world import disk, storage  # fixtures
from storage_world import NAME, OTHER, Storage, fill, write

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
pytestmark = pytest.mark.sanitized


# Which driver


def test_the_driver_is_what_the_directory_is_on(disk, storage):
    assert storage.succeed("open") == disk.kind


def test_insisting(build, disk):
    for kind in disks.KINDS:
        calls = Storage(build, disk.path, kind)
        if kind in ("dir", disk.kind):
            assert calls.succeed("open") == kind
            continue
        error, why = calls.fail("open")
        assert error == "EINVAL"
        assert why.startswith(f"--storage {kind}: {disk.path} is on ")
        assert why.endswith(f" ({disk.kind})")


def test_a_kind_that_is_none(build, disk):
    error, why = Storage(build, disk.path, "lvm").fail("open")
    assert (error, why) == ("EINVAL", "--storage lvm: must be dir, btrfs or zfs")


def test_a_directory_works_everywhere(build, disk, storage):
    calls = Storage(build, disk.path, "dir")
    calls.succeed("make", NAME, "1")
    write(disk.path / NAME / "file")
    calls.succeed("enter", NAME)
    calls.succeed("remove", NAME)
    assert not (disk.path / NAME).exists()


@pytest.mark.root("becomes nobody")
def test_an_ordinary_user_has_directories(build, disk, tmp_path):
    below = disk.path / "nobody"
    below.mkdir(mode=0o700)
    os.chown(below, 65534, 65534)
    # Through a mount of its own: what is above belongs to root alone.
    script = 'mount --bind "$1" /mnt && cp "$2" /run/driver && shift 2 && exec "$@"'
    wrapper = ["unshare", "-m", "sh", "-c", script, "sh", below, build / "tests/pair/storage_driver"]
    for kind in ("any", disk.kind):
        done = run([*wrapper, *NOBODY, "/run/driver", "/mnt", kind, "open"])
        if "dir" in (kind, disk.kind) or kind == "any":
            assert (done.code, done.out) == (0, "dir\n"), done
        else:
            assert done.err == f"EPERM --storage {kind} takes root; an ordinary user has dir\n"
    below.rmdir()


@pytest.mark.root("mounts")
def test_in_a_chroot(build, tmp_path):
    """Where nothing tells what the root directory itself is on."""
    script = """cd "$1" && mkdir usr proc && mkdir -m 700 volumes && cp -P /lib /lib64 . && cp "$2" driver &&
        mount --rbind /usr usr && mount -t proc none proc && shift 2 && exec chroot . /driver /volumes "$@\""""
    for number, (kind, said) in enumerate({
            "any": "dir", "dir": "dir",
            "zfs": "EINVAL --storage zfs: /volumes is on a mount outside of its root directory (dir)"}.items()):
        root = tmp_path / str(number)
        root.mkdir()
        done = run(["unshare", "-m", "sh", "-c", script, "sh", root, build / "tests/pair/storage_driver", kind, "open"])
        assert (done.out + done.err) == said + "\n", done


# The volume directory


def test_a_volume_directory_that_is_none(build, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("directory")
    for name, wanted in {"nothing": "ENOENT", "file": "ENOTDIR", "link": "ENOTDIR"}.items():
        error, why = Storage(build, tmp_path / name).fail("open")
        assert error == wanted
        assert why.startswith(f"{tmp_path / name} cannot be opened as a directory: ")


def test_a_volume_directory_that_others_may_write(build, tmp_path):
    tmp_path.chmod(0o770)
    error, why = Storage(build, tmp_path).fail("open")
    assert error == "EPERM"
    assert why.startswith(f"{tmp_path} must belong to the user vmmd runs as and be writable by nobody else")


@pytest.mark.root("gives files away")
def test_a_volume_directory_of_somebody_else(build, tmp_path):
    os.chown(tmp_path, 65534, 65534)
    assert Storage(build, tmp_path).fail("open")[0] == "EPERM"


# Made, entered, limited, removed


def test_what_is_made_is_ours_alone(disk, storage):
    assert storage.fail("enter", NAME)[0] == "ENOENT"
    storage.succeed("make", NAME, "8")
    made = os.stat(disk.path / NAME)
    assert (made.st_uid, made.st_mode & 0o7777) == (os.geteuid(), 0o700)
    storage.succeed("enter", NAME)
    assert disk.kind == "dir" or made.st_dev != os.stat(disk.path).st_dev


def test_making_it_again_keeps_what_is_there(disk, storage):
    storage.succeed("make", NAME, "8")
    before = disk.limit(NAME)
    write(disk.path / NAME / "file")
    (disk.path / NAME).chmod(0o755)
    storage.succeed("make", NAME, "16")
    assert (disk.path / NAME / "file").read_text() == "kept"
    assert os.stat(disk.path / NAME).st_mode & 0o777 == 0o700
    assert disk.kind == "dir" or disk.limit(NAME) > before


@pytest.mark.parametrize("disk", ["btrfs", "zfs"], indirect=True)
def test_the_limit_holds(disk, storage):
    storage.succeed("make", NAME, "8")
    storage.succeed("make", OTHER, "8")
    fits, error = fill(disk.path / NAME / "file", 64)
    assert 8 <= fits <= disk.limit(NAME)
    assert error == errno.EDQUOT
    storage.succeed("make", NAME, "24")
    more, error = fill(disk.path / NAME / "file", 128)
    assert max(fits, 24) < more <= disk.limit(NAME)
    assert error == errno.EDQUOT
    assert fill(disk.path / OTHER / "file", 8) == (8, None)


@pytest.mark.root("mounts")
def test_a_full_disk(build, tmp_path):
    command("mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "none", tmp_path)
    try:
        storage = Storage(build, tmp_path)
        storage.succeed("make", NAME, "64")
        assert fill(tmp_path / NAME / "file", 64)[1] == errno.ENOSPC
        storage.succeed("remove", NAME)
        storage.succeed("make", OTHER, "64")
    finally:
        command("umount", tmp_path)


def plant(folder, outside):
    """What a tree may hold, and what leads out of it."""
    (folder / "file").write_text("x")
    (folder / "link").symlink_to(outside)
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "fifo")
    deep = folder.joinpath(*["deep"] * 40)
    deep.mkdir(parents=True)
    (deep / "file").touch(mode=0)
    (deep / "link").symlink_to(outside, target_is_directory=True)
    deep.chmod(0)
    for i in range(300):
        (folder / f"many {i}").touch()


def test_removing_takes_everything_and_nothing_else(disk, storage, tmp_path):
    (tmp_path / "file").write_text("x")
    for name in (NAME, OTHER):
        storage.succeed("make", name, "8")
    plant(disk.path / NAME, tmp_path)
    (disk.path / OTHER / "file").write_text("x")
    if not ROOT:
        (disk.path / NAME).joinpath(*["deep"] * 40).chmod(0o700)
    storage.succeed("remove", NAME)
    assert os.listdir(disk.path) == [OTHER]
    assert (tmp_path / "file").read_text() == (disk.path / OTHER / "file").read_text() == "x"
    storage.succeed("remove", NAME)
    assert storage.fail("enter", NAME)[0] == "ENOENT"


def test_a_tree_that_is_too_deep_is_not_descended(build, tmp_path):
    """No more descriptors and no more stack than vmmd's own trees take."""
    storage = Storage(build, tmp_path)
    storage.succeed("make", NAME, "8")
    tmp_path.joinpath(NAME, *["deep"] * 70).mkdir(parents=True)
    error, why = storage.fail("remove", NAME)
    assert error == "ELOOP"
    assert why.startswith(f"{tmp_path}/{NAME} cannot be removed: ")


@pytest.mark.root("mounts")
def test_removing_stops_at_a_mount(build, tmp_path):
    (tmp_path / "volumes").mkdir(mode=0o700)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    storage = Storage(build, tmp_path / "volumes")
    storage.succeed("make", NAME, "8")
    point = tmp_path / "volumes" / NAME / "point"
    point.mkdir()
    command("mount", "--bind", tmp_path / "outside", point)
    try:
        assert storage.fail("remove", NAME)[0] == "EBUSY"
    finally:
        command("umount", point)
    assert os.listdir(tmp_path / "outside") == ["file"]
    storage.succeed("remove", NAME)


NAMES = ["", ".", "..", "../" + "a" * 61, "A" * 64, "a" * 63, "a" * 65, "a" * 63 + "/", "a" * 63 + "@", "-" + "a" * 63,
         "a" * 63 + "\n"]


def test_names_that_are_none(disk, storage):
    for name in NAMES:
        for call in (["make", name, "8"], ["remove", name]):
            error, why = storage.fail(*call)
            assert error == "EINVAL"
            assert why.endswith(" is not 64 hex digits: Invalid argument")
        assert storage.fail("enter", name)[0] == "EINVAL"
    assert os.listdir(disk.path) == []


# What is planted where one is to be


def test_a_link_in_its_place(disk, storage, tmp_path):
    (tmp_path / "file").touch()
    (disk.path / NAME).symlink_to(tmp_path)
    assert storage.fail("make", NAME, "8")[1].startswith(f"{disk.path}/{NAME} ")
    assert storage.fail("enter", NAME)[0] == "ENOTDIR"
    storage.succeed("remove", NAME)
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_in_its_place(disk, storage):
    (disk.path / NAME).touch()
    assert storage.fail("make", NAME, "8")[1].startswith(f"{disk.path}/{NAME} ")
    assert storage.fail("enter", NAME)[0] == "ENOTDIR"


@pytest.mark.root("gives files away")
def test_one_that_is_somebody_elses(disk, storage):
    storage.succeed("make", NAME, "8")
    os.chown(disk.path / NAME, 65534, 65534)
    assert storage.fail("make", NAME, "8")[0] == "EPERM"
    assert storage.fail("enter", NAME)[0] == "EPERM"


@pytest.mark.parametrize("disk", ["btrfs", "zfs"], indirect=True)
def test_a_directory_in_the_place_of_a_file_system(build, disk, storage):
    """Made by --storage dir, say: nothing is lost, nor taken for what has a limit."""
    Storage(build, disk.path, "dir").succeed("make", NAME, "8")
    write(disk.path / NAME / "file")
    assert storage.fail("enter", NAME)[0] == "ENODEV"
    error, why = storage.fail("make", NAME, "8")
    assert error in ("ENODEV", "ENOTEMPTY")
    assert why.startswith(f"{disk.path}/{NAME} is ")
    assert (disk.path / NAME / "file").read_text() == "kept"


# Several at once, and killed


def test_several_at_once(storage):
    for call in (["make", NAME, "8"], ["remove", NAME]):
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(lambda _, call=call: storage(*call), range(4)))
        assert [one.err for one in done] == [""] * 4
    assert storage.fail("enter", NAME)[0] == "ENOENT"


CALLS = "ioctl,mkdirat,fchmod,unlinkat,fsync,waitid,clone,close"


def killed_at(storage, count, *call):
    """Whether it was killed as it entered the COUNTth of these system calls."""
    trace = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}",
             "-e", f"inject={CALLS}:signal=KILL:when={count}"]
    done = storage(*call, wrapper=trace)
    assert done.code in (0, -9, 137), done
    return done.code != 0


@pytest.mark.slow
def test_killed_in_the_middle(disk, storage):
    """At every step: the same call once more does what is left."""
    storage.succeed("make", OTHER, "8")
    wanted, count = disk.limit(OTHER), 1
    while killed_at(storage, count, "make", NAME, "8"):
        storage.succeed("make", NAME, "8")
        storage.succeed("enter", NAME)
        assert disk.limit(NAME) == wanted
        (disk.path / NAME / "below").mkdir()
        (disk.path / NAME / "below/file").touch()
        killed_at(storage, count, "remove", NAME)
        storage.succeed("remove", NAME)
        assert storage.fail("enter", NAME)[0] == "ENOENT"
        count += 1
    assert count > 5
