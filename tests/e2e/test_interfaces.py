"""Bridges and taps, as src/os makes and removes them."""

import errno
import json
import os
import signal

import pytest

import net as frames
from family import until
from net import Namespace, Net

pytestmark = pytest.mark.network("bridges and taps")


@pytest.fixture
def namespace():
    made = Namespace()
    made.run("ip", "link", "set", "lo", "up")
    made.run("ip", "address", "add", "192.0.2.1/32", "dev", "lo")
    yield made
    made.end()


@pytest.fixture
def net(namespace, build):
    driver = Net(namespace, build)
    yield driver
    driver.end()


@pytest.fixture
def bridge(net):
    return net.bridge("br0")


def link(namespace, name):
    return json.loads(namespace.run("ip", "-json", "-details", "link", "show", name))[0]


def names(namespace):
    return {link["ifname"] for link in json.loads(namespace.run("ip", "-json", "link"))}


@pytest.mark.sanitized
def test_a_bridge_comes_and_goes(net, namespace):
    assert net.find("br0") == -errno.ENODEV
    made = net.bridge("br0")
    assert made == net.find("br0")
    assert (made.kind, made.mtu, made.up, made.master) == ("bridge", 1500, True, 0)
    assert net.bridge("br0") == -errno.EEXIST
    assert net.unbridge("br0", made.index) == 0
    assert net.find("br0") == -errno.ENODEV
    assert net.unbridge("br0", made.index) == 0
    assert names(namespace) == {"lo"}
    assert namespace.run("nft", "list", "ruleset") == ""


def test_a_bridge_of_ours_forwards_at_once_and_is_quiet(net, namespace):
    net.bridge("br0")
    data = link(namespace, "br0")["linkinfo"]["info_data"]
    assert (data["stp_state"], data["forward_delay"], data["mcast_snooping"]) == (0, 0, 0)


@pytest.mark.sanitized
def test_only_that_bridge_is_removed(net, bridge, namespace):
    """Somebody made another one of the same name, or something else."""
    assert net.unbridge("br0", bridge.index + 1) == 0
    assert net.unbridge("lo", 1) == 0
    assert net.find("br0") == bridge
    namespace.run("ip", "link", "del", "br0")
    namespace.run("ip", "link", "add", "br0", "index", str(bridge.index), "type", "veth",
                  "peer", "name", "other")
    assert net.unbridge("br0", bridge.index) == 0
    assert net.find("br0").kind == "other"


@pytest.mark.parametrize("name", ["sixteenletters-x", "a" * 100, "lo/", "absent"])
def test_what_is_not_there(net, name):
    assert net.find(name) == -errno.ENODEV


def test_another_name_is_not_the_name(net, bridge, namespace):
    """What rules and bridges are for has one name."""
    namespace.run("ip", "link", "property", "add", "dev", "br0", "altname", "uplink")
    assert net.find("uplink") == -errno.ENODEV
    assert net.find("br0") == bridge


@pytest.mark.sanitized
def test_a_tap_comes_and_goes(net, bridge, namespace):
    tap = net.tap("t0", bridge)
    made = net.find("t0")
    assert (made.kind, made.mtu, made.up, made.master) == ("tap", 1500, False, bridge.index)
    data = link(namespace, "t0")["linkinfo"]["info_data"]
    assert (data["type"], data["pi"], data["vnet_hdr"], data["persist"]) == \
        ("tap", False, False, False)
    assert net.up("t0") == 0
    assert net.find("t0").up
    assert net.close(tap) == 0
    assert net.find("t0") == -errno.ENODEV
    assert net.up("t0") == -errno.ENODEV


def test_a_tap_waits_for_nobody_and_stays_here(net, bridge):
    tap = net.tap("t0", bridge)
    with open(f"/proc/{net.process.pid}/fdinfo/{tap}", encoding="ascii") as file:
        flags = int(dict(line.split(":\t") for line in file)["flags"], 8)
    assert flags & os.O_NONBLOCK and flags & os.O_CLOEXEC


@pytest.mark.parametrize("mtu", [576, 1280, 9000])  # IPv6 takes 1280
def test_a_tap_has_its_bridges_mtu(net, bridge, namespace, mtu):
    namespace.run("ip", "link", "set", "br0", "mtu", str(mtu))
    tap = net.tap("t0", net.find("br0"))
    assert net.find("t0").mtu == net.find("br0").mtu == mtu
    frame = frames.ethernet(frames.mac("02:00:00:00:00:01"), 0x1234, bytes(mtu))
    other = net.tap("t1", net.find("br0"))
    net.up("t0")
    net.up("t1")
    assert net.send(tap, frame) == len(frame)
    assert until(lambda: net.receive(other), "the frame is there") == frame


