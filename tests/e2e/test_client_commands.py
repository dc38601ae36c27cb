"""Commands of vmm_client, one at a time: what they ask for, what they print and exit with."""

import json
import re

import pytest

from client_world import client, line, pki, program, server, state  # fixtures
from client_world import (
    CONNECT, DONE, FOLLOW, HELLO, LABEL, LEVELS, REFUSED, SERIAL, SHOWN_T, STARTED, T, event, ndjson, replay)

pytestmark = pytest.mark.sanitized


def test_info(client, server):
    ended = {**HELLO, "path": "gone", "label": "7c0a00", "state": "ended", "pid": None, "taps": [],
             "ended": T, "end": {"signal": 9}}
    bare = {**HELLO, "path": "sub/x", "label": "777777.888888", "taps": []}
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO, ended, bare])
    monitor = "'vmm_monitor' '--mem=32' '--' 'it'\\''s'"
    assert client("-c", "info") == (DONE, (
        f"info hello: {monitor} 91368 taps tap25, tap26\n"
        f"info gone: {monitor} stopped {SHOWN_T} with signal 9\n"
        f"info sub/x: {monitor} 91368 taps no\n"), "")


def test_info_as_json(client, server):
    vms = [HELLO, {**HELLO, "name": "évil\x1b"}]
    server.routes["GET /vms/hello"] = lambda request: request.respond(200, vms)
    done = client("--json", "-c", "info hello")
    assert [json.loads(line) for line in done.out.splitlines()] == vms
    assert done.code == DONE and done.out.isascii()


def test_large_answer(client, server):
    """More than HTTP/2's windows hold at once."""
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO] * 2000)
    done = client("-c", "info")
    assert (done.code, done.out.count("\ninfo hello: ")) == (DONE, 1999)


def test_destroy(client, server):
    server.routes["DELETE /vms/hello"] = lambda request: request.respond(204)
    assert client("-c", "destroy hello") == (DONE, "success\n", "")
    assert client("--json", "-c", "destroy hello").out == '{"success":"destroy"}\n'


def test_quota(client, server):
    """Own first, then below, then above."""
    assert client("-c", "quota") == (DONE, (
        "quota dan:            1 of 2 VMs, 1 free  32 of 1024 MB memory, 992 free  "
        "0 of 0 MB block, 0 free  CPUs 0-1\n"
        "quota eve:            0 of 1 VMs, 1 free  0 of 64 MB memory, 64 free      "
        "0 of 0 MB block, 0 free  CPUs 0-1\n"
        "quota alice (above):  4 VMs               2048 MB memory                  "
        "10 MB block              CPUs 0-1  bridge ext\n"), "")
    done = client("--json", "-c", "quota")
    assert [json.loads(line) for line in done.out.splitlines()] == LEVELS


# The event log

EVENTS = [{**event("STARTUP", "vmmd"), "path": "", "label": ""}, event("LOGIN 192.0.2.1:43142"), STARTED]


def test_log(client, server):
    server.routes["GET /log"] = ndjson(*EVENTS)
    assert client("-c", "log") == (DONE, (
        f"log: {SHOWN_T}: vmmd STARTUP\n"
        f"log: {SHOWN_T}: hello LOGIN 192.0.2.1:43142\n"
        f"log: {SHOWN_T}: hello STARTED 4711 (tap tap25; tap26, block no)\n"
        "success\n"), "")
    done = client("--json", "-c", "log")
    assert [json.loads(line) for line in done.out.splitlines()] == EVENTS


SINCES = {
    "log -600s": "/log?since=-600s",
    "log 2017-07-10T09:43:39Z": "/log?since=2017-07-10T09%3A43%3A39Z",
    "log 'a b&follow'": "/log?since=a%20b%26follow",
}


@pytest.mark.parametrize("command", SINCES, ids=["ago", "time", "nonsense"])
def test_log_since(client, server, command):
    server.routes["GET " + SINCES[command]] = ndjson()
    assert client("-c", command) == (DONE, "success\n", "")


def test_log_refused(client, server):
    server.routes["GET /log"] = lambda request: request.problem(403, "no permission log")
    assert client("-c", "log") == (REFUSED, "", "failed no permission log\n")
    server.routes["GET /log"] = lambda request: request.respond(200, b"<html>")
    assert client("-c", "log") == (CONNECT, "", "failed log: the server sent no JSON\n")


