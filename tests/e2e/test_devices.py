"""Guests of our own with network devices, under vmm_monitor by hand and, where SOLO5 names a built Solo5
tree, under its tenders: on both the same."""

import random
import re
import socket
import struct

import pytest

from devices import (ECHO_PORT, MAC, Running, Tap, arp_request, checksum, echo_request, ethernet, ipv4,
                     udp, udp_port)
from family import run, until

pytestmark = pytest.mark.network("taps")
HOST_MAC = "02:00:00:00:00:01"
ALL = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def guest(build, target):
    return lambda name: build / "guest" / f"{name}.{target}"


@pytest.fixture
def new_tap():
    made = []

    def make(**options):
        made.append(Tap(**options))
        return made[-1]

    yield make
    for tap in made:
        tap.close()


@pytest.fixture
def tap(new_tap):
    return new_tap()


@pytest.fixture
def start(tender, guest, tmp_path):
    """Runs a guest on taps: {device: tap}; the first has the MAC that is known."""
    started = []

    def make(name, devices, *arguments):
        first = next(iter(devices))
        nets = [f"--net:{device}={tap.name}" for device, tap in devices.items()]
        started.append(Running(tmp_path, [tender, "--mem=4", *nets, f"--net-mac:{first}={MAC}", "--",
                                          guest(name), *arguments]))
        return started[-1]

    yield make
    for running in started:
        running.close()


@pytest.fixture
def net(start, tap):
    """The guest that answers, ready."""
    running = start("net", {"service": tap}, f"--ipv4={tap.guest}/24")
    running.printed("net service ")
    until(tap.carries, "frames get to the guest")
    return running


def stranger(tap):
    """An address on the tap's network that the host's kernel knows nothing of."""
    return tap.host[:-2] + ".77"


def to_guest(tap, protocol, content, mac=MAC, **fields):
    return ethernet(mac, HOST_MAC, 0x0800, ipv4(stranger(tap), tap.guest, protocol, content, **fields))


def from_guest(wire):
    while True:
        frame, where = wire.recvfrom(65536)
        if where[2] != socket.PACKET_OUTGOING:
            return frame


def next_reply(wire):
    """What the guest sends to the stranger next, without its Ethernet header."""
    while True:
        frame = from_guest(wire)
        if frame[:12] == ethernet(HOST_MAC, MAC, 0, b"")[:12]:
            return frame[14:]


@pytest.mark.parametrize("mtu", [576, 1400, 1500, 9000])
def test_a_guest_knows_its_device(start, new_tap, mtu):
    tap = new_tap(mtu=mtu)
    running = start("net", {"service": tap}, f"--ipv4={tap.guest}/24")
    assert running.printed("net ") == [f"net service {MAC} {tap.guest} {mtu}"]


def test_a_mac_is_made_up(tender, guest, tap, tmp_path):
    running = Running(tmp_path, [tender, "--mem=4", f"--net:service={tap.name}", "--", guest("net"),
                                 f"--ipv4={tap.guest}/24"])
    try:
        mac = running.printed("net service ")[0].split()[2]
    finally:
        running.close()
    assert int(mac[:2], 16) & 3 == 2, "locally administered and of one host"


def test_ping(net, tap):
    done = run(["ping", "-q", "-c", "3", "-i", "0.2", tap.guest])
    assert done.code == 0 and "3 received" in done.out, done.out
    assert run(["ping", "-q", "-c", "1", "-M", "do", "-s", "1472", tap.guest]).code == 0


def test_udp_echo_of_every_size(net, tap):
    draw = random.Random(7)
    with udp_port(tap.guest) as port:
        for size in range(1500 - 28 + 1):
            content = draw.randbytes(size)
            port.send(content)
            assert port.recv(65536) == content


def test_ping_of_every_size_is_answered_with_right_sums(net, tap):
    """Raw, from a host that is not the kernel's, on the wire."""
    draw = random.Random(8)
    with tap.wire() as wire:
        for size in range(1500 - 28 + 1):
            content = draw.randbytes(size)
            wire.send(to_guest(tap, 1, echo_request(size, content)))
            reply = next_reply(wire)
            header, inside = reply[:20], reply[20:]
            assert checksum(header) == 0 and checksum(inside) == 0
            assert len(reply) == 28 + size == struct.unpack_from(">H", header, 2)[0]
            assert inside[:2] == b"\0\0" and inside[4:] == struct.pack(">HH", 0x7777, size) + content


