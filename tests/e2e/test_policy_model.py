"""The model of policy (tests/model/) against whole programs: what vmm_ca signs and refuses, with and
without lower numbers, and what the verifier makes of chains that another hand made. The draws are those
of tests/model/test_policy.py; VMM_MODEL_SEED sets where they start."""

import os
import sys
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import mint

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "model"))
import encoding
import test_policy as draws
from driver import Driver
from policy import NUMBER_MAX, Delegation, Vm, child_excesses, vm_excesses

pytestmark = pytest.mark.security("05")

SEED = int(os.environ.get("VMM_MODEL_SEED", 1))
ROUNDS = 300
IMAGE = b"\x7fELF"
NETWORK = 7


# Draws, as certificates can say them

def sensible(bridge):
    """Its addresses in order and in its router's network: others are malformed."""
    if not bridge.external:
        return bridge
    first, last = sorted((bridge.first, bridge.last))
    narrow = last < 0x0A800000
    return bridge._replace(first=first, last=last, netmask=bridge.netmask if narrow else 8)


def delegation(draw, parent):
    """Something like PARENT, often within it; None: for a top delegation."""
    cpus = sum(1 << bit for bit, cpu in enumerate(draws.CPUS) if parent and cpu in parent.cpuids)
    numbers = [draws.number(draw, draws.SMALL, parent and granted)
               for granted in (parent or Delegation(6, 4096, 4))[:3]]
    numbers = [min(number or 0, NUMBER_MAX) for number in numbers]
    mask = draws.cpu_mask(draw, cpus if parent else None)
    return Delegation(*numbers, draws.CPU_SETS[mask][0],
                      tuple(map(sensible, draws.bridges(draw, parent))))


def vm(draw, parent):
    cpu = draws.pick(draw, (sorted(parent.cpuids) or [0]) if draw() < 0.9 else draws.CPUS)
    memory = draws.pick(draw, (1, 2, parent.memory, parent.memory + 1))
    networks = [bridge.name for bridge in parent.bridges if draw() < 0.3]
    networks += [draws.pick(draw, draws.NAMES)] * (draw() < 0.1)
    return Vm(min(max(memory, 1), 4095), cpu, tuple(networks[:draws.NETWORKS_MAX]))


def address(number):
    return mint.octets(number.to_bytes(4, "big"))


def bridge_value(bridge):
    if not bridge.external:
        return mint.explicit(0, mint.text(bridge.name))
    return mint.explicit(1, mint.sequence(
        mint.text(bridge.name), *map(address, bridge[1:4]), mint.integer(bridge.netmask)))


def delegation_arcs(one):
    arcs = mint.delegation(vms=one.vms, memory=one.memory, cpus=sorted(one.cpuids),
                           block=one.block or None)
    if one.bridges:
        arcs[2] = mint.sequence(*map(bridge_value, one.bridges))
    return arcs


def vm_arcs(one):
    return mint.vm(IMAGE, memory=one.memory, cpu=one.cpuid, network=one.networks or None)


def agrees(text, excess, grantor):
    """Whether a refusal is for what the model finds too much first."""
    field, name = excess
    return text.startswith(f"{field} {name}".strip() + ": asked for") and f", {grantor} grants " in text


# vmm_ca sign

def bridge_word(bridge):
    if not bridge.external:
        return bridge.name
    octets = [".".join(map(str, number.to_bytes(4, "big"))) for number in bridge[1:4]]
    return "/".join([bridge.name, *octets, str(bridge.netmask)])


def lower_options(one):
    return ["--vms", one.vms, "--memory", one.memory, "--block", one.block,
            *(word for cpu in sorted(one.cpuids) for word in ("--cpu", cpu)),
            *(word for bridge in one.bridges for word in ("--bridge", bridge_word(bridge)))]


def lowered(asked, given):
    """What is asked for with what is given in its place; a list that is not given stays."""
    return given._replace(cpuids=given.cpuids or asked.cpuids, bridges=given.bridges or asked.bridges)


def lowering_refused(text, excess):
    field, name = excess
    return text.startswith(f"--bridge may only narrow: bridge {name}: " if field == "bridge" else
                           f"{field}: ") and ("the request asks for" in text or "the request grants" in text)


def same(one, other):
    return all((a or 0) == (b or 0) for a, b in zip(one[:3], other[:3])) and \
        one.cpuids == other.cpuids and set(one.bridges) == set(other.bridges)


def granted_by(ca, name):
    certificate = x509.load_pem_x509_certificate(ca.path(f"{name}.pem").read_bytes())
    return [(int(extension.oid.dotted_string.rpartition(".")[2]), extension.value.value)
            for extension in certificate.extensions
            if extension.oid.dotted_string.startswith(mint.ARCS)]


def sign(ca, name, issuer, arcs, options=()):
    """A request by another hand, signed by vmm_ca: 0 or 1, and why."""
    key = mint.new_key()
    ca.path(f"{name}.key").write_bytes(mint.private(key))
    ca.path(f"{name}.req").write_bytes(mint.request(name, arcs, key))
    done = ca("sign", f"{name}.req", "--ca", "cacert.pem" if issuer == "ca" else f"{issuer}.pem",
              "--key", f"{issuer}.key", "--db", f"{issuer}.db", *options, check=False)
    assert done.code in (0, 1), done
    return done.code, done.err.partition(": ")[2]


