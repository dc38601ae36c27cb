"""A C program at the other end of a pipe: lines in, a line of answer to each that asks something."""

import subprocess


class Driver:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        encoding="utf-8")

    def ask(self, lines, answers):
        """Everything at once: the program keeps its answers until an empty line asks for them."""
        self.process.stdin.write("\n".join(lines) + "\n\n")
        self.process.stdin.flush()
        return [self.process.stdout.readline().rstrip("\n") for _ in range(answers)]

    def end(self):
        rest = self.process.communicate()[0]
        assert (self.process.returncode, rest) == (0, ""), (self.process.returncode, rest)
