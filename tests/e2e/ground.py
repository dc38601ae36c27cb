"""Network tests' ground: bridges of the namespace that the tests run in, what goes over them, and echoes
that a guest answers."""

import contextlib
import functools
import json
import os
import select
import socket
import struct
import threading
import time

from family import PATIENCE, run, until

ETH_P_ALL, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, SOL_PACKET = 3, 1, 1, 263
ARP = 0x0806
ECHO = 7  # UDP port
AGAIN = 1.0  # seconds until a question without an answer is asked once more


def ip(*words):
    done = run(["ip", *words])
    assert done.code == 0, (words, done.err)
    return done.out


@functools.cache
def lacking():
    """What network devices take that this host does not have; None: nothing."""
    if not os.path.exists("/dev/net/tun"):
        return "/dev/net/tun"
    if run(["ip", "link", "add", "vmm-try", "type", "bridge"]).code != 0:
        return "a kernel with bridges"
    ip("link", "delete", "vmm-try")
    ingress = "add table netdev t; add chain netdev t c { type filter hook ingress device lo priority 0; };"
    return None if run(["nft", "--check", ingress]).code == 0 else "a kernel with nf_tables"


def links():
    """Name to what `ip link` knows of it."""
    return {link["ifname"]: link for link in json.loads(ip("-json", "-details", "link", "show"))}


def exists(name):
    return name in links()


def is_up(name):
    return "UP" in links()[name]["flags"]


def taps(bridge=None):
    """Names of taps, those in BRIDGE or all."""
    return sorted(name for name, link in links().items()
                  if link.get("linkinfo", {}).get("info_kind") == "tun"
                  and bridge in (None, link.get("master")))


def tables():
    """nftables' tables of the netdev family."""
    lines = run(["nft", "list", "tables", "netdev"]).out.splitlines()
    return sorted(line.split()[2] for line in lines)


def handles():
    """Their numbers: what is made anew has another one."""
    listed = json.loads(run(["nft", "--json", "list", "tables", "netdev"]).out)["nftables"]
    return {entry["table"]["name"]: entry["table"]["handle"] for entry in listed if "table" in entry}


def flush():
    """As /etc/nftables.conf begins."""
    assert run(["nft", "flush", "ruleset"]).code == 0


def rules(tap):
    return run(["nft", "list", "table", "netdev", tap]).out


def drops(tap):
    """Frames that the rules of TAP dropped."""
    counted = json.loads(run(["nft", "--json", "list", "table", "netdev", tap]).out)
    found = []

    def look(at):
        if isinstance(at, dict):
            if set(at.get("counter") or ()) >= {"packets"}:
                found.append(at["counter"]["packets"])
            at = list(at.values())
        if isinstance(at, list):
            for item in at:
                look(item)

    look(counted)
    return sum(found)


@contextlib.contextmanager
def bridge(name, address=None, mtu=None):
    """One that its operator made."""
    ip("link", "add", name, "type", "bridge")
    try:
        if mtu:
            ip("link", "set", name, "mtu", str(mtu))
        if address:
            ip("address", "add", address, "dev", name)
        ip("link", "set", name, "up")
        yield name
    finally:
        ip("link", "delete", name)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


class Capture:
    """Every frame that goes over a bridge, from when it is made on."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((name, ETH_P_ALL))
        request = struct.pack("iHH8s", socket.if_nametoindex(name), PACKET_MR_PROMISC, 0, b"")
        self.socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
        self.frames = []

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.socket.close()

    def seen(self):
        while select.select([self.socket], [], [], 0)[0]:
            self.frames.append(self.socket.recv(1 << 16))
        return self.frames

    def having(self, text):
        return [frame for frame in self.seen() if text in frame]

    def sent_by(self, address):
        return [frame for frame in self.seen() if frame[6:12] == mac(address)]

    def send(self, frame):
        self.socket.send(frame)


def ask_who_has(address, source, target):
    """ARP, from SOURCE with ADDRESS."""
    return (b"\xff" * 6 + source + struct.pack("!HHHBBH", ARP, 1, 0x0800, 6, 4, 1) + source
            + socket.inet_aton(address) + bytes(6) + socket.inet_aton(target))


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Echo:
    """Questions to one address, and whether they are answered as they should be."""

    def __init__(self, address):
        self.address = address
        self.number = 0
        self.ping_socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp_socket.connect((address, ECHO))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.ping_socket.close()
        self.udp_socket.close()

    def payload(self, size):
        self.number += 1
        return (struct.pack("!I", self.number) * (size // 4 + 1))[:size]

    @staticmethod
    def asked(ask, sock, right, again=AGAIN):
        """Whether an answer comes, asking again after so many seconds each."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                ask()
                while select.select([sock], [], [], again)[0]:
                    if right(sock.recv(1 << 16)):
                        return True
            except OSError:  # nobody knows its MAC, nobody listens
                time.sleep(0.01)
        return False

    def ping(self, size=56, again=AGAIN):
        head, body = struct.pack("!HH", 0x7E57, self.number & 0xFFFF), self.payload(size)
        sum_ = checksum(struct.pack("!BBH", 8, 0, 0) + head + body)
        request = struct.pack("!BBH", 8, 0, sum_) + head + body

        def right(packet):
            return (packet[12:16] == socket.inet_aton(self.address) and packet[20:22] == b"\0\0"
                    and packet[24:] == head + body)

        return self.asked(lambda: self.ping_socket.sendto(request, (self.address, 0)),
                          self.ping_socket, right, again)

    def udp(self, size=56):
        body = self.payload(size)
        return self.asked(lambda: self.udp_socket.send(body), self.udp_socket,
                          lambda answer: answer == body)

    def every_size(self, mtu, step=1):
        """Sizes up to the MTU that were not answered, which should be none."""
        sizes = sorted({*range(0, mtu - 28, step), mtu - 29, mtu - 28})
        return [size for size in sizes if not (self.ping(size) and self.udp(size))]


class Asking(threading.Thread):
    """Pings one address on and on, from its first answer; each is sent once, LOST are those without an answer."""

    def __init__(self, address):
        super().__init__()
        self.address, self.ended = address, threading.Event()
        self.answered, self.lost = 0, 0

    def run(self):
        with Echo(self.address) as echo:
            echo.ping()
            while not self.ended.is_set():
                if echo.ping(again=PATIENCE):
                    self.answered += 1
                else:
                    self.lost += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *what):
        self.ended.set()
        self.join()


def says(family, path, text):
    """Waits until a VM's console has a line with TEXT, which is returned."""

    def found():
        lines = [entry.get("line", "") for entry in family.console(path)]
        return next((line for line in lines if text in line), None)

    return until(found, f"{path} says {text}")
