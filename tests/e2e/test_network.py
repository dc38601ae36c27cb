"""Network devices of VMs: real guests on real bridges, in the tests' network namespace. "ext" is a bridge
as an operator makes it, with the host's address; alice and bob have a range each on it."""

import hashlib
import os
import random
import shutil
import signal
import threading
import time

import pytest

import ground
import mint
from cryptography import x509
from family import PATIENCE, Tree, run, until
from ground import Asking, Capture, Echo

pytestmark = pytest.mark.network("bridges and taps")

ROUTER = "10.77.0.1"
NETWORK = f"{ROUTER}/24"
ALICE, BOB = ("10.77.0.2", "10.77.0.5"), ("10.77.0.10", "10.77.0.12")
ADDRESSED = ("--ipv4={address}/{netmask}", "--router={router}")


def external(name, first, last):
    return f"{name}/{first}/{last}/{ROUTER}/24"


@pytest.fixture
def ext():
    with ground.bridge("ext", NETWORK) as name:
        yield name


class Tenant:
    """A top delegation with bridges."""

    def __init__(self, family, *bridges, vms=6, name="tenant"):
        self.family, self.ca = family, family.ca
        words = [word for bridge in bridges for word in ("--bridge", bridge)]
        self.name = self.ca.delegation(self.ca.unique(name), vms=vms, memory=512, extra=words)

    def chain(self, name, guest="net", nets=("ext",), args=ADDRESSED, target="spt", force=False):
        words = [word for net in nets for word in ("--net", net)]
        if force:
            words += ["--force", "--key", f"{name}.key"]
        return self.ca.vm(name, self.family.tree.guest(guest, target), issuer=self.name, memory=8,
                          args=args, extra=words)

    def post(self, chain, path="/vms"):
        return self.family.curl(chain, path, "-X", "POST")

    def start(self, *args, **more):
        """The VM's row, as who sees everything sees it."""
        name = self.ca.unique("vm")
        answer = self.post(self.chain(name, *args, **more))
        assert answer.status == 201, answer
        [vm] = [vm for vm in self.family.vms() if vm["path"] == f"{self.name}/{name}"]
        return vm

    def refused(self, *args, **more):
        answer = self.post(self.chain(self.ca.unique("vm"), *args, **more))
        return answer.status, answer.detail

    def destroy(self, vm):
        answer = self.family.curl(self.family.admin, f"/vms/{vm['label']}", "-X", "DELETE")
        assert answer.status == 204, answer


@pytest.fixture
def alice(family, ext):
    return Tenant(family, external(ext, *ALICE), name="alice")


@pytest.fixture
def bob(family, ext):
    return Tenant(family, external(ext, *BOB), name="bob")


def row(family, vm):
    [found] = [other for other in family.vms() if other["label"] == vm["label"]]
    return found


def mac_of(tenant, name, device):
    """As it follows from who the VM is: written from the documents, not from the code."""
    chain = [x509.load_pem_x509_certificate(tenant.ca.path(f"{one}.pem").read_bytes())
             for one in (tenant.name, name)]
    labels = [hashlib.sha256(certificate.serial_number.to_bytes(20, "big").lstrip(b"\0")).digest()
              for certificate in chain]
    made = bytearray(hashlib.sha256(b"".join(labels) + device.encode()).digest()[:6])
    made[0] = made[0] & 0xFC | 2
    return made.hex(":")


def addresses(vm):
    return [tap["address"] for tap in vm["taps"]]


# On an external bridge


def test_echo_of_every_size(alice, bob, target):
    """VMs of both, from the host, and each at its own address; for the second one some sizes do."""
    for tenant, address, step in ((alice, ALICE[0], 1), (bob, BOB[0], 97)):
        vm = tenant.start(target=target)
        assert addresses(vm) == [address]
        with Echo(address) as echo:
            assert echo.every_size(1500, step) == []


@pytest.mark.parametrize("mtu", [1280, 9000])
def test_the_mtu_is_the_bridges(family, target, mtu):
    with ground.bridge("ext", NETWORK, mtu):
        tenant = Tenant(family, external("ext", *ALICE))
        vm = tenant.start(target=target)
        line = ground.says(family, vm["path"], "net service ")
        assert line == f"net service {vm['taps'][0]['mac']} {ALICE[0]} {mtu}"
        with Echo(ALICE[0]) as echo:
            assert echo.every_size(mtu, step=499) == []
        tenant.destroy(vm)


