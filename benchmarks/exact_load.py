"""Load by an exact number of requests, for counting what each of them costs."""

import re
import selectors
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from select import select
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.load import Request

TIMEOUT = 120


@dataclass(frozen=True)
class Encoder:
    """Encodes a request; each @ in its body is replaced by a unique text."""

    host: str
    request: Request
    headers: Mapping[str, str]

    def __call__(self) -> bytes:
        body = self.request.body.replace("@", uuid4().hex).encode()
        headers = {"Host": self.host, **self.request.headers, **self.headers}
        if body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{self.request.method} {self.request.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """A connection that stays open, with at most one request in flight."""

    def __init__(self, host: str) -> None:
        name, _, port = host.partition(":")
        self.socket = socket.create_connection((name, int(port)), timeout=TIMEOUT)
        self.received = b""

    def is_closed(self) -> bool:
        """Whether the server has closed the connection, as it does with idle ones."""
        readable, _, _ = select([self.socket], [], [], 0)
        return bool(readable)

    def receive(self) -> bool:
        """Receive more of the response; returns whether it is complete.

        Raises `RuntimeError` for an error response and without a response.
        """
        data = self.socket.recv(1 << 18)
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        is_complete = status == [b"304"] or (length and len(body) >= int(length[1]))
        if data and not (found and is_complete):
            return False
        if status not in ([b"200"], [b"201"], [b"304"]):
            raise RuntimeError(f"not the expected response: {self.received!r}")
        self.received = b""
        return True


class Clients:
    """Concurrent clients that send the same request, each on a connection of its own."""

    def __init__(
        self, address: str, request: Request, headers: Mapping[str, str], clients: int
    ) -> None:
        self.host = urlsplit(address).netloc
        self.encode = Encoder(self.host, request, headers)
        self.connections = [Connection(self.host) for _ in range(clients)]

    def send(self, requests: int) -> None:
        """Send requests without pauses, and wait for all responses."""
        with selectors.DefaultSelector() as selector:
            for number, connection in enumerate(self.connections):
                if connection.is_closed():
                    connection.socket.close()
                    connection = self.connections[number] = Connection(self.host)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.socket.sendall(self.encode())
            left = requests - len(self.connections)
            while selector.get_map():
                for key, _ in selector.select(TIMEOUT):
                    if not key.data.receive():
                        continue
                    if left > 0:
                        left -= 1
                        key.data.socket.sendall(self.encode())
                    else:
                        selector.unregister(key.fileobj)

    def close(self) -> None:
        for connection in self.connections:
            connection.socket.close()
