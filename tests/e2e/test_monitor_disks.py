"""vmm_monitor's disks: how devices are given and refused, what a guest finds in its manifest, that it reads
and writes what is its own. (Their bounds: test_devices.py.)"""

import pytest

from family import ROOT, Done, run

BLOCK = 1
SECTORS = 200
MAC = "02:00:00:00:00:0a"


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(bytes(SECTORS * 512))
    return path


# What is given wrongly

MALFORMED = {
    **dict.fromkeys(["--net", "--net=", "--net:=tap0", "--net:service", "--net:service=", "--net:ser-vice=tap0",
                     "--net:service=@", "--net:service=@x", "--net:service=@-1", "--nets=tap0",
                     f"--net:{'x' * 68}=tap0"], "--net[:NAME]=TAP|@FD, at most 63 times"),
    **dict.fromkeys(["--block", "--block=", "--block:=disk", "--block:storage=@1x"],
                    "--block[:NAME]=FILE|@FD, at most 63 times"),
    **dict.fromkeys(["--net-mac=02:00:00:00:00:01", "--net-mac:service=", "--net-mac:service=02:00:00:00:00",
                     "--net-mac:service=02:00:00:00:00:01:02", "--net-mac:service=02:00:00:00:00:1",
                     "--net-mac:service=02-00-00-00-00-01", "--net-mac:service=02:00:00:00:00:0g",
                     "--net-mac:service=03:00:00:00:00:01", "--net-mac:service=00:00:00:00:00:00"],
                    "--net-mac:NAME=XX:XX:XX:XX:XX:XX, of one host"),
    **dict.fromkeys(["--block-sector-size=512", "--block-sector-size:storage=", "--block-sector-size:storage=521",
                     "--block-sector-size:storage=256", "--block-sector-size:storage=0",
                     "--block-sector-size:storage=65536", "--block-sector-size:storage=4k"],
                    "--block-sector-size:NAME=BYTES, a power of two from 512 to 32768"),
}


@pytest.mark.parametrize("option", MALFORMED)
def test_a_malformed_option(monitor, build, option):
    done = run([monitor, option, "--", build / "guest/block.spt"])
    assert done == Done(1, "", f"vmm_monitor: '{option}': must be {MALFORMED[option]}\n")


@pytest.mark.parametrize("options, why", [
    ([], "--block: 0 given, the image declares 1 (storage)"),
    (["--block=DISK", "--block=DISK"], "--block: 2 given, the image declares 1 (storage)"),
    (["--block:storage=DISK", "--block:storage=DISK"], "--block: storage is given twice"),
    (["--block:other=DISK"], "--block: other is given, the image declares storage"),
    (["--block=DISK", "--net=tap0"], "--net: 1 given, the image declares 0 (none)"),
    (["--block=DISK", "--net:storage=tap0"], "--net: storage is given, the image declares none"),
    (["--block=DISK", f"--net-mac:storage={MAC}"], "--net-mac: storage is given, the image declares none"),
    (["--block=DISK", "--block-sector-size:other=512"],
     "--block-sector-size: other is given, the image declares storage"),
    (["--block=DISK", "--block-sector-size:storage=512", "--block-sector-size:storage=512"],
     "--block-sector-size: storage is given twice"),
])
def test_devices_that_are_not_the_images(monitor, guest, target, disk, options, why):
    options = [option.replace("DISK", str(disk)) for option in options]
    assert run([monitor, *options, "--", guest("block")]) == Done(1, "", f"vmm_monitor: {why}\n")


def test_more_devices_than_an_image_can_have(monitor, guest, target, disk):
    done = run([monitor, *["--block=" + str(disk)] * 64, "--", guest("block")])
    assert done.err.endswith("must be --block[:NAME]=FILE|@FD, at most 63 times\n")


# Disks


def sized(path, size):
    path.write_bytes(bytes(size))
    return path


BAD_DISKS = {
    "missing": (lambda path: path / "none", 512, "No such file or directory"),
    "folder": (lambda path: path, 512, "Is a directory"),
    "neither": (lambda path: "/dev/null", 512, "is neither a file nor a block device"),
    "empty": (lambda path: sized(path / "empty", 0), 512, "is empty"),
    "odd": (lambda path: sized(path / "odd", 1000), 512,
            "its 1000 bytes are no multiple of the sector size, 512"),
    "misaligned": (lambda path: sized(path / "three", 3 * 2048), 4096,
                   "its 6144 bytes are no multiple of the sector size, 4096"),
    "short": (lambda path: sized(path / "short", 512), 4096,
              "its 512 bytes are no multiple of the sector size, 4096"),
}


