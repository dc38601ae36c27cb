"""Chains that are ours and wrong, shown to the real family: what is no certificate of vmm's form (SECURITY
row 3), what is no chain (row 4), what asks for more than its parent has (row 5). All of the forms, one by
one and in bytes, are in tests/unit/test_verify*.c; these go through TLS, with certificates of another hand."""

import datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

import mint
from door import context
from upper import alert

pytestmark = pytest.mark.sanitized

YEAR_AGO = {"since": -datetime.timedelta(days=365), "until": -mint.DAY}
CRITICAL = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), mint.text("x"))
PLACEHOLDER = 99  # an arc that does not exist, for one that another takes its place


class Bench:
    """A delegation of the test's own, and what hangs below it."""

    def __init__(self, family, folder):
        self.family, self.ca, self.folder = family, family.ca, folder
        self.name = self.ca.delegation(self.ca.unique("dev"))
        self.root, self.dev = mint.load(self.ca, "ca"), mint.load(self.ca, self.name)

    def leaf(self, issuer=None, arcs=None, **options):
        return mint.certificate("leaf", issuer or self.dev, arcs or mint.command(mint.ALL), **options)

    def sub(self, issuer=None, arcs=None, name="sub", **options):
        return mint.certificate(name, issuer or self.dev, arcs or mint.delegation(), is_ca=True, **options)

    def edited(self, edit, issuer=None, **options):
        """A leaf whose signed bytes are not what Python's cryptography would make."""
        issuer = issuer or self.dev
        return mint.edited(self.leaf(issuer, **options), issuer, edit)

    def forged(self, issuer):
        """A leaf that says all that one of ISSUER's would, signed with another key."""
        stranger = mint.Issuer(issuer.certificate, mint.new_key(), issuer.above)
        return mint.edited(self.leaf(issuer), stranger, lambda body: body)

    def show(self, minted, bundle=None):
        return mint.chain(self.folder, "shown", minted, bundle)

    def refused(self, chain):
        """The words with which a session has no authority."""
        answer = self.family.curl(chain, "/")
        assert answer.status == 403, answer
        problem = answer.json()
        assert problem["type"] in ("urn:vmm:malformed", "urn:vmm:policy"), problem
        return problem["detail"]


@pytest.fixture
def bench(family, tmp_path):
    return Bench(family, tmp_path)


def own(arc, value):
    """A command leaf with one of our extensions as given."""
    return lambda b: b.leaf(arcs={**mint.command(mint.ALL), arc: value})


def twice(b):
    arcs = {**mint.command(mint.ALL), PLACEHOLDER: mint.bits(mint.ALL)}
    return b.edited(lambda body: body.replace(bytes([42, PLACEHOLDER, 4]), bytes([42, 42, 4])), arcs=arcs)


def delegation_with(arc, value):
    return lambda b: b.leaf(b.sub(arcs={**mint.delegation(), arc: value}))


# What is wrong, in words

FORMS = {
    "an unknown critical extension": (lambda b: b.leaf(more=[(CRITICAL, True)]),
                                      "leaf: extension 1.2.3.4: has no place in a certificate of vmm"),
    "an unknown extension": (lambda b: b.leaf(more=[(CRITICAL, False)]),
                             "leaf: extension 1.2.3.4: has no place in a certificate of vmm"),
    "ours twice": (twice, "leaf: permissions: is there twice"),
    "no such arc": (own(44, mint.integer(0)), "leaf: 1.3.6.1.4.1.49836.42.44: there is no such extension"),
    "trailing bytes": (own(42, mint.bits(mint.ALL) + b"\0"), "leaf: permissions: "),
    "trailing bytes in a delegation": (delegation_with(1, mint.integer(1) + b"\5\0"), "sub: vms: "),
    "non-minimal integer": (delegation_with(1, b"\x02\x02\x00\x01"), "sub: vms: "),
    "non-minimal length": (delegation_with(1, b"\x02\x81\x01\x01"), "sub: vms: "),
    "indefinite length": (delegation_with(4, b"\x30\x80\x02\x01\x00\x00\x00"), "sub: cpuids: "),
    "wrong type": (delegation_with(5, mint.octets(b"\x02\x00")), "sub: memory: "),
    "empty": (own(42, b""), "leaf: permissions: "),
    "version 1": (own(0, mint.integer(1)), "leaf: version: is 1, must be 0"),
}


