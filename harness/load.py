"""Clients that send one request after another, and a record of every response."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from harness.waiting import eventually

REQUEST_TIMEOUT = 60
# Between two requests of a client: tests wait for outages and limits, not for as many as possible.
PAUSE = 0.02


@dataclass(frozen=True)
class Response:
    """The response to one request; the status is 0 if the connection failed."""

    sent: float
    received: float
    status: int
    retry_after: str | None
    method: str
    name: str

    @property
    def seconds(self) -> float:
        return self.received - self.sent


class Load:
    """Clients that alternately create and list projects until they are stopped."""

    def __init__(self, address: str, clients: int) -> None:
        self.address = address
        self.responses: list[Response] = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send, daemon=True) for _ in range(clients)]

    def since(self, timestamp: float) -> list[Response]:
        """The responses to requests that were sent after this timestamp."""
        return [response for response in self.responses if response.sent > timestamp]

    def wait_for(self, count: int, *statuses: int, after: float = 0) -> None:
        """Wait for `count` more responses with one of these statuses.

        With `after`, for `count` responses to requests that were sent after that timestamp.
        """

        def counted() -> int:
            return sum(response.status in statuses for response in self.since(after))

        wanted = count + (0 if after else counted())
        eventually(lambda: counted() >= wanted, lambda: self.summary(after))

    def summary(self, after: float = 0) -> str:
        return str(Counter(response.status for response in self.since(after)))

    def _send(self) -> None:
        connection = http.client.HTTPConnection(
            urlsplit(self.address).netloc, timeout=REQUEST_TIMEOUT
        )
        while not self.stopping.is_set():
            name = uuid4().hex
            self._request(connection, "POST", name, json.dumps({"name": name}))
            self._request(connection, "GET", name, None)
        connection.close()

    def _request(
        self, connection: http.client.HTTPConnection, method: str, name: str, body: str | None
    ) -> None:
        sent = time.monotonic()
        status, retry_after = 0, None
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, "/api/v1/projects?limit=5", body, headers)
            response = connection.getresponse()
            response.read()
            status, retry_after = response.status, response.getheader("Retry-After")
        except (OSError, http.client.HTTPException):
            connection.close()
        received = time.monotonic()
        self.responses.append(Response(sent, received, status, retry_after, method, name))
        time.sleep(PAUSE)


@contextmanager
def started(
    threads: Sequence[threading.Thread], stopping: threading.Event, seconds: float
) -> Iterator[None]:
    """Run threads until the block ends; they end within `seconds` after `stopping` is set."""
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(seconds)


@contextmanager
def load(address: Any, clients: int = 8) -> Iterator[Load]:
    """Clients that send requests while the block runs."""
    sending = Load(str(address), clients)
    with started(sending.threads, sending.stopping, REQUEST_TIMEOUT):
        yield sending
