"""vmm_monitor alone: by hand, and by descriptors as vmmd starts it, on real KVM and as a confined
process, with the guests of this project."""

import os
import random
import resource
import signal
import subprocess
from typing import NamedTuple

import pytest

import images
import proc
from family import PATIENCE, Done, run, until
from spawned import Spawned


@pytest.fixture(scope="module")
def hvt(build):
    return lambda name: build / "guest" / f"{name}.hvt"


@pytest.fixture(scope="module")
def spt(build):
    return lambda name: build / "guest" / f"{name}.spt"


@pytest.fixture
def image_file(tmp_path):
    def write(content):
        path = tmp_path / "image.hvt"
        path.write_bytes(content)
        return path
    return write


# By hand


def test_hello(monitor, guest):
    done = run([monitor, "--mem=32", "--", guest("hello"), "Hello", "you", "--count=2"])
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert "guest: Memory map: 32 MB addressable:" in lines
    assert lines[-6:] == ["guest: 3 arguments", "guest: argument 1: Hello", "guest: argument 2: you",
                          "guest: argument 3: --count=2", "hello", "hello"]


def test_chatty_loses_nothing(monitor, guest):
    done = run([monitor, guest("chatty"), "--count=1000"])
    assert done == Done(0, "".join(f"line {n + 1}\n" for n in range(1000)), "")


@pytest.mark.parametrize("how, code", [("exit=0", 0), ("exit=1", 1), ("exit=7", 7), ("exit=255", 255),
                                       ("exit=256", 0), ("abort", 255)])
def test_exit_status_is_the_guests(monitor, guest, how, code):
    done = run([monitor, "--mem=2", guest("crash"), how])
    assert done == Done(code, f"crash: {how}\n", "")


# What the guest does, how the line about it starts. (KVM tells of a write to read-only memory in one of
# two ways.)
CRASHES = {
    "divide": ["triple fault"],
    "read": ["triple fault"],
    "write-code": ["wrote 8 bytes at 0x100000, where it may not", "host/guest translation fault"],
    "halt": ["stopped its CPU with nothing to wake it"],
    "hypercall": ["hypercall puts: 16 bytes at 0x10000000000 are not its to read"],
}


@pytest.mark.kvm
@pytest.mark.parametrize("how", CRASHES)
def test_a_fault_is_reported(monitor, hvt, how):
    done = run([monitor, "--mem=4", hvt("crash"), how])
    assert (done.code, done.out) == (1, f"crash: {how}\n")
    said = [f"vmm_monitor: guest fault: {what}: rip=0x10" for what in CRASHES[how]]
    assert done.err.startswith(tuple(said)), done.err
    assert done.err.count("\n") == 1
    assert " rsp=0x3f" in done.err and " cr2=0x" in done.err


# For spt: the signal as well.
SIGNALS = {
    "divide": (signal.SIGFPE, "SIGFPE"),
    "read": (signal.SIGSEGV, "SIGSEGV at 0x10000000000"),
    "write-code": (signal.SIGSEGV, "SIGSEGV at 0x100000"),
    "exec-data": (signal.SIGSEGV, "SIGSEGV at 0x102"),
    "halt": (signal.SIGSEGV, "SIGSEGV"),
}


@pytest.mark.parametrize("how", SIGNALS)
def test_a_fault_of_spt_is_reported(monitor, spt, how):
    """It dies of what it did, as under Solo5's tender, after it was said."""
    number, what = SIGNALS[how]
    done = run([monitor, "--mem=4", spt("crash"), how])
    assert (done.code, done.out) == (-number, f"crash: {how}\n")
    assert done.err.startswith(f"vmm_monitor: guest fault: {what}") and done.err.count("\n") == 1
    assert ": rip=0x10" in done.err and " rsp=0x3f" in done.err


@pytest.mark.kvm
def test_the_address_of_a_bad_access_is_reported(monitor, hvt):
    assert run([monitor, hvt("crash"), "read"]).err.endswith(" cr2=0x10000000000\n")


