"""Beside Solo5: its test unikernels end and print under our monitor as under its tender, and our guests
under its tender as under ours. SOLO5 names a built Solo5 tree; without it all are skipped."""

import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

import taps
from family import PATIENCE, run

# Name and arguments as in Solo5's tests/tests.bats.
UNIKERNELS = {
    "hello": ["Hello_Solo5"],
    "quiet": ["--solo5:quiet"],
    "output": ["Output_Solo5"],
    **dict.fromkeys(["globals", "exception", "zeropage", "notls", "tls", "ssp", "fpu", "time",
                     "dumpcore", "rnow", "xnow", "xnor", "rnox", "wnox", "seccomp"], []),
}
# In MB, as Solo5's tests give it.
MEMORY = {"hvt": 4096, "spt": 2}
# With the host's ends of their taps; all without one are refused before anything runs.
NETWORKS = {"net": ["10.0.0.1/24"], "net_2if": ["10.0.0.1/24", "10.1.0.1/24"], "net_ring": ["10.0.0.1/24"]}
DEVICES = ["blk", "net_mtu", "mft_maxdevices", *NETWORKS]
PATTERN = b"\xde\xad\xbe\xef" * 14  # what net_ring wants to be pinged with
OURS = [["hello", "Hello", "--count=2"], ["chatty", "--count=100"],
        *[["crash", how] for how in ("divide", "read", "write-code", "exec-data", "halt", "hypercall",
                                     "abort", "exit=0", "exit=1", "exit=255", "exit=256", "what")]]


@pytest.fixture(scope="module")
def solo5():
    if not os.environ.get("SOLO5"):
        pytest.skip("SOLO5 does not name a built Solo5 tree")
    return Path(os.environ["SOLO5"]).resolve()


@pytest.fixture(scope="module", params=MEMORY)
def target(request):
    return request.param


@pytest.fixture(scope="module")
def tender(solo5, target):
    return solo5 / f"tenders/{target}/solo5-{target}"


def unikernel(solo5, name, target):
    path = solo5 / f"tests/test_{name}/test_{name}.{target}"
    if not path.exists():
        pytest.skip(f"this Solo5 has no test_{name}.{target}")
    return path


def both(one, other, *arguments):
    """Exit status and output; standard error is each one's own."""
    return [(done.code, done.out) for done in (run([program, *arguments]) for program in (one, other))]


def without_durations(ended):
    code, output = ended
    return code, re.sub(r"\b[0-9]+ ns", "N ns", output)


@pytest.mark.parametrize("name", UNIKERNELS)
def test_unikernel(solo5, tender, monitor, target, name):
    theirs, ours = both(tender, monitor, f"--mem={MEMORY[target]}", "--", unikernel(solo5, name, target),
                        *UNIKERNELS[name])
    assert without_durations(ours) == without_durations(theirs)


@pytest.mark.parametrize("name", DEVICES)
def test_unikernel_without_its_devices(solo5, tender, monitor, target, name):
    theirs, ours = both(tender, monitor, unikernel(solo5, name, target))
    assert ours == theirs == (1, "")


# By file and sector size; a wrong one ends before anything runs.
DISKS = {"4 MB": (4 << 20, 512, 0), "large sectors": (4 << 20, 4096, 0), "misaligned": (6144, 4096, 1),
         "odd": (1563, 521, 1), "too small": (256, 256, 1)}


@pytest.mark.parametrize("case", DISKS)
def test_blk(solo5, tender, monitor, target, tmp_path, case):
    size, sector, code = DISKS[case]
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(size))
    theirs, ours = both(tender, monitor, f"--mem={MEMORY[target]}", f"--block:storage={disk}",
                        f"--block-sector-size:storage={sector}", "--", unikernel(solo5, "blk", target))
    assert ours == theirs and ours[0] == code


def test_mft_maxdevices(solo5, tender, monitor, target, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(4096))
    theirs, ours = both(tender, monitor, f"--mem={MEMORY[target]}",
                        *[f"--block:storage{number}={disk}" for number in range(63)], "--",
                        unikernel(solo5, "mft_maxdevices", target))
    assert ours == theirs and ours[0] == 0


@pytest.fixture
def wires():
    """Taps with the host's addresses; as many as there are."""
    made = []

    def make(addresses, mtu=1500):
        for number, address in enumerate(addresses):
            name = f"tap{number}"
            taps.ip("tuntap", "add", "dev", name, "mode", "tap")
            made.append(name)
            taps.ip("address", "add", address, "dev", name)
            taps.ip("link", "set", "dev", name, "mtu", str(mtu), "up")
        return [f"--net:service{number}={name}" for number, name in enumerate(made)]

    yield make
    for name in made:
        taps.ip("link", "delete", "dev", name)


@pytest.mark.network("taps")
def test_net_mtu(solo5, tender, monitor, target, wires):
    theirs, ours = both(tender, monitor, f"--mem={MEMORY[target]}", *wires(["10.2.0.1/24"], 9000), "--",
                        unikernel(solo5, "net_mtu", target))
    said = [output.partition("\n****")[2] for _, output in (ours, theirs)]  # it has less memory beside their ring
    assert said[0] == said[1] and ours[0] == theirs[0] == 0 and "MTU is 9000\n" in said[0]


@pytest.mark.network("taps")
@pytest.mark.timeout(20 * PATIENCE)
@pytest.mark.parametrize("name", NETWORKS)
def test_network(solo5, monitor, target, wires, name):
    """It ends by itself when it has been pinged as often as it wants, on all its interfaces together."""
    addresses = NETWORKS[name]
    command = [monitor, f"--mem={MEMORY[target]}", *wires(addresses), "--", unikernel(solo5, name, target),
               *["limit"] * (name != "net_ring")]
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8") as process:
        try:
            pingers = [taps.Pinger(address.replace(".1/24", ".2"), PATTERN) for address in addresses]
            askers = [threading.Thread(target=pinger.ping_until, args=(lambda: process.poll() is not None,))
                      for pinger in pingers]
            for asker in askers:
                asker.start()
            output, _ = process.communicate(timeout=15 * PATIENCE)
        finally:
            process.kill()
        for asker in askers:
            asker.join()
        for pinger in pingers:
            pinger.close()
    assert process.returncode == 0 and "SUCCESS\n" in output, output


def test_malformed_image(solo5, tender, monitor):
    """For hvt; to solo5-spt it is malformed too."""
    theirs, ours = both(tender, monitor, solo5 / "tests/test_buggyelf/buggyelf.hvt")
    assert ours == theirs == (1, "")


def test_nothing_is_left_out(solo5, target):
    """Every unikernel in this Solo5 is in one of the lists above."""
    found = {path.stem.removeprefix("test_") for path in solo5.glob(f"tests/test_*/test_*.{target}")}
    assert found <= {*UNIKERNELS, *DEVICES}


@pytest.mark.parametrize("arguments", OURS, ids=" ".join)
def test_our_guest(tender, monitor, build, target, arguments):
    guest = build / "guest" / f"{arguments[0]}.{target}"
    theirs, ours = both(tender, monitor, "--mem=32", "--", guest, *arguments[1:])
    assert ours == theirs
