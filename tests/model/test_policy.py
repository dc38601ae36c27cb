"""policy.c and vmmd's quota against the model, on random trees of delegations with VMs and volumes that
come and go: test_policy.py DRIVER COUNT. Every decision must be the model's: accepted or refused, and
refused for the same field, naming the same bridge and the same delegation.

VMM_MODEL_SEED and VMM_MODEL_COUNT set where it starts and how many trees it takes; tree N of a run is the
first one of the run with seed + N, which a failure prints.
"""

import os
import re
import sys
from random import Random

from driver import Driver
from policy import HOST, Bridge, Delegation, Running, Tree, Vm, Volume, child_excesses

DEPTH_MAX = 15  # delegations above a leaf
NODES_MAX, THINGS_MAX = 24, 48  # of one tree; the driver has room for more
NETWORKS_MAX = 16
BATCH = 500  # trees between two looks at the answers

# Small numbers meet their limits often, large ones where a type ends.
SMALL = (0, 1, 2, 3, 4, 6, 9)
LARGE = (0, 1, 4095, 4096, 2**31 - 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
SIZES = (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
CPUS = (0, 1, 7, 8, 63, 64, 1022, 1023)
NO_CPUS = (2, 9, 1024, 2**31, 2**32 - 1)
# Octets that compare differently as numbers of another byte order or with a sign.
ADDRESSES = (0x0A000002, 0x0A0000FF, 0x0A000100, 0x0A0001FE, 0x0A800000, 0x0AFFFFFE)
ROUTERS = (0x0A000001, 0x0A000101)
NETMASKS = (8, 9)
NAMES = ("a", "b", "br0", "br01")

CPU_SETS = [
    (frozenset(cpu for bit, cpu in enumerate(CPUS) if mask >> bit & 1),
     ",".join(str(cpu) for bit, cpu in enumerate(CPUS) if mask >> bit & 1) or "-")
    for mask in range(1 << len(CPUS))
]
INTERNAL = [Bridge(name) for name in NAMES]
MANY = tuple(Bridge(f"net{number}") for number in range(32))  # as many as a delegation has


def pick(draw, items):
    return items[int(draw() * len(items))]


def external(draw, name):
    first, last = pick(draw, ADDRESSES), pick(draw, ADDRESSES)
    if first > last and draw() < 0.9:  # turned round they are within nothing, not even themselves
        first, last = last, first
    return Bridge(name, first, last, pick(draw, ROUTERS), pick(draw, NETMASKS))


def child_bridge(draw, bridge):
    """BRIDGE, or something like it."""
    chance = draw()
    if chance < 0.8:
        return bridge
    if not bridge.external or chance < 0.85:
        return pick(draw, (Bridge(bridge.name), external(draw, bridge.name)))
    part = pick(draw, ("first", "last", "router", "netmask"))
    values = {"router": ROUTERS, "netmask": NETMASKS}.get(part, ADDRESSES)
    return bridge._replace(**{part: pick(draw, values)})


def bridges(draw, parent):
    if parent is None or draw() < 0.02:
        if draw() < 0.02:
            return MANY
        return tuple(external(draw, name) if draw() < 0.6 else Bridge(name)
                     for name in NAMES if draw() < 0.6)
    kept = [child_bridge(draw, bridge) for bridge in parent.bridges if draw() < 0.9]
    if draw() < 0.03 and len(kept) < len(MANY):
        name = pick(draw, NAMES)
        kept = [bridge for bridge in kept if bridge.name != name] + [Bridge(name)]
    return tuple(kept)


def number(draw, scale, granted):
    """Something around what is granted; the scale's own at the top. None: the field is absent."""
    chance = draw()
    if granted is None or chance < 0.05:
        return pick(draw, scale) if chance > 0.01 else None
    if chance < 0.75:
        return granted
    if chance < 0.9:
        return max(granted - 1, 0)
    if chance < 0.94:
        return min(granted + 1, 2**32 - 1)
    return pick(draw, scale)


def cpu_mask(draw, parent):
    chance = draw()
    if parent is None or chance < 0.02:
        return int(draw() * 256)
    bit = 1 << int(draw() * 8)
    if chance < 0.75:
        return parent
    return parent & ~bit if chance < 0.92 else parent | bit


def bridge_word(bridge):
    if not bridge.external:
        return bridge.name
    return f"{bridge.name}/{bridge.first:x}/{bridge.last:x}/{bridge.router:x}/{bridge.netmask}"


class Story:
    """One tree and what happens in it: the driver's lines, and what the model says to each question."""

    def __init__(self, seed):
        self.draw = Random(seed).random
        self.lines, self.expected = ["R"], []
        draw = self.draw
        self.scale = SMALL if draw() < 0.75 else LARGE
        self.tree = Tree(pick(draw, self.scale) if draw() < 0.3 else 2**31 - 1)
        self.lines.append(f"H {self.tree.host_memory}")
        self.paths, self.masks, self.first = [], [], []  # of delegations, by number
        self.things = 0

    def ask(self, line, excesses):
        self.lines.append(line)
        self.expected.append((line, excesses[0] if excesses else None))
        return not excesses

    def policy(self, parent, mask):
        draw = self.draw
        numbers = [number(draw, self.scale, parent and granted)
                   for granted in (parent or Delegation())[:3]]
        cpus, cpu_words = CPU_SETS[mask]
        delegation = Delegation(*numbers, cpus, bridges(draw, parent))
        words = " ".join(str(number or 0) for number in numbers)
        networks = ",".join(map(bridge_word, delegation.bridges)) or "-"
        return delegation, f"{words} {cpu_words} {networks}"

    def delegate(self, parent):
        """A delegation below number PARENT (None: below nobody); kept when it may be."""
        above = () if parent is None else self.paths[parent]
        granted = None if parent is None else self.first[parent]
        mask = cpu_mask(self.draw, None if parent is None else self.masks[parent])
        delegation, words = self.policy(granted, mask)
        label = len([path for path in self.paths if path[:-1] == above])
        path = (*above, label)
        line = f"D {len(self.paths)} {0 if parent is None else parent + 1} {label} {words}"
        excesses = [] if parent is None else child_excesses(granted, delegation)
        if self.ask(line, [(field, subject, f"d{parent}") for field, subject in excesses]):
            self.tree.sign(path, 0, delegation)
            self.first.append(delegation)
            self.paths.append(path)
            self.masks.append(mask)

    def grow(self):
        draw = self.draw
        deep = draw()
        self.delegate(None)
        for _ in range(int(draw() * (NODES_MAX if deep < 0.1 else 6))):
            newest = len(self.paths) - 1
            parent = newest if draw() < deep else int(draw() * len(self.paths))
            if draw() < 0.05:
                self.delegate(None)
            elif len(self.paths[parent]) < DEPTH_MAX:
                self.delegate(parent)

    def vm(self, delegation):
        draw = self.draw
        chance = draw()
        cpu = pick(draw, (sorted(delegation.cpuids) or CPUS) if chance < 0.95 else CPUS + NO_CPUS)
        if self.scale is SMALL and chance < 0.95:
            memory = pick(draw, (1, 1, 2, 3))
        else:
            memory = pick(draw, (0, 1, 2048, 4095, 4096, min((delegation.memory or 0) + 1, 2**32 - 1)))
        networks = [pick(draw, delegation.bridges).name
                    for _ in range(int(draw() * 3)) if delegation.bridges]
        if draw() < 0.1:
            networks.insert(int(draw() * (len(networks) + 1)), pick(draw, NAMES))
        if draw() < 0.02 and networks:
            networks *= NETWORKS_MAX // len(networks)
        return Vm(memory, cpu, tuple(networks))

    def start_vm(self):
        node = int(self.draw() * len(self.paths))
        path = self.paths[node]
        vm = self.vm(self.tree.signed[path].grants)
        names = ",".join(vm.networks) or "-"
        line = f"V {self.things} {node} {vm.memory} {vm.cpuid} {names}"
        if self.ask(line, self.called(self.tree.vm_excesses(path, vm))):
            self.tree.running[self.things] = Running(path, vm.memory)
        self.things += 1

    def called(self, excesses):
        """With the names of who says so."""
        return [(field, what, who if who == HOST else f"d{self.paths.index(who)}")
                for field, what, who in excesses]

    def make_volume(self):
        draw = self.draw
        node = int(draw() * len(self.paths))
        size = pick(draw, (0, 1, 1, 2) if draw() < 0.8 else SIZES)
        excesses = self.called(self.tree.volume_excesses(self.paths[node], size))
        if self.ask(f"B {self.things} {node} {size}", excesses):
            self.tree.volumes[self.things] = Volume(self.paths[node], size)
        self.things += 1

    def sign_again(self):
        """Another certificate of the same delegation: it may leave it with less than it uses."""
        node = int(self.draw() * len(self.paths))
        path = self.paths[node]
        newest = self.tree.signed[path]
        date = max(newest.date + pick(self.draw, (-1, 0, 1, 1)), 0)
        delegation, words = self.policy(newest.grants, self.masks[node])
        self.tree.sign(path, date, delegation)
        self.lines.append(f"G {node} {date} {words}")

    def end_one(self):
        if not self.tree.running:
            return
        number = pick(self.draw, list(self.tree.running))
        del self.tree.running[number]
        self.lines.append(f"{pick(self.draw, 'EF')} {number}")

    def destroy_one(self):
        if not self.tree.volumes:
            return
        number = pick(self.draw, list(self.tree.volumes))
        del self.tree.volumes[number]
        self.lines.append(f"Y {number}")

    def go_on(self):
        steps = (self.start_vm, self.start_vm, self.start_vm, self.make_volume, self.make_volume,
                 self.end_one, self.destroy_one, self.sign_again)
        for _ in range(int(self.draw() * (THINGS_MAX if self.draw() < 0.1 else 12))):
            pick(self.draw, steps)()

    def told(self):
        self.grow()
        self.go_on()
        return self


# Which delegation's word "1 to 4095 MB" is does not show: it is the first that is asked.
REFUSAL = re.compile(
    r"(?P<field>vms|memory|block|cpuids|cpuid): asked for .*, (?P<who>\S+) grants |"
    r"(?P<range>memory): asked for \d+ MB, a VM has 1 to 4095 MB|"
    r"bridge (?P<bridge>\S+): asked for.*, (?P<whose>\S+) grants |"
    r"(?P<short>\S+|this host) has no room for (?P<what>another VM|\d+ MB of block storage|\d+ MB):")


def understood(answer):
    """What an answer says, in the model's words."""
    if answer == "ok":
        return None
    match = REFUSAL.match(answer)
    if not match:
        return answer
    if match["field"]:
        return match["field"], "", match["who"]
    if match["range"]:
        return "memory", "of any VM", None
    if match["bridge"]:
        return "bridge", match["bridge"], match["whose"]
    what = match["what"]
    field = "vms" if what == "another VM" else "block" if what.endswith("storage") else "memory"
    return field, "room", match["short"]


# What must have come up in a run of some length.
DECISIONS = {"ok", "vms", "memory", "block", "cpuids", "cpuid", "bridge", "memory of any VM", "vms room",
             "memory room", "block room"}


def check(expected, answers, seeds):
    for seed, (line, verdict), answer in zip(seeds, expected, answers, strict=True):
        said = understood(answer)
        if said != verdict and (verdict is None or said != (*verdict[:2], None)):
            raise SystemExit(f"test_policy: VMM_MODEL_SEED={seed} VMM_MODEL_COUNT=1: at '{line}' the "
                             f"model says {verdict or 'ok'}, the code '{answer}'")


def main(program, count):
    first = int(os.environ.get("VMM_MODEL_SEED", 1))
    count = int(os.environ.get("VMM_MODEL_COUNT", count))
    driver, asked, decided = Driver(program), 0, {}
    for start in range(first, first + count, BATCH):
        lines, expected, seeds = [], [], []
        for seed in range(start, min(start + BATCH, first + count)):
            story = Story(seed).told()
            lines += story.lines
            expected += story.expected
            seeds += [seed] * len(story.expected)
        check(expected, driver.ask(lines, len(expected)), seeds)
        asked += len(expected)
        for _, verdict in expected:
            kind = " ".join(verdict[:1 if verdict[0] == "bridge" else 2]).strip() if verdict else "ok"
            decided[kind] = decided.get(kind, 0) + 1
    driver.end()
    print(f"{count} trees from seed {first}, {asked} decisions:", decided)
    if count >= BATCH and set(decided) != DECISIONS:
        raise SystemExit(f"test_policy: these never came up: {DECISIONS - set(decided)}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
