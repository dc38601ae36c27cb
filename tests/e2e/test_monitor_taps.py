"""vmm_monitor's network devices, on taps in the network namespace of the test run: which are refused, that
each guest is on its own wires, and what an spt guest may do with one."""

import os
import signal
import socket
import subprocess
import threading

import pytest

import taps
from family import PATIENCE, Done, run, until

NET, BLOCK = 2, 1
MAC = "02:00:00:00:00:0a"
takes_taps = pytest.mark.network("taps")


@pytest.fixture
def tap():
    """Makes taps that are up: NAME, MTU, the host's address."""
    made = []

    def make(name, mtu=1500, address=None):
        taps.ip("tuntap", "add", "dev", name, "mode", "tap")
        made.append(name)
        if address:
            taps.ip("address", "add", address, "dev", name)
        taps.ip("link", "set", "dev", name, "mtu", str(mtu), "up")
        return name

    yield make
    for name in made:
        taps.ip("link", "delete", "dev", name)


def other_interface(kind):
    def make(name):
        taps.ip("link", "add", "dev", name, "type", kind)
        taps.ip("link", "set", "dev", name, "up")
    return make


def tun(name):
    taps.ip("tuntap", "add", "dev", name, "mode", "tun")
    taps.ip("link", "set", "dev", name, "up")


BAD_TAPS = {
    "down": (lambda name: taps.ip("tuntap", "add", "dev", name, "mode", "tap"),
             "is down, 'ip link set wrong up' would help"),
    "bridge": (other_interface("bridge"), "is no tap"),
    "tun": (tun, "is no tap"),
}


@takes_taps
@pytest.mark.parametrize("case", BAD_TAPS)
def test_an_interface_that_is_no_tap(monitor, guest, target, case):
    make, why = BAD_TAPS[case]
    make("wrong")
    try:
        done = run([monitor, "--net=wrong", "--", guest("net")])
        assert done == Done(1, "", f"vmm_monitor: --net: wrong: {why}\n")
    finally:
        taps.ip("link", "delete", "dev", "wrong")


def test_no_such_interface(monitor, guest, target):
    for name in ("none", "a-name-longer-than-any", "x%d"):
        assert run([monitor, f"--net={name}", "--", guest("net")]) == Done(
            1, "", f"vmm_monitor: --net: {name}: no such interface\n")


@takes_taps
def test_a_tap_that_somebody_has(monitor, guest, target, tap):
    name = tap("taken")
    held = taps.open_tap(name)
    assert run([monitor, f"--net={name}", "--", guest("net")]).err == \
        "vmm_monitor: --net: taken: somebody else has it open\n"
    os.close(held)


@takes_taps
def test_a_tap_that_is_not_ones_own(monitor, guest, target, tap):
    name = tap("roots")
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    image = guest("net")
    with open(monitor, "rb") as program, open(image, "rb") as opened:  # which nobody may not reach
        command = [f"/proc/self/fd/{program.fileno()}", f"--net={name}",
                   f"--image=@{opened.fileno()}:0:{image.stat().st_size}"]
        done = run(command, pass_fds=[program.fileno(), opened.fileno()], **nobody)
    assert done.code == 1 and done.err in {
        f"vmm_monitor: --net: {name}: {why}\n"
        for why in ("Operation not permitted", "/dev/net/tun: Permission denied")}, done


@takes_taps
@pytest.mark.parametrize("flags", [taps.TUN | taps.NO_PI, taps.TAP | taps.NO_PI | taps.VNET_HDR],
                         ids=["tun", "with offloads"])
def test_a_descriptor_that_is_no_tap(monitor, guest, target, flags):
    held = taps.open_tap("wrong", flags)
    done = run([monitor, f"--net=@{held}", "--", guest("net")], pass_fds=[held])
    os.close(held)
    assert done == Done(1, "", f"vmm_monitor: --net: @{held}: is no tap\n")


