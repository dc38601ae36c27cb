"""What an image without devices can see of its tender, one small guest (guest/conform) a behaviour: on
both targets under our monitor, and, where SOLO5 names a built Solo5 tree, beside its tenders."""

import os
import signal
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

import images
from family import PATIENCE, run

TARGETS = ["hvt", "spt"]
MB = 32
SEGV, SYS, ILL, FPE, TRAP, BUS = (-getattr(signal, "SIG" + name) for name in
                                  ("SEGV", "SYS", "ILL", "FPE", "TRAP", "BUS"))
FAULT = "vmm_monitor: guest fault: "


class Case(NamedTuple):
    """A guest, its arguments; by target: exit status, how the line about a fault goes on."""

    guest: str
    arguments: tuple
    hvt: tuple = (0, "")
    spt: tuple = (0, "")

    def __str__(self):
        return " ".join([self.guest, *self.arguments])


TRIPLE = (1, "triple fault")
READ_ONLY = (1, ("wrote 8 bytes at 0x10", "host/guest translation fault"))
# Where KVM is software, it does not know all instructions.
UNKNOWN = (1, "KVM internal error")

WORKS = [
    *[Case(name, ()) for name in ("map", "entry", "tls", "clock", "poll", "manifest", "far", "cmdline",
                                  "log")],
    *[Case("log", (f"--solo5:{level}",)) for level in ("quiet", "warn", "info", "debug")],
    *[Case("fpu", (what,)) for what in ("control", "xmm")],
    *[Case("cmdline", words) for words in (("a", "b"), ("a b", "", "c"), ("ü", "--solo5:quiet"), ("-x", "--"))],
    *[Case("protect", (what,)) for what in ("read-code", "read-low", "read-last")],
]
ENDS = [
    Case("ssp", (), (255, ""), (255, "")),
    *[Case("protect", (what,), TRIPLE, (SEGV, "SIGSEGV at 0x8:"))
      for what in ("read-zero", "write-zero", "exec-zero")],
    *[Case("protect", (what,), TRIPLE, (SEGV, f"SIGSEGV at {MB << 20:#x}:"))
      for what in ("read-past", "write-past", "exec-past")],
    Case("protect", ("read-far",), TRIPLE, (SEGV, f"SIGSEGV at {1 << 46:#x}:")),
    *[Case("protect", (what,), READ_ONLY, (SEGV, "SIGSEGV at 0x10")) for what in ("write-code", "write-rodata")],
    *[Case("protect", (what,), (0, ""), (SEGV, "SIGSEGV at 0x"))
      for what in ("exec-data", "exec-rodata", "exec-heap", "exec-stack")],
    *[Case("protect", (what,), TRIPLE) for what in ("write-low", "write-boot")],
    Case("far", ("constant",), (0, ""), (SEGV, "SIGSEGV at 0x38")),
    Case("port", ("out", "1536"), (1, "wrote 4 bytes at port 0x600, which is no hypercall"), (SEGV, "SIGSEGV:")),
    Case("port", ("in", "96"), (1, "read 4 bytes at port 0x60, which is no hypercall"), (SEGV, "SIGSEGV:")),
    Case("fault", ("invalid",), TRIPLE, (ILL, "SIGILL:")),
    Case("fault", ("single-step",), TRIPLE, (TRAP, "SIGTRAP:")),
    Case("fault", ("divide",), TRIPLE, (FPE, "SIGFPE:")),
    Case("fault", ("no-stack",), TRIPLE, (SEGV, "SIGSEGV at 0xfffffffffffffff8:")),
    Case("fault", ("no-tls",), TRIPLE, (SEGV, "SIGSEGV at 0x8:")),
    Case("fault", ("unaligned",), (0, ""), (BUS, "SIGBUS:")),
    Case("fault", ("unaligned-later",), TRIPLE, (ILL, "SIGILL:")),
    Case("fault", ("non-canonical",), TRIPLE, (SEGV, "SIGSEGV:")),
    Case("fault", ("privileged",), (0, ""), (SEGV, "SIGSEGV:")),
    Case("syscall", ("39",), TRIPLE, (SYS, "SIGSYS: system call 39 is not its to make:")),
]
# On hvt only the real thing can do these; see UNKNOWN.
MAYBE = [
    Case("fpu", ("mxcsr",)),
    Case("fpu", ("multiply",)),
    Case("fault", ("breakpoint",), TRIPLE, (TRAP, "SIGTRAP:")),
    Case("syscall", ("int80", "20"), TRIPLE, (SYS, "SIGSYS: system call 20 of 32-bit code:")),
]


@pytest.fixture
def guest(build):
    return lambda name, target: build / f"guest/conform/{name}.{target}"


