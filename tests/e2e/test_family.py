"""What a client is told: case, HTTP status, exit status of vmm_client, the exact line. Every refusal is
asked for twice, with curl and with vmm_client; both get the same words, unless vmm_client sees by itself
that its certificates are of no use."""

import datetime
from typing import Callable, NamedTuple

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import images
import mint
from family import Ca, Chain

pytestmark = pytest.mark.sanitized

REFUSED, TLS = 1, 4  # exit statuses of vmm_client
LONG_AGO = {"since": datetime.datetime(2019, 1, 1), "until": datetime.datetime(2020, 1, 1)}
FAR_AHEAD = {"since": datetime.datetime(2048, 1, 1), "until": datetime.datetime(2049, 1, 1)}


class Setting:
    """What a case starts from: a delegation of its own and a folder for what it mints."""

    def __init__(self, family, folder):
        self.family, self.ca, self.folder = family, family.ca, folder
        self.guest = family.tree.guest
        self.dev = self.ca.delegation(self.ca.unique("dev"), vms=2, memory=1024, cpus=(0, 1))

    def image(self, name="idle"):
        return self.guest(name).read_bytes()

    def vm(self, name="idle", **options):
        """A right VM certificate by vmm_ca."""
        options.setdefault("issuer", self.dev)
        return self.ca.vm(self.ca.unique(name), self.guest("idle"), **options)

    def deployed(self, **options):
        chain = self.vm(**options)
        self.family.deploy(chain)
        return chain

    def issuer(self, name=None):
        return mint.load(self.ca, name or self.dev)

    def mint(self, arcs, issuer=None, bundle=None, name="minted", **options):
        """A leaf by another hand; BUNDLE may order or forge the chain."""
        leaf = mint.certificate(name, issuer or self.issuer(), arcs, **options)
        return mint.chain(self.folder, name, leaf, bundle and bundle(leaf))

    def mint_vm(self, image=None, **options):
        return self.mint(mint.vm(image or self.image(), **options))

    def mint_below(self, arcs, **options):
        """A VM below a delegation that dev signed, whose extensions are ARCS."""
        sub = mint.certificate("sub", self.issuer(), arcs, is_ca=True, **options)
        return self.mint(mint.vm(self.image()), issuer=sub)


class Case(NamedTuple):
    """{dev} is the delegation's name, {leaf} the leaf's, {bundle} its file, {TIME...} a date of it."""

    name: str
    chain: Callable[[Setting], Chain]
    status: int         # of HTTP; 0: there is none, the handshake ends with an alert
    exit: int           # of vmm_client
    line: str           # what vmm_client says
    detail: str = None  # what the server says, where vmm_client did not even ask it


def third_vm(s):
    s.deployed()
    s.deployed()
    return s.vm()


def too_much_memory(s):
    s.deployed(memory=600)
    return s.vm(memory=600)


def grandparent_full(s):
    """The limit of an ancestor counts, whichever child uses it."""
    one = s.ca.delegation(s.ca.unique("one"), issuer=s.dev)
    other = s.ca.delegation(s.ca.unique("other"), issuer=s.dev)
    s.deployed(issuer=one)
    s.deployed(issuer=one)
    return s.vm(issuer=other)


def under_the_root(s):
    return s.mint(mint.vm(s.image()), issuer=s.issuer("ca"))


def wrong_order(s):
    dev = s.ca.path(f"{s.dev}.pem").read_bytes()
    return s.mint(mint.vm(s.image()), bundle=lambda leaf: mint.pem(leaf.certificate) + dev + dev)


def parent_missing(s):
    return s.mint(mint.vm(s.image()), bundle=lambda leaf: mint.pem(leaf.certificate))


def foreign(s):
    other = Ca(s.family.tree, s.folder / "other")
    other.delegation("dev")
    return other.vm("foreign", s.guest("idle"), issuer="dev")


def self_signed(s):
    return mint.chain(s.folder, "self", mint.certificate("self", None, mint.command(mint.ALL)))


def forged(s):
    """Dev's name on it, another key's signature."""
    dev = s.issuer()
    return s.mint(mint.vm(s.image()), issuer=mint.Issuer(dev.certificate, mint.new_key(), dev.above))


def expired_delegation(s):
    dev = mint.certificate("old", s.issuer("ca"), mint.delegation(), is_ca=True, **LONG_AGO)
    return s.mint(mint.vm(s.image()), issuer=dev)


def server_usage(s):
    return s.mint(mint.vm(s.image()), usage=ExtendedKeyUsageOID.SERVER_AUTH)


def with_cpu_1000(s):
    wide = mint.certificate("wide", s.issuer("ca"), mint.delegation(cpus=(0, 1000)), is_ca=True)
    return s.mint(mint.vm(s.image(), cpu=1000), issuer=wide)


NOT_ISSUED = ("failed {bundle}: certificate %s did not issue certificate %s: "
              "wanted are the leaf, then its issuer, then that one's")
UNKNOWN = "failed TLS: the server does not know this CA ({bundle})"

