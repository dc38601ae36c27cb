"""The family under test: an installed tree, a throwaway CA, one vmmd with its roles; and clients of
it that are ours (vmm_client) and that are not (curl, httpx)."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import httpx

import proc

ROOT = os.geteuid() == 0
KVM = os.access("/dev/kvm", os.R_OK | os.W_OK)
UIDS = 0x110000  # of one family: 16 for roles, 2^20 for VMs, rounded up
PATIENCE = 60  # seconds until something that must happen counts as never: no measurement


class Done(NamedTuple):
    """How a program ended."""

    code: int
    out: str
    err: str


class Answer(NamedTuple):
    """What came back over HTTP; status 0 when nothing did, error then is curl's."""

    status: int
    body: str
    error: str = ""

    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        return self.json()["detail"]


class Chain(NamedTuple):
    """A leaf with the delegations above it, and its key."""

    bundle: Path
    key: Path


def until(condition, what):
    """Waits until CONDITION() is true and returns its value."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def end(pids):
    """Some of them may just have ended by themselves."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def run(arguments, **options):
    options.setdefault("timeout", PATIENCE)
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(
        [str(argument) for argument in arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", errors="backslashreplace", check=False, **options,
    )
    return Done(done.returncode, done.stdout, done.stderr)


class Tree:
    """What `make install` makes of a build directory, below a temporary root."""

    def __init__(self, build, root):
        self.build = Path(build).resolve()
        done = run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root],
                   timeout=300)
        assert done.code == 0, done.err + done.out
        prefix = self.prefix()
        self.bin = Path(f"{root}{prefix}/bin")
        self.libexec = Path(f"{root}{prefix}/libexec/vmm")

    def prefix(self):
        options = json.loads((self.build / "meson-info/intro-buildoptions.json").read_text())
        return next(option["value"] for option in options if option["name"] == "prefix")

    def guest(self, name, target="hvt" if KVM else "spt"):
        return self.build / "guest" / f"{name}.{target}"


