"""Whole authorities made by other tools, in use: openssl with configuration files, in the form that the
original's tools of 2017 gave their chains, with keys of each kind in every role, and Python's
cryptography with kinds of keys mixed. Deployment, commands and revocation, by vmm_client and by curl."""

import pytest

from family import Family, run, until
from other_ca import CryptographyCa, OpensslCa

KINDS = ("P-256", "P-384", "Ed25519", "RSA")
HANDS = [pytest.param((OpensslCa, (kind,)), id=f"openssl-{kind}") for kind in KINDS] + \
    [pytest.param((CryptographyCa, KINDS[turn:] + KINDS[:turn]), id=f"cryptography-{turn}") for turn in range(2)]


class World:
    """A family that was never near a certificate of vmm_ca, and its CA."""

    def __init__(self, tree, ca, folder):
        self.ca = ca
        self.family = Family(tree, ca, folder).start()

    def hello(self, issuer, stem="hello"):
        name = self.ca.unique(stem)
        return name, self.ca.vm(name, self.family.tree.guest("hello"), issuer=issuer, args=["Hello"])

    def running(self):
        return sorted(vm["path"] for vm in self.family.running())

    def revoke(self, name, issuer):
        self.ca.revoke(name, issuer)
        return self.ca.revocation(issuer)


@pytest.fixture(scope="module", params=HANDS)
def world(request, tree, tmp_path_factory):
    hand, kinds = request.param
    ca = hand(tmp_path_factory.mktemp("other-ca"), kinds)
    world = World(tree, ca, tmp_path_factory.mktemp("family"))
    yield world
    world.family.close()


@pytest.fixture
def dev(world):
    """A delegation below a delegation: its name, and the one's above."""
    dev, sub = world.ca.delegation(world.ca.unique("dev")), world.ca.unique("sub")
    return world.ca.delegation(sub, issuer=dev, vms=2, memory=512), dev


def extensions(path):
    done = run(["openssl", "x509", "-in", path, "-noout", "-text"])
    assert done.code == 0, done.err
    return done.out


def test_form(world, dev):
    """openssl's are of 2017, cryptography's of today."""
    old = isinstance(world.ca, OpensslCa)
    root, delegation = (extensions(world.ca.certificate(name)) for name in ("ca", dev[0]))
    assert "CA:TRUE" in root and ("Subject Key Identifier" not in root) == old
    assert "CA:TRUE" in delegation and ("Extended Key Usage" not in delegation) == old


def test_a_vm_and_a_command_session(world, dev):
    sub, top = dev
    family = world.family
    name, chain = world.hello(sub)
    family.deploy(chain)
    admin = world.ca.command(world.ca.unique("admin"), issuer=top)
    [vm] = family.vms(admin)
    assert (vm["path"], vm["state"], vm["argv"]) == (f"{sub}/{name}", "running", ["Hello"])
    done = family.client(admin, "info", f"destroy {sub}/{name}")
    assert done.code == 0, done.err
    assert done.out.startswith(f"info {sub}/{name}: 'vmm_monitor' ") and done.out.endswith("success\n")
    assert [vm["state"] for vm in family.vms(admin)] == ["ended"]


def test_a_vm_by_curl(world, dev):
    sub, _ = dev
    family = world.family
    name, chain = world.hello(sub)
    assert family.curl(chain, "/vms", "-X", "POST").status == 201
    assert family.curl(chain, "/").status == 200
    reader = world.ca.command(world.ca.unique("reader"), issuer=sub, permissions=("info", "console"))
    until(lambda: "Hello" in family.curl(reader, f"/vms/{name}/console").body, "the guest says Hello")
    assert family.curl(reader, f"/vms/{name}", "-X", "DELETE").status == 403
    family.destroy_all()


def test_policy_is_theirs_too(world, dev):
    sub, _ = dev
    greedy = world.ca.delegation(world.ca.unique("greedy"), issuer=sub, vms=3)
    admin = world.ca.command(world.ca.unique("admin"), issuer=greedy)
    refused = world.family.curl(admin, "/")
    assert (refused.status, refused.detail) == (403, f"vms: asked for 3, {sub} grants 2")


def test_a_chain_of_another_root_of_this_name(world, tmp_path):
    """The same tool, the same names: nobody."""
    other = type(world.ca)(tmp_path / "other", ["P-256"])
    stranger = other.command("stranger", issuer="ca")
    assert world.family.curl(stranger, "/").status == 0


def test_a_vm_is_revoked(world, dev):
    sub, _ = dev
    family = world.family
    (first, lost), (second, kept) = world.hello(sub), world.hello(sub)
    for chain in (lost, kept):
        family.deploy(chain)
    done = family.client(world.revoke(first, sub))
    assert (done.code, done.out.splitlines()[0]) == (0, "success"), done.err
    assert world.running() == [f"{dev[1]}/{sub}/{second}"]
    refused = family.curl(lost, "/")
    assert refused.status == 403 and "revoked" in refused.detail
    assert family.curl(kept, "/").status == 200
    family.destroy_all()


def test_a_delegation_is_revoked(world, dev):
    sub, top = dev
    family = world.family
    name, chain = world.hello(sub)
    spared, other = world.hello(top)
    family.deploy(chain)
    family.deploy(other)
    admin = world.ca.command(world.ca.unique("admin"), issuer=sub)
    answer = family.curl(world.revoke(sub, top), "/revocations", "-X", "POST")
    assert answer.status == 200, answer
    assert [(one["kind"], one["path"]) for one in answer.json()["ended"]] == [("vm", f"{sub}/{name}")]
    assert world.running() == [f"{top}/{spared}"]
    assert "revoked" in family.curl(admin, "/").detail
    family.destroy_all()


def test_revocations_last(world, dev):
    """Longer than vmmd, and an older list takes nothing back."""
    sub, top = dev
    family = world.family
    victim = world.ca.command(world.ca.unique("victim"), issuer=sub)
    older = world.ca.revocation(sub)
    newer = world.revoke(victim.bundle.stem, sub)
    assert family.client(newer).code == 0
    stale = family.curl(older, "/revocations", "-X", "POST")
    assert 400 <= stale.status < 500, stale
    assert family.stop() == 0
    family.start()
    assert "revoked" in family.curl(victim, "/").detail
    assert family.curl(world.ca.command(world.ca.unique("admin"), issuer=sub), "/").status == 200