OPTIONS = {
    "--mem=": "'--mem=': must be --mem=1 to 4096 MB",
    "--mem=0": "'--mem=0': must be --mem=1 to 4096 MB",
    "--mem=4097": "'--mem=4097': must be --mem=1 to 4096 MB",
    "--mem=-1": "'--mem=-1': must be --mem=1 to 4096 MB",
    "--mem=32M": "'--mem=32M': must be --mem=1 to 4096 MB",
    "--mem=18446744073709551618": "'--mem=18446744073709551618': must be --mem=1 to 4096 MB",
    "--image=3:0:1": "'--image=3:0:1': must be --image=@FD:OFFSET:LENGTH",
    "--image=@3:0": "'--image=@3:0': must be --image=@FD:OFFSET:LENGTH",
    "--image=@3:0:1:2": "'--image=@3:0:1:2': must be --image=@FD:OFFSET:LENGTH",
    "--image=@3:0:9223372036854775808": "'--image=@3:0:9223372036854775808': must be --image=@FD:OFFSET:LENGTH",
    "--image=@200:0:1": "image: Bad file descriptor",
    "--kvm=@bad": "'--kvm=@bad': must be --kvm=@FD",
    "--kvm=@4294967299": "'--kvm=@4294967299': must be --kvm=@FD",
    "--kvm=@200": "/dev/kvm does not answer as KVM: Bad file descriptor",
    "--kvm=@0": "/dev/kvm does not answer as KVM: Inappropriate ioctl for device",
    "--status=4": "'--status=4': must be --status=@FD",
    "--go=4": "'--go=4': must be --go=@FD",
    "--stats=4": "'--stats=4': must be --stats=@FD",
    "--stats=@200": "--stats: descriptor 200: is no file of 4096 bytes",
    "--x-exec-heaps": "unknown option '--x-exec-heaps' (--help shows them)",
    "--nx=1": "unknown option '--nx=1' (--help shows them)",
    "--helpless": "unknown option '--helpless' (--help shows them)",
    "-m": "unknown option '-m' (--help shows them)",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_refused(monitor, hvt, option):
    assert run([monitor, option, "--", hvt("idle")]) == Done(1, "", f"vmm_monitor: {OPTIONS[option]}\n")


def test_options_that_exclude_each_other(monitor, hvt, spt):
    assert run([monitor, "--nx", "--x-exec-heap", spt("idle")]) == Done(
        1, "", "vmm_monitor: '--nx' and '--x-exec-heap' exclude each other\n")
    assert run([monitor, "--x-exec-heap", hvt("idle")]) == Done(
        1, "", "vmm_monitor: '--x-exec-heap': is for spt images, this one is hvt\n")
    assert run([monitor, "--go=@0", "--x-exec-heap", spt("idle")]) == Done(
        1, "", "vmm_monitor: '--go' and '--x-exec-heap' exclude each other\n")


def test_no_image(monitor):
    assert run([monitor]) == Done(1, "", "vmm_monitor: no IMAGE to run (--help shows how)\n")
    assert run([monitor, "--mem=4", "--"]).code == 1


def test_help_and_version(monitor):
    assert run([monitor, "--help"]).out.startswith("usage: vmm_monitor [--mem=MB] [--x-exec-heap] [DEVICE]... [--] IMAGE [ARG]...\n")
    version = run([monitor, "--version"])
    assert version.code == 0 and version.out.endswith("Solo5 ABI: hvt version 2, spt version 2\n")


@pytest.mark.parametrize("mb", [2, 512, 4096])
def test_memory(monitor, guest, mb):
    done = run([monitor, f"--mem={mb}", guest("hello"), "--count=0"])
    assert (done.code, done.err) == (0, "")
    assert f"guest: Memory map: {mb} MB addressable:" in done.out


@pytest.mark.kvm
def test_memory_comes_in_large_pages_to_hvt_alone(monitor, hvt, spt):
    done = run([monitor, "--mem=33", hvt("hello"), "--count=0"])
    assert (done.code, done.err) == (0, "vmm_monitor: --mem: 33 MB rounded down to whole 2 MB pages\n")
    assert "guest: Memory map: 32 MB addressable:" in done.out
    done = run([monitor, "--mem=33", spt("hello"), "--count=0"])
    assert (done.code, done.err) == (0, "")
    assert "guest: Memory map: 33 MB addressable:" in done.out


def test_memory_is_512_mb_by_default(monitor, guest):
    assert "Memory map: 512 MB addressable" in run([monitor, guest("hello"), "--count=0"]).out


@pytest.mark.kvm
def test_an_image_needs_its_memory(monitor, hvt, image_file):
    """Its last segment, uninitialised data, ends at 1 MB + 8 KB + 40 MB."""
    image = image_file(images.with_field(hvt("hello").read_bytes(), images.DATA, 40, 40 << 20))
    done = run([monitor, "--mem=40", image])
    assert done == Done(1, "", f"vmm_monitor: {image}: needs at least 42 MB of memory, is given 40 MB\n")
    done = run([monitor, "--mem=42", image, "--count=0"])
    assert done.code == 0, done
    assert run([monitor, "--mem=1", hvt("idle")]).err.endswith(
        ": needs at least 2 MB of memory, is given 1 MB\n")


IMAGES = {
    "empty": (lambda image: b"", "is empty"),
    "not ELF": (lambda image: b"#!/bin/sh\n", "not an ELF file"),
    "header cut": (lambda image: image[:40], "truncated: the ELF header takes 64 bytes, the image has 40"),
    "truncated": (lambda image: image[:5000], "truncated: segment 1 has "),
    "other machine": (images.for_arm64, "made for aarch64, this machine is x86-64"),
    "no ABI note": (images.without_note, "no ABI1 note: not a Solo5 image"),
    "virtio": (lambda image: images.for_target(image, images.TARGET_VIRTIO),
               "made for target virtio (3), this version runs hvt and spt"),
    "unknown target": (lambda image: images.for_target(image, 77),
                       "made for target unknown (77), this version runs hvt and spt"),
    "64 devices": (lambda image: images.with_devices(image, *[(f"net{n}", 2) for n in range(64)]),
                   "manifest: has 65 entries, must have 1 to 64"),
}


@pytest.mark.parametrize("case", IMAGES)
def test_an_image_is_refused(monitor, hvt, image_file, case):
    make, why = IMAGES[case]
    path = image_file(make(hvt("hello").read_bytes()))
    done = run([monitor, path])
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"vmm_monitor: {path}: {why}") and done.err.count("\n") == 1, done.err


