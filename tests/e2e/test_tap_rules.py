"""What comes out of a guest: frames are put into a tap, another one in its bridge hears what passes."""

import errno

import pytest

from net import (ARP, BROADCAST, FRAGMENT, HOP_BY_HOP, ICMP, ICMPV6, IGMP, IPV4, IPV6, NONE, QINQ, TCP, UDP, VLAN,
                 Namespace, Net, arp, ethernet, extension, icmp, ip4, ip6, mac, neighbour, packet4, packet6, tag,
                 tcp, udp)

pytestmark = [pytest.mark.network("taps and their rules"), pytest.mark.sanitized]

GUEST, OTHER = mac("02:aa:bb:cc:dd:ee"), mac("02:aa:bb:cc:dd:ef")
FIRST, OWN, LAST = (ip4(f"10.0.0.{n}") for n in (8, 10, 12))
BELOW, ABOVE, ROUTER = (ip4(f"10.0.0.{n}") for n in (7, 13, 1))
NEXT_NET, NOWHERE = ip4("10.0.1.10"), ip4("0.0.0.0")
LOCAL, GLOBAL = "fe80::a8bb:ccff:fedd:eeff", "2001:db8::1"
MORE = 0x2000  # fragments come
MARK = ethernet(GUEST, ARP, arp(GUEST, OWN, wanted="10.0.0.99"))


def v4(payload=icmp(8), protocol=ICMP, source=OWN, **rest):
    return ethernet(GUEST, IPV4, packet4(source, protocol, payload, **rest))


def v6(payload=icmp(128), protocol=ICMPV6, source=LOCAL, **rest):
    return ethernet(GUEST, IPV6, packet6(source, protocol, payload, **rest))


def of_arp(**rest):
    return ethernet(GUEST, ARP, arp(**{"sender": GUEST, "address": OWN, **rest}))


def advertisement(target, **rest):
    return v6(neighbour(136, target), **rest)


GOOD = {
    "ARP request": of_arp(),
    "ARP answer to one": ethernet(GUEST, ARP, arp(GUEST, OWN, operation=2), to=OTHER),
    "gratuitous ARP": of_arp(wanted="10.0.0.10"),
    "ping": v4(),
    "ping to one": ethernet(GUEST, IPV4, packet4(OWN, ICMP, icmp(8)), to=OTHER),
    "first of the range": v4(source=FIRST),
    "last of the range": v4(source=LAST),
    "TCP": v4(tcp(), TCP),
    "TCP from port 67": v4(tcp(67), TCP),
    "UDP": v4(udp(1024), UDP),
    "UDP to port 67": v4(udp(68, 67), UDP),
    "UDP without data": v4(udp(1024, payload=b""), UDP),
    "IGMP": v4(bytes(8), IGMP, to="224.0.0.22", options=b"\x94\x04\0\0"),
    "multicast": ethernet(GUEST, IPV4, packet4(OWN, UDP, udp(5353), to="224.0.0.251"),
                          to=mac("01:00:5e:00:00:fb")),
    "IPv4 options": v4(udp(1024), UDP, options=b"\x01" * 8),
    "first fragment": v4(udp(1024), UDP, fragment=MORE),
    "later fragment": v4(b"\0\x43" * 8, UDP, fragment=MORE | 1),
    "last fragment": v4(b"x" * 8, UDP, fragment=185),
    "later fragment of TCP": v4(b"x" * 8, TCP, fragment=185),
    "padded to 60 bytes": of_arp().ljust(60, b"\0"),
    "padded packet": v4(icmp(8)).ljust(120, b"\0"),
    "as long as it may be": v4(udp(1024, payload=bytes(1472)), UDP),
    "ping6": v6(),
    "ping6 to one": v6(to="fe80::1"),
    "to the last of fe80::/10": v6(to="febf::1"),
    "from the last of fe80::/10": v6(source="febf::1"),
    "TCP over IPv6": v6(tcp(), TCP, to="fe80::1"),
    "UDP over IPv6": v6(udp(5353), UDP, to="ff02::fb"),
    "DHCPv6 client": v6(udp(546, 547), UDP, to="ff02::1:2"),
    "neighbour solicitation": v6(neighbour(135, "fe80::1"), to="ff02::1:ff00:1"),
    "neighbour advertisement": advertisement(LOCAL),
    "duplicate address detection": v6(neighbour(135, LOCAL), source="::", to="ff02::1:ffdd:eeff"),
    "router solicitation": v6(icmp(133), to="ff02::2"),
}