@pytest.fixture(scope="module")
def tender():
    if not os.environ.get("SOLO5"):
        pytest.skip("SOLO5 does not name a built Solo5 tree")
    solo5 = Path(os.environ["SOLO5"]).resolve()
    return lambda target: solo5 / f"tenders/{target}/solo5-{target}"


def ended_as(done, code, said):
    """With CODE, and a line about a fault when it is one: it starts with (one of) SAID."""
    lines = tuple(FAULT + one for one in ([said] if isinstance(said, str) else said))
    if said == "":
        return (done.code, done.err) == (code, "")
    return done.code == code and done.err.startswith(lines) and done.err.count("\n") == 1


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", WORKS, ids=str)
def test_works(monitor, guest, target, case):
    done = run([monitor, f"--mem={MB}", "--", guest(case.guest, target), *case.arguments])
    assert (done.code, done.err) == (0, ""), done


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", ENDS, ids=str)
def test_ends(monitor, guest, target, case):
    done = run([monitor, f"--mem={MB}", "--", guest(case.guest, target), *case.arguments])
    assert ended_as(done, *getattr(case, target)), done
    assert done.out.endswith("survived\n") == (done.code == 0), done


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", MAYBE, ids=str)
def test_works_or_is_unknown_to_kvm(monitor, guest, target, case):
    done = run([monitor, f"--mem={MB}", "--", guest(case.guest, target), *case.arguments])
    assert ended_as(done, *getattr(case, target)) or (target == "hvt" and ended_as(done, *UNKNOWN)), done


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", WORKS + ENDS + MAYBE, ids=str)
def test_beside_solo5(tender, monitor, guest, target, case):
    command = [f"--mem={MB}", "--", guest(case.guest, target), *case.arguments]
    theirs, ours = run([tender(target), *command]), run([monitor, *command])
    assert (ours.code, ours.out) == (theirs.code, theirs.out)


# What they say


@pytest.mark.kvm
def test_the_memory_map(monitor, guest):
    hvt, spt = (run([monitor, f"--mem={MB}", guest("map", target)]).out.splitlines() for target in TARGETS)
    assert hvt[0] == "map: 32 MB, boot information at 0x10000"
    assert spt[0] == "map: 32 MB, boot information at 0x11000"
    assert hvt[1] == spt[1] == "map: manifest behind it, command line behind it"


@pytest.mark.parametrize("target, privilege", [("hvt", 0), ("spt", 3)])
def test_the_state_at_entry(monitor, guest, target, privilege):
    """As behind a call from a stack that is empty."""
    assert run([monitor, guest("entry", target)]).out == (
        "entry: the stack starts 8 bytes below the end of memory\n"
        f"entry: privilege {privilege}, trap, direction, alignment flags 0x0\n")


@pytest.mark.parametrize("target", TARGETS)
def test_floating_point_control(monitor, guest, target):
    """As after FNINIT, all exceptions masked."""
    assert run([monitor, guest("fpu", target), "control"]).out == "fpu: control word 0x37f\n"


def test_sse_control(monitor, guest):
    assert run([monitor, guest("fpu", "spt"), "mxcsr"]).out == "fpu: mxcsr 0x1f80\n"


@pytest.mark.parametrize("target", TARGETS)
def test_log_levels_are_the_guests(monitor, guest, target):
    said = {level: run([monitor, "--", guest("log", target), f"--solo5:{level}"]).out.count("\n")
            for level in ("quiet", "warn", "info", "debug")}
    assert said == {"quiet": 0, "warn": 1, "info": 2, "debug": 3}


# Its end


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("how, code", [("exit=0", 0), ("exit=1", 1), ("exit=255", 255), ("abort", 255)])
def test_exit_status(tender, build, monitor, target, how, code):
    command = [build / f"guest/crash.{target}", how]
    theirs, ours = run([tender(target), *command]), run([monitor, *command])
    assert (ours.code, ours.out) == (theirs.code, theirs.out) == (code, f"crash: {how}\n")