def test_what_is_shown(family, alice):
    """The row, the client's info, the event log, the MAC that follows from who it is."""
    vm = alice.start()
    [tap] = vm["taps"]
    assert tap["name"] in ground.taps("ext") and ground.is_up(tap["name"])
    assert (tap["bridge"], tap["device"], tap["mac"]) == (
        "ext", "service", mac_of(alice, vm["name"], "service"))
    said = family.client(family.admin, "info").out
    assert f" {vm['pid']} taps {tap['name']} addresses {ALICE[0]}\n" in said
    assert "'--net:service=@8'" in said
    assert f"'--ipv4={ALICE[0]}/24' '--router={ROUTER}'" in said
    assert f"STARTED {vm['pid']} (tap {tap['name']}, block no)" in family.log()


def test_two_devices(family, ext, target):
    """device:bridge is the one that the manifest calls so, a bare bridge the next one left."""
    with ground.bridge("ext2", "10.78.0.1/24"):
        tenant = Tenant(family, external(ext, *ALICE), "ext2/10.78.0.2/10.78.0.9/10.78.0.1/24")
        args = ("--ipv4:service0={address:ext}/{netmask:ext}",
                "--ipv4:service1={address:ext2}/{netmask:ext2}")
        for nets in (("ext", "service1:ext2"), ("service1:ext2", "ext")):
            vm = tenant.start("net2", nets, args, target)
            bound = {tap["bridge"]: (tap["device"], tap["address"]) for tap in vm["taps"]}
            assert bound == {"ext": ("service0", ALICE[0]), "ext2": ("service1", "10.78.0.2")}
            assert len({tap["mac"] for tap in vm["taps"]}) == 2
            for address in (ALICE[0], "10.78.0.2"):
                with Echo(address) as echo:
                    assert echo.ping() and echo.udp()
            tenant.destroy(vm)


WRONG_DEVICES = {
    "one too few": ("net2", ("ext",)),
    "one too many": ("net", ("ext", "ext")),
    "none": ("net", ()),
    "another name": ("net", ("other:ext",)),
}


@pytest.mark.parametrize("case", WRONG_DEVICES)
def test_devices_that_the_image_does_not_have(family, ext, tmp_path, target, case):
    """vmm_ca would say so; so does the monitor."""
    guest, nets = WRONG_DEVICES[case]
    tenant = Tenant(family, external(ext, *ALICE))
    image = family.tree.guest(guest, target).read_bytes()
    leaf = mint.certificate("odd", mint.load(family.ca, tenant.name),
                            mint.vm(image, memory=8, network=nets or None))
    answer = tenant.post(mint.chain(tmp_path, "odd", leaf))
    assert answer.status == 422 and "net" in answer.detail, answer
    until(lambda: ground.taps() == [] and ground.tables() == [], "nothing is left")


def test_words_are_filled_in(family, alice):
    """As the guest sees them, a MAC of a device whose name only the manifest has too."""
    for nets, words in ((("ext",), "{address},{router},{netmask},{mac}"),
                        (("service:ext",), "{address:ext},{router:ext},{netmask:ext},{mac:ext}")):
        vm = alice.start(nets=nets, args=[f"{words},{{other}},{{mac"])
        mac = mac_of(alice, vm["name"], "service")
        filled = f"{ALICE[0]},{ROUTER},24,{mac},{{other}},{{mac"
        assert ground.says(family, vm["path"], "net: what is ") == f"net: what is {filled}?"
        assert row(family, vm)["command"][-1] == filled
        until(lambda: row(family, vm)["state"] == "ended", "it ends")


def test_words_that_make_no_sense(family, ext, tmp_path):
    """Who made the certificate with other tools than ours reads it from vmmd."""
    tenant = Tenant(family, external(ext, *ALICE), "lan")
    image = family.tree.guest("net", "spt").read_bytes()
    for network, word in ((["lan"], "{address}"), (None, "{mac}"), (["lan"], "{router:ext}"),
                          (["ext", "lan"], "{address}")):
        leaf = mint.certificate("odd", mint.load(family.ca, tenant.name),
                                mint.vm(image, memory=8, network=network, args=[word]))
        answer = tenant.post(mint.chain(tmp_path, "odd", leaf))
        assert answer.status == 422 and word in answer.detail, answer


# Addresses


