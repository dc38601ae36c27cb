"""Deployments that succeed, to their bounds, and a host that cannot."""

import datetime
import json

import pytest

import images
import mint
from family import until

pytestmark = pytest.mark.sanitized

# A TLS Certificate message is at most 2^24-1 bytes; the certificate around the image and its delegation
# take their part.
LARGE = 15 * 1000 * 1000


@pytest.fixture
def dev(ca):
    return ca.delegation(ca.unique("dev"))


def test_deployed(family, ca, dev, target):
    name = ca.unique("hello")
    family.deploy(ca.vm(name, family.tree.guest("hello", target), issuer=dev, cpu=1, args=["Hello"]))
    [vm] = family.running()
    assert vm["path"] == f"{dev}/{name}"
    assert (vm["cpuid"], vm["memory_mb"], vm["argv"]) == (1, 32, ["Hello"])
    assert vm["image"]["target"] == target
    [monitor] = family.monitors()
    assert vm["pid"] == monitor
    started = datetime.datetime.fromisoformat(vm["started"].replace("Z", "+00:00"))
    age = datetime.datetime.now(datetime.timezone.utc) - started
    assert datetime.timedelta() < age < datetime.timedelta(minutes=5)


def test_deployed_with_curl(family, ca, dev, target):
    name = ca.unique("idle")
    chain = ca.vm(name, family.tree.guest("idle", target), issuer=dev)
    answer = family.curl(chain, "/vms", "-X", "POST")
    assert answer.status == 201, answer
    assert [vm["path"] for vm in family.running()] == [f"{dev}/{name}"]


def test_another_hands_certificates_will_do(family, ca, dev, tmp_path):
    """A delegation and a VM below it, made without vmm_ca, the CA's root appended as OpenSSL does."""
    sub = mint.certificate("sub", mint.load(ca, dev), mint.delegation(vms=1, memory=64), is_ca=True)
    image = family.tree.guest("idle").read_bytes()
    leaf = mint.certificate("idle", sub, mint.vm(image, memory=64, args=["a", "b c"]))
    root = ca.path("cacert.pem").read_bytes()
    family.deploy(mint.chain(tmp_path, "idle", leaf, bundle=leaf.above + root))
    [vm] = family.running()
    assert (vm["path"], vm["argv"]) == (f"{dev}/sub/idle", ["a", "b c"])


def test_image_of_15_mb(family, ca, dev, tmp_path, target):
    image = tmp_path / "large"
    image.write_bytes(images.padded(family.tree.guest("idle", target).read_bytes(), LARGE))
    family.deploy(ca.vm(ca.unique("large"), image, issuer=dev))
    [vm] = family.running()
    assert vm["image"]["size"] == LARGE


def test_redeployed_vm_keeps_its_path(family, ca, dev, target):
    """Signing a name again reuses its serial."""
    chain = ca.vm(ca.unique("again"), family.tree.guest("idle", target), issuer=dev)
    family.deploy(chain)
    [before] = family.running()
    family.destroy_all()
    family.deploy(chain)
    [after] = family.running()
    assert after["label"] == before["label"] and after["pid"] != before["pid"]


def test_a_vm_outlives_its_session_and_certificate(family, ca, dev, tmp_path):
    soon = datetime.timedelta(seconds=3)
    leaf = mint.certificate("brief", mint.load(ca, dev),
                            mint.vm(family.tree.guest("idle").read_bytes()), until=soon)
    chain = mint.chain(tmp_path, "brief", leaf)
    family.deploy(chain)
    until(lambda: family.curl(chain, "/").status == 403, "the certificate has expired")
    assert [vm["path"] for vm in family.running()] == [f"{dev}/brief"]


ENDS = {
    ("hvt", "exit=7"): ({"exit": 7}, "crash: exit=7"),
    ("spt", "exit=7"): ({"exit": 7}, "crash: exit=7"),
    ("hvt", "divide"): ({"exit": 1}, "vmm_monitor: guest fault: triple fault: rip=0x"),
    ("spt", "divide"): ({"signal": 8}, "vmm_monitor: guest fault: SIGFPE: rip=0x"),
}


@pytest.mark.parametrize("target, how", ENDS)
def test_a_guest_ends_and_says_how(family, ca, dev, target, how):
    """With a status of its own or by a fault; nobody else notices."""
    end, said = ENDS[target, how]
    name, other = ca.unique("one"), ca.unique("other")
    family.deploy(ca.vm(other, family.tree.guest("idle", "spt"), issuer=dev))
    family.deploy(ca.vm(name, family.tree.guest("crash", target), issuer=dev, args=[how]))
    until(lambda: len(family.running()) == 1, "the guest has ended")
    [vm] = [vm for vm in family.vms() if vm["path"] == f"{dev}/{name}"]
    assert vm["state"] == "ended"
    console = family.curl(family.admin, f"/vms/{dev}/{name}/console?follow").body.splitlines()
    assert json.loads(console[-1]) == {"ended": end}
    assert json.loads(console[-2])["line"].startswith(said)
    assert [vm["path"] for vm in family.running()] == [f"{dev}/{other}"]


# A /dev with nothing but what any program may count on.
BARE_DEV = """mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 &&
    mknod -m 666 /dev/random c 1 8 && mknod -m 666 /dev/urandom c 1 9 && exec "$@" """


@pytest.mark.root("mounts")
def test_without_kvm(new_family, ca, dev):
    """Everything works but what needs it, and that says what would."""
    family = new_family(wrapper=["unshare", "--mount", "sh", "-c", BARE_DEV, "sh"])
    chain = ca.vm("late", family.tree.guest("idle"), issuer=dev)
    line = ("hvt images cannot run here: /dev/kvm: not there, or not for vmmd; "
            "an spt build of the same unikernel would run")
    answer = family.curl(chain, "/vms", "-X", "POST")
    assert (answer.status, answer.detail) == (422, line)
    assert family.client(chain) == (1, "", f"failed {line}\n")
    assert family.vms() == []
    family.deploy(ca.vm("there", family.tree.guest("idle", "spt"), issuer=dev))
    [vm] = family.running()
    assert (vm["path"], vm["image"]["target"]) == (f"{dev}/there", "spt")
    assert "--kvm" not in " ".join(vm["command"])