REFUSALS = [
    # What is in use
    Case("third VM of a delegation of two", third_vm, 409, REFUSED,
         "failed {dev} has no room for another VM: it grants 2"),
    Case("memory in use", too_much_memory, 409, REFUSED,
         "failed {dev} has no room for 600 MB: it grants 1024 MB"),
    Case("two below a full ancestor", grandparent_full, 409, REFUSED,
         "failed {dev} has no room for another VM: it grants 2"),
    Case("same path running", lambda s: s.deployed(), 409, REFUSED,
         "failed {leaf} is running already"),
    Case("a cpuid the host has not", with_cpu_1000, 409, REFUSED,
         "failed cpuid: asked for 1000, this host does not have it"),

    # Beyond the parent
    Case("memory beyond the parent", lambda s: s.mint_vm(memory=2048), 403, REFUSED,
         "failed memory: asked for 2048 MB, {dev} grants 1024 MB"),
    Case("cpuid beyond the parent", lambda s: s.mint_vm(cpu=2), 403, REFUSED,
         "failed cpuid: asked for 2, {dev} grants 0-1"),
    Case("network beyond the parent", lambda s: s.mint_vm(network=["ext"]), 403, REFUSED,
         "failed bridge ext: asked for, {dev} grants none"),
    Case("version", lambda s: s.mint_vm(version=1), 403, TLS,
         "failed {bundle}: minted: version: is 1, must be 0", "minted: version: is 1, must be 0"),
    Case("a delegation's vms", lambda s: s.mint_below(mint.delegation(vms=3)), 403, REFUSED,
         "failed vms: asked for 3, {dev} grants 2"),
    Case("a delegation's memory", lambda s: s.mint_below(mint.delegation(memory=1025)), 403, REFUSED,
         "failed memory: asked for 1025 MB, {dev} grants 1024 MB"),
    Case("a delegation's cpuids", lambda s: s.mint_below(mint.delegation(cpus=(1, 2))), 403, REFUSED,
         "failed cpuids: asked for 1-2, {dev} grants 0-1"),
    Case("a delegation's block", lambda s: s.mint_below(mint.delegation(block=1)), 403, REFUSED,
         "failed block: asked for 1 MB, {dev} grants 0 MB"),
    Case("a delegation's bridges", lambda s: s.mint_below(mint.delegation(bridges=["lan"])), 403,
         REFUSED, "failed bridge lan: asked for, {dev} grants none"),
    Case("a delegation's version", lambda s: s.mint_below(mint.delegation(version=1)), 403, REFUSED,
         "failed sub: version: is 1, must be 0"),
    Case("a VM under the root", under_the_root, 403, REFUSED,
         "failed minted is signed by the CA itself: a VM needs a delegation that it is accounted to"),

    # Dates and usage
    Case("expired", lambda s: s.mint(mint.vm(s.image()), **LONG_AGO), 403, TLS,
         "failed {bundle}: minted expired at 2020-01-01 00:00:00 +00:00",
         "minted expired at 2020-01-01T00:00:00Z"),
    Case("not yet valid", lambda s: s.mint(mint.vm(s.image()), **FAR_AHEAD), 403, REFUSED,
         "failed minted is not valid before 2048-01-01T00:00:00Z"),
    Case("a delegation expired", expired_delegation, 403, TLS,
         "failed {bundle}: old expired at 2020-01-01 00:00:00 +00:00",
         "old expired at 2020-01-01T00:00:00Z"),
    Case("a server's certificate", server_usage, 403, REFUSED,
         "failed minted: extendedKeyUsage: a leaf must have clientAuth"),

    # Nobody of ours
    Case("chain in the wrong order", wrong_order, 0, TLS, NOT_ISSUED % ("3 ({dev})", "2 ({dev})")),
    Case("forged", forged, 0, TLS, NOT_ISSUED % ("2 ({dev})", "1 (minted)")),
    Case("parent missing", parent_missing, 0, TLS, UNKNOWN),
    Case("foreign", foreign, 0, TLS, UNKNOWN),
    Case("self-signed", self_signed, 0, TLS, UNKNOWN),

    # The image
    Case("truncated image", lambda s: s.mint_vm(images.truncated(s.image())), 422, REFUSED,
         "failed image: truncated: segment 0 has 26 bytes at byte 4096, the image has 4100"),
    Case("no ELF", lambda s: s.mint_vm(b"#!/bin/sh\n"), 422, REFUSED, "failed image: not an ELF file"),
    Case("image for arm64", lambda s: s.mint_vm(images.for_arm64(s.image())), 422, REFUSED,
         "failed image: made for aarch64, this machine is x86-64"),
    Case("image said to be for arm64", lambda s: s.mint_vm(choice=1), 422, REFUSED,
         "failed the image is for arm64, this host is amd64"),
    Case("image without note", lambda s: s.mint_vm(images.without_note(s.image())), 422, REFUSED,
         "failed image: no ABI1 note: not a Solo5 image"),
    Case("image for virtio",
         lambda s: s.mint_vm(images.for_target(s.image(), images.TARGET_VIRTIO)), 422, REFUSED,
         "failed image: made for target virtio (3), this version runs hvt and spt"),
]


@pytest.fixture
def setting(family, tmp_path):
    return Setting(family, tmp_path)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name.replace(" ", "_"))
def test_refused(setting, case):
    chain = case.chain(setting)
    words = {"dev": setting.dev, "leaf": chain.bundle.stem, "bundle": chain.bundle}
    line = case.line.format(**words)
    before = setting.family.running()
    answer = setting.family.curl(chain, "/vms", "-X", "POST")
    client = setting.family.client(chain)
    assert answer.status == case.status, answer
    assert (client.code, client.out, client.err) == (case.exit, "", line + "\n")
    if case.status:
        problem = answer.json()
        assert problem["detail"] == (case.detail or line.removeprefix("failed "))
        assert problem["status"] == case.status
        assert problem["type"].startswith("urn:vmm:")
    assert setting.family.running() == before