class Ca:
    """A folder with a CA, made by vmm_ca."""

    def __init__(self, tree, folder, server="localhost"):
        self.tree = tree
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.names = 0
        self("init", "--server", server)

    def __call__(self, *arguments, check=True):
        done = run([self.tree.bin / "vmm_ca", *arguments], cwd=self.folder)
        assert not check or done.code == 0, f"vmm_ca {arguments}: {done.err}"
        return done

    def path(self, name):
        return self.folder / name

    def chain(self, name):
        return Chain(self.path(f"{name}.bundle"), self.path(f"{name}.key"))

    def unique(self, stem):
        """A name that no other certificate of this CA has."""
        self.names += 1
        return f"{stem}{self.names}"

    def delegation(self, name, *, issuer="ca", vms=2, memory=1024, cpus=(0, 1), extra=()):
        cpu = [word for number in cpus for word in ("--cpu", number)]
        self("delegation", name, "--vms", vms, "--memory", memory, *cpu, *extra, "--issuer", issuer)
        return name

    def command(self, name, *, issuer, permissions=("all",)):
        words = [word for permission in permissions for word in ("--permission", permission)]
        self("command", name, *words, "--issuer", issuer)
        return self.chain(name)

    def vm(self, name, image, *, issuer, memory=32, cpu=0, args=(), extra=()):
        words = [word for arg in args for word in ("--arg", arg)]
        self("vm", name, image, "--memory", memory, "--cpu", cpu, *words, *extra,
             "--issuer", issuer)
        return self.chain(name)

    def revoke(self, name, *, issuer):
        """Takes NAME back; the chain that tells the server, which the next revocation leaves as it is."""
        stem = "cacert" if issuer == "ca" else issuer
        self("revoke", name, "--ca", f"{stem}.pem", "--key", f"{issuer}.key", "--db", f"{issuer}.db")
        kept = self.path(self.unique("revoke") + ".bundle")
        kept.write_bytes(self.path("revoke.bundle").read_bytes())
        return Chain(kept, self.path("revoke.key"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Uids:
    """Ranges of uids, each of them for one family of one process on this machine, however many run: a byte
    of a file stands for a range, and is locked as long as the process lives. One file, whatever TMPDIR says;
    a run that was killed, or is in a chroot, is known by its processes."""

    first, count = 0x10000000, 1400
    taken = 0
    file = None

    @classmethod
    def take(cls):
        if cls.file is None:
            cls.file = open("/tmp/vmm-tests.uids", "wb")  # noqa: SIM115
        while cls.taken < cls.count:
            number = cls.taken
            cls.taken += 1
            try:
                fcntl.lockf(cls.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except OSError:
                continue
            first = cls.first + number * UIDS
            if not any(first <= uid < first + UIDS for pid in proc.pids() for uid in proc.uids(pid)[:1]):
                return first
        raise AssertionError("every range of uids is taken")


class Family:
    """One vmmd on loopback, with directories of its own."""

    started = []  # and not closed yet

    def __init__(self, tree, ca, folder, options=(), wrapper=(), user=os.geteuid()):
        self.tree, self.ca, self.folder, self.user = tree, ca, Path(folder), user
        self.folder.mkdir(exist_ok=True)
        os.chown(self.folder, user, -1)
        self.options, self.wrapper = list(options), list(wrapper)
        self.sessions = set()  # of every vmmd that was started here
        self.run_dir, self.state_dir = self.folder / "run", self.folder / "state"
        self.port = free_port()
        self.uid_base = Uids.take() if user == 0 else None
        self.log_path = self.folder / "log"
        self.process = None
        self.root_admin = None

    # The daemon

    def command_line(self, *more):
        ca = self.ca.folder
        return [str(word) for word in [
            *self.wrapper, self.tree.bin / "vmmd",
            "--ca", ca / "cacert.pem", "--cert", ca / "server.pem", "--key", ca / "server.key",
            "--listen", f"127.0.0.1:{self.port}",
            "--run-dir", self.run_dir, "--state-dir", self.state_dir,
            *(["--uid-base", self.uid_base] if self.user == 0 else []), *self.options, *more]]

    def start(self):
        if self not in Family.started:
            Family.started.append(self)
        notify = self.folder / "notify"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, \
                open(self.log_path, "ab") as log:
            ready.bind(str(notify))
            os.chown(notify, self.user, -1)
            ready.settimeout(0.1)
            self.process = subprocess.Popen(
                self.command_line(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env={**os.environ, "NOTIFY_SOCKET": str(notify)},
                start_new_session=True, **self.identity())
            self.sessions.add(self.process.pid)
            until(lambda: self.heard_ready(ready), "vmmd says READY=1")
        return self

    def identity(self):
        """For Popen, when root starts it as somebody else."""
        if self.user == os.geteuid():
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def heard_ready(self, ready):
        assert self.process.poll() is None, f"vmmd ended at its start:\n{self.log()}"
        try:
            return b"READY=1" in ready.recv(4096).split(b"\n")
        except socket.timeout:
            return False

    @property
    def pid(self):
        """vmmd's own: a wrapper stays its parent."""
        mine = self.process.pid
        return proc.children(mine)[0] if self.wrapper and proc.name(mine) != "vmmd" else mine

    def log(self):
        return self.log_path.read_text(errors="backslashreplace") if self.log_path.exists() else ""

    def role(self, name):
        """The pid of a role, None while there is none."""
        pids = [pid for pid in proc.children(self.pid) if proc.name(pid) == name]
        return pids[0] if pids else None

    def own(self, pid):
        """By uid, where it has some of its own; else by session, which an orphan keeps too."""
        if self.user != 0:
            return proc.session(pid) in self.sessions and proc.name(pid).startswith("vmm_")
        uid = (proc.uids(pid) or [0])[0]
        return self.uid_base <= uid < self.uid_base + UIDS

    def processes(self):
        """Pids of roles, workers and monitors."""
        return [pid for pid in proc.pids() if proc.alive(pid) and self.own(pid)]

    def monitors(self):
        return [pid for pid in self.processes() if proc.name(pid) == "vmm_monitor"]

    def kill(self):
        """vmmd dies as if by accident."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def kill_all(self, vms=False):
        """So do all the others, which nobody starts again then; its VMs too if VMS."""
        self.kill()
        end(pid for pid in self.processes() if vms or proc.name(pid) != "vmm_monitor")
        until(lambda: self.processes() == ([] if vms else self.monitors()), "they are gone")

    def stop(self):
        """vmmd ends in order; its VMs run on."""
        if self.process and self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
            return self.process.wait(PATIENCE)
        return None

    def close(self):
        """Leaves nothing behind, or fails saying what was left."""
        code, left = None, []
        try:
            if self.process.poll() is not None:
                self.start()
            self.destroy_all()
        finally:
            code = self.stop()
            left = self.left_over()
        files = sorted(str(path) for path in self.run_dir.rglob("*"))
        assert (code, left, files, self.sanitizers_said()) == (0, [], [], [])
        Family.started = [family for family in Family.started if family is not self]

    def left_over(self):
        """Ends what is still there when vmmd has gone; a gate's workers see that it did, and have a moment."""
        try:
            until(lambda: not self.processes(), "")
        except AssertionError:
            left = [proc.command_line(pid) for pid in self.processes()]
            end(self.processes())
            return left
        return []

    def sanitizers_said(self):
        """A role that a sanitizer ended is started again: only the log has it."""
        words = ("Sanitizer", "runtime error:")
        return [line for line in self.log().splitlines() if any(word in line for word in words)]

    # Clients

    @property
    def admin(self):
        """A session that sees and may do everything."""
        if self.root_admin is None:
            name = self.ca.unique("root-admin")
            self.root_admin = self.ca.command(name, issuer="ca")
        return self.root_admin

    def client_line(self, chain, *commands, options=()):
        words = [word for command in commands for word in ("-c", command)]
        return [str(word) for word in [
            self.tree.bin / "vmm_client", *options, *words, self.ca.path("cacert.pem"),
            chain.bundle, chain.key, f"localhost:{self.port}"]]

    def client(self, chain, *commands, options=(), **rest):
        return run(self.client_line(chain, *commands, options=options), **rest)

    def deploy(self, chain):
        done = self.client(chain)
        assert (done.code, done.out) == (0, "success VM started\n"), done.err + self.log()

    def push(self, revocation):
        """What ended by it: (kind, path) of each."""
        answer = self.curl(revocation, "/revocations", "-X", "POST")
        assert answer.status == 200, answer
        return sorted((ended["kind"], ended["path"]) for ended in answer.json()["ended"])

    def curl_line(self, chain, path, *arguments):
        return [str(word) for word in [
            "curl", "--silent", "--show-error", "--http2", "--cacert", self.ca.path("cacert.pem"),
            "--cert", chain.bundle, "--key", chain.key, "--max-time", PATIENCE, *arguments,
            f"https://localhost:{self.port}{path}"]]

    def curl(self, chain, path, *arguments):
        done = run(self.curl_line(chain, path, "--write-out", "\n%{http_code} %{http_version}",
                                  *arguments))
        body, _, tail = done.out.rpartition("\n")
        status, version = tail.split()
        assert status == "000" or version == "2", tail
        return Answer(int(status), body, done.err)

    def http(self, chain):
        return httpx.Client(
            http2=True, verify=str(self.ca.path("cacert.pem")), timeout=PATIENCE, trust_env=False,
            cert=(str(chain.bundle), str(chain.key)), base_url=f"https://localhost:{self.port}")

    def vms(self, chain=None):
        answer = self.curl(chain or self.admin, "/vms")
        assert answer.status == 200, answer
        return answer.json()

    def running(self, chain=None):
        return [vm for vm in self.vms(chain) if vm["state"] == "running"]

    def console(self, path):
        """What is in the ring of a VM's console: its lines, and how it ended."""
        answer = self.curl(self.admin, f"/vms/{path}/console")
        return [json.loads(line) for line in answer.body.splitlines()] if answer.status == 200 else []

    def is_destroyed(self, vm):
        """A busy machine may take longer to end it than vmmd keeps anybody waiting."""
        answer = self.curl(self.admin, "/vms/" + vm["label"], "-X", "DELETE")
        assert answer.status in (204, 404) or "vmmd goes on trying" in answer.body, answer
        return answer.status != 503

    def destroy_all(self):
        for vm in self.running():
            until(lambda vm=vm: self.is_destroyed(vm), "it is destroyed")
