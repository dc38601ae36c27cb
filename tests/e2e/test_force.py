"""Force-create: a VM takes the place of the one that runs on its path. Whatever goes wrong, and whenever
vmmd dies, the path has exactly one VM."""

import datetime
import json
import os
import random
import shutil
import signal
import threading
import time

import pytest
from cryptography import x509

import images
import mint
from family import PATIENCE, Tree, until

pytestmark = pytest.mark.sanitized

MARKER = "--- started again ---"
FORCE = "/vms?force"
EVENTS = ("STARTED", "REPLACED", "STOPPED", "FAILED")
REPLACING = (mint.IMAGE, mint.FORCE_CREATE)


class Name:
    """One path of a delegation: certificates with the same serial, each with another VM."""

    def __init__(self, family, dev, folder):
        self.family, self.dev, self.folder = family, dev, folder
        self.name = family.ca.unique("hello")
        self.path = f"{dev}/{self.name}"
        self.serial = x509.random_serial_number()
        self.since = datetime.datetime.utcnow() - mint.HOUR  # of all: none supersedes another
        self.signed = 0

    def chain(self, *args, image=None, memory=32, permissions=REPLACING, target="spt"):
        image = image or self.family.tree.guest("hello", target).read_bytes()
        arcs = mint.vm(image, memory=memory, args=args, permissions=permissions)
        minted = mint.certificate(self.name, mint.load(self.family.ca, self.dev), arcs,
                                  serial=self.serial, since=self.since)
        self.signed += 1
        return mint.chain(self.folder, f"{self.name}-{self.signed}", minted)

    def start(self, *args, **more):
        answer = self.family.curl(self.chain(*args, **more), "/vms", "-X", "POST")
        assert answer.status == 201, answer
        return answer.json()["pid"]

    def force(self, *args, **more):
        return self.family.curl(self.chain(*args, **more), FORCE, "-X", "POST")

    def force_meanwhile(self, *args, **more):
        """In the background: a thread, and a list that will hold the answer."""
        answers = []
        chain = self.chain(*args, **more)
        thread = threading.Thread(
            target=lambda: answers.append(self.family.curl(chain, FORCE, "-X", "POST")))
        thread.start()
        return thread, answers

    def vm(self):
        """Its row; the path is listed once at every moment."""
        [vm] = [vm for vm in self.family.vms() if vm["path"] == self.path]
        return vm

    def console(self):
        return [entry["line"] for entry in self.family.console(self.path) if "line" in entry]

    def destroy(self):
        return self.family.curl(self.family.admin, f"/vms/{self.path}", "-X", "DELETE")

    def logged(self, family, event):
        return [line for line in family.log().splitlines() if f"{self.path} {event}" in line]

    def events(self, family):
        """What the log has of its VMs, in order."""
        lines = [line.partition(f" {self.path} ")[2] for line in family.log().splitlines()]
        events = [line.partition(" ")[0].rstrip(":") for line in lines]
        return [event for event in events if event in EVENTS]


@pytest.fixture
def name(family, ca, tmp_path):
    return Name(family, ca.delegation(ca.unique("dev"), vms=1, memory=96), tmp_path)


def wait(meanwhile):
    thread, answers = meanwhile
    thread.join(PATIENCE)
    assert answers, "the start is answered"
    return answers[0]


def runs_untouched(name, pid):
    vm = name.vm()
    assert (vm["state"], vm["pid"]) == ("running", pid)
    assert name.family.monitors() == [pid]


# With the real monitor


def test_replaced(family, name, target):
    before = name.start("one", target=target)
    answer = name.force("two", target=target)
    assert answer.status == 201, answer
    vm = name.vm()
    assert (vm["argv"], vm["pid"], vm["state"]) == (["two"], answer.json()["pid"], "running")
    assert answer.json()["replaced"] == before and "replaced" not in vm
    assert vm["pid"] != before and family.monitors() == [vm["pid"]]
    assert name.events(family) == ["STARTED", "REPLACED", "STOPPED", "STARTED"]