SPOOFED = {
    "another's MAC": ethernet(OTHER, IPV4, packet4(OWN, ICMP, icmp(8))),
    "a MAC that differs in its first byte": ethernet(mac("06:aa:bb:cc:dd:ee"), IPV4, packet4(OWN, ICMP, icmp(8))),
    "another's MAC, ARP": ethernet(OTHER, ARP, arp(OTHER, OWN)),
    "another's MAC, IPv6": ethernet(OTHER, IPV6, packet6(LOCAL, ICMPV6, icmp(128))),
    "broadcast as source": ethernet(BROADCAST, IPV4, packet4(OWN, ICMP, icmp(8))),
    "no MAC": ethernet(bytes(6), ARP, arp(GUEST, OWN)),
    "below the range": v4(source=BELOW),
    "above the range": v4(source=ABOVE),
    "the router's": v4(source=ROUTER),
    "the same in the next network": v4(source=NEXT_NET),
    "in the other byte order": v4(source=FIRST[::-1]),
    "no address": v4(udp(68, 67), UDP, source=NOWHERE, to="255.255.255.255"),
    "broadcast address": v4(source=ip4("255.255.255.255")),
    "ARP as another": of_arp(sender=OTHER),
    "ARP, frame by another": ethernet(OTHER, ARP, arp(GUEST, OWN)),
    "ARP as the router": of_arp(address=ROUTER),
    "ARP answer as the router": of_arp(address=ROUTER, operation=2),
    "ARP below": of_arp(address=BELOW),
    "ARP above": of_arp(address=ABOVE),
    "ARP probe": of_arp(address=NOWHERE),
    "ARP of another hardware": of_arp(hardware=6),
    "ARP for another protocol": of_arp(protocol=IPV6),
    "ARP of other sizes": of_arp(sizes=(8, 4)),
    "ARP of sizes that shift": of_arp(sizes=(4, 6)),
    "RARP": ethernet(GUEST, 0x8035, arp(GUEST, OWN, operation=3)),
}

SERVERS = {
    "DHCP answer": v4(udp(67, 68), UDP),
    "DHCP answer to all": v4(udp(67, 68), UDP, to="255.255.255.255"),
    "DHCP answer behind options": v4(udp(67, 68), UDP, options=b"\x01" * 40),
    "DHCP answer in fragments": v4(udp(67, 68), UDP, fragment=MORE),
    "port beyond the packet": v4(b"", UDP),
    "port beyond the fragment": v4(b"", UDP, fragment=MORE),
    "router advertisement": v6(icmp(134)),
    "router advertisement to one": v6(icmp(134), to="fe80::1"),
    "redirect": v6(icmp(137)),
    "DHCPv6 answer": v6(udp(547, 546), UDP, to="fe80::1"),
    "ICMPv6 without a type": v6(b""),
    "UDP over IPv6 without ports": v6(b"", UDP),
    "advertisement of a router's global address": advertisement(GLOBAL),
    "solicitation of a global address": v6(neighbour(135, GLOBAL), to="ff02::1:ff00:1"),
    "advertisement of nothing": v6(neighbour(136, LOCAL)[:8]),
    "advertisement of half an address": v6(neighbour(136, LOCAL)[:20]),
}

