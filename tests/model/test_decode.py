"""The certificate decoder against the model, on random encodings of numbers: test_decode.py DRIVER COUNT.
Delegations and VMs with every number right, out of its range, negative, too large for any type,
written in another way than DER's, of another type, twice or absent: what is representable is the model's
to say, and what is comes out as the same value. VMM_MODEL_SEED and VMM_MODEL_COUNT as in test_policy.py.
"""

import os
import sys
from random import Random

import encoding
from driver import Driver
from encoding import (BLOCK, BRIDGES, CPUID, CPUIDS, EXTERNAL, IMAGE, INTEGER, INTERNAL, MEMORY, OCTETS,
                      PERMISSIONS, SEQUENCE, UTF8, VERSION, VMS)

BATCH = 1000
GOOD = (0, 1, 2, 127, 128, 255, 256, 1023, 4095, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1)
BAD = (-1, -128, -129, -2**31, -2**63, -2**64, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1,
       2**63, 2**64 - 1, 2**64, 2**64 + 1, 2**71, 2**128)
EDGES = (1024, 4096, 1, 4095, 1023)
# A good image, and permission image: not what is looked at here.
REST = [(IMAGE, bytes.fromhex("a00604047f454c46")), (PERMISSIONS, bytes.fromhex("03020520"))]


def pick(draw, items):
    return items[int(draw() * len(items))]


def element(tag, content):
    return bytes([tag]) + encoding.length_octets(len(content)) + content


def two_complement(value):
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)


def long_length(draw, tag, content):
    """A length in more octets than it takes, or in none."""
    size = len(content)
    heads = [bytes([0x80 | octets]) + size.to_bytes(octets, "big") for octets in (2, 3, 4, 5)]
    heads += [bytes([0x81, size])] if size < 256 else []
    head = pick(draw, [b"\x80", *(head for head in heads if head != encoding.length_octets(size))])
    return bytes([tag]) + head + content + (b"\0\0" if head == b"\x80" else b"")


def twisted(draw, content):
    """An INTEGER that is not DER, or none at all."""
    return pick(draw, (
        lambda: element(INTEGER, b"\0" + content),
        lambda: element(INTEGER, b"\xff" + content),
        lambda: element(INTEGER, b""),
        lambda: long_length(draw, INTEGER, content),
        lambda: element(pick(draw, (0x01, 0x03, 0x0A, 0x22, 0x42, 0x82, OCTETS)), content),
        lambda: element(INTEGER, content) + b"\0",
        lambda: element(INTEGER, content)[:-1],
        lambda: b"",
    ))()


def number(draw, usual):
    chance = draw()
    value = usual if chance < 0.6 else pick(draw, GOOD + EDGES if chance < 0.85 else BAD)
    content = two_complement(value)
    return element(INTEGER, content) if draw() < 0.96 else twisted(draw, content)


def sequence(draw, content):
    return element(SEQUENCE, content) if draw() < 0.98 else long_length(draw, SEQUENCE, content)


def cpuids(draw):
    many = 0 if draw() < 0.1 else int(draw() * (5 if draw() < 0.9 else 120))
    return sequence(draw, b"".join(number(draw, int(draw() * 1024)) if draw() < 0.2 else
                                   element(INTEGER, two_complement(int(draw() * 1024)))
                                   for _ in range(many)))


def bridge(draw, name):
    text = element(UTF8, name)
    if draw() < 0.4:
        return element(INTERNAL, text)
    # One address, which every netmask has room for.
    where = element(OCTETS, bytes([10, 0, 0, 2, 5])[: 4 if draw() < 0.97 else pick(draw, (0, 3, 5))])
    netmask = number(draw, 1 + int(draw() * 32))
    return element(EXTERNAL, element(SEQUENCE, text + 3 * where + netmask))


def bridges(draw):
    names = [pick(draw, (b"a", b"br0", b"lan", b"ext-15-octets.0")) for _ in range(int(draw() * 4))]
    return sequence(draw, b"".join(bridge(draw, name) for name in names))


def delegation(draw):
    arcs = [(VERSION, number(draw, 0)), (VMS, number(draw, 2)), (CPUIDS, cpuids(draw)),
            (MEMORY, number(draw, 512))]
    arcs += [(BLOCK, number(draw, 1))] * (draw() < 0.5) + [(BRIDGES, bridges(draw))] * (draw() < 0.3)
    return arcs


def vm(draw):
    return [(VERSION, number(draw, 0)), (MEMORY, number(draw, 32)), (CPUID, number(draw, 1))] + REST


def certificate(seed):
    """A step for the driver, and what the model says."""
    rng = Random(seed)
    draw = rng.random
    is_ca = draw() < 0.7
    arcs = delegation(draw) if is_ca else vm(draw)
    rng.shuffle(arcs)
    if draw() < 0.05:
        arcs.pop()
    if draw() < 0.03:
        arcs.append(arcs[0])
    line = f"E {int(is_ca)} " + " ".join(f"{arc}={octets.hex()}" for arc, octets in arcs)
    try:
        return line, said(encoding.delegation(arcs) if is_ca else encoding.vm(arcs))
    except encoding.Refused as refused:
        return line, f"refused: {refused}"


def dotted(address):
    return ".".join(str(octet) for octet in address.to_bytes(4, "big"))


def bridge_word(one):
    if not one.external:
        return one.name
    return "/".join([one.name, *map(dotted, one[1:4]), str(one.netmask)])


def said(thing):
    if isinstance(thing, encoding.Vm):
        return f"vm {thing.memory} {thing.cpuid}"
    return " ".join(["delegation", str(thing.vms), str(thing.memory), str(thing.block or 0),
                     ",".join(map(str, sorted(thing.cpuids))),
                     ",".join(map(bridge_word, thing.bridges))])


def agree(answer, verdict):
    """A refusal is the same when it is for the same field."""
    if verdict.startswith("refused: "):
        return answer.startswith(f"{verdict}: ")
    return answer == verdict


def main(program, count):
    first = int(os.environ.get("VMM_MODEL_SEED", 1))
    count = int(os.environ.get("VMM_MODEL_COUNT", count))
    driver, accepted = Driver(program), 0
    for start in range(first, first + count, BATCH):
        seeds = range(start, min(start + BATCH, first + count))
        steps = [certificate(seed) for seed in seeds]
        answers = driver.ask([line for line, _ in steps], len(steps))
        for seed, (line, verdict), answer in zip(seeds, steps, answers, strict=True):
            if not agree(answer, verdict):
                raise SystemExit(f"test_decode: VMM_MODEL_SEED={seed} VMM_MODEL_COUNT=1: of '{line}' the "
                                 f"model says '{verdict}', the code '{answer}'")
            accepted += not verdict.startswith("refused")
    driver.end()
    print(f"{count} certificates from seed {first}, {accepted} accepted")
    if count >= BATCH and not 0.2 * count < accepted < 0.8 * count:
        raise SystemExit("test_decode: that is too few of one kind")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
