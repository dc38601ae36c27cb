"""Bridges, taps and rules of src/os, driven in a network namespace of their own; and frames to put into a tap."""

import socket
import struct
import subprocess
from typing import NamedTuple

from family import run, until

READY = "echo ready; exec cat"  # until its standard input ends


class Interface(NamedTuple):
    index: int
    kind: str
    mtu: int
    up: bool
    master: int


class Namespace:
    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", "sh", "-c", READY], encoding="utf-8",
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n"
        self.enter = ["nsenter", f"--net=/proc/{self.process.pid}/ns/net"]

    def run(self, *words):
        done = run([*self.enter, *words])
        assert done.code == 0, done.err
        return done.out

    def end(self):
        self.process.communicate()


class Net:
    """tests/pair/net_driver in NAMESPACE: its commands; an error is a negative number."""

    def __init__(self, namespace, build, wrapper=()):
        self.process = subprocess.Popen(
            [*namespace.enter, *wrapper, build / "tests/pair/net_driver"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def number(self, *words):
        return int(self.ask(*words)[0])

    def _interface(self, *words):
        """Or the error."""
        error, *rest = self.ask(*words)
        if error != "0":
            return int(error)
        return Interface(int(rest[0]), rest[1], int(rest[2]), rest[3] == "1", int(rest[4]))

    def find(self, name):
        return self._interface("find", name)

    def bridge(self, name, shut=True):
        return self._interface("bridge", name, int(shut))

    def unbridge(self, name, index):
        return self.number("unbridge", name, index)

    def tap(self, name, bridge):
        """The descriptor's number in the driver, or the error."""
        error, descriptor = self.ask("tap", name, bridge.index, bridge.mtu)
        return int(descriptor) if error == "0" else int(error)

    def up(self, name):
        return self.number("up", name)

    def untap(self, name):
        return self.number("untap", name)

    def close(self, tap):
        return self.number("close", tap)

    def send(self, tap, frame):
        return self.number("send", tap, frame.hex())

    def receive(self, tap):
        """A frame, or None."""
        words = self.ask("receive", tap)
        return bytes.fromhex(words[0]) if words else None

    def rules(self, name, guest, *addresses, dropped=()):
        return self.number("rules", name, guest.hex(), *(address.hex() for address in addresses), *dropped)

    def unrule(self, name):
        return self.number("unrule", name)

    def drops(self, name):
        """Frames; None: there are no rules."""
        *taps, error = self.ask("drops")
        assert error == "0"
        frames = dict(tap.split("=") for tap in taps)
        assert self.number("there", name) == (name in frames)
        return int(frames[name]) if name in frames else None

    def possible(self):
        return self.number("possible")

    def watch(self):
        return self.number("watch")

    def removed(self, watch):
        """Names of tables; "-" where some were missed."""
        return self.ask("removed", watch)

    def heard(self, tap, last):
        """What TAP is sent up to the frame LAST."""
        frames = []
        while not frames or frames[-1] != last:
            frames.append(until(lambda: self.receive(tap), "a frame that must pass"))
        return frames[:-1]

    def end(self):
        self.process.communicate()


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip4(text):
    return socket.inet_aton(text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


BROADCAST = b"\xff" * 6
IPV4, ARP, IPV6, VLAN, QINQ = 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8
ICMP, IGMP, TCP, UDP, ICMPV6, HOP_BY_HOP, FRAGMENT, NONE = 1, 2, 6, 17, 58, 0, 44, 59


def ethernet(source, kind, payload, to=BROADCAST):
    return to + source + struct.pack("!H", kind) + payload


def tag(frame, vlan, kind=VLAN):
    """FRAME behind a VLAN tag."""
    return frame[:12] + struct.pack("!HH", kind, vlan) + frame[12:]


def arp(sender, address, hardware=1, protocol=IPV4, sizes=(6, 4), operation=1, wanted="10.0.0.1"):
    return struct.pack("!HHBBH", hardware, protocol, *sizes, operation) + \
        sender + address + bytes(6) + ip4(wanted)


def packet4(source, protocol, payload, to="10.0.0.1", options=b"", fragment=0, **wrong):
    """WRONG: version, words or total are not what they should be."""
    words = 5 + len(options) // 4
    total = wrong.get("total", 4 * words + len(payload))
    first = wrong.get("version", 4) << 4 | wrong.get("words", words)
    return struct.pack("!BBHHHBBH", first, 0, total, 1, fragment, 64, protocol, 0) + \
        source + ip4(to) + options + payload


def packet6(source, following, payload, to="ff02::1", **wrong):
    """WRONG: version or length are not what they should be."""
    length = wrong.get("length", len(payload))
    return struct.pack("!IHBB", wrong.get("version", 6) << 28, length, following, 255) + \
        ip6(source) + ip6(to) + payload


def udp(source, to=9, payload=b"12345678"):
    return struct.pack("!HHHH", source, to, 8 + len(payload), 0) + payload


def tcp(source=1024, to=80):
    return struct.pack("!HHIIBBHHH", source, to, 0, 0, 5 << 4, 2, 512, 0, 0)


def icmp(kind, code=0):
    return struct.pack("!BBHHH", kind, code, 0, 1, 1) + b"12345678"


def neighbour(kind, target):
    """Solicitation (135), advertisement (136)."""
    return struct.pack("!BBHI", kind, 0, 0, 0) + ip6(target)


def extension(following, words=0):
    """Hop by hop, routing, destination options: padding alone."""
    return struct.pack("!BB", following, words) + b"\x01\x04" + bytes(4 + 8 * words)