@pytest.mark.security("03")
@pytest.mark.parametrize("case", FORMS, ids=lambda name: name.replace(" ", "_"))
def test_not_the_form(bench, watch, case):
    make, words = FORMS[case]
    assert bench.refused(bench.show(make(bench))).startswith(words)
    watch.refused("leaf")


@pytest.mark.security("03")
def test_forged_below_an_expired_delegation(bench, watch):
    """OpenSSL by itself would say that the delegation expired, and not look at the signature."""
    old = bench.sub(bench.root, name="old", **YEAR_AGO)
    right = bench.leaf(old)
    forged = bench.forged(old)
    answer = bench.family.curl(bench.show(right), "/")
    assert answer.status == 403 and answer.detail.startswith("old expired at ")
    seen = alert(bench.family.port, context(bench.family, bench.show(forged)))
    assert seen == "SSLV3_ALERT_BAD_CERTIFICATE"
    watch.refused("leaf")


# Row 4

def foreign_root(b):
    """Of our CA's name."""
    [name] = b.root.certificate.subject
    return mint.certificate(name.value, None, {}, is_ca=True, usage=False)


def with_the_peers_root(b):
    root = foreign_root(b)
    leaf = b.leaf(b.sub(root))
    return b.show(leaf, leaf.above + mint.pem(root.certificate))


def with_another_root(b):
    leaf = b.leaf()
    return b.show(leaf, leaf.above + mint.pem(foreign_root(b).certificate))


def reordered(b):
    leaf = b.leaf(b.sub())
    return b.show(leaf, mint.pem(leaf.certificate) + b.dev.above + b.sub().above)


def with_an_extra(b):
    leaf = b.leaf()
    return b.show(leaf, leaf.above + b.sub(b.root, name="extra").above)


def issuer_missing(b):
    leaf = b.leaf(b.sub())
    return b.show(leaf, mint.pem(leaf.certificate) + b.dev.above)


def another_key(b):
    return b.show(b.forged(b.dev))


STRANGERS = {
    "the peer's own root": (with_the_peers_root, "TLSV1_ALERT_UNKNOWN_CA"),
    "another root behind": (with_another_root, "TLSV1_ALERT_UNKNOWN_CA"),
    "an extra behind": (with_an_extra, "SSLV3_ALERT_BAD_CERTIFICATE"),
    "reordered": (reordered, "SSLV3_ALERT_BAD_CERTIFICATE"),
    "an issuer missing": (issuer_missing, "SSLV3_ALERT_BAD_CERTIFICATE"),
    "another key's signature": (another_key, "SSLV3_ALERT_BAD_CERTIFICATE"),
}


@pytest.mark.security("04")
@pytest.mark.parametrize("case", STRANGERS, ids=lambda name: name.replace(" ", "_"))
def test_no_chain(bench, watch, case):
    make, wanted = STRANGERS[case]
    assert alert(bench.family.port, context(bench.family, make(bench))) == wanted
    assert watch.lines("REFUSED") == []
    watch.nobody_got_in()


def serial(replacement):
    """A leaf whose serial number's element is another."""
    known = 0x5A << 72 | 0x5B
    wanted = mint.integer(known)
    return lambda b: b.edited(lambda body: body.replace(wanted, replacement), serial=known)


def same_key_two_policies(b):
    """A second certificate for a delegation's key below the first, with less: which of them signed?"""
    return b.leaf(b.sub(arcs=mint.delegation(vms=1), key=b.dev.key))