def test_the_lowest_free_address(family, alice, bob):
    """A hole is filled; what bob has does not matter to alice, nor the other way round."""
    vms = [alice.start() for _ in range(3)]
    assert [addresses(vm) for vm in vms] == [["10.77.0.2"], ["10.77.0.3"], ["10.77.0.4"]]
    assert addresses(bob.start()) == [BOB[0]]
    alice.destroy(vms[1])
    assert addresses(alice.start()) == ["10.77.0.3"]
    assert addresses(alice.start()) == ["10.77.0.5"]
    assert alice.refused() == (
        409, "bridge ext: no address of 10.77.0.2/10.77.0.5/10.77.0.1/24 is free")
    assert len(family.running()) == 5


def test_two_tenants_in_one_range(family, ext):
    """Ranges may overlap: an address is one VM's, whoever's."""
    one, two = (Tenant(family, external(ext, *ALICE)) for _ in range(2))
    assert [addresses(tenant.start()) for tenant in (one, two, one)] == [
        ["10.77.0.2"], ["10.77.0.3"], ["10.77.0.4"]]


def test_two_race_for_the_last_address(family, ext):
    tenant = Tenant(family, external(ext, ALICE[0], ALICE[0]))
    chains = [tenant.chain(family.ca.unique("vm")) for _ in range(4)]
    for _ in range(3):
        answers = []
        threads = [threading.Thread(target=lambda chain=chain: answers.append(tenant.post(chain)))
                   for chain in chains]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
        [vm] = family.running()
        assert addresses(vm) == [ALICE[0]]
        tenant.destroy(vm)


def test_a_bridge_that_is_not_granted(family, ext, tmp_path):
    """Named is the delegation that does not grant it."""
    tenant = Tenant(family, external(ext, *ALICE))
    image = family.tree.guest("net", "spt").read_bytes()
    leaf = mint.certificate("vm", mint.load(family.ca, tenant.name),
                            mint.vm(image, memory=8, network=["lan"]))
    answer = tenant.post(mint.chain(tmp_path, "vm", leaf))
    said = f"bridge lan: asked for, {tenant.name} grants ext"
    assert answer.status == 403 and said in answer.detail, answer


# What a guest may send


def test_spoofed_frames_go_nowhere(family, alice, ext, target):
    with Capture(ext) as capture:
        vm = alice.start("spoof", args=("--ipv4={address}/{netmask}", "--other=10.77.0.99"),
                         target=target)
        ground.says(family, vm["path"], "done")
        lines = [entry["line"] for entry in family.console(vm["path"]) if "line" in entry]
        spoofs = [line for line in lines if line.startswith("SPOOF-")]
        legal = [line[:8] for line in lines if line.startswith("LEGIT-")]
        assert len(spoofs) > 5 and legal
        for mark in legal:
            until(lambda mark=mark: capture.having(mark.encode()), f"{mark} comes through")
        assert capture.having(b"SPOOF-") == []
    assert ground.drops(vm["taps"][0]["name"]) >= len(spoofs)


def test_only_its_own_address(family, alice, ext):
    """Not even another one of its delegation's range."""
    vm = alice.start(args=("--ipv4=10.77.0.3/24", "{address}"))
    assert ground.says(family, vm["path"], "what is")  # the first argument was taken
    vm = alice.start()
    assert addresses(vm) == [ALICE[0]]
    with Echo(ALICE[0]) as echo:
        assert echo.ping()
    other = alice.start(args=("--ipv4=10.77.0.4/24", "--router={router}"))
    assert addresses(other) == [None]
    with Echo("10.77.0.4") as echo:
        assert echo.ping(), "without a word the whole range is its"


# Internal bridges


def static(address, router=None):
    return (f"--ipv4={address}/24", *([f"--router={router}"] if router else []))


def test_an_internal_bridge_comes_and_goes(family):
    """With the first login below the delegation that names it, with the last VM and session."""
    name = "lan-a"
    tenant = Tenant(family, name)
    command = family.ca.command(family.ca.unique("admin"), issuer=tenant.name)
    assert not ground.exists(name)
    with family.http(command) as http:
        assert http.get("/").status_code == 200
        assert ground.links()[name]["linkinfo"]["info_kind"] == "bridge"
        vm = tenant.start("net", [name], static("10.9.0.2"))
    with family.http(command) as http:
        assert http.get("/").status_code == 200
        tenant.destroy(vm)
        assert ground.exists(name)
    until(lambda: not ground.exists(name), "the bridge goes with the last session")


