"""Documents as somebody follows them: their indented lines, pasted into a terminal. Without /dev/kvm with the spt
builds, as the README says."""

import os
import re
import signal
import subprocess
from typing import NamedTuple

from conftest import REPOSITORY
from family import KVM, PATIENCE, ROOT, free_port, run, until


class Block(NamedTuple):
    """Indented lines, and the paragraph in front of them."""

    before: str
    lines: list


def blocks(document, section=None):
    """Those of a Markdown file, or of its section called so. One may have empty lines in it."""
    text = (REPOSITORY / document).read_text()
    if section:
        text = re.split(r"^## ", text.split(f"\n## {section}\n")[1], flags=re.MULTILINE)[0]
    found, before = [], ""
    for paragraph in re.split(r"\n{2,}", text.strip("\n")):
        if not paragraph.startswith("    "):
            before = paragraph
            continue
        lines = [line[4:] for line in paragraph.splitlines()]
        if found and before == found[-1].before:
            found[-1].lines.extend(["", *lines])
        else:
            found.append(Block(before, lines))
    return found


def tour():
    """The lines of the README's."""
    return [line for block in blocks("README.md", "A tour") for line in block.lines]


class Terminal:
    """Pasted lines: vmmd goes on beside the others, a console is watched until it says hello."""

    def __init__(self, folder, tree, build):
        self.folder, self.build = folder, build
        # An ordinary user's vmmd has its directories below these, and shares the host's ports.
        self.environment = {**os.environ, "PATH": f"{tree.bin}:{os.environ['PATH']}",
                            "XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder)}
        self.port = 1025 if ROOT else free_port()
        self.daemon = None
        self.printed = {}

    def paste(self, line, where="."):
        """In the folder WHERE; what was printed."""
        folder = self.folder / where
        typed = line.replace("../build/", f"{self.build}/").replace(":1025", f":{self.port}")
        if not KVM:
            typed = typed.replace(".hvt", ".spt")
        if line.startswith("vmmd "):
            self.start_vmmd(typed, folder)
            return ""
        if "attach hello" in line:
            out = self.watch(typed, folder)
        else:
            done = run(["sh", "-c", typed], cwd=folder, env=self.environment)
            assert done.code == 0, (typed, done)
            out = done.out
        self.printed[line] = out
        return out

    def start_vmmd(self, line, folder):
        self.daemon = self.start(line, folder, stderr=subprocess.PIPE)
        said = []
        until(lambda: said.append(self.daemon.stderr.readline()) or "ready" in said[-1] or not said[-1],
              "it is ready")
        assert said[-1], said

    def start(self, line, folder, **pipes):
        return subprocess.Popen(["sh", "-c", f"exec {line}"], cwd=folder, env=self.environment,
                                stdin=subprocess.DEVNULL, encoding="utf-8", **pipes)

    def watch(self, line, folder):
        with self.start(line, folder, stdout=subprocess.PIPE) as client:
            lines = []
            until(lambda: lines.append(client.stdout.readline()) or lines[-1].endswith(" hello\n"),
                  "the guest says hello")
            client.send_signal(signal.SIGINT)
            assert client.wait(PATIENCE) == 0
        return "".join(lines)

    def said(self, words):
        [printed] = [out for line, out in self.printed.items() if words in line]
        return printed

    def close(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.communicate(timeout=PATIENCE)