SIX = {
    "from a global address": v6(source=GLOBAL),
    "to a global address": v6(to=GLOBAL),
    "from above fe80::/10": v6(source="fec0::1"),
    "from below fe80::/10": v6(source="fe7f::1"),
    "to above fe80::/10": v6(to="fec0::1"),
    "to below fe80::/10": v6(to="fe7f::1"),
    "to an interface's group": v6(to="ff01::1"),
    "to a site's group": v6(to="ff05::2"),
    "to everybody's group": v6(to="ff0e::1"),
    "to a group that only looks so": v6(to="ff12::1"),
    "from a group": v6(source="ff02::1"),
    "unspecified ping": v6(source="::"),
    "unspecified router solicitation": v6(icmp(133), source="::", to="ff02::2"),
    "unspecified advertisement": advertisement(LOCAL, source="::"),
    "unspecified to one": v6(neighbour(135, LOCAL), source="::", to="fe80::1"),
    "unspecified about a global address": v6(neighbour(135, GLOBAL), source="::", to="ff02::1:ff00:1"),
    "nearly unspecified": v6(neighbour(135, LOCAL), source="::1", to="ff02::1:ffdd:eeff"),
    "unspecified UDP": v6(udp(1024), UDP, source="::"),
    "RA behind hop by hop": v6(extension(ICMPV6) + icmp(134), HOP_BY_HOP),
    "RA behind destination options": v6(extension(ICMPV6) + icmp(134), 60),
    "RA behind a routing header": v6(extension(ICMPV6) + icmp(134), 43),
    "RA behind two": v6(extension(60) + extension(ICMPV6, 1) + icmp(134), HOP_BY_HOP),
    "RA in an atomic fragment": v6(bytes([ICMPV6, 0, 0, 0, 0, 0, 0, 1]) + icmp(134), FRAGMENT),
    "RA in a later fragment": v6(bytes([ICMPV6, 0, 0, 8, 0, 0, 0, 1]) + icmp(134), FRAGMENT),
    "multicast listener report": v6(extension(ICMPV6) + icmp(143), HOP_BY_HOP, to="ff02::16"),
    "echo behind hop by hop": v6(extension(ICMPV6) + icmp(128), HOP_BY_HOP),
    "authentication": v6(extension(ICMPV6) + icmp(128), 51),
    "no next header": v6(b"", NONE),
    "SCTP": v6(bytes(12), 132),
    "IPv6 in IPv6": v6(packet6(GLOBAL, ICMPV6, icmp(128)), 41),
}

UNSOUND = {
    "IPv4 of version 6": v4(version=6),
    "IPv4 of version 0": v4(version=0),
    "header of four words": v4(words=4),
    "header of no words": v4(words=0),
    "header longer than the packet": v4(b"", words=15, total=20),
    "total less than the header": v4(total=19),
    "total of nothing": v4(total=0),
    "total beyond the frame": v4(total=37),
    "IPv6 of version 4": v6(version=4),
    "IPv6 length beyond the frame": v6(length=17),
    "IPv6 as IPv4": ethernet(GUEST, IPV4, packet6(LOCAL, ICMPV6, icmp(128))),
    "IPv4 as IPv6": ethernet(GUEST, IPV6, packet4(OWN, ICMP, icmp(8)).ljust(60, b"\0")),
    "IPv4 as ARP": ethernet(GUEST, ARP, packet4(OWN, ICMP, icmp(8))),
}