@pytest.mark.parametrize("target", TARGETS)
def test_a_wait_without_end(monitor, guest, target):
    with subprocess.Popen([monitor, guest("poll", target), "for-ever"], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"poll: for ever\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
        assert process.stdout.read() == b""


# Its command line


def fnv1a(text):
    value = 2166136261
    for byte in text:
        value = (value ^ byte) * 16777619 % (1 << 32)
    return value


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("size, fits", [(0, True), (8190, True), (8191, True), (8192, False), (100000, False)])
def test_command_line_up_to_its_limit(request, monitor, guest, target, size, fits):
    text = ("abc " * 25000)[:size].rstrip(" ").ljust(size, "x")
    done = run([monitor, guest("cmdline", target), *text.split(" ")])
    if fits:
        assert done.out.startswith(f"cmdline: {size} bytes, sum {fnv1a(text.encode()):#x}\n"), done
    else:
        assert (done.code, done.out) == (1, "")
        assert done.err == "vmm_monitor: the arguments are longer than 8191 characters\n"
    if os.environ.get("SOLO5"):
        tender = request.getfixturevalue("tender")
        theirs = run([tender(target), guest("cmdline", target), *text.split(" ")])
        assert (done.code, done.out) == (theirs.code, theirs.out)


# Protections that are options


@pytest.mark.kvm
@pytest.mark.parametrize("what", ["exec-data", "exec-rodata", "exec-heap", "exec-stack"])
def test_nx(monitor, guest, what):
    """What vmmd asks for, and Solo5's tender has not on this host."""
    done = run([monitor, "--nx", f"--mem={MB}", guest("protect", "hvt"), what])
    assert ended_as(done, *TRIPLE) and done.out == f"protect: {what}\n", done
    assert "cr2=0x" in done.err


@pytest.mark.kvm
def test_nx_where_code_ends_beyond_the_first_large_page(monitor, guest):
    done = run([monitor, "--nx", f"--mem={MB}", guest("far", "hvt")])
    assert (done.code, done.out) == (0, "far: above 0x380000: 42\n")
    done = run([monitor, "--nx", f"--mem={MB}", guest("far", "hvt"), "constant"])
    assert ended_as(done, *TRIPLE) and done.out.endswith("far: a constant\n")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", WORKS, ids=str)
def test_works_with_nx(monitor, guest, target, case):
    done = run([monitor, "--nx", f"--mem={MB}", "--", guest(case.guest, target), *case.arguments])
    assert (done.code, done.err) == (0, ""), done


@pytest.mark.parametrize("what, code", [("exec-heap", 0), ("exec-stack", 0), ("exec-data", SEGV),
                                        ("exec-rodata", SEGV), ("write-code", SEGV)])
def test_x_exec_heap(request, monitor, guest, what, code):
    """What is no segment becomes executable; segments are what they say."""
    command = ["--x-exec-heap", guest("protect", "spt"), what]
    done = run([monitor, *command])
    assert done.code == code
    assert done.err.startswith("vmm_monitor: --x-exec-heap: heap and stack of the guest are executable, ")
    if os.environ.get("SOLO5"):
        theirs = run([request.getfixturevalue("tender")("spt"), *command])
        assert (done.code, done.out) == (theirs.code, theirs.out)


# System calls of an spt guest

CLOCK_GETTIME, EXIT_GROUP, NEWEST = 228, 231, 480
UNFILTERED = [335, 336]  # uretprobe, uprobe: some kernels let them pass any filter, to answer with an error
WRITE, SETTIME, EPOLL_PWAIT, ARCH_PRCTL, X32 = 1, 286, 281, 158, 1 << 30


def test_every_other_system_call_ends_it(monitor, guest):
    """With zeros for arguments; the clock and the end are all that then remains."""
    survived = []
    for number in set(range(NEWEST)) - set(UNFILTERED):
        done = run([monitor, "--mem=2", guest("syscall", "spt"), str(number)])
        if not ended_as(done, SYS, f"SIGSYS: system call {number} is not its to make: rip=0x10"):
            survived.append((number, done.code))
    assert sorted(survived) == [(CLOCK_GETTIME, 0), (EXIT_GROUP, 0)]


ARGUMENTS = {
    "another descriptor": [WRITE, 2, "text", 14],
    "its input": [WRITE, 0, "text", 14],
    "the upper half of a descriptor": [WRITE, (1 << 32) + 1, "text", 14],
    "x32": [X32 + WRITE, 1, "text", 14],
    "another clock": [CLOCK_GETTIME, 2],
    "gs": [ARCH_PRCTL, 0x1001],
    "get fs": [ARCH_PRCTL, 0x1003],
    "another timer": [SETTIME, 0],
    "a call that does not exist": [(1 << 32) - 1],
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_a_system_call_with_arguments_that_are_not_its_own(request, monitor, guest, case):
    command = ["--mem=2", guest("syscall", "spt"), *map(str, ARGUMENTS[case])]
    done = run([monitor, *command])
    assert ended_as(done, SYS, "SIGSYS: system call "), done
    assert done.out == f"syscall: {ARGUMENTS[case][0]}\n"
    if os.environ.get("SOLO5"):
        theirs = run([request.getfixturevalue("tender")("spt"), *command])
        assert (done.code, done.out) == (theirs.code, theirs.out)


@pytest.mark.parametrize("mask, code", [("0", 0), ("text", SYS)])
def test_a_wait_changes_no_signal_mask(monitor, guest, mask, code):
    """Solo5's tender lets it. A guest that blocks SIGTERM would not end when it is told to."""
    done = run([monitor, "--mem=2", guest("syscall", "spt"), "device", EPOLL_PWAIT, "text", 1, 0, mask, 8])
    assert done.code == code, done


# Images


# Offset, size and name in the ELF header; likewise in a program header.
HEADER = [(4, 1, "class"), (5, 1, "data"), (6, 1, "version"), (7, 1, "abi"), (8, 1, "abi version"),
          (16, 2, "type"), (18, 2, "machine"), (20, 4, "version"), (24, 8, "entry"), (32, 8, "phoff"),
          (40, 8, "shoff"), (48, 4, "flags"), (52, 2, "ehsize"), (54, 2, "phentsize"), (56, 2, "phnum"),
          (58, 2, "shentsize"), (60, 2, "shnum"), (62, 2, "shstrndx")]
PROGRAM = [(0, 4, "type"), (4, 4, "flags"), (8, 8, "offset"), (16, 8, "vaddr"), (24, 8, "paddr"),
           (32, 8, "filesz"), (40, 8, "memsz"), (48, 8, "align")]
SEGMENTS = {"text": images.TEXT, "rodata": images.RODATA, "data": images.DATA, "ABI note": images.ABI,
            "manifest note": images.MANIFEST}
FIELDS = {
    **{f"header {at} {name}": (at, size) for at, size, name in HEADER},
    **{f"{segment} {name}": (images.PROGRAM_HEADERS.start + n * images.PROGRAM_HEADER + at, size)
       for segment, n in SEGMENTS.items() for at, size, name in PROGRAM},
}


def broken(image, where, size):
    """The image with values near the edges in one field."""
    top = 1 << 8 * size
    was = int.from_bytes(image[where:where + size], "little")
    for value in sorted({0, 1, top - 1, top // 2, (was + 1) % top, was ^ 0x1000 % top} - {was}):
        yield images.replaced(image, slice(where, where + size), value.to_bytes(size, "little"))


def end_of(program, image):
    """Exit status and output; None: a guest with a mind of its own."""
    try:
        done = run([program, "--mem=4", image, "--count=1"], timeout=3)
    except subprocess.TimeoutExpired:
        return None
    return done


def refused(done):
    return (done.code, done.out) == (1, "") and "guest fault" not in done.err


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_malformed_field(request, build, monitor, tmp_path, target, field):
    """Refused in one line, or run like any image. What Solo5's tender refuses is refused, and what does
    its work does the same there. (Where code is moved it may do anything, and depends on registers that
    nobody promised.)"""
    pristine = (build / f"guest/chatty.{target}").read_bytes()
    path = tmp_path / f"image.{target}"
    for image in broken(pristine, *FIELDS[field]):
        path.write_bytes(image)
        ours = end_of(monitor, path)
        if ours is None:
            continue
        assert ours.err.count("\n") == (ours.code != 0), ours
        assert refused(ours) or ours.code == 0 or ours.err.startswith(FAULT), ours
        if os.environ.get("SOLO5"):
            theirs = end_of(request.getfixturevalue("tender")(target), path)
            if ours.code == 0:
                assert theirs and (theirs.code, theirs.out) == (0, ours.out), theirs
            if ours.code < 0:
                assert theirs is None or not refused(theirs), (ours, theirs)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("devices, why", [
    (1, "--net: 0 given, the image declares 1 (net0)"),
    (63, "--net: 0 given, the image declares 63 (net0, net1, net2, "),
    (64, "{}: manifest: has 65 entries, must have 1 to 64\n"),
])
def test_a_manifest_at_its_limits(request, monitor, guest, tmp_path, target, devices, why):
    path = tmp_path / f"image.{target}"
    pristine = guest("manifest", target).read_bytes()
    path.write_bytes(images.with_devices(pristine, *[(f"net{n}", 2) for n in range(devices)]))
    done = run([monitor, path])
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"vmm_monitor: {why.format(path)}") and done.err.count("\n") == 1, done
    if os.environ.get("SOLO5"):
        theirs = run([request.getfixturevalue("tender")(target), path])
        assert (theirs.code, theirs.out) == (1, "")


@pytest.mark.parametrize("target", TARGETS)
def test_the_smallest_manifest(monitor, guest, tmp_path, target):
    """The reserved entry alone is what guests without devices have; none at all is no manifest."""
    pristine = guest("manifest", target).read_bytes()
    path = tmp_path / f"image.{target}"
    path.write_bytes(images.with_devices(pristine))
    assert run([monitor, path]).out == "manifest: version 1, 1 entries\nmanifest: '', type 0x40000000, not attached\n"
    path.write_bytes(images.with_manifest(pristine, struct.pack("<4xII", 1, 0)))
    assert run([monitor, path]).err.endswith("manifest: has 0 entries, must have 1 to 64\n")
