"""Sessions with command certificates: what a name finds, what a permission allows, who sees what, and
consoles."""

import json
import re
import subprocess
from typing import NamedTuple

import pytest

import mint
from family import until
from screens import screen
from top_world import await_names, leave

pytestmark = pytest.mark.sanitized

REFUSED = 1  # exit status of vmm_client
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00"


class Setting(NamedTuple):
    """A delegation's VMs, one that runs and one that has ended, and its admin."""

    dev: str
    runs: str
    gone: str
    admin: object


@pytest.fixture
def setting(family, ca):
    dev = ca.delegation(ca.unique("dev"), vms=4)
    runs, gone = ca.unique("runs"), ca.unique("gone")
    hello = family.tree.guest("hello")
    family.deploy(ca.vm(gone, hello, issuer=dev, args=["--count=1", "Bye"]))
    family.deploy(ca.vm(runs, hello, issuer=dev, args=["Hello"]))
    setting = Setting(dev, runs, gone, ca.command(ca.unique("admin"), issuer=dev))
    until(lambda: len(family.running(setting.admin)) == 1, "gone has ended")
    until(lambda: [entry for entry in family.console(f"{dev}/{gone}") if entry.get("line") == "hello"],
          "its last words are read")
    return setting


# What is typed, HTTP status, the exact line

NAMES = {
    "not found": ("nosuch", 404, "there is no nosuch"),
    "too short for a label": ("abcde", 404, "there is no abcde"),
    "no such label": ("abcdef", 404, "there is no abcdef"),
    "ended": ("{gone}", 404, "{gone} has ended already"),
}


@pytest.mark.parametrize("case", NAMES, ids=lambda name: name.replace(" ", "_"))
def test_destroy_refused(family, setting, case):
    typed, status, line = (text.format(gone=setting.gone) if isinstance(text, str) else text
                           for text in NAMES[case])
    answer = family.curl(setting.admin, "/vms/" + typed, "-X", "DELETE")
    assert (answer.status, answer.detail) == (status, line)
    client = family.client(setting.admin, f"destroy {typed}")
    assert client == (REFUSED, "", f"failed {line}\n")


def test_ambiguous(family, setting, tmp_path):
    """Two certificates of one name are two VMs; their labels tell them apart."""
    dev, image = mint.load(family.ca, setting.dev), family.tree.guest("idle").read_bytes()
    for file in ("one", "two"):
        family.deploy(mint.chain(tmp_path, file, mint.certificate("twin", dev, mint.vm(image))))
    labels = [vm["label"] for vm in family.running(setting.admin) if vm["name"] == "twin"]
    client = family.client(setting.admin, "destroy twin")
    assert (client.code, client.out) == (REFUSED, "")
    words = re.fullmatch(r"failed twin is more than one: (\w+), (\w+)\n", client.err)
    assert words and sorted(words.groups()) == sorted(labels), client.err
    assert family.curl(setting.admin, "/vms/twin", "-X", "DELETE").status == 409
    assert family.client(setting.admin, f"destroy {labels[0]}").code == 0
    left = [vm["label"] for vm in family.running(setting.admin) if vm["name"] == "twin"]
    assert left == labels[1:]


def test_the_db_names_what_runs(family, setting):
    """As in the article: label to name by the issuer's .db, both ways."""
    db = ["--db", family.ca.path(f"{setting.dev}.db")]
    info = family.client(setting.admin, f"info {setting.runs}", options=db)
    [monitor] = family.monitors()
    assert re.fullmatch(rf"info {setting.runs}: 'vmm_monitor' '--mem=32' .*'Hello' {monitor} taps no\n",
                        info.out), info
    assert family.client(setting.admin, f"destroy {setting.runs}", options=db).out == "success\n"
    assert family.monitors() == []


# Permissions, one by one

COMMANDS = {"info": "info", "attach {gone}": "console", "destroy {runs}": "image", "volumes": "block"}


@pytest.mark.parametrize("command", COMMANDS)
def test_permission(family, ca, setting, command):
    permission, typed = COMMANDS[command], command.format(**setting._asdict())
    others = [word for word in ("info", "image", "block", "statistics", "console", "log")
              if word != permission]
    may_not = ca.command(ca.unique("may-not"), issuer=setting.dev, permissions=others)
    may = ca.command(ca.unique("may"), issuer=setting.dev, permissions=[permission])
    refused = family.client(may_not, typed)
    assert refused == (REFUSED, "", f"failed the certificate lacks the permission {permission}\n")
    assert family.client(may, typed).code == 0


def test_a_vm_certificate_only_deploys(family, setting):
    vm = family.ca.chain(setting.runs)
    for method, path in (("GET", "/vms"), ("DELETE", f"/vms/{setting.runs}")):
        answer = family.curl(vm, path, "-X", method)
        assert (answer.status, answer.detail) == (403, "a VM certificate cannot do that")


def test_a_command_certificate_deploys_nothing(family, setting):
    answer = family.curl(setting.admin, "/vms", "-X", "POST")
    assert (answer.status, answer.detail) == (403, "a command certificate cannot do that")


# Scope: what is outside of it is answered as what is not there

def test_others_see_nothing(family, ca, setting):
    stranger = ca.command(ca.unique("admin"), issuer=ca.delegation(ca.unique("bob")))
    assert family.vms(stranger) == []
    for theirs in (setting.runs, f"{setting.dev}/{setting.runs}", setting.dev):
        for method, tail in (("GET", ""), ("DELETE", ""), ("GET", "/console")):
            answer = family.curl(stranger, f"/vms/{theirs}{tail}", "-X", method)
            absent = family.curl(stranger, f"/vms/absent{tail}", "-X", method)
            assert answer.status == absent.status == 404
            assert answer.body.replace(theirs, "absent") == absent.body
    assert json.loads(family.curl(stranger, "/").body)["delegations"][0]["used"]["vms"] == 0