INNER = {"IPv4": v4(), "ARP": of_arp(), "IPv6": v6()}
TAGS = {
    "802.1Q": lambda frame: tag(frame, 5),
    "802.1ad": lambda frame: tag(frame, 5, QINQ),
    "priority tag": lambda frame: tag(frame, 0),
    "priority tag with a priority": lambda frame: tag(frame, 0xE000),
    "802.1ad priority tag": lambda frame: tag(frame, 0, QINQ),
    "last VLAN": lambda frame: tag(frame, 0xFFFF),
    "double tag": lambda frame: tag(tag(frame, 5), 6),
    "double tag, 802.1ad": lambda frame: tag(tag(frame, 5), 6, QINQ),
    "double priority tag": lambda frame: tag(tag(frame, 0), 0),
    "triple tag": lambda frame: tag(tag(tag(frame, 1), 2), 3),
    "old double tag": lambda frame: tag(frame, 5, 0x9100),
    # The rules must not take a tag's number for the EtherType.
    "VLAN 0x800": lambda frame: tag(frame, 0x0800),
    "VLAN 0x800 in another": lambda frame: tag(tag(frame, 0x0800), 0x0800),
}
TAGGED = {f"{name} around {inner}": put(frame)
          for name, put in TAGS.items() for inner, frame in INNER.items()}

SNAP = bytes.fromhex("aaaa03000000")
OTHERS = {
    "LLC": ethernet(GUEST, 46, b"\x42\x42\x03" + bytes(43)),
    "spanning tree": ethernet(GUEST, 38, b"\x42\x42\x03" + bytes(35), to=mac("01:80:c2:00:00:00")),
    "SNAP around IPv4": ethernet(GUEST, 8 + len(packet4(OWN, ICMP, icmp(8))), SNAP + b"\x08\x00" +
                                 packet4(OWN, ICMP, icmp(8))),
    "SNAP around ARP": ethernet(GUEST, 36, SNAP + b"\x08\x06" + arp(GUEST, OWN)),
    "raw 802.3": ethernet(GUEST, 30, b"\xff\xff" + bytes(28)),
    "length and EtherType in between": ethernet(GUEST, 0x05DD, bytes(46)),
    "LLDP": ethernet(GUEST, 0x88CC, bytes(46), to=mac("01:80:c2:00:00:0e")),
    "LLDP to all": ethernet(GUEST, 0x88CC, bytes(46)),
    "IPv4 for the bridge itself": ethernet(GUEST, IPV4, packet4(OWN, ICMP, icmp(8)), to=mac("01:80:c2:00:00:0f")),
    "ARP for the bridge itself": ethernet(GUEST, ARP, arp(GUEST, OWN), to=mac("01:80:c2:00:00:03")),
    "PPPoE": ethernet(GUEST, 0x8863, bytes(46)),
    "MPLS": ethernet(GUEST, 0x8847, bytes(46)),
    "EAPOL": ethernet(GUEST, 0x888E, bytes(46)),
    "wake on LAN": ethernet(GUEST, 0x0842, b"\xff" * 46),
    "batman": ethernet(GUEST, 0x4305, bytes(46)),
    "a type of nobody's": ethernet(GUEST, 0xFFFF, bytes(46)),
    "nothing behind the header": ethernet(GUEST, IPV4, b""),
}

BAD = {"spoofed": SPOOFED, "servers": SERVERS, "IPv6": SIX, "unsound": UNSOUND, "tagged": TAGGED, "others": OTHERS}


class Wire:
    """A tap with rules, and another one in its bridge that hears everything that passes."""

    def __init__(self, net):
        self.net, self.name = net, "t0"
        self.bridge = net.bridge("br0")
        self.tap, self.other = (net.tap(name, self.bridge) for name in ("t0", "t1"))

    def lock(self, *addresses, guest=GUEST):
        assert self.net.rules(self.name, guest, *addresses) == 0
        for name in ("t0", "t1"):
            assert self.net.up(name) == 0

    def passes(self, frame, mark=MARK):
        """Whether FRAME passes, as it is, or is dropped and counted: there is nothing else. MARK passes."""
        before = self.net.drops(self.name)
        assert self.net.send(self.tap, frame) == len(frame)
        assert self.net.send(self.tap, mark) == len(mark)
        heard = self.net.heard(self.other, mark)
        dropped = self.net.drops(self.name) - before
        assert (heard, dropped) in (([frame], 0), ([], 1)), (frame.hex(), heard, dropped)
        return heard == [frame]


