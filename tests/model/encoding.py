"""What a certificate's extensions can say, a second time: which octets are a delegation or a VM.

Written from the table of types in doc/certificates.md without a look at src/lib/cert_decode.c. DER has
one way to write a value; whatever is not that way is refused, and so is a value out of its range.
"""

from policy import CPUID_MAX, NUMBER_MAX, VM_MEMORY_MAX, Bridge, Delegation, Vm

VERSION, VMS, BRIDGES, BLOCK, CPUIDS, MEMORY, CPUID, IMAGE, PERMISSIONS = 0, 1, 2, 3, 4, 5, 6, 9, 42
INTEGER, OCTETS, UTF8, SEQUENCE, INTERNAL, EXTERNAL = 0x02, 0x04, 0x0C, 0x30, 0xA0, 0xA1

NAMES = {VERSION: "version", VMS: "vms", BRIDGES: "bridges", BLOCK: "block", CPUIDS: "cpuids",
         MEMORY: "memory", CPUID: "cpuid", IMAGE: "image", PERMISSIONS: "permissions"}


class Refused(Exception):
    """These octets are not what they should be; the argument is the field's name."""


def length_octets(length):
    if length < 0x80:
        return bytes([length])
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def element(octets):
    """The first element's tag and content, and what is behind it."""
    if len(octets) < 2:
        raise Refused
    more = octets[1] & 0x7F if octets[1] & 0x80 else 0
    size = int.from_bytes(octets[2 : 2 + more], "big") if more else octets[1]
    content = octets[2 + more :]
    if octets[1 : 2 + more] != length_octets(size) or size > len(content):
        raise Refused
    return octets[0], content[:size], content[size:]


def inside(octets, tag):
    """The content of what is one element of this tag and nothing else."""
    found, content, rest = element(octets)
    if found != tag or rest:
        raise Refused
    return content


def elements(content):
    found = []
    while content:
        tag, inner, rest = element(content)
        found.append((tag, inner, content[: len(content) - len(rest)]))
        content = rest
    return found


def number(octets, most=NUMBER_MAX):
    content = inside(octets, INTEGER)
    value = int.from_bytes(content, "big", signed=True)
    shortest = (value if value >= 0 else ~value).bit_length() // 8 + 1
    if len(content) != shortest or not 0 <= value <= most:
        raise Refused
    return value


def version(octets):
    return number(octets, 0)


def cpuid(octets):
    return number(octets, CPUID_MAX)


def cpuids(octets):
    return frozenset(cpuid(whole) for _, _, whole in elements(inside(octets, SEQUENCE)))


def text(octets):
    try:
        return inside(octets, UTF8).decode()
    except UnicodeDecodeError as error:
        raise Refused from error


def address(octets):
    content = inside(octets, OCTETS)
    if len(content) != 4:
        raise Refused
    return int.from_bytes(content, "big")


def bridge(tag, content):
    if tag == INTERNAL:
        return Bridge(text(content))
    if tag != EXTERNAL:
        raise Refused
    parts = [whole for _, _, whole in elements(inside(content, SEQUENCE))]
    if len(parts) != 5:
        raise Refused
    name, first, last, router, netmask = parts
    netmask = number(netmask, 32)
    if netmask == 0:
        raise Refused
    return Bridge(text(name), address(first), address(last), address(router), netmask)


def bridges(octets):
    found = [bridge(tag, content) for tag, content, _ in elements(inside(octets, SEQUENCE))]
    if len({one.name for one in found}) != len(found):
        raise Refused
    return tuple(sorted(found, key=lambda one: one.name))


READERS = {VERSION: version, VMS: number, BRIDGES: bridges, BLOCK: number, CPUIDS: cpuids, MEMORY: number,
           CPUID: cpuid, IMAGE: bytes, PERMISSIONS: bytes}


def read(arcs, needed, allowed):
    """The values by arc; ARCS are (arc, octets) in the certificate's order."""
    values = {}
    for arc, octets in arcs:
        try:
            if arc in values:
                raise Refused
            values[arc] = READERS[arc](octets)
        except Refused:
            raise Refused(NAMES[arc]) from None
    for arc in sorted(NAMES):
        if (arc in needed and arc not in values) or (arc in values and arc not in needed | allowed):
            raise Refused(NAMES[arc])
    return values


def delegation(arcs):
    values = read(arcs, {VERSION, VMS, CPUIDS, MEMORY}, {BRIDGES, BLOCK})
    return Delegation(values[VMS], values[MEMORY], values.get(BLOCK), values[CPUIDS],
                      values.get(BRIDGES, ()))


def vm(arcs):
    """Its numbers; image and permissions are taken to be good ones."""
    values = read(arcs, {VERSION, MEMORY, CPUID, IMAGE, PERMISSIONS}, set())
    if not 1 <= values[MEMORY] <= VM_MEMORY_MAX:
        raise Refused(NAMES[MEMORY])
    return Vm(values[MEMORY], values[CPUID])
