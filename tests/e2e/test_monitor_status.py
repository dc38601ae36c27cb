"""vmm_monitor's status channel where there are devices, with a test in vmmd's place: what is said, asked and
answered, and what it keeps."""

import os
import signal
import socket

import pytest

import proc
import taps
from spawned import Spawned

MAC, MAC2 = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
takes_taps = pytest.mark.network("taps")


@pytest.fixture
def spawn(monitor):
    running = []

    def start(*arguments, **options):
        running.append(Spawned(monitor, *arguments, **options))
        return running[-1]

    yield start
    for one in running:
        try:
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


KEPT = {"hvt": ["anon_inode:kvm-vcpu:0"], "spt": ["anon_inode:[eventpoll]", "anon_inode:[timerfd]"]}


@takes_taps
def test_descriptors_that_stay(spawn, guest, target, held):
    spawned = spawn(guest("net2block").read_bytes(), devices=[("--net", held[0]), ("--net", held[1]),
                                                              ("--block", held[2])])
    lines = [spawned.hear() for _ in range(4)]
    assert lines == [f"target {target}\n", "net 0 service0\n", "net 1 service1\n", "block 0 storage\n"]
    spawned.answer(f"net 0 {MAC} 1500", f"net 1 {MAC2} 1400", "end")
    assert spawned.said() == "ready\n"
    rest = [what for number, what in proc.descriptors(spawned.pid).items() if number > 2]
    disk = os.readlink(f"/proc/self/fd/{held[2]}")
    assert sorted(rest) == sorted([*KEPT[target], "/dev/net/tun", "/dev/net/tun", disk])


@takes_taps
def test_devices_are_named_and_answered(spawn, guest, target, held):
    """In the order of the options, whichever the manifest's is; then MACs, MTUs, an argument, and the network
    of who answered is up."""
    spawned = spawn(guest("net2").read_bytes(), ["--ipv4:service1=10.9.0.2/24", "{mac}"],
                    devices=[("--net:service1", held[0]), ("--net", held[1])])
    assert [spawned.hear() for _ in range(3)] == [f"target {target}\n", "net 0 service1\n", "net 1 service0\n"]
    spawned.channel.settimeout(0.2)
    with pytest.raises(TimeoutError):
        spawned.hear()
    spawned.channel.settimeout(None)
    taps.ip("link", "set", "tap0", "up")
    spawned.answer(f"net 1 {MAC2} 68", f"net 0 {MAC} 1400", "arg 1 --router=10.9.0.1", "end")
    assert spawned.said() == "ready\n"
    taps.echo("10.9.0.2", [0, 1372])
    os.kill(spawned.pid, signal.SIGTERM)
    console = spawned.drain(spawned.console)
    assert f"net service1 {MAC} 10.9.0.2 1400\n" in console
    assert f"net service0 {MAC2} - 68\n" in console


@takes_taps
def test_who_has_macs_does_not_ask(spawn, guest, target, held):
    spawned = spawn(guest("net2").read_bytes(), ["--count=1"],
                    options=[f"--net-mac:service0={MAC}", f"--net-mac:service1={MAC2}"],
                    devices=[("--net", held[0]), ("--net", held[1])])
    assert spawned.said() == f"target {target}\nnet 0 service0\nnet 1 service1\nready\n"


def test_disks_are_not_asked_about(spawn, guest, target, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(4096))
    with open(disk, "r+b") as file:
        spawned = spawn(guest("block").read_bytes(), ["write", "1"], devices=[("--block", file.fileno())])
    status, console, code = spawned.finish()
    assert (status, code) == (f"target {target}\nblock 0 storage\nready\n", 0)
    assert console.endswith("written\n")


@takes_taps
def test_one_mac_is_known(spawn, guest, target, held):
    """Only the other device is asked about."""
    spawned = spawn(guest("net2").read_bytes(), options=[f"--net-mac:service0={MAC}"],
                    devices=[("--net", held[0]), ("--net", held[1])])
    spawned.answer(f"net 0 {MAC2} 1500")
    assert spawned.said().endswith(f"error 'net 0 {MAC2} 1500' is no answer about the network\n")
    spawned = spawn(guest("net2").read_bytes(), options=[f"--net-mac:service0={MAC}"],
                    devices=[("--net", held[0]), ("--net", held[1])])
    spawned.answer(f"net 1 {MAC2} 1500", "end")
    assert spawned.said().endswith("net 1 service1\nready\n")