# Bridges may have iptables look into what they forward, which takes no unsound packet.
NO_OTHER_FILTER = "for way in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $way ] || echo 0 >$way; done"


@pytest.fixture
def net(build):
    namespace = Namespace()
    namespace.run("sh", "-c", NO_OTHER_FILTER)
    driver = Net(namespace, build)
    driver.namespace = namespace
    yield driver
    driver.end()
    namespace.end()


@pytest.fixture
def wire(net):
    return Wire(net)


@pytest.fixture
def locked(wire):
    wire.lock(FIRST, LAST)
    return wire


def test_what_a_guest_may_send(locked):
    assert [name for name, frame in GOOD.items() if not locked.passes(frame)] == []
    assert locked.net.drops("t0") == 0


@pytest.mark.parametrize("kind", BAD)
def test_what_it_may_not(locked, kind):
    assert [name for name, frame in BAD[kind].items() if locked.passes(frame)] == []
    assert locked.net.drops("t0") == len(BAD[kind])


def test_what_is_cut_off(locked):
    """Of every length up to 60 bytes; less than a header is not taken from it at all."""
    dropped = 0
    for name, frame in GOOD.items():
        for length in range(0 if name.startswith("padded") else min(len(frame), 61)):
            if length < 14:
                assert locked.net.send(locked.tap, frame[:length]) == -errno.EINVAL
                continue
            assert not locked.passes(frame[:length]), (name, length)
            dropped += 1
    assert locked.net.drops("t0") == dropped > 1000


def test_a_tagged_frame_that_is_cut_off(locked):
    """The kernel drops a tag without a type by itself, uncounted: nothing passes."""
    for inner in INNER.values():
        for put in TAGS.values():
            for length in range(14, 40):
                locked.net.send(locked.tap, put(inner)[:length])
    assert locked.net.send(locked.tap, MARK) == len(MARK)
    assert locked.net.heard(locked.other, MARK) == []


def test_every_address_of_the_range_and_no_other(locked):
    passed = [n for n in range(256) if locked.passes(v4(source=ip4(f"10.0.0.{n}")))]
    assert passed == list(range(8, 13))
    passed = [n for n in range(256) if locked.passes(of_arp(address=ip4(f"10.0.0.{n}")))]
    assert passed == list(range(8, 13))


def test_a_range_over_bytes(wire):
    """Compared as a number, not byte by byte."""
    wire.lock(ip4("10.0.0.250"), ip4("10.0.2.3"))
    mark = ethernet(GUEST, ARP, arp(GUEST, ip4("10.0.1.77"), wanted="10.0.0.99"))
    good = ["10.0.0.250", "10.0.0.255", "10.0.1.0", "10.0.1.255", "10.0.2.0", "10.0.2.3"]
    bad = ["10.0.0.249", "10.0.2.4", "10.0.2.255", "10.0.3.1", "9.0.1.1", "11.0.1.1"]
    assert [text for text in good + bad if wire.passes(v4(source=ip4(text)), mark)] == good


def test_a_range_of_one_address(wire):
    wire.lock(OWN, OWN)
    assert wire.passes(v4()) and wire.passes(of_arp())
    for source in (FIRST, ip4("10.0.0.9"), ip4("10.0.0.11"), LAST):
        assert not wire.passes(v4(source=source))
        assert not wire.passes(of_arp(address=source))


def test_every_icmpv6_type(locked):
    """Router advertisements, redirects, and neighbour discovery about what is not link-local."""
    passed = [kind for kind in range(256) if locked.passes(v6(neighbour(kind, GLOBAL)))]
    assert passed == [kind for kind in range(256) if kind not in (134, 135, 136, 137)]
    passed = [kind for kind in range(256) if locked.passes(v6(neighbour(kind, LOCAL)))]
    assert passed == [kind for kind in range(256) if kind not in (134, 137)]