def test_scope_is_relative(family, ca, setting):
    """The root sees paths from the top, a delegation from itself."""
    below = ca.command(ca.unique("admin"), issuer=ca.delegation(ca.unique("sub"), issuer=setting.dev))
    assert sorted(vm["path"] for vm in family.vms(setting.admin)) == sorted(
        [setting.runs, setting.gone])
    assert f"{setting.dev}/{setting.runs}" in [vm["path"] for vm in family.vms()]
    assert family.vms(below) == []


# Consoles

def test_console_of_an_ended_vm(family, setting):
    attach = family.client(setting.admin, f"attach {setting.gone}")
    lines = attach.out.splitlines()
    assert attach.code == 0
    assert re.fullmatch(rf"console {setting.gone}: {TIME}  \\ \\   / / \| '_ ` _ \\\| '_ ` _ \\",
                        lines[1]), attach
    assert [line.split("+00:00 ")[-1] for line in lines[-3:-1]] == ["guest: argument 2: Bye", "hello"]
    assert "exit 0" in lines[-1]


def test_console_has_one_holder(family, setting):
    """Who attaches takes it, and the other is told."""
    first = subprocess.Popen(family.client_line(setting.admin, f"attach {setting.runs}"),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert first.stdout.readline().startswith(f"console {setting.runs}: ")
        second = family.http(setting.admin)
        with second, second.stream("GET", f"/vms/{setting.runs}/console?follow") as stream:
            assert "line" in json.loads(next(stream.iter_lines()))
            rest, _ = first.communicate(timeout=60)
        assert "attached elsewhere" in rest.splitlines()[-1]
        assert first.returncode == 0
    finally:
        first.kill()


def test_console_by_lines_and_since(family, setting):
    path = f"/vms/{setting.gone}/console"
    entries = [json.loads(line) for line in family.curl(setting.admin, path).body.splitlines()]
    lines = [entry for entry in entries if "line" in entry]
    assert lines[-1]["line"] == "hello"
    last = family.curl(setting.admin, f"{path}?lines=2").body.splitlines()
    assert [json.loads(line) for line in last] == entries[-3:], "two lines and how it ended"
    since = family.curl(setting.admin, f"{path}?since={lines[-1]['time']}").body.splitlines()
    # Lines that came in one piece have one time.
    assert [json.loads(line) for line in since] == [
        entry for entry in entries if entry.get("time", lines[-1]["time"]) >= lines[-1]["time"]]
    plain = family.curl(setting.admin, path, "-H", "accept: text/plain").body
    assert plain.splitlines()[-2].endswith("hello")


# What VMs use

def test_statistics(family, setting):
    """The server's numbers, as lines and on a screen; what has ended has none."""
    vm = family.running(setting.admin)[0]
    done = family.client(setting.admin, "statistics")
    assert done.code == 0 and f"statistics {setting.runs}: pid {vm['pid']}, cpuid {vm['cpuid']}, memory " in done.out
    assert {line.split()[1] for line in done.out.splitlines()} == {f"{setting.runs}:"}
    assert family.client(setting.admin, f"statistics {setting.runs}").out.count("pid") == 1
    with screen(family.client_line(setting.admin, "top")) as session:
        lines = await_names(session, setting.runs)
        assert lines[0].startswith(f"top: 1 VM of {setting.dev}, ")
        family.client(setting.admin, f"destroy {setting.runs}")
        session.until(lambda lines: lines[0].startswith("top: 0 VMs") and lines[3] == "no VMs", "it is gone")
        leave(session)


def test_statistics_take_their_permission(family, setting, ca):
    """And no other."""
    only = ca.command(ca.unique("only"), issuer=setting.dev, permissions=["statistics"])
    others = ca.command(ca.unique("others"), issuer=setting.dev, permissions=["info", "console", "image"])
    assert family.client(only, "statistics").out.startswith(f"statistics {setting.runs}: ")
    with screen(family.client_line(only, "top")) as session:
        await_names(session, setting.runs)
        leave(session)
    refused = family.client(others, "statistics")
    assert (refused.code, refused.out) == (REFUSED, "") and "statistics" in refused.err
    with screen(family.client_line(others, "top")) as session:
        assert session.wait() == (REFUSED, refused.err.replace("\n", "\r\n"))


# The rest of the prompt

@pytest.mark.parametrize("command, line", [
    ("nosuch", "nosuch: no such command; help lists them"),
    ("top", "top: this is no terminal that has screens; statistics prints the same as lines"),
    ("destroy", "destroy: wanted is: destroy PATH"),
])
def test_no_such_command(family, setting, command, line):
    assert family.client(setting.admin, command) == (REFUSED, "", f"failed {line}\n")


def test_help_names_every_command(family, setting):
    words = [line.split()[0] for line in family.client(setting.admin, "help").out.splitlines()]
    assert words == ["info", "log", "attach", "detach", "destroy", "statistics", "top", "volumes", "create-block",
                     "destroy-block", "upload-block", "dump-block", "quota", "help", "quit"]


def test_json(family, setting):
    done = family.client(setting.admin, "info", options=["--json"])
    assert [json.loads(line)["state"] for line in done.out.splitlines()].count("running") == 1