def test_a_descriptor_that_is_no_interface_at_all(monitor, guest, target):
    with open("/dev/null", "r+b") as file:
        done = run([monitor, f"--net=@{file.fileno()}", "--", guest("net")], pass_fds=[file.fileno()])
        assert done.err == f"vmm_monitor: --net: @{file.fileno()}: is no tap\n"
    assert run([monitor, "--net=@200", "--", guest("net")]).err == \
        "vmm_monitor: --net: @200: Bad file descriptor\n"


@pytest.fixture
def background():
    """A program whose output is read line by line; ended after the test."""
    running = []

    def start(command, **options):
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", **options)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def interfaces(process, count):
    """The lines "net DEVICE MAC ADDRESS MTU" of a guest that has started."""
    found = []
    for line in process.stdout:
        if line.startswith("net "):
            found.append(line.split()[1:])
        if len(found) == count:
            return found
    raise AssertionError("the guest has ended")


SIZES = [0, 1, 17, 18, 19, 63, 512, 1471, 1472]


@takes_taps
def test_a_tap_by_name(monitor, guest, target, tap, background):
    name = tap("tap0", address="10.9.0.1/24")
    process = background([monitor, "--mem=4", f"--net:service={name}", f"--net-mac:service={MAC}", "--",
                          guest("net"), "--ipv4=10.9.0.2/24"])
    (line,) = interfaces(process, 1)
    assert line == ["service", MAC, "10.9.0.2", "1500"]
    taps.echo("10.9.0.2", SIZES)
    assert MAC in taps.ip("neighbour", "show", "dev", name)


@takes_taps
def test_a_mac_of_its_own(monitor, guest, target, tap, background):
    """Random, locally administered, of one host."""
    macs = set()
    for number in range(8):
        process = background([monitor, "--mem=4", f"--net={tap(f'tap{number}')}", "--", guest("net")])
        (line,) = interfaces(process, 1)
        assert int(line[1][:2], 16) & 3 == 2
        macs.add(line[1])
    assert len(macs) == 8


@takes_taps
def test_a_tap_by_descriptor(monitor, guest, target, background):
    """It is down when it is given, as one of vmmd's, and gone with the monitor."""
    held = taps.open_tap("tap0")
    taps.ip("address", "add", "10.9.0.1/24", "dev", "tap0")
    process = background([monitor, "--mem=4", f"--net=@{held}", "--", guest("net"), "--ipv4=10.9.0.2/24"],
                         pass_fds=[held])
    os.close(held)
    interfaces(process, 1)
    taps.ip("link", "set", "tap0", "up")
    taps.echo("10.9.0.2", SIZES)
    process.kill()
    process.wait()
    until(lambda: "tap0" not in taps.ip("link"), "the tap has gone")


@takes_taps
def test_several_interfaces(monitor, guest, target, tap, background):
    """Each device is on its own wire, whatever order it was given in; both at once."""
    one, other = tap("tap0", address="10.9.0.1/24"), tap("tap1", mtu=1400, address="10.9.1.1/24")
    process = background([monitor, "--mem=4", f"--net:service1={other}", f"--net={one}",
                          f"--net-mac:service1={MAC}", "--", guest("net2block"),
                          "--ipv4:service0=10.9.0.2/24", "--ipv4:service1=10.9.1.2/24"])
    assert process.wait() == 1, "its disk is missing"
    process = background([monitor, "--mem=4", f"--net:service1={other}", f"--net={one}",
                          f"--net-mac:service1={MAC}", "--", guest("net2"),
                          "--ipv4:service0=10.9.0.2/24", "--ipv4:service1=10.9.1.2/24"])
    first, second = interfaces(process, 2)
    assert (first[0], first[2:]) == ("service0", ["10.9.0.2", "1500"])
    assert second == ["service1", MAC, "10.9.1.2", "1400"]
    askers = [threading.Thread(target=taps.echo, args=(address, [0, 100, 1300] * 20))
              for address in ("10.9.0.2", "10.9.1.2")]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    taps.echo("10.9.0.2", [1])
    taps.echo("10.9.1.2", [1])