def test_the_console_goes_on(family, name):
    """In one stream: what the old one said, a marker, what the new one says."""
    name.start("one")
    with family.http(family.admin) as http, \
            http.stream("GET", f"/vms/{name.path}/console?follow") as stream:
        lines = stream.iter_lines()
        seen = [next(lines)]
        assert name.force("two").status == 201
        while "argument 1: two" not in seen[-1]:
            seen.append(next(lines))
    said = [json.loads(line)["line"] for line in seen]
    marker = said.index(MARKER)
    assert "guest: argument 1: one" in said[:marker] and "guest: argument 1: two" in said[marker:]


def test_on_a_free_path_it_simply_starts(family, name):
    pid = name.force("one").json()["pid"]
    done = family.client(name.chain("two"), options=["--force"])
    assert done.out == f"success VM started\nreplaced {pid}\n"
    assert name.vm()["argv"] == ["two"]
    assert name.destroy().status == 204
    assert family.monitors() == []


def test_what_has_ended_is_not_replaced(family, name):
    name.start("--count=1")
    until(lambda: name.vm()["state"] == "ended", "it ends")
    answer = name.force("two")
    assert answer.status == 201 and "replaced" not in answer.json()


def test_it_takes_the_permission(name):
    pid = name.start("one")
    answer = name.force("two", permissions=(mint.IMAGE,))
    assert (answer.status, answer.detail) == (
        403, "the certificate lacks the permission force-create")
    answer = name.family.curl(name.chain("two"), "/vms", "-X", "POST")
    assert (answer.status, answer.detail) == (409, f"{name.name} is running already")
    runs_untouched(name, pid)


def test_the_old_ones_resources_are_free_for_the_new_one(family, ca, name, tmp_path):
    """The delegation grants one VM; another one below the same parent takes the rest."""
    parent = ca.delegation(ca.unique("dev"), vms=2, memory=128)
    sub = ca.delegation(ca.unique("sub"), issuer=parent, vms=1, memory=128)
    family.deploy(ca.vm(ca.unique("other"), family.tree.guest("idle", "spt"), issuer=parent,
                        memory=32))
    one = Name(family, sub, tmp_path)
    one.path = f"{parent}/{sub}/{one.name}"
    pid = one.start("one", memory=64)
    answer = one.force("two", memory=97)
    assert (answer.status, answer.detail) == (
        409, f"{parent} has no room for 97 MB: it grants 128 MB")
    assert one.vm()["pid"] == pid
    assert one.force("two", memory=96).status == 201
    assert one.force("three", memory=32).status == 201
    assert (one.vm()["memory_mb"], one.vm()["argv"]) == (32, ["three"])


