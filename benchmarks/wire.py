"""A TCP proxy between service and database that adds latency and counts round trips.

`python -m benchmarks.wire PORT DELAY` prints its port, and runs until stdin is closed.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness.network import Network


class Wire(Network):
    """A round trip begins with data from the client that follows data from the server."""

    def __init__(self, server_port: int, delay: float = 0) -> None:
        self.delay = delay
        self.waiting: dict[socket.socket, bool] = {}
        self.round_trips: dict[socket.socket, int] = {}
        super().__init__(server_port)

    @property
    def total(self) -> int:
        return sum(list(self.round_trips.values()))

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        from_client = source in self.clients
        client = source if from_client else target
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if from_client and not self.waiting.get(client, False):
                    self.round_trips[client] = self.round_trips.get(client, 0) + 1
                self.waiting[client] = from_client
                if from_client and self.delay:
                    time.sleep(self.delay)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def slower(server_port: int, delay: float) -> Iterator[int]:
    """The port of a proxy with this delay, in a separate process."""
    command = [sys.executable, "-m", "benchmarks.wire", str(server_port), str(delay)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(30)


if __name__ == "__main__":
    wire = Wire(int(sys.argv[1]), float(sys.argv[2]))
    print(wire.port, flush=True)
    sys.stdin.read()