def test_no_such_image(monitor, tmp_path):
    path = tmp_path / "none.hvt"
    assert run([monitor, path]) == Done(1, "", f"vmm_monitor: {path}: No such file or directory\n")
    assert run([monitor, tmp_path]) == Done(1, "", f"vmm_monitor: {tmp_path}: not a regular file\n")


@pytest.mark.root("mounts")
@pytest.mark.parametrize("hide, why", [
    ("mount -t tmpfs none /dev", "hvt images cannot run here: /dev/kvm: No such file or directory; "
                                 "an spt build of the same unikernel would run"),
    ("mount --bind /dev/null /dev/kvm", "/dev/kvm does not answer as KVM: Inappropriate ioctl for device"),
])
def test_without_kvm(monitor, hvt, hide, why):
    done = run(["unshare", "--mount", "sh", "-c", f"{hide} && exec \"$@\"", "sh", monitor, hvt("idle")])
    assert done == Done(1, "", f"vmm_monitor: {why}\n")


@pytest.mark.root("mounts")
def test_spt_needs_no_kvm(monitor, spt):
    done = run(["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /dev && exec \"$@\"", "sh", monitor,
                spt("crash"), "exit=7"])
    assert done == Done(7, "crash: exit=7\n", "")


def test_command_line_limit(monitor, guest):
    """8192 bytes with the terminator, spaces between arguments included."""
    long = "x" * 8000
    fits = [long, "y" * (8191 - len(long) - 1 - len("--count=0") - 1), "--count=0"]
    assert len(" ".join(fits)) == 8191
    assert run([monitor, guest("chatty"), *fits]) == Done(0, "", "")
    fits[1] += "y"
    assert run([monitor, guest("chatty"), *fits]) == Done(
        1, "", "vmm_monitor: the arguments are longer than 8191 characters\n")


