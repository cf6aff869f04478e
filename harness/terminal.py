"""A terminal in which a command asks questions."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from select import select

import pyte

SECONDS = 60


class Screen(pyte.Screen):
    files: int

    def write_process_input(self, data: str) -> None:
        """Send what the command asks the terminal for, such as the position of the cursor."""
        os.write(self.files, data.encode())


class Terminal:
    """Runs a command; `text` is what its user sees."""

    def __init__(
        self, command: Sequence[str], folder: Path, *, columns: int = 80, rows: int = 24
    ) -> None:
        self.files, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "TERM": "xterm"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self.screen = Screen(columns, rows)
        self.screen.files = self.files
        self.stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, keys: str) -> None:
        os.write(self.files, keys.encode())

    def wait_for(self, text: str) -> None:
        """Wait until the screen shows the text, in which lines are not cut."""
        while text not in self.text:
            self.stream.feed(self._read(f"the screen does not show {text!r}"))

    def end(self) -> None:
        """Wait until the command has succeeded."""
        with suppress(OSError):  # the end of the output
            while output := self._read("the command does not end"):
                self.stream.feed(output)
        os.close(self.files)
        assert self.process.wait() == 0, self.text

    def _read(self, otherwise: str) -> bytes:
        ready, _, _ = select([self.files], [], [], SECONDS)
        assert ready, f"{otherwise}:\n{self.text}"
        return os.read(self.files, 65_536)