def path_length(b):
    narrow = b.sub(b.root, name="narrow", path_length=0)
    return b.leaf(b.sub(narrow))


def self_issued(b):
    """RFC 5280 does not count a self-issued certificate: it would dodge the path length."""
    narrow = b.sub(b.root, name="narrow", path_length=0)
    return b.leaf(b.sub(narrow, name="narrow"))


def with_ca_flag(body):
    """cA TRUE in the basic constraints of a leaf: the lengths around it grow by three."""
    extensions = next(at for at, byte in enumerate(body[:-2])
                      if byte == 0xA3 and mint.explicit(3, mint.body_of(body[at:])) == body[at:])
    listed = mint.body_of(mint.body_of(body[extensions:]))
    value = bytes.fromhex("0603551d130101ff04023000")
    assert value in listed
    flagged = mint.sequence(bytes.fromhex("0603551d130101ff040530030101ff"))
    return body[:extensions] + mint.explicit(3, mint.sequence(listed.replace(mint.sequence(value), flagged)))


BAD_CHAINS = {
    "one key, two policies": (same_key_two_policies, "sub has the key of dev"),
    "the root's key": (lambda b: b.leaf(b.sub(b.root, key=b.root.key)), "sub has the key of the CA"),
    "a leaf that is a CA": (lambda b: b.leaf(is_ca=True),
                            "leaf: basicConstraints: a session needs a leaf, this one is a CA"),
    "a leaf that is a CA and cannot sign": (
        lambda b: b.edited(with_ca_flag),
        "leaf: basicConstraints: a session needs a leaf, this one is a CA"),
    "a delegation for servers": (lambda b: b.leaf(b.sub(usage=ExtendedKeyUsageOID.SERVER_AUTH)),
                                 "sub: extendedKeyUsage: a delegation must have clientAuth, alone"),
    "path length": (path_length, "path length: narrow allows 0 below it, the chain has 1"),
    "self-issued": (self_issued, "narrow: has the name of its own issuer"),
    "serial zero": (serial(b"\x02\x01\x00"), "leaf: serial number: is zero"),
    "serial negative": (serial(b"\x02\x01\x85"), "leaf: serial number: is negative"),
    "serial of 21 bytes": (serial(mint.integer(0x01 << 160)),
                           "leaf: serial number: 21 bytes, at most 20 are allowed"),
}


@pytest.mark.security("04")
@pytest.mark.parametrize("case", BAD_CHAINS, ids=lambda name: name.replace(" ", "_"))
def test_a_chain_of_ours_refused(bench, watch, case):
    make, words = BAD_CHAINS[case]
    said = bench.refused(bench.show(make(bench)))
    assert said == words.replace("dev", bench.name)
    watch.refused("leaf")


@pytest.mark.security("03", "04", "05")
def test_the_right_chain(bench, watch):
    """Made by the same hand, our root behind it: what the refusals are worth."""
    leaf = bench.leaf(bench.sub(bench.sub(arcs=mint.delegation(vms=1, memory=64, cpus=[1])),
                                arcs=mint.delegation(vms=1, memory=64, cpus=[1]), name="below"))
    root = bench.ca.path("cacert.pem").read_bytes()
    answer = bench.family.curl(bench.show(leaf, leaf.above + root), "/")
    assert answer.status == 200, answer
    assert watch.lines("REFUSED") == []


# Row 5: each field, from the delegation that has it to one that asks for more, at three depths

EXT = ("10.0.0.2", "10.0.0.5", "10.0.0.1", 24)
BRIDGES = mint.sequence(mint.explicit(0, mint.text("lan")), mint.external("ext", *EXT))
GRANTED = {**mint.delegation(vms=2, memory=1024, cpus=(0, 1), block=10), 2: BRIDGES}
ABSENT = None