def test_every_next_header(locked):
    passed = [n for n in range(256) if locked.passes(v6(tcp(), n))]
    assert passed == [TCP, UDP, ICMPV6]  # of UDP the source port is 1024, of ICMPv6 the type 4


@pytest.mark.parametrize("kind", ["unsound", "tagged", "others", "IPv6"])
def test_without_a_range_all_but_another_mac_passes(wire, kind):
    """An internal bridge: its guests may speak what they like there, as themselves."""
    wire.lock()
    for name, frame in BAD[kind].items():
        for_bridge = frame.startswith(mac("01:80:c2:00:00:00")[:5])
        assert wire.passes(frame) != for_bridge, name
        assert not wire.passes(frame[:6] + OTHER + frame[12:]), name


def bridged(frames):
    """Without those whose source no bridge takes: groups, and none."""
    return [(name, frame) for name, frame in frames.items() if not frame[6] & 1 and any(frame[6:12])]


def test_without_rules_all_passes(wire):
    """So that it is the rules that drop."""
    for name in ("t0", "t1"):
        wire.net.up(name)
    for name, frame in bridged(SPOOFED | SERVERS | SIX):
        assert wire.net.send(wire.tap, frame) == len(frame)
        assert wire.net.heard(wire.other, frame) == [], name
    assert wire.net.drops("t0") is None


def test_the_other_direction_is_free(locked):
    """What is sent to a guest is not looked at."""
    for name, frame in bridged(SPOOFED | SERVERS | TAGGED):
        locked.net.send(locked.other, frame)
        assert locked.net.heard(locked.tap, frame) == [], name


def test_rules_are_replaced(locked):
    """And count anew."""
    assert not locked.passes(v4(source=BELOW))
    locked.lock(BELOW, BELOW, guest=OTHER)
    mark = ethernet(OTHER, ARP, arp(OTHER, BELOW, wanted="10.0.0.99"))
    assert locked.net.drops("t0") == 0
    assert locked.passes(ethernet(OTHER, IPV4, packet4(BELOW, ICMP, icmp(8))), mark)
    assert not locked.passes(v4(), mark)


def test_rules_count_on(locked):
    """From where they are told to."""
    assert locked.net.rules("t0", GUEST, FIRST, LAST, dropped=[2**31]) == 0
    assert not locked.passes(v4(source=BELOW))
    assert locked.net.drops("t0") == 2**31 + 1


@pytest.mark.parametrize("alive", [True, False], ids=["of a tap", "of a tap that is gone"])
def test_a_stale_table_is_replaced(wire, alive):
    """Whatever is in it; a table outlives the interface of its chain."""
    net = wire.net
    net.namespace.run("nft", "add table netdev t0; add set netdev t0 s { type ipv4_addr; };"
                             "add chain netdev t0 stale { type filter hook ingress device t0 priority 5; };"
                             "add rule netdev t0 stale counter drop")
    if not alive:
        assert net.close(wire.tap) == 0
        assert "netdev t0" in net.namespace.run("nft", "list", "tables")
        wire.tap = net.tap("t0", wire.bridge)
    wire.lock(FIRST, LAST)
    assert wire.passes(v4())
    assert not wire.passes(v4(source=BELOW))
    assert "stale" not in net.namespace.run("nft", "list", "ruleset")


def test_each_tap_has_its_own(wire):
    wire.lock(FIRST, LAST)
    wire.net.rules("t1", OTHER, ROUTER, ROUTER)
    assert not wire.passes(v4(source=ROUTER))
    assert (wire.net.drops("t0"), wire.net.drops("t1")) == (1, 0)
    assert wire.net.unrule("t1") == 0
    assert not wire.passes(v4(source=ROUTER))
    assert wire.net.drops("t1") is None


def test_rules_are_removed(locked):
    net = locked.net
    for _ in range(2):
        assert net.unrule("t0") == 0
    assert net.drops("t0") is None
    assert "t0" not in net.namespace.run("nft", "list", "ruleset")


