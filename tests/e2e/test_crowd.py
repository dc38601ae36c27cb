"""Many clients at once on what is for few (SECURITY row 6): check and reservation are one step."""

import collections

import pytest

from door import session

pytestmark = [pytest.mark.sanitized, pytest.mark.security("06")]

CLIENTS = 64
ROUNDS = 3


def start_at_once(sessions):
    """Asks on every connection before any answer is read."""
    streams = [(one, one.request("/vms", "POST")) for one in sessions]
    return [one.answer(stream) for one, stream in streams]


def test_two_of_64(family, ca):
    """A delegation of two VMs with two below it that were promised two each; half of the clients is of the
    one, half of the other, and all of them have shown who they are before the first one asks."""
    top = ca.delegation(ca.unique("top"), vms=2, memory=4095)
    below = [ca.delegation(ca.unique("below"), issuer=top, vms=2, memory=4095) for _ in range(2)]
    image = family.tree.guest("idle")
    chains = [ca.vm(ca.unique("vm"), image, issuer=below[n % 2], memory=16) for n in range(CLIENTS)]
    admin = ca.command(ca.unique("admin"), issuer=top)
    for _ in range(ROUNDS):
        sessions = [session(family, chain) for chain in chains]
        answers = start_at_once(sessions)
        assert collections.Counter(answer.status for answer in answers) == {201: 2, 409: CLIENTS - 2}
        refusals = {answer.detail for answer in answers if answer.status == 409}
        assert refusals <= {f"{name} has no room for another VM: it grants 2" for name in (top, *below)}
        started = {answer.json()["name"] for answer in answers if answer.status == 201}
        assert {vm["name"] for vm in family.running(admin)} == started
        assert len(family.monitors()) == 2
        for one in sessions:
            one.close()
        family.destroy_all()


def test_memory_of_one(family, ca):
    """The same for memory: what one of them takes the others do not have."""
    top = ca.delegation(ca.unique("top"), vms=CLIENTS, memory=100)
    image = family.tree.guest("idle")
    chains = [ca.vm(ca.unique("vm"), image, issuer=top, memory=40) for _ in range(16)]
    sessions = [session(family, chain) for chain in chains]
    answers = start_at_once(sessions)
    assert collections.Counter(answer.status for answer in answers) == {201: 2, 409: 14}
    assert len(family.monitors()) == 2
    for one in sessions:
        one.close()


def test_one_of_one_name(family, ca):
    """The same certificate, shown by all of them."""
    top = ca.delegation(ca.unique("top"), vms=CLIENTS, memory=4095)
    chain = ca.vm(ca.unique("vm"), family.tree.guest("idle"), issuer=top, memory=16)
    sessions = [session(family, chain) for _ in range(16)]
    answers = start_at_once(sessions)
    assert collections.Counter(answer.status for answer in answers) == {201: 1, 409: 15}
    assert len(family.monitors()) == 1
    for one in sessions:
        one.close()