def test_the_host_does_not_execute_a_guest(guest):
    with pytest.raises(FileNotFoundError):
        run([guest("hello")])


# A running monitor


class Running(NamedTuple):
    process: subprocess.Popen
    console: int

    def end(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.console)


@pytest.fixture
def start():
    """Starts a monitor and waits for the first bytes of its guest."""
    running = []

    def run_in_background(arguments):
        reader, writer = os.pipe()
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
        os.close(writer)
        running.append(Running(process, reader))
        assert os.read(reader, 4)
        return running[-1]

    yield run_in_background
    for one in running:
        one.end()


def test_sandbox(monitor, guest, start):
    pid = start([monitor, guest("idle")]).process.pid
    status = proc.status(pid)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)


@pytest.mark.parametrize("name", ["idle", "chatty", "hello"])
def test_sigterm_ends_it(monitor, guest, start, name):
    """Asleep, waiting for room in its console (the pipe is never read), and in between."""
    for _ in range(5):
        process = start([monitor, guest(name)]).process
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM


def test_sigterm_ends_it_whatever_it_inherited(monitor, guest, start):
    """vmmd keeps its signals blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        process = start([monitor, guest("idle")]).process
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == -signal.SIGTERM


def test_stopped_and_continued(monitor, guest, start):
    process = start([monitor, guest("hello"), "--count=3"]).process
    process.send_signal(signal.SIGSTOP)
    until(lambda: proc.status(process.pid)["State"].startswith("T"), "it has stopped")
    process.send_signal(signal.SIGCONT)
    assert process.wait(PATIENCE) == 0


def test_a_closed_console_ends_it(monitor, guest):
    with subprocess.Popen([monitor, guest("chatty")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout.readline() == "line 1\n"
        process.stdout.close()
        assert process.wait(PATIENCE) == 1
        assert process.stderr.read() == "vmm_monitor: cannot write to the console: Broken pipe\n"


def test_mutated_images_end_in_words(monitor, guest, image_file):
    """Headers and notes changed at random: refused, or run, and never a signal."""
    pristine = guest("chatty").read_bytes()
    places = [*range(images.PROGRAM_HEADERS.stop), *range(0x2000, 0x20C0)]
    dice = random.Random(5)
    refused = 0
    for _ in range(150):
        image = bytearray(pristine)
        for _ in range(dice.randint(1, 3)):
            image[dice.choice(places)] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        with subprocess.Popen([monitor, "--mem=4", image_file(bytes(image)), "--count=1"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            try:
                said = process.communicate(timeout=2)[1]
            except subprocess.TimeoutExpired:  # a guest with its own mind
                process.kill()
                continue
            assert (process.returncode < 0) == (b"guest fault: SIG" in said), (process.returncode, said)
            assert said.count(b"\n") == (process.returncode != 0), said
            refused += process.returncode == 1
    assert refused > 50


# By descriptors, as vmmd does it


READY = {target: f"target {target}\nready\n" for target in ("hvt", "spt")}
KERNELS_OWN = ["[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]"]


def test_descriptors(monitor, guest, target):
    status, console, code = Spawned(monitor, guest("hello").read_bytes(), ["Hi", "--count=1"]).finish()
    assert (status, code) == (READY[target], 0)
    assert console.endswith("guest: argument 1: Hi\nguest: argument 2: --count=1\nhello\n")


@pytest.mark.root("another uid")
def test_nobody_in_an_empty_root(monitor, guest, target, tmp_path):
    """It opens nothing and needs nothing but what it was given. /dev/kvm's mode does not matter."""
    empty = tmp_path / "root"
    empty.mkdir()
    tmp_path.chmod(0o755)
    image = guest("crash").read_bytes()
    assert Spawned(monitor, image, ["exit=7"], root=empty).finish() == (READY[target], "crash: exit=7\n", 7)