def test_a_tap_is_gone_with_who_holds_it(net, namespace, build):
    """Whatever killed it."""
    bridge = net.bridge("br0")
    holder = Net(namespace, build)
    assert holder.tap("t0", bridge) >= 0
    holder.up("t0")
    assert net.find("t0").master == bridge.index
    os.kill(holder.process.pid, signal.SIGKILL)
    holder.end()
    until(lambda: net.find("t0") == -errno.ENODEV, "the tap is gone")


@pytest.mark.sanitized
def test_a_taken_name_stays_with_who_has_it(net, bridge, namespace):
    namespace.run("ip", "tuntap", "add", "t0", "mode", "tap")
    namespace.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    before = {name: net.find(name) for name in ("t0", "v0", "br0", "lo")}
    assert net.tap("t0", bridge) == -errno.EBUSY
    for name in ("v0", "br0", "lo"):
        assert net.tap(name, bridge) in (-errno.EBUSY, -errno.EEXIST, -errno.EINVAL), name
    assert {name: net.find(name) for name in before} == before


@pytest.mark.parametrize("name", ["sixteenletters-x", "t%d"])
def test_no_tap_of_such_a_name(net, bridge, namespace, name):
    assert net.tap(name, bridge) == -errno.EINVAL
    assert names(namespace) == {"lo", "br0"}


def test_no_tap_without_its_bridge(net, namespace):
    """None is left outside of a bridge."""
    assert net.tap("t0", frames.Interface(4711, "bridge", 1500, True, 0)) < 0
    assert net.tap("t0", frames.Interface(1, "bridge", 1500, True, 0)) < 0
    assert names(namespace) == {"lo"}


@pytest.mark.sanitized
def test_only_a_tap_is_removed(net, bridge, namespace):
    namespace.run("ip", "tuntap", "add", "t0", "mode", "tap")
    namespace.run("ip", "tuntap", "add", "u0", "mode", "tun")
    namespace.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    net.tap("t1", bridge)
    for name in ("t0", "t1", "u0", "v0", "br0", "lo", "absent"):
        assert net.untap(name) == 0, name
    assert names(namespace) == {"lo", "br0", "u0", "v0", "v1"}


def test_the_host_has_no_address_there(net, namespace):
    """Nor does it say anything there by itself, when it routes either."""
    namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
    bridge = net.bridge("br0")
    net.tap("t0", bridge)
    net.up("t0")
    for name in ("br0", "t0"):
        assert link(namespace, name)["inet6_addr_gen_mode"] == "none"
        assert namespace.run("cat", f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6") == "1\n"
        assert namespace.run("ip", "address", "show", "dev", name).count("inet") == 0


def test_a_tap_does_not_change_its_bridges_address(net, namespace):
    """The operator's, which has the lowest of its ports if nobody has chosen one."""
    namespace.run("ip", "link", "add", "br0", "type", "bridge")
    namespace.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    namespace.run("ip", "link", "set", "v0", "address", "fa:00:00:00:00:01", "master", "br0")
    assert link(namespace, "br0")["address"] == "fa:00:00:00:00:01"
    net.tap("t0", net.find("br0"))
    assert link(namespace, "t0")["address"] > "fe:00:00:00:00:00"
    assert link(namespace, "br0")["address"] == "fa:00:00:00:00:01"


def asks_for_the_host(net, tap, to):
    """Whether it answers; it does so before the frame is sent."""
    guest = frames.mac("02:00:00:00:00:01")
    question = frames.arp(guest, frames.ip4("192.0.2.7"), wanted="192.0.2.1")
    assert net.send(tap, frames.ethernet(guest, frames.ARP, question, to)) > 0
    return net.receive(tap) is not None


def test_a_bridge_of_ours_does_not_reach_the_host(net, bridge, namespace):
    """Which answers for any of its addresses on any of its interfaces, if it is let."""
    tap = net.tap("t0", bridge)
    net.up("t0")
    assert not asks_for_the_host(net, tap, frames.BROADCAST)
    namespace.run("nft", "delete", "table", "netdev", "vmm-br0")
    until(lambda: asks_for_the_host(net, tap, frames.BROADCAST), "the host answers")


def test_a_bridge_that_is_not_shut_is_the_hosts_too(net, namespace):
    tap = net.tap("t0", net.bridge("br0", shut=False))
    net.up("t0")
    namespace.run("ip", "address", "add", "192.0.2.1/24", "dev", "br0")
    until(lambda: asks_for_the_host(net, tap, frames.BROADCAST), "the host answers")
    assert "vmm-br0" not in namespace.run("nft", "list", "tables")


def test_nor_does_what_is_for_a_bridge_itself(net, bridge):
    tap = net.tap("t0", bridge)
    assert net.rules("t0", frames.mac("02:00:00:00:00:01")) == 0
    net.up("t0")
    to = frames.mac("01:80:c2:00:00:0e")
    assert not asks_for_the_host(net, tap, to)
    assert net.drops("t0") == 1
    assert net.unrule("t0") == 0
    until(lambda: asks_for_the_host(net, tap, to), "the host answers")
