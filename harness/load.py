"""Clients that keep sending requests, and a record of how each was answered."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from harness.waiting import eventually

SECONDS_FOR_AN_ANSWER = 60


@dataclass(frozen=True)
class Answer:
    """How one request was answered; its status is 0 when the connection broke."""

    sent: float
    came: float
    status: int
    retry_after: str | None
    method: str
    name: str

    @property
    def seconds(self) -> float:
        return self.came - self.sent


class Load:
    """Clients that read and write projects in turn until they are told to stop."""

    def __init__(self, address: str, clients: int) -> None:
        self.address = address
        self.answers: list[Answer] = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send, daemon=True) for _ in range(clients)]

    def since(self, moment: float) -> list[Answer]:
        """Answers to what was sent after this moment."""
        return [answer for answer in self.answers if answer.sent > moment]

    def wait_for(self, count: int, *statuses: int, after: float = 0) -> None:
        """Wait for so many more answers with these statuses to what was sent after a moment."""

        def counted() -> int:
            return sum(answer.status in statuses for answer in self.since(after))

        wanted = count + (0 if after else counted())
        eventually(lambda: counted() >= wanted, lambda: self.summary(after))

    def summary(self, after: float = 0) -> str:
        return str(Counter(answer.status for answer in self.since(after)))

    def _send(self) -> None:
        connection = http.client.HTTPConnection(
            urlsplit(self.address).netloc, timeout=SECONDS_FOR_AN_ANSWER
        )
        while not self.stopping.is_set():
            name = uuid4().hex
            self._ask(connection, "POST", name, json.dumps({"name": name}))
            self._ask(connection, "GET", name, None)
        connection.close()

    def _ask(
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
            time.sleep(0.02)  # where nobody listens, a refusal comes at once
        answer = Answer(sent, time.monotonic(), status, retry_after, method, name)
        self.answers.append(answer)


@contextmanager
def load(address: Any, clients: int = 8) -> Iterator[Load]:
    """Clients that send as long as the block runs; their record stays."""
    sending = Load(str(address), clients)
    for thread in sending.threads:
        thread.start()
    try:
        yield sending
    finally:
        sending.stopping.set()
        for thread in sending.threads:
            thread.join(SECONDS_FOR_AN_ANSWER)