@pytest.mark.parametrize("case", BAD_DISKS)
def test_a_disk_that_is_none(monitor, guest, target, tmp_path, case):
    make, sector, why = BAD_DISKS[case]
    path = make(tmp_path)
    done = run([monitor, f"--block={path}", f"--block-sector-size:storage={sector}", "--", guest("block")])
    assert done == Done(1, "", f"vmm_monitor: --block: {path}: {why}\n")


@pytest.mark.skipif(ROOT, reason="root may open any file")
def test_a_disk_of_somebody_else(monitor, guest, target, disk):
    disk.chmod(0o400)
    done = run([monitor, f"--block={disk}", "--", guest("block")])
    assert done == Done(1, "", f"vmm_monitor: --block: {disk}: Permission denied\n")


def test_a_descriptor_that_is_no_disk(monitor, guest, target, disk):
    with open(disk, "rb") as file:
        done = run([monitor, f"--block=@{file.fileno()}", "--", guest("block")], pass_fds=[file.fileno()])
        assert done.err == f"vmm_monitor: --block: @{file.fileno()}: is not open for reading and writing\n"
    done = run([monitor, "--block=@200", "--", guest("block")])
    assert done.err == "vmm_monitor: --block: @200: Bad file descriptor\n"


@pytest.mark.parametrize("sector", [512, 4096, 32768])
def test_a_disk_keeps_what_is_written(monitor, guest, target, tmp_path, sector):
    disk = sized(tmp_path / "disk", 5 * sector)
    line = f"block storage {5 * sector} {sector}\n"
    command = [monitor, "--mem=4", f"--block:storage={disk}", f"--block-sector-size:storage={sector}", "--",
               guest("block")]
    done = run([*command, "write", "1"])
    assert (done.code, done.err) == (0, "") and done.out.endswith(line + "written\n"), done
    assert run([*command, "read", "1"]).out.endswith("as written\n")
    assert run([*command, "read", "2"]).out.endswith("sector 0: differs\n")
    assert run([*command, "bounds"]).code == 0
    assert disk.stat().st_size == 5 * sector


@pytest.mark.parametrize("option", ["--block=@{}", "--block:storage=@{}"])
def test_a_disk_by_descriptor(monitor, guest, target, disk, option):
    with open(disk, "r+b") as file:
        done = run([monitor, "--mem=4", option.format(file.fileno()), "--", guest("block"), "write", "3"],
                   pass_fds=[file.fileno()])
    assert done.code == 0 and done.out.endswith("written\n")
    assert disk.read_bytes() != bytes(SECTORS * 512) and disk.stat().st_size == SECTORS * 512


@pytest.mark.root("loop devices")
def test_a_block_device(monitor, guest, target, disk):
    done = run(["losetup", "--find", "--show", disk])
    if done.code != 0:
        pytest.skip(f"no loop device to be had: {done.err}")
    device = done.out.strip()
    try:
        command = [monitor, "--mem=4", f"--block={device}", "--", guest("block")]
        assert f"block storage {SECTORS * 512} 512\nwritten\n" in run([*command, "write", "1"]).out
        assert run([*command, "bounds"]).code == 0
    finally:
        run(["losetup", "--detach", device])


# The manifest as a guest is handed it


def test_properties_of_disks(monitor, with_devices, target, tmp_path):
    names = ["a", "b", "c"]
    options = [f"--block:{name}={sized(tmp_path / name, (n + 1) << 20)}" for n, name in enumerate(names)]
    image = with_devices("manifest", *[(name, BLOCK) for name in names])
    out = run([monitor, "--mem=4", *reversed(options), "--block-sector-size:b=4096", "--", image]).out
    assert "manifest: 'a', type 0x1, attached: 1048576 bytes in sectors of 512\n" in out
    assert "manifest: 'b', type 0x1, attached: 2097152 bytes in sectors of 4096\n" in out
    assert "manifest: 'c', type 0x1, attached: 3145728 bytes in sectors of 512\n" in out


def test_as_many_disks_as_can_be(monitor, with_devices, target, disk):
    """In an spt guest's list of system calls each has its place, and its bounds."""
    image = with_devices("manifest", *[(f"disk{n}", BLOCK) for n in range(63)])
    done = run([monitor, "--mem=4", *[f"--block={disk}"] * 63, "--", image])
    assert (done.code, done.err) == (0, "")
    assert done.out.count(f"attached: {SECTORS * 512} bytes in sectors of 512\n") == 63
