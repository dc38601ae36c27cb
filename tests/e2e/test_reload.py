"""A reload under way: nobody who connects meanwhile notices, and no list that is pushed is lost."""

import concurrent.futures
import os
import re
import signal
import subprocess
import threading

import pytest

import proc
from door import served, session
from family import PATIENCE, until
from held import children, hold, large_vm

pytestmark = pytest.mark.sanitized

RELOADS = 12
CROWD = 60
CONFIGURED = ("vmm_auth", "vmm_gate")


@pytest.fixture
def family(new_family):
    return new_family(["-v"])


def roles(family):
    """Those that a reload starts anew."""
    return {pid for pid in proc.children(family.pid) if proc.name(pid) in CONFIGURED}


def ready(family):
    """The vmm_auths that have said so."""
    return [int(pid) for pid in re.findall(r"vmm_auth \(pid (\d+)\) is ready", family.log())]


def reload(family):
    """Returns when another vmm_auth is ready; which one was there before."""
    [*_, old] = before = ready(family)
    os.kill(family.pid, signal.SIGHUP)
    until(lambda: len(ready(family)) > len(before), "another vmm_auth is ready")
    return old


def connect(family, chain):
    one = session(family, chain)
    try:
        answer = one.get("/")
        assert answer.status == 200, answer
    finally:
        one.close()


class Stream:
    """Clients that connect one after the other, each with a chain of its own, and what went wrong."""

    def __init__(self, family, chains):
        self.family, self.over = family, threading.Event()
        self.served, self.failed = dict.fromkeys(chains, 0), []
        self.threads = [threading.Thread(target=self.run, args=(chain,)) for chain in chains]

    def run(self, chain):
        while not self.over.is_set():
            try:
                connect(self.family, chain)
                self.served[chain] += 1
            except Exception as error:  # noqa: BLE001: whatever it is, it is what the client met
                self.failed.append(f"{chain.bundle.name}: {error!r}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_everybody_is_served(family, ca, tmp_path):
    """Chains small and large, and a revocation with each reload, which counts from its answer on."""
    dev = ca.delegation(ca.unique("dev"))
    large = [ca.chain(large_vm(family, tmp_path, dev)) for _ in range(2)]
    small = [ca.command(ca.unique("small"), issuer=dev) for _ in range(3)]
    taken_back = [ca.command(ca.unique("back"), issuer=dev) for _ in range(RELOADS)]
    with Stream(family, [*large, *small]) as stream:
        for chain in taken_back:
            assert served(family, chain)
            revocation, before = ca.revoke(chain.bundle.stem, issuer=dev), roles(family)
            counts = dict(stream.served)
            os.kill(family.pid, signal.SIGHUP)
            family.push(revocation)
            assert family.curl(chain, "/").status == 403
            until(lambda: not before & roles(family), "the old ones have ended")  # noqa: B023
            until(lambda: all(stream.served[one] > counts[one] for one in counts) or  # noqa: B023
                  stream.failed, "each client was served since")
    assert stream.failed == []
    assert [family.curl(chain, "/").status for chain in taken_back] == [403] * RELOADS
    assert len(roles(family)) == 2


def judged(family, ca, folder):
    """A client whose chain's judge is held: its VM's name, the client, the judge."""
    dev = ca.delegation(ca.unique("dev"))
    name = large_vm(family, folder, dev)
    revocation = ca.revoke(name, issuer=dev)
    auth = family.role("vmm_auth")
    until(lambda: not children(auth), "nobody else is judged")
    client = subprocess.Popen(family.client_line(ca.chain(name)), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8")
    return revocation, client, hold(lambda: children(auth))


def test_who_is_judged_meanwhile(family, ca, tmp_path):
    """By the vmm_auth that it came to, which ends after that."""
    _, client, judge = judged(family, ca, tmp_path)
    old = reload(family)
    assert served(family, family.admin)
    os.kill(judge, signal.SIGCONT)
    out, said = client.communicate(timeout=PATIENCE)
    assert (client.returncode, out) == (0, "success VM started\n"), said
    until(lambda: not proc.alive(old), "the old one has nothing more to do")


def test_a_crowd_that_the_old_one_judged_last(family):
    """vmmd hears of all its sessions at once, and that it has ended."""
    family.admin  # noqa: B018: it is made
    [old], gate = ready(family), family.role("vmm_gate")
    os.kill(old, signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(CROWD) as clients:
        asked = [clients.submit(connect, family, family.admin) for _ in range(CROWD)]
        until(lambda: len(children(gate)) == CROWD, "each has its worker")
        assert reload(family) == old
        os.kill(family.pid, signal.SIGSTOP)
        os.kill(old, signal.SIGCONT)
        until(lambda: not proc.alive(old), "it has nothing more to do")
        os.kill(family.pid, signal.SIGCONT)
        for one in asked:
            one.result()


@pytest.mark.security("10")
def test_who_is_taken_back_meanwhile(family, ca, tmp_path):
    """Its judge is the old vmm_auth's, the list the new one's."""
    revocation, client, judge = judged(family, ca, tmp_path)
    reload(family)
    family.push(revocation)
    os.kill(judge, signal.SIGCONT)
    out, said = client.communicate(timeout=PATIENCE)
    assert client.returncode == 1 and out == "" and " was revoked by " in said, said
    assert family.vms() == []


@pytest.mark.security("09")
def test_a_list_that_is_on_its_way(family, ca):
    """The one that was asked stores it, and only then the other takes over."""
    dev = ca.delegation(ca.unique("dev"))
    chain = ca.command(ca.unique("back"), issuer=dev)
    pusher = session(family, ca.revoke(chain.bundle.stem, issuer=dev))
    assert pusher.get("/").status == 200
    [old] = ready(family)
    os.kill(old, signal.SIGSTOP)
    asked = pusher.request("/revocations", "POST")
    assert pusher.get("/").status == 200, "what was asked before it is done or under way"
    assert reload(family) == old
    os.kill(old, signal.SIGCONT)
    assert pusher.answer(asked).status == 200
    pusher.close()
    until(lambda: not proc.alive(old), "the other has taken over")
    assert family.curl(chain, "/").status == 403
