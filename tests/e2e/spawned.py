"""vmm_monitor by descriptors, as vmmd starts it; the test plays vmmd."""

import contextlib
import fcntl
import os
import socket

from family import KVM

NOBODY = 65534


class Spawned:
    """A monitor that was given everything: image in a sealed memfd at an odd offset, status channel,
    /dev/kvm where there is one, console; with GO a pipe to wait at; DEVICES by their options, as
    "--net:service", in their order (a list of pairs), each a descriptor, which is not closed."""

    def __init__(self, monitor, image, arguments=(), *, offset=4099, length=None, root=None,
                 kvm="/dev/kvm" if KVM else None, deaf=False, go=False, devices=(), options=()):
        self.console, console = os.pipe()
        self.channel, status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        status = status.detach()
        if deaf:
            self.channel.close()
        memfd = os.memfd_create("chain", os.MFD_ALLOW_SEALING)
        os.write(memfd, b"\xa5" * 4099 + image + b"\xa5" * 77)
        fcntl.fcntl(memfd, fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        given = [os.open("/dev/null", os.O_RDONLY), console, console, memfd, status]
        if kvm:
            given.append(os.open(kvm, os.O_RDWR))
        length = len(image) if length is None else length
        options = [*options, *(["--kvm=@5"] if kvm else [])]
        if go:
            waits, self.go = os.pipe()
            options.append(f"--go=@{len(given)}")
            given.append(waits)
        ours = list(given)
        for option, descriptor in devices:
            options.append(f"{option}=@{len(given)}")
            given.append(descriptor)
        command = ["vmm_monitor", "--mem=32", f"--image=@3:{offset}:{length}", "--status=@4",
                   *options, "--", *arguments]
        program = os.open(monitor, os.O_RDONLY)
        self.pid = os.fork()
        if self.pid == 0:
            self.execute(program, command, given, root)
        for fd in {*ours, program}:
            os.close(fd)

    @staticmethod
    def execute(program, command, given, root):
        """The child: descriptors from 0 on, perhaps an empty root and nobody's uid; by descriptor."""
        try:
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in given]
            program = fcntl.fcntl(program, fcntl.F_DUPFD_CLOEXEC, 100)
            for number, fd in enumerate(high):
                os.dup2(fd, number)
            os.closerange(len(given), program)
            os.closerange(program + 1, program + 1000)
            if root is not None:
                os.chroot(root)
                os.chdir("/")
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            os.execve(program, command, {})
        finally:
            os._exit(99)

    @staticmethod
    def drain(fd):
        with os.fdopen(fd, encoding="utf-8") as pipe:
            return pipe.read()

    def hear(self):
        """One line of the status channel; "" at its end. What was answered may have been left unread."""
        while True:
            try:
                return self.channel.recv(2048).decode()
            except ConnectionResetError:
                continue

    def said(self):
        """All that is left of the status channel."""
        lines = []
        while line := self.hear():
            lines.append(line)
        self.channel.close()
        return "".join(lines)

    def answer(self, *lines):
        """It may end at the first of them; what it says then is still to be read."""
        with contextlib.suppress(BrokenPipeError):
            for line in lines:
                self.channel.send(line if isinstance(line, bytes) else line.encode())

    def finish(self):
        """Status channel, console, exit status."""
        status, console = self.said(), self.drain(self.console)
        return status, console, os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
