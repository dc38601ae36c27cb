"""Beside Solo5: its device-less test unikernels end and print under our monitor as under its tender, and
our guests under its tender as under ours. SOLO5 names a built Solo5 tree; without it all are skipped."""

import os
import re
from pathlib import Path

import pytest

from family import run

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
# Want a network or a block device: refused without, before anything runs.
DEVICES = ["blk", "net", "net_2if", "net_mtu", "net_ring", "mft_maxdevices"]
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


@pytest.fixture(scope="module")
def monitor(build):
    return build / "src/monitor/vmm_monitor"


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
def test_unikernel_with_devices(solo5, tender, monitor, target, name):
    theirs, ours = both(tender, monitor, unikernel(solo5, name, target))
    assert ours == theirs == (1, "")


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