def sign_delegation(ca, draw, name, issuer, parent):
    """Its outcome, and the policy when it was signed."""
    asked = delegation(draw, parent)
    given = delegation(draw, asked) if draw() < 0.5 else None
    wanted = lowered(asked, given) if given else asked
    code, why = sign(ca, name, issuer, delegation_arcs(asked), lower_options(given) if given else ())
    story = (issuer, parent, asked, given, why)
    raised, beyond = child_excesses(asked, wanted), child_excesses(parent, wanted) if parent else []
    if raised:
        assert code == 1 and lowering_refused(why, raised[0]), story
        return "raised", None
    if beyond:
        assert code == 1 and agrees(why, beyond[0], issuer), story
        return "beyond", None
    assert code == 0 and same(encoding.delegation(granted_by(ca, name)), wanted), story
    return "signed", wanted


def sign_vm(ca, draw, name, issuer, parent):
    asked = vm(draw, parent)
    given = max(int(draw() * 4) + asked.memory - 2, 0) if draw() < 0.5 else None
    wanted = asked if given is None else asked._replace(memory=given)
    code, why = sign(ca, name, issuer, vm_arcs(asked), () if given is None else ("--memory", given))
    story = (issuer, parent, asked, given, why)
    beyond = vm_excesses(parent, wanted)
    if wanted.memory > asked.memory:
        assert code == 1 and lowering_refused(why, ("memory", "")), story
        return "raised VM"
    if beyond[:1] == [("memory", "of any VM")]:
        assert code == 1 and why.startswith("memory: asked for 0 MB, a VM has 1 to 4095 MB"), story
    elif beyond:
        assert code == 1 and agrees(why, beyond[0], issuer), story
    else:
        values = [arc for arc in granted_by(ca, name) if arc[0] != NETWORK]
        assert code == 0 and encoding.vm(values)[:2] == wanted[:2], story
    return "beyond VM" if beyond else "signed VM"


def test_what_is_signed(ca):
    """300 requests below random issuers, among them those that were signed here before."""
    draw = Random(SEED).random
    policies, depths, outcomes = {"ca": None}, {"ca": 0}, {}
    print(f"VMM_MODEL_SEED={SEED}")
    for number in range(ROUNDS):
        issuer = draws.pick(draw, list(policies))
        if draw() < 0.3 and issuer != "ca":
            outcome = sign_vm(ca, draw, f"v{number}", issuer, policies[issuer])
        else:
            name = f"d{number}"
            outcome, policy = sign_delegation(ca, draw, name, issuer, policies[issuer])
            if policy and depths[issuer] < 8:
                policies[name], depths[name] = policy, depths[issuer] + 1
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    print(outcomes)
    assert set(outcomes) == {f"{word}{kind}" for word in ("raised", "beyond", "signed") for kind in ("", " VM")}


# The verifier, as vmm_auth has it

def mint_chain(draw, root):
    """A chain in DER, leaf first, and the model's first excess with who is to grant it; None: there is none."""
    certificates, wrong, parent, issuer = [], None, None, root
    for level in range(1 + int(draw() * (14 if draw() < 0.1 else 4))):
        policy = delegation(draw, parent)
        if parent and not wrong:
            excesses = child_excesses(parent, policy)
            wrong = excesses and (excesses[0], f"d{level - 1}")
        issuer = mint.certificate(f"d{level}", issuer, delegation_arcs(policy), is_ca=True)
        certificates.insert(0, issuer.certificate)
        parent = policy
    leaf = mint.command(mint.INFO)
    if draw() < 0.5:
        wanted = vm(draw, parent)
        excesses = vm_excesses(parent, wanted)
        wrong = wrong or (excesses and (excesses[0], issuer.certificate.subject.rfc4514_string()[3:]))
        leaf = vm_arcs(wanted)
    certificates.insert(0, mint.certificate("leaf", issuer, leaf).certificate)
    return [certificate.public_bytes(serialization.Encoding.DER) for certificate in certificates], wrong


def test_what_is_verified(build, ca):
    """300 chains of up to 16 certificates: the topmost excess is the one that is named."""
    root = mint.load(ca, "ca")
    root_der = root.certificate.public_bytes(serialization.Encoding.DER).hex()
    driver = Driver(build / "tests/model/cert_driver")
    accepted = 0
    for seed in range(SEED, SEED + ROUNDS):
        chain, wrong = mint_chain(Random(seed).random, root)
        (answer,) = driver.ask([" ".join(["C", root_der, *(der.hex() for der in chain)])], 1)
        story = (f"VMM_MODEL_SEED={seed}", answer, wrong)
        if wrong:
            assert answer.startswith("refused: ") and agrees(answer[9:], *wrong), story
        else:
            assert answer == "accepted: ", story
            accepted += 1
    driver.end()
    assert ROUNDS / 10 < accepted < ROUNDS * 9 / 10