def test_a_start_makes_it_and_its_end_removes_it(family):
    tenant = Tenant(family, "lan-a")
    vm = tenant.start("net", ["lan-a"], static("10.9.0.2"))
    assert ground.taps("lan-a") == [vm["taps"][0]["name"]] and addresses(vm) == [None]
    os.kill(vm["pid"], signal.SIGKILL)
    until(lambda: not ground.exists("lan-a"), "the bridge goes with its last VM")
    assert ground.taps() == []


def test_equal_names_share(family):
    """Two tenants, one bridge: until the last of them."""
    one, two = (Tenant(family, "lan-s") for _ in range(2))
    first = one.start("net", ["lan-s"], static("10.9.0.2"))
    with Capture("lan-s") as capture:
        second = two.start("net", ["lan-s"], static("10.9.0.3", "10.9.0.2"))
        until(lambda: capture.sent_by(second["taps"][0]["mac"]), "it asks")
        until(lambda: capture.sent_by(first["taps"][0]["mac"]), "the other one answers")
    one.destroy(first)
    assert ground.exists("lan-s")
    two.destroy(second)
    until(lambda: not ground.exists("lan-s"), "the bridge goes")


def test_internal_bridges_reach_nobody_else(family, ext):
    """Neither each other nor the host, whatever its addresses."""
    tenant = Tenant(family, "lan-a", "lan-b", external(ext, *ALICE))
    own = bytes.fromhex("02aabbccddee")
    there = tenant.start("net", ["lan-b"], static("10.9.0.3"))
    with Capture("lan-a") as a, Capture("lan-b") as b, Capture(ext) as e:
        # A guest that asks for the host, and one that is asked on its own bridge.
        here = tenant.start("net", ["lan-a"], static(ALICE[1], ROUTER))
        mac = here["taps"][0]["mac"]
        until(lambda: a.sent_by(mac), "it asks for the host")
        a.send(ground.ask_who_has("10.77.0.9", own, ALICE[1]))
        until(lambda: [frame for frame in a.sent_by(mac) if frame[:6] == own], "it answers")
        senders = {frame[6:12] for frame in a.seen()}
        assert senders == {ground.mac(mac)}, "nobody else has said a word"
        a.send(ground.ask_who_has("10.9.0.9", own, "10.9.0.3"))
        b.send(ground.ask_who_has("10.9.0.9", own, "10.9.0.3"))
        until(lambda: b.sent_by(there["taps"][0]["mac"]), "the other bridge is alive")
        assert not a.sent_by(there["taps"][0]["mac"]) and not b.sent_by(mac)
        assert not e.sent_by(mac)


# Bridges of others


def test_bridges_that_were_there_stay(family, alice, ext):
    with ground.bridge("lan-there"):
        tenant = Tenant(family, "lan-there")
        for one, vm in ((tenant, tenant.start("net", ["lan-there"], static("10.9.0.2"))),
                        (alice, alice.start())):
            one.destroy(vm)
        assert ground.exists("lan-there") and ground.exists(ext)


def test_an_external_bridge_that_is_not_there(family):
    tenant = Tenant(family, external("nowhere", *ALICE))
    status, detail = tenant.refused(nets=["nowhere"])
    assert status == 503 and detail.startswith("bridge nowhere: "), detail
    assert "ip link add nowhere type bridge" in detail and "--create-bridges" in detail
    assert not ground.exists("nowhere")


def test_create_bridges(new_family, ca):
    family = new_family(["--create-bridges"])
    tenant = Tenant(family, external("made", *ALICE))
    vm = tenant.start(nets=["made"])
    assert addresses(vm) == [ALICE[0]]
    made = ground.links()["made"]
    assert made["linkinfo"]["info_kind"] == "bridge"
    assert "inet" not in ground.ip("address", "show", "dev", "made")
    tenant.destroy(vm)
    until(lambda: not ground.exists("made"), "it goes")


def test_an_interface_that_is_no_bridge(family):
    ground.ip("tuntap", "add", "dev", "lan-no", "mode", "tap")
    try:
        before = ground.links()["lan-no"]
        tenant = Tenant(family, "lan-no")
        status, detail = tenant.refused(nets=["lan-no"], args=static("10.9.0.2"))
        assert (status, detail) == (503, "bridge lan-no: this host has an interface of that name "
                                         "that is no bridge; it is left alone")
        assert ground.links()["lan-no"] == before
    finally:
        ground.ip("link", "delete", "lan-no")


# Ends, and ends of vmmd


def nothing_left(vm):
    names = [tap["name"] for tap in vm["taps"]]
    until(lambda: not set(names) & {*ground.taps(), *ground.tables()}, "taps and rules are gone")


