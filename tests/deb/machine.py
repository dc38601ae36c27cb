"""A Debian 12 with systemd as process 1, in namespaces of its own, without a network; the system that it starts
from is made once, by debootstrap, and kept."""

import os
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
import proc
from family import run, until

BASE = Path(os.environ.get("VMM_DEB_ROOT", "/var/tmp/vmm-check-deb"))
INCLUDED = "systemd,systemd-sysv,dbus,debconf,ca-certificates,curl,iproute2,iputils-ping,procps,zsh,bash-completion"
SOURCES = """\
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
"""


def must(arguments, **options):
    done = run(arguments, timeout=1200, **options)
    assert done.code == 0, (arguments, done)
    return done.out


def make_base(debs):
    """With what DEBS depend on."""
    if not (BASE / "complete").exists():
        must(["rm", "-rf", "--one-file-system", BASE])
        must(["debootstrap", "--variant=minbase", f"--include={INCLUDED}", "bookworm", BASE])
        (BASE / "etc/apt/sources.list").write_text(SOURCES)
        must(["chroot", BASE, "apt-get", "-q", "update"])
        must(["chroot", BASE, "apt-get", "-q", "upgrade", "-y"])
        (BASE / "complete").touch()
    for deb in debs:
        wanted = must(["dpkg-deb", "-f", deb, "Depends"]).strip()
        must(["chroot", BASE, "apt-get", "-q", "satisfy", "-y", "--no-install-recommends", wanted])


class Machine:
    def __init__(self, debs):
        self.debs = debs
        self.process = subprocess.Popen([REPOSITORY / "tests/deb/boot", BASE, debs], stdin=subprocess.DEVNULL)
        until(self.find_init, "systemd is process 1")
        until(lambda: self("systemctl is-system-running", check=False).out.strip() in ("running", "degraded"),
              "the system has started")

    def find_init(self):
        assert self.process.poll() is None, "it does not start"
        self.init = next((pid for pid in proc.children(self.process.pid) if proc.name(pid) == "systemd"), None)
        return self.init

    def __call__(self, line, check=True, cwd="/"):
        """What a shell there makes of LINE."""
        enter = ["nsenter", "-a", "-t", self.init, "env", "-i", "HOME=/root", "LC_ALL=C.UTF-8",
                 "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]
        done = run([*enter, "sh", "-c", f"cd {cwd} && {line}"], timeout=300)
        assert not check or done.code == 0, (line, done)
        return done

    def monitors(self):
        """Their pids, as we see them."""
        found = must(["pgrep", "-x", "vmm_monitor", "--ns", self.init, "--nslist", "pid"]) if self(
            "pgrep -x vmm_monitor", check=False).out else ""
        return [int(word) for word in found.split()]

    def main_pid(self):
        return int(self("systemctl show -p MainPID --value vmmd.service").out)

    def version(self):
        return re.search(r"\S+$", self("vmmd --version").out.strip())[0]

    def close(self):
        self.process.kill()  # and with it everything there
        self.process.wait()
