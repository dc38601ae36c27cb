"""Taps in the network namespace of the test run, and who asks the guests behind them."""

import fcntl
import os
import socket
import struct

from devices import echo_request, udp_port
from family import PATIENCE, run

TUNSETIFF = 0x400454CA
TUN, TAP, NO_PI, VNET_HDR = 0x0001, 0x0002, 0x1000, 0x4000


def ip(*words):
    done = run(["ip", *words])
    assert done.code == 0, done.err
    return done.out


def open_tap(name, flags=TAP | NO_PI):
    """A tap for as long as the descriptor is open."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return descriptor


def echo(address, sizes):
    """Sends a datagram of each of SIZES bytes to the guest at ADDRESS, which must send it back. Asks again
    for one that is lost: the first waits for nobody in particular, as the guest may not be there yet."""
    with udp_port(address) as asking:
        asking.settimeout(1)
        for size in sizes:
            question = os.urandom(size)
            for _ in range(PATIENCE):
                asking.send(question)
                try:
                    if asking.recv(65536) == question:
                        break
                except (TimeoutError, ConnectionRefusedError):
                    continue
            else:
                raise AssertionError(f"{address} does not send {size} bytes back")


class Pinger:
    """ICMP echo to ADDRESS; a few are always under way, as with ping -f."""

    WINDOW = 32

    def __init__(self, address, pattern):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.connect((address, 0))
        self.socket.settimeout(1)
        self.pattern, self.sequence = pattern, 0

    def send(self):
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.socket.send(echo_request(self.sequence, self.pattern))

    def ping_until(self, ended):
        """Until ENDED() is true; a burst that is lost, as nobody is there yet, is sent again."""
        while not ended():
            for _ in range(self.WINDOW):
                self.send()
            try:
                for _ in range(self.WINDOW):
                    self.socket.recv(2048)
            except TimeoutError:
                pass

    def close(self):
        self.socket.close()