def test_a_tap_goes_with_its_monitor(family, alice, target):
    for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV):
        vm = alice.start(target=target)
        assert ground.tables() == [vm["taps"][0]["name"]]
        os.kill(vm["pid"], how)
        until(lambda: not family.running(), "it has ended")
        nothing_left(vm)
        assert row(family, vm)["taps"] == []
    assert addresses(alice.start(target=target)) == [ALICE[0]], "its address is free again"


@pytest.fixture
def own(new_family, ext):
    """A tenant of a family that may be killed, with an internal bridge too."""
    return Tenant(new_family(), external(ext, *ALICE), "lan-k")


def running(family):
    return sorted((vm["pid"], vm["taps"], vm["command"]) for vm in family.running())


def test_vmmd_is_killed(own):
    """VMs, taps, addresses and bridges are as before."""
    family = own.family
    vms = [own.start(), own.start("net2", ["service0:ext", "lan-k"],
                                  ("--ipv4:service0={address:ext}/{netmask:ext}",))]
    before = running(family)
    family.kill()
    with Echo(ALICE[0]) as echo:
        assert echo.ping()
    family.start()
    assert running(family) == before
    with Echo("10.77.0.3") as echo:
        assert echo.ping() and echo.udp()
    assert addresses(own.start()) == ["10.77.0.4"]
    own.destroy(vms[1])
    nothing_left(vms[1])
    assert addresses(own.start()) == ["10.77.0.3"]
    assert ground.exists("lan-k"), "VMs run below the delegation that names it"
    family.destroy_all()
    until(lambda: not ground.exists("lan-k"), "the internal bridge goes")


def test_a_vm_ends_while_no_vmmd_runs(own):
    family = own.family
    vm = own.start("net2", ["service0:ext", "lan-k"],
                   ("--ipv4:service0={address:ext}/{netmask:ext}",))
    family.kill()
    os.kill(vm["pid"], signal.SIGKILL)
    until(lambda: not ground.taps(), "its taps go with it")
    family.start()
    nothing_left(vm)
    until(lambda: not ground.exists("lan-k"), "the internal bridge goes")
    assert addresses(own.start()) == [ALICE[0]]


def test_vmmd_ends_in_order(own):
    """What runs keeps its bridges; the last vmmd takes them along."""
    family = own.family
    vm = own.start("net", ["lan-k"], static("10.9.0.2"))
    assert family.stop() == 0
    assert ground.exists("lan-k") and ground.is_up(vm["taps"][0]["name"])
    family.start()
    own.destroy(vm)
    assert family.stop() == 0
    assert not ground.exists("lan-k") and family.left_over() == []
    assert not family.run_dir.exists() or not list(family.run_dir.rglob("*"))
    family.start()


def test_vmmd_dies_at_any_moment_of_a_start(own):
    """What runs is listed and answers; nothing else is left of taps, rules and bridges."""
    family, dice = own.family, random.Random(6)
    chain = own.chain(family.ca.unique("vm"), "net2", ["service0:ext", "lan-k"],
                      ("--ipv4:service0={address:ext}/{netmask:ext}",))
    for _ in range(10):
        thread = threading.Thread(target=own.post, args=(chain,))
        thread.start()
        time.sleep(dice.uniform(0.02, 0.12))
        family.kill()
        thread.join(PATIENCE)
        family.start()
        named = sorted(tap["name"] for vm in family.running() for tap in vm["taps"])
        until(lambda named=named: (ground.taps(), [t for t in ground.tables() if "-k" not in t])
              == (named, named), "only what runs has taps")
        for vm in family.running():
            with Echo(addresses(vm)[0]) as echo:
                assert echo.ping()
        family.destroy_all()
        until(lambda: not (ground.taps() or ground.tables() or ground.exists("lan-k")),
              "nothing is left")


# Whoever empties the host's rule set


def outside(own):
    """A VM that answers for an address that is not of its range."""
    return own.start(args=("--ipv4=10.77.0.99/24",))


def is_dropped(vm):
    """Whether an answer of that VM's is counted and seen nowhere."""
    [tap] = vm["taps"]
    before = ground.drops(tap["name"])
    with Capture("ext") as capture:
        capture.send(ground.ask_who_has("10.77.0.9", bytes.fromhex("02aabbccddee"), "10.77.0.99"))
        until(lambda: ground.drops(tap["name"]) > before, "it answers")
        return not capture.sent_by(tap["mac"])


