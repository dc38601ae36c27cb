"""Guests with devices by hand: taps, disks, tenders, and what is said to a guest over the wire."""

import itertools
import socket
import struct
import subprocess

from family import PATIENCE, run, until

ETH_ALL = 3
ECHO_PORT = 7
MAC = "02:00:00:00:00:07"


class Tap:
    """A tap of the host's with an address of its own network; the guest's is .2 there."""

    numbers = itertools.count(1)

    def __init__(self, mtu=1500):
        number = next(Tap.numbers)
        self.name = f"guest{number}"
        self.host, self.guest = f"10.99.{number}.1", f"10.99.{number}.2"
        for words in (f"tuntap add {self.name} mode tap", f"link set {self.name} mtu {mtu}",
                      f"addr add {self.host}/24 dev {self.name}", f"link set {self.name} up"):
            done = run(["ip", *words.split()])
            assert done.code == 0, f"ip {words}: {done.err}"

    def close(self):
        run(["ip", "link", "del", self.name])

    def carries(self):
        """Whether the kernel has seen that a guest is there: before that it drops what is sent, without a word."""
        return "state UP" in run(["ip", "link", "show", self.name]).out

    def wire(self):
        """All frames on it, in both directions; a frame that is sent goes to the guest."""
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
        wire.bind((self.name, 0))
        wire.settimeout(PATIENCE)
        return wire


class Running:
    """A guest that goes on until it is ended: its tender with what it printed."""

    def __init__(self, tmp_path, arguments):
        self.console = tmp_path / "console"
        with open(self.console, "wb") as console:
            self.process = subprocess.Popen([str(argument) for argument in arguments],
                                            stdin=subprocess.DEVNULL, stdout=console, stderr=console)

    def lines(self):
        return self.console.read_text(errors="backslashreplace").splitlines()

    def printed(self, *starts):
        """Waits for a line that begins so, for each; the first of each."""
        def find():
            ended = self.process.poll() is not None
            found = [[line for line in self.lines() if line.startswith(start)] for start in starts]
            assert all(found) or not ended, self.lines()
            return all(found) and [lines[0] for lines in found]
        return until(find, f"the guest says {starts}")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)


def checksum(content):
    """Of the Internet: 0 over what contains a right one."""
    content += b"\0" * (len(content) % 2)
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return total ^ 0xFFFF


def summed(content, at):
    """CONTENT with its checksum put in at AT."""
    return content[:at] + struct.pack(">H", checksum(content)) + content[at + 2:]


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def ethernet(to, source, kind, content):
    return mac_bytes(to) + mac_bytes(source) + struct.pack(">H", kind) + content


def ipv4(source, to, protocol, content, options=b"", fragment=0, ttl=64):
    header = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(content),
                         1, fragment, ttl, protocol, 0, socket.inet_aton(source), socket.inet_aton(to))
    return summed(header + options, 10) + content


def echo_request(number, content=b""):
    return summed(struct.pack(">BBHHH", 8, 0, 0, 0x7777, number) + content, 2)


def udp(source, to, source_port, port, content, right=True):
    length = 8 + len(content)
    pseudo = socket.inet_aton(source) + socket.inet_aton(to) + struct.pack(">HH", 17, length)
    header = struct.pack(">HHHH", source_port, port, length, 0)
    total = checksum(pseudo + header + content) or 0xFFFF
    return header[:6] + struct.pack(">H", total if right else total ^ 0x5555) + content


def arp_request(mac, source, target):
    return struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac_bytes(mac), socket.inet_aton(source),
                       bytes(6), socket.inet_aton(target))


def udp_port(address, port=ECHO_PORT):
    """A socket that talks to a guest's echo."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(PATIENCE)
    one.connect((address, port))
    return one


def pattern(seed, sectors, size=512):
    """What `block write SEED` writes, as its source says."""
    mask, mix, content = (1 << 64) - 1, 0x9e3779b97f4a7c15, b""
    for number in range(sectors):
        x = (seed * mix + number + 1) * mix & mask | 1
        for _ in range(size // 8):
            x ^= x << 13 & mask
            x ^= x >> 7
            x ^= x << 17 & mask
            content += struct.pack("<Q", x)
    return content