NO_ANSWERS = [
    "", "hello", "net", "net 0", f"net 0 {MAC}", f"net 0 {MAC} ", f"net 0 {MAC} 67", f"net 0 {MAC} 65536",
    f"net 0 {MAC} 1500 ", f"net 0 {MAC} 1500\n", f"net 2 {MAC} 1500", f"net -1 {MAC} 1500", f"net  0 {MAC} 1500",
    "net 0 03:00:00:00:00:01 1500", "net 0 00:00:00:00:00:00 1500", "net 0 02:00:00:00:00 1500",
    "net 0 02:00:00:00:00:00:01 1500", "end ", "END", "arg 0", "arg 2 x", "arg -1 x", "arg x", "arg 0 a\0b",
    "arg 18446744073709551616 x", "arg 0 " + "x" * 8193, "arg 0 " + "x" * 9000,
]


@takes_taps
@pytest.mark.parametrize("answer", NO_ANSWERS, ids=lambda answer: repr(answer[:32]))
def test_an_answer_that_is_none(spawn, guest, target, held, answer):
    spawned = spawn(guest("net2").read_bytes(), ["a", "b"], devices=[("--net", held[0]), ("--net", held[1])])
    spawned.answer(answer, f"net 0 {MAC} 1500", f"net 1 {MAC2} 1500", "end")
    lines = spawned.said().splitlines()
    assert lines[:3] == [f"target {target}", "net 0 service0", "net 1 service1"]
    assert len(lines) == 4 and lines[3].startswith("error ") and "answer about the network" in lines[3], lines
    assert spawned.drain(spawned.console) == ""


@takes_taps
@pytest.mark.parametrize("answers, why", [
    ([f"net 0 {MAC} 1500", f"net 0 {MAC} 1500", "end"], f"'net 0 {MAC} 1500' is no answer about the network"),
    ([f"net 0 {MAC} 1500", "end"], "no answer about some network device"),
    (["end"], "no answer about some network device"),
])
def test_answers_that_do_not_add_up(spawn, guest, target, held, answers, why):
    spawned = spawn(guest("net2").read_bytes(), devices=[("--net", held[0]), ("--net", held[1])])
    spawned.answer(*answers)
    assert spawned.said().endswith(f"net 1 service1\nerror {why}\n")


@takes_taps
def test_nobody_answers(spawn, guest, target, held):
    """It ends, and says so where it is heard."""
    devices = [("--net", held[0]), ("--net", held[1])]
    spawned = spawn(guest("net2").read_bytes(), devices=devices)
    spawned.channel.shutdown(socket.SHUT_WR)
    status, console, code = spawned.finish()
    assert status.endswith("error no answer about the network: the other side has closed\n")
    assert (console, code) == ("", 1)
    spawned = spawn(guest("net2").read_bytes(), devices=devices)
    assert [spawned.hear() for _ in range(3)][2] == "net 1 service1\n"
    spawned.channel.close()
    assert spawned.drain(spawned.console) == \
        "vmm_monitor: no answer about the network: the other side has closed\n"


@takes_taps
def test_an_argument_as_long_as_can_be(spawn, guest, target, held):
    def status(length):
        spawned = spawn(guest("net2").read_bytes(), ["short"], devices=[("--net", held[0]), ("--net", held[1])])
        spawned.answer(f"net 0 {MAC} 1500", f"net 1 {MAC2} 1500", "arg 0 " + "ü" * (length // 2), "end")
        return spawned.said()

    assert status(8190).endswith("\nready\n")
    assert status(8192).endswith("\nerror the arguments are longer than 8191 characters\n")


@takes_taps
def test_its_turn_comes_with_a_network(spawn, guest, target, held):
    """With --go: the tap is up only then, as that of a VM that replaces another."""
    spawned = spawn(guest("net").read_bytes(), ["--ipv4=10.9.0.2/24"], go=True, devices=[("--net", held[0])])
    spawned.answer(f"net 0 {MAC} 1500", "end")
    assert spawned.said().endswith("ready\n")
    taps.ip("link", "set", "tap0", "up")
    os.write(spawned.go, b"x")
    taps.echo("10.9.0.2", [64])
