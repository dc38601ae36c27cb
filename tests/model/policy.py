"""What one is allowed, said a second time: the rules of a chain and the quota of a tree.

Written from the rules in words (doc/policy.md) without a look at src/lib/policy.c, so that the
two can be held against each other (test_policy.py). Everything here is plain and slow on purpose:
sets for cpuids, a sum over all that runs for the quota, no early ends. Each rule answers *all* that
is wrong with a request, as (field, subject) or (ancestor, field); what the C code names must be the
first of them in the order that doc/policy.md gives.

MB are 2**20 bytes. An absent number grants nothing; an absent list names nothing.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Address

NUMBER_MAX = 2**31 - 1
CPUID_MAX = 1023
VM_MEMORY_MAX = 4095


@dataclass(frozen=True)
class Bridge:
    """A network by name; one without addresses is internal to the host."""

    name: str
    first: IPv4Address | None = None
    last: IPv4Address | None = None
    router: IPv4Address | None = None
    netmask: int | None = None

    @property
    def external(self):
        return self.first is not None

    def within(self, granted):
        """The same network, and if it leaves the host no more of its addresses."""
        if (self.name, self.router, self.netmask) != (granted.name, granted.router, granted.netmask):
            return False
        if self.external != granted.external:
            return False
        return not self.external or granted.first <= self.first <= self.last <= granted.last


@dataclass(frozen=True)
class Delegation:
    vms: int | None = None
    memory: int | None = None
    block: int | None = None
    cpuids: frozenset = frozenset()
    bridges: tuple = ()


@dataclass(frozen=True)
class Vm:
    memory: int
    cpuid: int
    networks: tuple = ()


def child_excesses(parent, child):
    """Where a delegation asks for more than the one above it: [(field, subject)]."""
    excesses = []
    for number in ("vms", "memory", "block"):
        if (getattr(child, number) or 0) > (getattr(parent, number) or 0):
            excesses.append((number, ""))
    for cpuid in sorted(child.cpuids - parent.cpuids):
        excesses.append(("cpuids", str(cpuid)))
    for bridge in child.bridges:
        if not any(bridge.within(granted) for granted in parent.bridges):
            excesses.append(("bridges", bridge.name))
    return excesses


def chain_excesses(chain):
    """[(depth of the child, field, subject)] from the top of a chain of delegations down."""
    return [
        (depth, *excess)
        for depth in range(1, len(chain))
        for excess in child_excesses(chain[depth - 1], chain[depth])
    ]


def vm_excesses(delegation, vm):
    """Where a VM wants what its delegation does not have: [(field, subject)]."""
    excesses = []
    if vm.memory > (delegation.memory or 0):
        excesses.append(("memory", ""))
    if vm.cpuid not in delegation.cpuids:
        excesses.append(("cpuid", ""))
    for name in vm.networks:
        if name not in {bridge.name for bridge in delegation.bridges}:
            excesses.append(("bridges", name))
    return excesses


@dataclass
class Running:
    path: tuple
    memory: int


@dataclass
class Volume:
    path: tuple
    size: int


@dataclass
class Host:
    """What runs, and what everybody on the way down to it was granted.

    A path is a tuple of labels, the granted table has a Delegation for each. `memory` is the
    host's own limit, one more ancestor above all of them.
    """

    memory: int
    granted: dict = field(default_factory=dict)
    running: list = field(default_factory=list)
    volumes: list = field(default_factory=list)

    def ancestors(self, path):
        return [path[:depth] for depth in range(1, len(path) + 1)]

    def below(self, things, ancestor):
        return [thing for thing in things if thing.path[: len(ancestor)] == ancestor]

    def vm_shortages(self, path, memory):
        """Who has no room for one more VM at a delegation: [(ancestor, field)], () is the host."""
        shortages = []
        if sum(vm.memory for vm in self.running) + memory > self.memory:
            shortages.append(((), "memory"))
        for ancestor in self.ancestors(path):
            grant, vms = self.granted[ancestor], self.below(self.running, ancestor)
            if len(vms) + 1 > (grant.vms or 0):
                shortages.append((ancestor, "vms"))
            if sum(vm.memory for vm in vms) + memory > (grant.memory or 0):
                shortages.append((ancestor, "memory"))
        return shortages

    def volume_shortages(self, path, size):
        shortages = []
        for ancestor in self.ancestors(path):
            volumes = self.below(self.volumes, ancestor)
            if sum(volume.size for volume in volumes) + size > (self.granted[ancestor].block or 0):
                shortages.append((ancestor, "block"))
        return shortages


def number_is_representable(octets, least=0, most=NUMBER_MAX):
    """Does DER (a whole INTEGER: tag, length, content) hold a number that a policy may have?"""
    if len(octets) < 3 or octets[0] != 0x02 or octets[1] != len(octets) - 2 or octets[1] > 0x7F:
        return False
    content = octets[2:]
    value = int.from_bytes(content, "big", signed=True)
    shortest = (value + (value < 0)).bit_length() // 8 + 1
    return len(content) == shortest and least <= value <= most