PROBLEMS = {
    "403": (403, "the certificate does not permit image"),
    "404": (404, "there is no hello"),
    "409": (409, "hello is ambiguous: 82db56 7c0a00"),
    "503": (503, "vmm_console is down"),
    "hostile": (403, "\x1b]0;owned\x07 \u202e"),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_problem(client, server, case):
    status, detail = PROBLEMS[case]
    server.routes["DELETE /vms/hello"] = lambda request: request.problem(status, detail)
    shown = detail.replace("\x1b", "\\x1b").replace("\x07", "\\x07").replace("\u202e", "\\u202e")
    assert client("-c", "destroy hello") == (REFUSED, "", f"failed {shown}\n")


def test_answer_that_is_no_problem_document(client, server):
    server.routes["DELETE /vms/hello"] = lambda request: request.respond(502, b"<html>")
    assert client("-c", "destroy hello") == (REFUSED, "", "failed the server answers HTTP 502\n")


def test_commands_run_in_order_whatever_fails(client, server):
    server.routes["GET /vms"] = lambda request: request.respond(200, [HELLO])
    server.routes["DELETE /vms/b"] = lambda request: request.respond(204)
    done = client("-c", "destroy a", "-c", "info", "-c", "destroy b")
    assert server.seen == ["DELETE /vms/a", "GET /vms", "DELETE /vms/b"]
    assert done.code == REFUSED and done.err == "failed there is no a\n"
    assert done.out.startswith("info hello: ") and done.out.endswith("\nsuccess\n")


def test_quit_is_the_last_command(client, server):
    assert client("-c", "quit", "-c", "info") == (DONE, "", "")
    assert server.seen == []


WORDS = {
    "statistics a b": "failed statistics: wanted is: statistics [PATH]\n",
    "log 1 2": "failed log: wanted is: log [-f] [SINCE]\n",
    "quota x": "failed quota: wanted is: quota\n",
    "top a b": "failed top: wanted is: top [PATH]\n",
    "frobnicate": "failed frobnicate: no such command; help lists them\n",
    "attach": "failed attach: wanted is: attach PATH\n",
    "info a b": "failed info: wanted is: info [PATH]\n",
    "destroy 'a": "failed a quote does not end\n",
    "detach hello": "failed hello: not attached\n",
}


@pytest.mark.parametrize("command", WORDS, ids=lambda name: name.replace(" ", "_"))
def test_wrong_command(client, server, command):
    assert client("-c", command) == (REFUSED, "", WORDS[command])
    assert server.seen == []


COMMANDS = ["info", "log", "attach", "detach", "destroy", "statistics", "top", "volumes", "create-block",
            "destroy-block", "upload-block", "dump-block", "quota", "help", "quit"]


def test_help_lists_the_commands(client):
    done = client("-c", "help")
    words = [line.split()[0] for line in done.out.splitlines()]
    assert words == COMMANDS and done.code == DONE


def test_help_as_json(client):
    rows = [json.loads(line) for line in client("--json", "-c", "help").out.splitlines()]
    assert [row["command"] for row in rows] == COMMANDS
    assert all(set(row) == {"command", "arguments", "summary"} for row in rows)


def test_paths_are_encoded(client, server):
    server.routes["DELETE /vms/dev/a%20b%3F%C3%A9%25"] = lambda request: request.respond(204)
    assert client("-c", "destroy 'dev/a b?é%'") == (DONE, "success\n", "")


# Names

@pytest.fixture
def db(tmp_path):
    path = tmp_path / "dev.db"
    path.write_text(f"{SERIAL} mine\n77 twice\n78 twice\n")
    return path


def test_db_names_what_is_shown(client, server, db):
    server.routes["GET /vms"] = lambda request: request.respond(
        200, [HELLO, {**HELLO, "path": "x", "label": "7c0a00"}])
    done = client("--db", db, "-c", "info")
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["info mine", "info x"]


def test_db_names_what_is_typed(client, server, db):
    server.routes[f"DELETE /vms/{LABEL}"] = lambda request: request.respond(204)
    server.routes["DELETE /vms/other"] = lambda request: request.respond(204)
    assert client("--db", db, "-c", "destroy mine", "-c", "destroy other").out == "success\n" * 2


def test_server_looks_up_what_the_db_has_and_it_has_not(client, server, db):
    server.routes["DELETE /vms/mine"] = lambda request: request.respond(204)
    assert client("--db", db, "-c", "destroy mine") == (DONE, "success\n", "")
    assert len(server.seen) == 2
    assert client("--db", db, "-c", "info mine").err == "failed there is no mine\n"


def test_ambiguous_in_the_db(client, server, db):
    done = client("--db", db, "-c", "destroy twice")
    assert (done.code, done.out) == (REFUSED, "")
    words = done.err.split()
    assert words[:3] == ["failed", "twice:", "ambiguous:"] and len(words) == 5
    assert all(len(word) >= 6 for word in words[3:]) and server.seen == []


def test_db_names_what_is_logged(client, server, db):
    server.routes["GET /log"] = ndjson(STARTED, event("LOGIN [::1]:7", "other", "777777"))
    lines = client("--db", db, "-c", "log").out.splitlines()
    assert lines == [f"log: {SHOWN_T}: mine STARTED 4711 (tap tap25; tap26, block no)",
                     f"log: {SHOWN_T}: other LOGIN [::1]:7", "success"]


# The article's transcript (2017)

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
