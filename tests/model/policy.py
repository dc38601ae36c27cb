"""What one is allowed, said a second time: the rules of a chain and the quota of a tree.

Written from the rules in words (doc/policy.md) without a look at src/lib/policy.c, so that the two can
be held against each other (test_policy.py). Everything here is plain and slow on purpose: sets for
cpuids, a sum over all that runs for the quota, no early ends. Each rule answers *all* that is wrong, in
the order in which doc/policy.md says it is named; what the C code names must be the first.

Numbers of memory and storage are MB of 2**20 bytes. An absent number grants nothing; an absent list
names nothing.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

NUMBER_MAX = 2**31 - 1
CPUID_MAX = 1023
VM_MEMORY_MAX = 4095
HOST = "this host"


class Bridge(NamedTuple):
    """A network by name; one without addresses is internal to the host. Addresses are numbers."""

    name: str
    first: int | None = None
    last: int | None = None
    router: int | None = None
    netmask: int | None = None

    @property
    def external(self):
        return self.first is not None

    def within(self, granted):
        """The same network, and if it leaves the host no more of its addresses."""
        if self.external != granted.external:
            return False
        if (self.name, self.router, self.netmask) != (granted.name, granted.router, granted.netmask):
            return False
        return not self.external or granted.first <= self.first <= self.last <= granted.last


class Delegation(NamedTuple):
    vms: int | None = None
    memory: int | None = None
    block: int | None = None
    cpuids: frozenset = frozenset()
    bridges: tuple = ()


class Vm(NamedTuple):
    memory: int
    cpuid: int
    networks: tuple = ()


def child_excesses(parent, child):
    """Where a delegation asks for more than the one above it grants: [(field, bridge or "")]."""
    excesses = []
    for number in ("vms", "memory", "block"):
        if (getattr(child, number) or 0) > (getattr(parent, number) or 0):
            excesses.append((number, ""))
    if not child.cpuids <= parent.cpuids:
        excesses.append(("cpuids", ""))
    for bridge in sorted(child.bridges, key=lambda bridge: bridge.name):
        if not any(bridge.within(granted) for granted in parent.bridges):
            excesses.append(("bridge", bridge.name))
    return excesses


def vm_excesses(delegation, vm):
    """Where a VM wants what its delegation does not have: [(field, bridge or "")]."""
    excesses = []
    if vm.cpuid not in delegation.cpuids:
        excesses.append(("cpuid", ""))
    if not 1 <= vm.memory <= VM_MEMORY_MAX:
        excesses.append(("memory", "of any VM"))
    if vm.memory > (delegation.memory or 0):
        excesses.append(("memory", ""))
    for name in vm.networks:
        if name not in {bridge.name for bridge in delegation.bridges}:
            excesses.append(("bridge", name))
    return excesses


class Running(NamedTuple):
    path: tuple
    memory: int


class Volume(NamedTuple):
    path: tuple
    size: int


class Signed(NamedTuple):
    """What a delegation's newest certificate grants."""

    date: int
    grants: Delegation


@dataclass
class Tree:
    """What is granted to whom and what runs and is stored below them, on a host with so much memory.

    A path is a tuple from the top delegation down; each delegation is known by its path.
    """

    host_memory: int
    signed: dict = field(default_factory=dict)
    running: dict = field(default_factory=dict)
    volumes: dict = field(default_factory=dict)

    def sign(self, path, date, grants):
        """A certificate comes up: the newest one counts, the later of two with one date."""
        if path not in self.signed or date >= self.signed[path].date:
            self.signed[path] = Signed(date, grants)

    def ancestors(self, path):
        """Each delegation on the way down, the last one included, with what it is granted."""
        return [(path[:depth], self.signed[path[:depth]].grants) for depth in range(1, len(path) + 1)]

    def vm_excesses(self, path, vm):
        """Why a VM may not start at a delegation: [(field, bridge or what is short, who says so)]."""
        excesses = []
        if sum(one.memory for one in self.running.values()) + vm.memory > self.host_memory:
            excesses.append(("memory", "room", HOST))
        for ancestor, grants in self.ancestors(path):
            excesses += [(field, subject, ancestor) for field, subject in vm_excesses(grants, vm)]
            below = [one for one in self.running.values() if one.path[: len(ancestor)] == ancestor]
            if len(below) + 1 > (grants.vms or 0):
                excesses.append(("vms", "room", ancestor))
            if sum(one.memory for one in below) + vm.memory > (grants.memory or 0):
                excesses.append(("memory", "room", ancestor))
        return excesses

    def volume_excesses(self, path, size):
        """Why there is no room for one more volume, alike. One of nothing asks for nothing."""
        excesses = []
        for ancestor, grants in self.ancestors(path):
            below = [one for one in self.volumes.values() if one.path[: len(ancestor)] == ancestor]
            if size > 0 and sum(one.size for one in below) + size > (grants.block or 0):
                excesses.append(("block", "room", ancestor))
        return excesses