WRONG = {
    "truncated": (lambda image: image[:5000], {}, "image: truncated: segment 1 has "),
    "virtio": (lambda image: images.for_target(image, images.TARGET_VIRTIO), {},
               "image: made for target virtio (3)"),
    "memory": (lambda image: image, {"memory": 1}, "image: needs at least 2 MB of memory"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_image_costs_nothing(family, name, case):
    make, more, words = WRONG[case]
    pid = name.start("one")
    image = make(family.tree.guest("hello", "spt").read_bytes())
    answer = name.force("two", image=image, **more)
    assert answer.status == 422 and answer.detail.startswith(words), answer
    runs_untouched(name, pid)
    assert MARKER not in name.console()
    assert len(name.logged(family, "FAILED")) == 1 and not name.logged(family, "STOPPED")


def test_many_at_once(family, name):
    """Each replaces the one before or is told to try again; one is left."""
    name.start("0")
    meanwhile = [name.force_meanwhile(str(n + 1)) for n in range(6)]
    answers = [wait(one) for one in meanwhile]
    assert {answer.status for answer in answers} <= {201, 409}
    assert 201 in [answer.status for answer in answers]
    assert family.monitors() == [name.vm()["pid"]]


@pytest.fixture
def fragile(new_family, ca, tmp_path):
    """A family of the test's own, and a name below it."""
    family = new_family()
    return Name(family, ca.delegation(ca.unique("dev"), vms=1, memory=96), tmp_path)


def test_vmmd_dies_at_any_moment(fragile):
    """Old or new, exactly one runs on."""
    dice = random.Random(4)
    family = fragile.family
    fragile.start("0")
    for n in range(8):
        before = fragile.vm()["argv"]
        thread, _ = fragile.force_meanwhile(str(n + 1))
        time.sleep(dice.uniform(0.02, 0.12))
        family.kill()
        thread.join(PATIENCE)
        family.start()
        until(lambda: fragile.vm()["state"] == "running", "it runs, old or new")
        assert family.monitors() == [fragile.vm()["pid"]]
        assert fragile.vm()["argv"] in (before, [str(n + 1)])


def test_vmmd_dies_at_any_moment_of_a_first_start(fragile):
    """What runs is listed, what is listed runs."""
    dice = random.Random(5)
    family = fragile.family
    for n in range(8):
        thread, _ = fragile.force_meanwhile(str(n))
        time.sleep(dice.uniform(0.02, 0.12))
        family.kill()
        thread.join(PATIENCE)
        family.start()
        assert family.monitors() == [vm["pid"] for vm in family.running()]
        family.destroy_all()


def test_vmmd_dies_while_the_old_one_is_being_stopped(fragile):
    """The next vmmd stops it and lets the new one go."""
    family = fragile.family
    pid = fragile.start("one")
    os.kill(pid, signal.SIGSTOP)
    thread, _ = fragile.force_meanwhile("two")
    until(lambda: fragile.logged(family, "REPLACED"), "the new one is ready")
    family.kill()
    thread.join(PATIENCE)
    assert len(family.monitors()) in (1, 2), "the new one waits, or runs already"
    family.start()
    until(lambda: fragile.vm()["argv"] == ["two"], "the new one is there")
    vm = fragile.vm()
    assert vm["state"] == "running" and family.monitors() == [vm["pid"]] and vm["pid"] != pid
    until(lambda: "guest: argument 1: two" in fragile.console(), "it runs")
    assert fragile.console().count("guest: argument 1: two") == 1


# With a monitor that is ready when the test says so


@pytest.fixture
def held(new_family, build, tree, ca, tmp_path):
    """A family whose VM was started by the real monitor; the next ones will be by the false one."""
    own = Tree(build, tmp_path / "tree")
    family = new_family()
    family.tree, shared = own, family.tree
    assert family.stop() == 0
    family.start()
    name = Name(family, ca.delegation(ca.unique("dev"), vms=1, memory=96), tmp_path)
    name.first = name.start("one")
    monitor = own.libexec / "vmm_monitor"
    monitor.unlink()
    shutil.copy(build / "tests/pair/false_monitor", monitor)
    assert family.stop() == 0
    family.start()
    yield name
    family.tree = shared


def second(name):
    """The pid of the monitor beside the first one's, when it is there."""
    pids = [pid for pid in name.family.monitors() if pid != name.first]
    return pids[0] if pids else None


def force_held(name, *args, **more):
    """A replacement that has come to where the new monitor is about to be ready; its pid."""
    meanwhile = name.force_meanwhile(*args, **more)
    return meanwhile, until(lambda: second(name), "the new monitor is there")


def ready(pid):
    os.kill(pid, signal.SIGUSR1)


def test_nothing_is_seen_of_it_before_it_is_ready(held, ca):
    """The path is the old one's; room is kept for the larger one of the two."""
    family = held.family
    meanwhile, pid = force_held(held, "two", memory=64)
    vm = held.vm()
    assert (vm["pid"], vm["state"], vm["memory_mb"]) == (held.first, "running", 32)
    quota = family.curl(ca.command(ca.unique("info"), issuer=held.dev), "/").json()
    assert quota["delegations"][-1]["used"] == {"vms": 1, "memory_mb": 64, "block_mb": 0}
    ready(pid)
    answer = wait(meanwhile)
    assert (answer.status, answer.json()["pid"]) == (201, pid)
    assert family.monitors() == [pid]
    until(lambda: "false: runs" in held.console(), "it was let go")
    assert held.console()[-2:] == [MARKER, "false: runs"]


def test_another_one_meanwhile_is_refused(held):
    meanwhile, pid = force_held(held, "two")
    answer = held.force("three")
    assert (answer.status, answer.detail) == (
        409, f"{held.name} is being replaced already: try again when that is done")
    ready(pid)
    assert wait(meanwhile).status == 201


def test_destroyed_meanwhile_both_go(held):
    meanwhile, _ = force_held(held, "two")
    assert held.destroy().status == 204
    assert held.family.monitors() == []
    answer = wait(meanwhile)
    assert (answer.status, answer.detail) == (409, "it was destroyed while it started")
    assert held.vm()["state"] == "ended"


def test_revoked_meanwhile_both_go(held, ca):
    """The path is named once."""
    meanwhile, _ = force_held(held, "two")
    ended = held.family.push(ca.revoke(held.dev, issuer="ca"))
    assert [one for one in ended if one[0] == "vm"] == [("vm", held.path)]
    assert held.family.monitors() == []
    assert wait(meanwhile).status in (0, 403), "its session may have been closed before it was told"
    vm = held.vm()
    assert (vm["state"], vm["cause"]) == ("ended", "revoked")


def test_destroyed_while_the_old_one_is_being_stopped(held):
    os.kill(held.first, signal.SIGSTOP)
    meanwhile, pid = force_held(held, "two")
    ready(pid)
    until(lambda: held.logged(held.family, "REPLACED"), "the old one is being stopped")
    assert held.destroy().status == 204
    assert held.family.monitors() == []
    assert wait(meanwhile).status in (409, 201), "201: the old one was gone before it was destroyed"


def test_the_old_one_ends_by_itself(held):
    meanwhile, pid = force_held(held, "two")
    os.kill(held.first, signal.SIGKILL)
    until(lambda: held.logged(held.family, "STOPPED"), "vmmd has noticed")
    ready(pid)
    assert wait(meanwhile).status == 201
    assert held.family.monitors() == [pid] and held.vm()["pid"] == pid
    assert not held.logged(held.family, "REPLACED")


def test_the_new_one_does_not_come_up(held):
    meanwhile, pid = force_held(held, "two", "vanish")
    ready(pid)
    answer = wait(meanwhile)
    assert (answer.status, answer.detail) == (
        503, f"{held.name} was stopped, and the new one did not come up: "
             "the monitor ended before its guest started")
    until(lambda: not held.family.monitors(), "the old one has gone")
    until(lambda: held.vm()["state"] == "ended", "and is the path's last one")
    events = held.events(held.family)
    assert events[:2] == ["STARTED", "REPLACED"] and sorted(events[2:]) == ["FAILED", "STOPPED"]


def test_vmmd_dies_before_the_new_one_is_ready(held):
    family = held.family
    meanwhile, _ = force_held(held, "two")
    family.kill()
    meanwhile[0].join(PATIENCE)
    family.start()
    runs_untouched(held, held.first)
    assert not list(family.run_dir.rglob("next")) and not list(family.run_dir.rglob("go"))


def test_vmmd_ends_in_order_before_the_new_one_is_ready(held):
    """The new one ends with it."""
    family = held.family
    meanwhile, _ = force_held(held, "two")
    assert family.stop() == 0
    meanwhile[0].join(PATIENCE)
    until(lambda: family.processes() == [held.first], "only the VM is left")
    family.start()
    runs_untouched(held, held.first)