def ext(first="10.0.0.2", last="10.0.0.5", router="10.0.0.1", bits=24, name="ext"):
    return mint.sequence(mint.external(name, first, last, router, bits))


def numbers(one_more):
    return [mint.integer(value) for value in (one_more, 2**31, 2**63, 2**64, -1)]


def cpus(*values):
    return mint.sequence(*map(mint.integer, values))


# Arc to values and the word for the field
TOO_MUCH = {
    "vms": (1, [*numbers(3), ABSENT]),
    "memory": (5, [*numbers(1025), ABSENT]),
    "block": (3, numbers(11)),
    "cpuids": (4, [cpus(0, 2), cpus(1023), cpus(1024), cpus(2**31), cpus(2**63), cpus(-1), ABSENT]),
    "bridge": (2, [mint.sequence(mint.explicit(0, mint.text("wan"))),
                   mint.sequence(mint.explicit(0, mint.text("ext"))),
                   ext(first="10.0.0.1"), ext(first="10.0.0.0"), ext(last="10.0.0.6"),
                   ext("0.0.0.0", "255.255.255.255"), ext(router="10.0.0.9"), ext(bits=23), ext(bits=25),
                   ext(first="10.0.0.5", last="10.0.0.2"), ext(name="lan")]),
}


def with_field(arcs, arc, value):
    return {key: kept for key, kept in {**arcs, arc: value}.items() if kept is not None}


def chains_beyond(bench, arc, value):
    """The greedy one right below the top delegation, then one and two below it."""
    above = bench.sub(bench.root, arcs=GRANTED, name="granted")
    for level in range(3):
        yield bench.leaf(bench.sub(above, arcs=with_field(GRANTED, arc, value), name="greedy"))
        above = bench.sub(above, arcs=GRANTED, name=f"level{level}")


@pytest.mark.security("05")
@pytest.mark.parametrize("field", TOO_MUCH)
def test_a_delegation_asks_for_more(bench, watch, field):
    arc, values = TOO_MUCH[field]
    for value in values:
        for minted in chains_beyond(bench, arc, value):
            said = bench.refused(bench.show(minted))
            assert said.startswith((field, f"greedy: {field}")), (value, said)
    watch.refused("leaf", 3 * len(values))


VM_TOO_MUCH = {
    "memory": (5, [*numbers(1025), mint.integer(0), ABSENT]),
    "cpuid": (6, [*numbers(2), ABSENT]),
    "bridge": (7, [mint.sequence(mint.text("wan")), mint.sequence(mint.text("service:wan"))]),
}


@pytest.mark.security("05")
@pytest.mark.parametrize("field", VM_TOO_MUCH)
def test_a_vm_asks_for_more(bench, watch, field):
    arc, values = VM_TOO_MUCH[field]
    arcs = mint.vm(bench.family.tree.guest("idle").read_bytes())
    above = bench.sub(bench.sub(bench.root, arcs=GRANTED, name="granted"), arcs=GRANTED)
    for value in values:
        chain = bench.show(bench.leaf(above, arcs=with_field(arcs, arc, value)))
        said = bench.refused(chain)
        assert said.startswith((field, f"leaf: {field}", "leaf: network")), (value, said)
        assert bench.family.curl(chain, "/vms", "-X", "POST").status == 403
    assert bench.family.monitors() == []
    watch.nobody_got_in()


@pytest.mark.security("05")
def test_absent_is_none(bench):
    """A parent without volumes and bridges has none to give."""
    bare = bench.sub(bench.root, arcs=with_field(with_field(GRANTED, 3, None), 2, None), name="bare")
    for arcs in (with_field(GRANTED, 2, None), with_field(GRANTED, 3, None)):
        said = bench.refused(bench.show(bench.leaf(bench.sub(bare, arcs=arcs))))
        assert said.startswith(("block: asked for 10 MB, bare grants 0 MB", "bridge ext: asked for")), said
