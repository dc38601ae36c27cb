"""The door of a family, from outside: who was let in, what is left of them, and clients whose every step is
the test's."""

import proc
from family import until
from upper import Session, tcp, tls_context


class Watch:
    """What the family says and has from here on."""

    def __init__(self, family):
        self.family, self.from_here = family, len(family.log())

    def lines(self, word=""):
        return [line for line in self.family.log()[self.from_here:].splitlines() if word in line]

    def workers(self):
        roles = [self.family.role(name) for name in ("vmm_gate", "vmm_auth")]
        return [pid for role in roles for pid in proc.children(role)]

    def refused(self, name, times=1):
        """The log says so, and of nobody that he came in. It may come after the answer. Without a serial
        number that is one there is no path: the name is in the reason."""
        until(lambda: len(self.lines(" REFUSED 127.0.0.1:")) >= times, f"{times} times REFUSED")
        self.nobody_got_in()
        lines = self.lines("REFUSED")
        named = [line for line in lines if f"{name} REFUSED" in line or f": {name}: " in line]
        assert len(named) == len(lines) == times, lines

    def nobody_got_in(self):
        until(lambda: not self.workers(), "no process is left")
        assert self.lines("LOGIN") == []


def context(family, chain=None):
    return tls_context(family.ca.path("cacert.pem"), chain)


def session(family, chain):
    """A connection of HTTP/2 with its handshake done and nothing asked."""
    return Session(context(family, chain).wrap_socket(tcp(family.port), server_hostname="localhost"))


def served(family, chain):
    return family.curl(chain, "/").status == 200