def test_udp_echo_up_to_a_large_mtu(start, new_tap):
    tap = new_tap(mtu=9000)
    start("net", {"service": tap}, f"--ipv4={tap.guest}/24").printed("net ")
    with udp_port(tap.guest) as port:
        for size in (1472, 1473, 4096, 8971, 8972):
            port.send(bytes(size))
            assert port.recv(65536) == bytes(size)


def refused(tap):
    """What a guest must not answer, by what is wrong with it."""
    source = stranger(tap)
    ping = echo_request(1, b"wrong")
    broken = bytearray(ping)
    broken[2] ^= 1
    header = bytearray(to_guest(tap, 1, ping))
    header[14 + 10] ^= 1
    return {
        "fragment, more follow": to_guest(tap, 1, ping, fragment=0x2000),
        "fragment, a later one": to_guest(tap, 1, ping, fragment=0x0001),
        "IP options": to_guest(tap, 1, ping, options=b"\1\1\1\1"),
        "another MAC": to_guest(tap, 1, ping, mac="02:00:00:00:00:08"),
        "broadcast": to_guest(tap, 1, ping, mac=ALL),
        "another address": ethernet(MAC, HOST_MAC, 0x0800, ipv4(source, tap.host, 1, ping)),
        "from a multicast address": ethernet(MAC, HOST_MAC, 0x0800, ipv4("224.0.0.1", tap.guest, 1, ping)),
        "from itself": ethernet(MAC, HOST_MAC, 0x0800, ipv4(tap.guest, tap.guest, 1, ping)),
        "wrong sum in ICMP": to_guest(tap, 1, bytes(broken)),
        "wrong sum in IP": bytes(header),
        "wrong sum in UDP": to_guest(tap, 17, udp(source, tap.guest, 9, ECHO_PORT, b"wrong", right=False)),
        "another port": to_guest(tap, 17, udp(source, tap.guest, 9, 8, b"wrong")),
        "from another echo": to_guest(tap, 17, udp(source, tap.guest, ECHO_PORT, ECHO_PORT, b"wrong")),
        "another ICMP": to_guest(tap, 1, struct.pack(">BBHHH", 13, 0, 0xf2ff, 0, 0)),
        "TCP": to_guest(tap, 6, bytes(20)),
        "ARP for another": ethernet(ALL, HOST_MAC, 0x0806, arp_request(HOST_MAC, source, tap.host)),
        "too long for its frame": to_guest(tap, 1, ping)[:-4],
    }


def test_what_is_not_answered(net, tap):
    """In order: nothing comes before the answer to the one right question behind them."""
    with tap.wire() as wire:
        for frame in refused(tap).values():
            wire.send(frame)
        wire.send(to_guest(tap, 1, echo_request(2, b"right")))
        assert next_reply(wire)[24:] == struct.pack(">HH", 0x7777, 2) + b"right"


def test_malformed_frames_are_ignored(net, tap):
    """Every frame of these, cut off everywhere, and with bytes of its headers changed."""
    source, draw = stranger(tap), random.Random(9)
    right = [to_guest(tap, 1, echo_request(3, b"ping")),
             to_guest(tap, 17, udp(source, tap.guest, 9, ECHO_PORT, b"echo")),
             ethernet(ALL, HOST_MAC, 0x0806, arp_request(HOST_MAC, source, tap.guest))]
    with tap.wire() as wire:
        for frame in right:
            for length in range(14, len(frame)):
                wire.send(frame[:length])
            for _ in range(100):
                changed = bytearray(frame)
                changed[draw.randrange(12, len(frame))] = draw.choice([0, 1, 0x7f, 0x80, 0xff])
                wire.send(changed)
        wire.send(to_guest(tap, 1, echo_request(4, b"the last")))
        while next_reply(wire)[24:] != struct.pack(">HH", 0x7777, 4) + b"the last":
            pass
    assert net.process.poll() is None


def test_two_interfaces_are_both_served(start, new_tap):
    one, other = new_tap(), new_tap(mtu=1400)
    running = start("net2", {"service0": one, "service1": other}, f"--ipv4={one.guest}/24",
                    f"--ipv4:service1={other.guest}/24")
    first, second = running.printed("net service0 ", "net service1 ")
    assert first == f"net service0 {MAC} {one.guest} 1500"
    assert re.fullmatch(rf"net service1 ([0-9a-f]{{2}}:){{5}}[0-9a-f]{{2}} {other.guest} 1400", second)
    with udp_port(one.guest) as to_one, udp_port(other.guest) as to_other:
        for number in range(100):
            to_one.send(b"one %d" % number)
            to_other.send(b"other %d" % number)
            if number % 2:  # a silent one beside a busy one
                to_one.send(b"more")
            assert to_other.recv(99) == b"other %d" % number
            assert to_one.recv(99) == b"one %d" % number
            assert number % 2 == 0 or to_one.recv(99) == b"more"