def test_an_emptied_rule_set_is_filled_again(own):
    """At once, with rules that count on from what vmmd has read of them, and said in one line for all taps."""
    family = own.family
    vms = [own.start() for _ in range(2)] + [own.start("net", ["lan-k"], static("10.9.0.2"))]
    cheat = outside(own)
    assert is_dropped(cheat)
    before = ground.tables()
    assert len(before) == 5 and "vmm-lan-k" in before
    for n in range(1, 3):
        dropped = ground.drops(cheat["taps"][0]["name"])
        ground.flush()
        until(lambda: ground.tables() == before, "the rules are back")
        assert ground.drops(cheat["taps"][0]["name"]) <= dropped
        handles = ground.handles()
        assert is_dropped(cheat)
        with Echo(ALICE[0]) as echo:
            assert echo.ping() and echo.udp()
        assert len(family.running()) == 4
        assert ground.handles() == handles, "nor are they replaced on and on"
        said = f"removed the rules of 4 taps of VMs that run (netdev {vms[0]['taps'][0]['name']}"
        assert family.log().count(said) == n
        assert family.log().count("removed the rules of 1 internal bridge (netdev vmm-lan-k)") == n
        assert family.log().count("somebody removed") == 2 * n


def test_one_table_is_deleted(own):
    vm = outside(own)
    name = vm["taps"][0]["name"]
    for _ in range(3):
        run(["nft", "delete", "table", "netdev", name])
        until(lambda: ground.tables() == ["vmm-lan-k", name], "it is back")
        assert is_dropped(vm)
    family = own.family
    family.destroy_all()
    until(lambda: ground.tables() == [], "a VM's end is its rules' too")
    assert family.log().count("somebody removed the rules of 1 tap of VMs") == 3


def test_a_rule_set_emptied_while_no_vmmd_runs(own):
    family = own.family
    vm = outside(own)
    before = ground.tables()
    family.kill()
    ground.flush()
    assert ground.tables() == []
    family.start()
    assert ground.tables() == before
    assert is_dropped(vm)
    ground.flush()
    until(lambda: ground.tables() == before, "and from then on")


# Force-create: two VMs of one MAC and one address on one bridge


def test_a_replacing_vm_keeps_the_address(family, alice, target):
    """With its own address, and the rules for it, whatever else is free meanwhile."""
    low, vm = alice.start(target=target), alice.start(target=target)
    alice.destroy(low)
    chain = alice.chain(vm["name"], target=target, force=True)
    answer = alice.post(chain, "/vms?force")
    assert answer.status == 201, answer
    new = row(family, vm)
    assert addresses(new) == addresses(vm) == ["10.77.0.3"]
    assert new["taps"][0]["mac"] == vm["taps"][0]["mac"]
    assert ground.taps("ext") == [new["taps"][0]["name"]] == ground.tables()
    with Echo("10.77.0.3") as echo:
        assert echo.ping() and echo.udp()


def test_the_old_ones_frames_are_its_own(new_family, build, tree, tmp_path, ext):
    """While the new one is made ready its tap is down: every question is answered by the old one."""
    own = Tree(build, tmp_path / "tree")
    family = new_family()
    family.tree = own
    assert family.stop() == 0
    family.start()
    tenant = Tenant(family, external(ext, *ALICE))
    old = tenant.start()
    monitor = own.libexec / "vmm_monitor"
    monitor.unlink()
    shutil.copy(build / "tests/pair/false_monitor", monitor)
    assert family.stop() == 0
    family.start()
    answers = []
    chain = tenant.chain(old["name"], force=True)
    thread = threading.Thread(target=lambda: answers.append(tenant.post(chain, "/vms?force")))
    with Asking(ALICE[0]) as asking:
        thread.start()
        until(lambda: len(ground.taps("ext")) == 2 and len(ground.tables()) == 2, "both have taps")
        [tap] = [name for name in ground.taps("ext") if name != old["taps"][0]["name"]]
        seen = asking.answered
        until(lambda: asking.answered > seen + 100, "the old one answers on")
        assert not ground.is_up(tap)
    [new] = [pid for pid in family.monitors() if pid != old["pid"]]
    os.kill(new, signal.SIGUSR1)
    thread.join(PATIENCE)
    assert answers[0].status == 201, answers
    assert ground.taps("ext") == [tap] and ground.is_up(tap) and ground.tables() == [tap]
    assert addresses(row(family, old)) == [ALICE[0]]
    assert asking.lost == 0
    family.tree = tree