@pytest.mark.kvm
def test_descriptors_that_stay(monitor, hvt):
    spawned = Spawned(monitor, hvt("idle").read_bytes())
    try:
        assert os.read(spawned.console, 5) == b"idle\n"
        kept = proc.descriptors(spawned.pid)
        assert [kept[0], kept[1]] == ["/dev/null", kept[2]]
        assert kept[1].startswith("pipe:")
        rest = [what for number, what in kept.items() if number > 2]
        assert rest == ["anon_inode:kvm-vcpu:0"]
    finally:
        os.kill(spawned.pid, signal.SIGTERM)
    assert spawned.finish() == (READY["hvt"], "", -signal.SIGTERM)


def test_what_runs_beside_an_spt_guest_stands_alone(build):
    """The compiler made no call to memcpy and its like there: they are gone by then."""
    archive = build / "src/monitor/libspt_launch.a"
    assert run(["nm", archive]).out.count(" T ") > 0
    assert " U " not in run(["nm", archive]).out


def test_what_stays_of_an_spt_guests_process(monitor, spt):
    """Its memory, what it waits with, the monitor's read-only part and one stack for signals. (What the
    kernel gives to every process it may have sealed.)"""
    spawned = Spawned(monitor, spt("idle").read_bytes())
    try:
        assert os.read(spawned.console, 5) == b"idle\n"
        rest = [what for number, what in proc.descriptors(spawned.pid).items() if number > 2]
        assert sorted(rest) == ["anon_inode:[eventpoll]", "anon_inode:[timerfd]"]
        maps = proc.maps(spawned.pid)
        assert max(at.end for at in maps if at.start < 1 << 32) == 32 << 20
        beyond = [at for at in maps if at.start >= 1 << 32 and at.name not in KERNELS_OWN]
        assert sorted({(at.access, os.path.basename(at.name)) for at in beyond}) == [
            ("r--p", "vmm_monitor"), ("r-xp", "vmm_monitor"), ("rw-p", "")]
        assert sum(at.end - at.start for at in beyond if at.access == "rw-p") < 128 << 10
        assert not [at for at in maps if "w" in at.access and "x" in at.access]
    finally:
        os.kill(spawned.pid, signal.SIGTERM)
    assert spawned.finish() == (READY["spt"], "", -signal.SIGTERM)


# With --go


@pytest.fixture
def waiting(monitor, guest):
    """A monitor that has said that it is ready and waits for its turn."""
    spawned = Spawned(monitor, guest("hello").read_bytes(), ["Hi", "--count=1"], go=True)
    until(lambda: (status := proc.status(spawned.pid))["State"].startswith("S")
          and status["Seccomp"] == "2", "it waits, confined")
    os.set_blocking(spawned.console, False)
    with pytest.raises(BlockingIOError):
        os.read(spawned.console, 1)
    os.set_blocking(spawned.console, True)
    return spawned


def test_a_byte_starts_the_guest(waiting, target):
    os.write(waiting.go, b"x")
    status, console, code = waiting.finish()
    assert (status, code) == (READY[target], 0)
    assert console.endswith("guest: argument 1: Hi\nguest: argument 2: --count=1\nhello\n")


def test_without_a_byte_it_ends_quietly(waiting, target):
    os.close(waiting.go)
    assert waiting.finish() == (READY[target], "", 1)


def test_it_can_be_ended_while_it_waits(waiting, target):
    os.kill(waiting.pid, signal.SIGTERM)
    assert waiting.finish() == (READY[target], "", -signal.SIGTERM)


