"""A program on a terminal of a given size, whose screen is read as a person would: by an emulation of the terminal
(pyte), not by the bytes that it is sent."""

import copy
import fcntl
import select
import struct
import termios

import pyte

import fake_server
from client_world import terminal

ALTERNATE = 1049 << 5  # the mode's number as pyte keeps it
PAUSE = 0.1  # seconds without output, after which the screen is looked at


class Emulation(pyte.Screen):
    """With the second screen that full-screen programs draw on, which pyte has not."""

    def set_mode(self, *modes, **options):
        super().set_mode(*modes, **options)
        if options.get("private") and 1049 in modes:
            self.below = copy.deepcopy(self.buffer), copy.copy(self.cursor)
            self.erase_in_display(2)

    def reset_mode(self, *modes, **options):
        super().reset_mode(*modes, **options)
        if options.get("private") and 1049 in modes:
            self.buffer, self.cursor = self.below


class Screen(fake_server.Terminal):
    """TERM is one that the emulation understands all of."""

    def __init__(self, columns, lines, arguments, environment):
        super().__init__(arguments, {"TERM": "screen", **environment})
        self.emulation = Emulation(columns, lines)
        self.stream = pyte.ByteStream(self.emulation)
        self.tell_size()

    def tell_size(self):
        size = struct.pack("HHHH", self.emulation.lines, self.emulation.columns, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def resize(self, columns, lines):
        self.emulation.resize(lines, columns)
        self.tell_size()

    def read(self):
        """To a pause: what is drawn at once may come in pieces, and nobody sees half of it."""
        data = part = super().read()
        while part and select.select([self.fd], [], [], PAUSE)[0]:
            part = super().read()
            data += part
        self.stream.feed(data)
        return data

    @property
    def lines(self):
        return [line.rstrip() for line in self.emulation.display]

    def cells(self, line, first, end):
        """The text of a line's cells; a wide character has two, the second of them empty."""
        return "".join(self.emulation.buffer[line][at].data for at in range(first, end))

    def text_that(self, line, **looks):
        """The text of a line's cells that look so, as in bold=True."""
        cells = (self.emulation.buffer[line][at] for at in range(self.emulation.columns))
        return "".join(cell.data for cell in cells
                       if all(getattr(cell, name) == value for name, value in looks.items())).strip()

    @property
    def full(self):
        """Whether a program has all of the screen."""
        return ALTERNATE in self.emulation.mode

    def until(self, holds, what):
        """Reads until HOLDS of the lines; they."""
        while not holds(self.lines):
            assert self.read(), f"never: {what}; the screen is\n" + "\n".join(self.lines)
        return self.lines

    def await_line(self, line):
        return self.until(lambda lines: line in lines, repr(line))


def screen(arguments, columns=80, lines=24, **environment):
    return terminal(arguments, lambda *made: Screen(columns, lines, *made), **environment)