def test_an_interface_answers_for_its_own_address_alone(start, new_tap):
    one, other = new_tap(), new_tap()
    start("net2", {"service0": one, "service1": other}, f"--ipv4:service0={one.guest}/24",
          f"--ipv4:service1={other.guest}/24").printed("net service0 ", "net service1 ")
    until(one.carries, "frames get to the guest")
    source = stranger(one)
    with one.wire() as wire:
        for target in (other.guest, one.guest):
            wire.send(ethernet(ALL, HOST_MAC, 0x0806, arp_request(HOST_MAC, source, target)))
        answer = next_reply(wire)
    assert answer[14:18] == socket.inet_aton(one.guest)


def test_an_interface_without_an_address_says_so(tender, guest, new_tap, tmp_path):
    """With a disk between the two that nobody uses."""
    one, other = new_tap(), new_tap()
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(512))
    running = Running(tmp_path, [tender, "--mem=4", f"--net:service0={one.name}", f"--block:storage={disk}",
                                 f"--net:service1={other.name}", f"--net-mac:service0={MAC}", "--",
                                 guest("net2block"), f"--ipv4:service1={other.guest}/24"])
    try:
        assert running.printed("net service0", "net service1")[0] == f"net service0 {MAC} - 1500"
        with udp_port(other.guest) as port:
            port.send(b"x")
            assert port.recv(9) == b"x"
    finally:
        running.close()


def test_it_ends_after_its_count(start, tap):
    running = start("net", {"service": tap}, f"--ipv4={tap.guest}/24", "--count=3")
    running.printed("net ")
    with udp_port(tap.guest) as port:
        for _ in range(3):
            port.send(b"x")
            assert port.recv(9) == b"x"
    assert running.process.wait(60) == 0


@pytest.mark.parametrize("argument", ["--ipv4=10.0.0.2", "--ipv4=10.0.0.256/24", "--ipv4=10.0.0.2/33",
                                      "--ipv4:nobody=10.0.0.2/24", "--ipv4:=10.0.0.2/24", "--router=10.0.0",
                                      "--ipv4=10.0.0.2/24x", "what"])
def test_a_wrong_argument_of_net(tender, guest, tap, argument):
    done = run([tender, "--mem=4", f"--net:service={tap.name}", "--", guest("net"), argument])
    assert done.code == 1 and done.out.endswith(f"net: what is {argument}?\n")


def test_it_greets_its_router(start, tap):
    with tap.wire() as wire:
        start("net", {"service": tap}, f"--ipv4={tap.guest}/24", f"--router={tap.host}")
        frame = from_guest(wire)
    wanted = ethernet(ALL, MAC, 0x0806, arp_request(MAC, tap.guest, tap.host))
    assert frame == wanted[:32] + bytes.fromhex("ffffffffffff") + wanted[38:]


def marks(frame):
    return [mark.decode() for mark in re.findall(rb"(?:SPOOF|LEGIT)-\d\d\.", frame)]


def test_spoof_sends_what_it_says(start, tap):
    """Where nothing filters, each frame arrives once: so that its absence means something."""
    seen = []
    with tap.wire() as wire:
        running = start("spoof", {"service": tap}, f"--ipv4={tap.guest}/24", f"--other={tap.host}")
        running.printed("done")
        while not seen or seen[-1] != "LEGIT-03.":
            seen += marks(wire.recv(65536))
    said = [line for line in running.lines() if marks(line.encode())]
    assert seen == [line.split()[0] for line in said]
    assert len(seen) == 22 and not [line for line in said if line.endswith("not sent")]


@pytest.mark.parametrize("arguments", [[], ["--ipv4=10.0.0.2/24"], ["--other=10.0.0.3", "--ipv4=x"]],
                         ids=" ".join)
def test_spoof_wants_its_addresses(tender, guest, tap, arguments):
    done = run([tender, "--mem=4", f"--net:service={tap.name}", "--", guest("spoof"), *arguments])
    assert done.code == 1 and done.out.endswith("spoof: wants --ipv4=ADDRESS/BITS --other=ADDRESS\n")