HELD = {"hvt": ["anon_inode:kvm-vcpu:0"], "spt": ["anon_inode:[eventpoll]", "anon_inode:[timerfd]"]}


def test_descriptors_while_it_waits_and_after(monitor, guest, target):
    """Everything that it gives up is gone before its turn; then the pipe goes too."""
    spawned = Spawned(monitor, guest("idle").read_bytes(), go=True)

    def held():
        return sorted(what for number, what in proc.descriptors(spawned.pid).items() if number > 2)

    until(lambda: held()[:-1] == HELD[target], "it waits")
    assert held()[-1].startswith("pipe:")
    os.write(spawned.go, b"x")
    assert os.read(spawned.console, 5) == b"idle\n"
    assert held() == HELD[target]
    os.kill(spawned.pid, signal.SIGTERM)
    assert spawned.finish() == (READY[target], "", -signal.SIGTERM)


@pytest.mark.kvm
def test_rounding_is_said_in_its_turn(monitor, hvt):
    """Not on the console of the guest that still runs."""
    waits, go = os.pipe()
    with subprocess.Popen([monitor, "--mem=33", f"--go=@{waits}", hvt("crash"), "exit=0"],
                          pass_fds=[waits], stderr=subprocess.PIPE) as process:
        os.close(waits)
        until(lambda: proc.status(process.pid)["Seccomp"] == "2", "it waits")
        os.set_blocking(process.stderr.fileno(), False)
        assert process.stderr.read() is None
        os.set_blocking(process.stderr.fileno(), True)
        os.write(go, b"x")
        assert process.stderr.read() == b"vmm_monitor: --mem: 33 MB rounded down to whole 2 MB pages\n"


@pytest.mark.kvm
def test_a_fault_after_ready_is_on_the_console(monitor, hvt):
    status, console, code = Spawned(monitor, hvt("crash").read_bytes(), ["divide"]).finish()
    assert (status, code) == (READY["hvt"], 1)
    assert console.startswith("crash: divide\nvmm_monitor: guest fault: triple fault: rip=0x")


ERRORS = {
    "truncated": (lambda image: image[:5000], {}, "error image: truncated: segment 1 has "),
    "empty": (lambda image: b"", {}, "error image: is empty\n"),
    "virtio": (lambda image: images.for_target(image, images.TARGET_VIRTIO), {},
               "target virtio\nerror image: made for target virtio (3), this version runs hvt and spt\n"),
    "device": (lambda image: images.with_devices(image, ("service", 2)), {},
               "target hvt\nerror --net: 0 given, the image declares 1 (service)\n"),
    "past the end": (lambda image: image, {"offset": 1 << 40}, "error image: "),
    "too long": (lambda image: image, {"length": 1 << 40}, "error image: 1099511627776 bytes at 4099, "),
    "not KVM": (lambda image: image, {"kvm": "/dev/null"},
                "target hvt\nerror /dev/kvm does not answer as KVM: Inappropriate ioctl for device\n"),
    "arguments": (lambda image: image, {"arguments": ["x" * 8192]},
                  "target hvt\nerror the arguments are longer than 8191 characters\n"),
}


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.kvm] if case == "arguments" else []) for case in ERRORS])
def test_errors_go_to_the_status_channel(monitor, hvt, case):
    make, options, expected = ERRORS[case]
    status, console, code = Spawned(monitor, make(hvt("idle").read_bytes()), **options).finish()
    assert status.startswith(expected) and status.endswith("\n"), status
    assert len(status.splitlines()) == len(expected.splitlines())
    assert (console, code) == ("", 1)


def test_nobody_waits_for_ready(monitor, guest):
    """vmmd is gone, nobody would know of this guest: it does not start."""
    spawned = Spawned(monitor, guest("chatty").read_bytes(), ["--count=1"], deaf=True)
    assert spawned.drain(spawned.console) == ""
    assert os.waitstatus_to_exitcode(os.waitpid(spawned.pid, 0)[1]) == 1