@takes_taps
def test_a_tap_that_is_down_for_a_while(monitor, guest, target, tap, background):
    """It is not lost: neither read from nor written to in the meantime, then as before."""
    name = tap("tap0", address="10.9.0.1/24")
    process = background([monitor, "--mem=4", f"--net={name}", "--", guest("net"), "--ipv4=10.9.0.2/24"])
    taps.echo("10.9.0.2", [1])
    for _ in range(3):
        taps.ip("link", "set", name, "down")
        taps.ip("link", "set", name, "up")
        taps.echo("10.9.0.2", [1])
    assert process.poll() is None


@takes_taps
def test_a_tap_that_goes(monitor, guest, target, held, background):
    """Somebody removes it under a guest that serves: errors for the guest, which goes on beside it."""
    for number in (0, 1):
        taps.ip("link", "set", f"tap{number}", "up")
    process = background([monitor, "--mem=4", f"--net=@{held[0]}", f"--net=@{held[1]}", "--", guest("net2"),
                          "--ipv4:service0=10.9.0.2/24", "--ipv4:service1=10.9.1.2/24"], pass_fds=held)
    taps.echo("10.9.1.2", [1])
    taps.echo("10.9.0.2", [1])
    taps.ip("link", "delete", "tap0")
    taps.echo("10.9.1.2", SIZES)
    assert process.poll() is None
    taps.ip("link", "delete", "tap1")
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and output.endswith("net service0 lost\nnet service1 lost\n")


def raw(name):
    """Reads every frame that comes out of interface NAME."""
    listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    listening.bind((name, 0))
    listening.settimeout(0.2)
    return listening


SYSCALLS = {  # number, arguments behind the descriptor; whether the guest lives, how long a frame is sent
    "read": (0, ["text", 64], True, 0),
    "write": (1, ["text", 60], True, 60),
    "longest frame": (1, [0x100000, 1514], True, 1514),
    "too long a frame": (1, [0x100000, 1515], True, 0),
    "far too long": (1, [0x100000, 1 << 32], True, 0),
    "pread": (17, ["text", 512, 0], False, 0),
    "pwrite": (18, ["text", 512, 0], False, 0),
    "ioctl": (16, [taps.TUNSETIFF, "text"], False, 0),
    "close": (3, [], False, 0),
    "fcntl": (72, [3], False, 0),
    "readv": (19, ["text", 1], False, 0),
    "writev": (20, ["text", 1], False, 0),
    "dup": (32, [], False, 0),
}


@takes_taps
@pytest.mark.parametrize("target", ["spt"], indirect=True)
@pytest.mark.parametrize("case", SYSCALLS)
def test_what_an_spt_guest_may_do_with_a_tap(monitor, with_devices, tap, target, case):
    number, arguments, lives, sent = SYSCALLS[case]
    name = tap("tap0")
    held = taps.open_tap(name)
    image = with_devices("syscall", ("service", NET))
    with raw(name) as wire:
        done = run([monitor, "--mem=4", f"--net=@{held}", "--", image, number, held, *arguments],
                   pass_fds=[held])
        frames = []
        try:
            while True:
                frame, address = wire.recvfrom(65536)
                if address[2] != socket.PACKET_OUTGOING:
                    frames.append(frame)
        except TimeoutError:
            pass
    os.close(held)
    assert ("syscall: survived\n" in done.out) == lives, done
    assert done.code == (0 if lives else -signal.SIGSYS)
    assert [len(frame) for frame in frames] == ([sent] if sent else [])


@pytest.mark.parametrize("target", ["spt"], indirect=True)
@pytest.mark.parametrize("number", [0, 1, 16, 17, 18])
def test_an_spt_guest_has_its_own_descriptors_only(monitor, with_devices, target, tmp_path, number):
    """Its disk's is one, that of the disk beside it is none of its."""
    image = with_devices("syscall", ("storage", BLOCK))
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(4096))
    with open(disk, "r+b") as own, open(disk, "r+b") as other:
        for descriptor, lives in ((own.fileno(), number in (17, 18)), (other.fileno(), False)):
            done = run([monitor, "--mem=4", f"--block=@{own.fileno()}", "--", image, number, descriptor, 0x100000,
                        512, 0], pass_fds=[own.fileno(), other.fileno()])
            assert ("survived" in done.out) == lives, done
            assert done.code == (0 if lives else -signal.SIGSYS)