def test_removed_after_the_tap(locked):
    locked.net.close(locked.tap)
    assert locked.net.unrule("t0") == 0
    assert "t0" not in locked.net.namespace.run("nft", "list", "ruleset")


def test_removed_tables_are_heard_of(locked):
    """Whoever removed them, by name or with everything else; those of other families are not."""
    net = locked.net
    watch = net.watch()
    assert watch >= 0 and net.removed(watch) == []
    net.namespace.run("nft", "add table ip t0; add table netdev theirs")
    locked.lock(FIRST, LAST)
    assert set(net.removed(watch)) == {"t0"}, "replaced"
    net.namespace.run("nft", "delete table netdev theirs; delete table ip t0")
    assert net.removed(watch) == ["theirs"]
    assert net.rules("t1", OTHER, LAST, LAST) == 0
    net.removed(watch)
    net.namespace.run("nft", "flush ruleset")
    assert sorted(net.removed(watch)) == ["t0", "t1", "vmm-br0"]
    assert net.removed(watch) == []


def test_more_than_can_be_kept_is_said(locked, tmp_path):
    """Nothing is missed without a word."""
    net = locked.net
    watch = net.watch()
    rules = tmp_path / "rules"
    rules.write_text("table ip many {\n chain c {\n" + "  counter return\n" * 20000 + " }\n}\n")
    net.namespace.run("nft", "-f", rules)
    assert net.removed(watch) == ["-"]
    net.namespace.run("nft", "flush ruleset")
    assert "-" in net.removed(watch)
    net.namespace.run("nft", "add table netdev theirs; delete table netdev theirs")
    assert net.removed(watch) == ["theirs"]


def test_all_or_nothing(wire):
    """No interface can have that name: what was of it stays."""
    net, name = wire.net, "sixteenletters-x"
    net.namespace.run("nft", f"add table netdev {name}; add chain netdev {name} kept")
    before = net.namespace.run("nft", "list", "ruleset")
    assert net.rules(name, GUEST, FIRST, LAST) < 0
    assert net.namespace.run("nft", "list", "ruleset") == before
    assert net.rules("t0", GUEST, FIRST, LAST) == 0, "the next one is as good as ever"


def test_whether_it_is_possible(net, build):
    before = net.namespace.run("nft", "list", "ruleset")
    assert net.possible() == 0
    assert net.namespace.run("nft", "list", "ruleset") == before
    nobody = Net(net.namespace, build, wrapper=["setpriv", "--reuid=65534", "--clear-groups"])
    assert nobody.possible() == -errno.EPERM
    nobody.end()


def test_guests_of_one_bridge_reach_each_other(wire):
    """Both locked: an address asked for, answered, and used."""
    wire.lock(OWN, OWN)
    assert wire.net.rules("t1", OTHER, LAST, LAST) == 0
    question = ethernet(GUEST, ARP, arp(GUEST, OWN, wanted="10.0.0.12"))
    answer = ethernet(OTHER, ARP, arp(OTHER, LAST, operation=2, wanted="10.0.0.10"), to=GUEST)
    ping = ethernet(GUEST, IPV4, packet4(OWN, ICMP, icmp(8), to="10.0.0.12"), to=OTHER)
    for sender, hearer, frame in ((wire.tap, wire.other, question), (wire.other, wire.tap, answer),
                                  (wire.tap, wire.other, ping)):
        assert wire.net.send(sender, frame) == len(frame)
        assert wire.net.heard(hearer, frame) == []


def test_frames_are_what_they_are_called():
    """Of the tests themselves: no name twice, and nothing that is good in one table and bad in another."""
    bad = [frame for frames in BAD.values() for frame in frames.values()]
    assert not set(bad) & set(GOOD.values())
    assert ip6(LOCAL)[:2] == b"\xfe\x80"
    assert tag(v4(), 5)[12:16] == VLAN.to_bytes(2, "big") + b"\0\5"
