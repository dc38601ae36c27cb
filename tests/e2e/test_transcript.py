"""The transcript of the article that describes the system (2017), line for line: what vmm_client prints for the
same events, and the form of what it prints for a family's."""

import re
import subprocess

import pytest

from client_world import client, line, pki, program, server, state  # fixtures
from client_world import DONE, FOLLOW, ndjson, next_line, replay
from family import until

pytestmark = pytest.mark.sanitized

INFO = """\
info sn.nqsb.io: 'cpuset' '-l' '7' '/tmp/vmm/ukvm-bin.net' '--net=tap27' '--' '/tmp/81363f.0237f3.img' 91540 taps tap27
info nqsbio: 'cpuset' '-l' '5' '/tmp/vmm/ukvm-bin.net' '--net=tap26' '--' '/tmp/81363f.43a0ff.img' 91448 taps tap26
"""
LOG = """\
log: 2017-07-10 09:43:39 +00:00: marrakesh LOGIN 128.232.110.109:43142
log: 2017-07-10 09:43:39 +00:00: marrakesh STARTED 91368 (tap tap25, block no)
log: 2017-07-10 09:44:25 +00:00: hannes LOGIN 128.232.110.109:24207
success
"""
ATTACH = """\
console hello: 2017-07-09 18:44:52 +00:00             |      ___|
console hello: 2017-07-09 18:44:52 +00:00   __|  _ \\  |  _ \\ __ \\
console hello: 2017-07-09 18:44:52 +00:00 Solo5: Memory map: 512 MB addressable:
console hello: 2017-07-09 18:44:52 +00:00 2017-07-09 18:44:52 -00:00: INF [application] hello
console hello: 2017-07-09 18:44:53 +00:00 2017-07-09 18:44:53 -00:00: INF [application] hello
"""
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00"
NAME = r"[^/:\s]+(?:/[^/:\s]+)*"
FORMS = {
    "info": (INFO, rf"info {NAME}:(?: '[^']*')+ \d+ taps (?:no|\w+(?:, \w+)*)"),
    "log": (LOG, rf"success|log: {TIME}: {NAME} (?:(?:STARTUP|DELEGATE .*)|LOG(?:IN|OUT) \S+:\d+"
            r"|STARTED \d+ \(tap (?:no|\w+(?:; \w+)*), block (?:no|\S+)\)|STOPPED \d+ with (?:exit|signal) \d+.*)"),
    "attach": (ATTACH, rf"console {NAME}: {TIME} .*"),
}


def has_form(name, out):
    form = FORMS[name][1]
    assert out, f"{name} printed nothing"
    assert [line for line in out.splitlines() if not re.fullmatch(form, line)] == []
    return True


@pytest.mark.parametrize("name", FORMS)
def test_the_article_has_these_forms(name):
    assert has_form(name, FORMS[name][0])


def rfc3339(text):
    """A time of the article as the server sends it."""
    return text.replace(" +00:00", ".000000Z").replace(" ", "T")


def vm_of(text):
    name, command, pid, tap = re.fullmatch(r"info (\S+): (.*) (\d+) taps (\w+)", text).groups()
    return {"path": name, "label": "82db56", "state": "running", "pid": int(pid), "taps": [{"name": tap}],
            "command": command.strip("'").split("' '")}


def entry_of(text):
    when, text, name = re.fullmatch(rf"log: ({TIME}): ((\S+) .*)", text).groups()
    return {"time": rfc3339(when), "path": name, "label": "82db56", "text": text}


def line_of(text):
    when, text = re.fullmatch(rf"console hello: ({TIME}) (.*)", text).groups()
    return {"time": rfc3339(when), "line": text}


def test_the_articles_lines(client, server):
    """Word for word, from what the server would say of the same VMs and events."""
    vms = [vm_of(text) for text in INFO.splitlines()]
    server.routes["GET /vms"] = lambda request: request.respond(200, vms)
    server.routes["GET /log"] = ndjson(*map(entry_of, LOG.splitlines()[:-1]))
    server.routes[FOLLOW] = replay(*map(line_of, ATTACH.splitlines()), {"ended": {"exit": 0}})
    assert client("-c", "info") == (DONE, INFO, "")
    assert client("-c", "log") == (DONE, LOG, "")
    assert client("-c", "attach hello") == (DONE, ATTACH + "console hello: stopped with exit 0\n", "")


def test_a_familys_lines(family, ca):
    """info, log, and attach with what was printed before, then a line a second."""
    dev = ca.delegation(ca.unique("dev"))
    admin = ca.command(ca.unique("admin"), issuer=dev)
    name = ca.unique("hello")
    family.deploy(ca.vm(name, family.tree.guest("hello"), issuer=dev, args=["Hello"]))
    until(lambda: [entry for entry in family.console(f"{dev}/{name}") if entry.get("line") == "hello"], "it speaks")
    has_form("info", family.client(admin, "info").out)
    log = family.client(admin, "log").out
    has_form("log", log)
    assert re.search(rf"^log: {TIME}: {name} STARTED \d+ \(tap no, block no\)$", log, re.MULTILINE), log
    assert log.endswith("\nsuccess\n")
    with subprocess.Popen(family.client_line(admin, f"attach {name}"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as process:
        try:
            lines = [next_line(process.stdout)]
            while sum(line.endswith("+00:00 hello\n") for line in lines) < 3:
                lines.append(next_line(process.stdout))
        finally:
            process.kill()
    has_form("attach", "".join(lines))
    assert lines[0].endswith("+00:00             _ __ ___  _ __ ___\n"), "the banner comes first"
